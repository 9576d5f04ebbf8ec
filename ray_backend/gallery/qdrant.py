"""The gallery in a Qdrant server, for those who run one. Only this file imports qdrant_client."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import islice
from uuid import NAMESPACE_OID, uuid5

import numpy as np
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from ray_backend.domain.errors import StoreUnavailable
from ray_backend.domain.model import Candidate, Template
from ray_backend.gallery.scan import checked

_BATCH = 256  # points in one request: half a megabyte at 512 numbers
_PAGE = 10_000  # ids in one answer


class QdrantGallery:
    """Implements `GalleryIndex` over one collection, which several processes may share.

    Every method may raise StoreUnavailable. `version` counts the changes made through this object.
    Unlike the others, `replace` takes effect batch by batch: if the templates end with an error, the
    collection holds what it held before and the batches until then.
    """

    def __init__(
        self, client: QdrantClient, collection: str, dimension: int, *, one_by_one: bool = False
    ) -> None:
        """Makes the collection if need be. `one_by_one` is for the client's local mode, which tests use.

        Raises ValueError when the collection is of another dimension.
        """
        self._client = client
        self._collection = collection
        self._dimension = dimension
        self._version = 0
        # A server is asked from several threads at once; local mode is not made for that.
        self._turn = threading.Lock() if one_by_one else nullcontext()
        with self._asking():
            self._open()

    @property
    def version(self) -> int:
        return self._version

    def __len__(self) -> int:
        with self._asking():
            return self._client.count(self._collection, exact=True).count

    def replace(self, templates: Iterator[Template]) -> None:
        """See `GalleryIndex`. What others add meanwhile stays."""
        before = self._point_ids()
        while batch := list(islice(templates, _BATCH)):
            self._put(batch)
            before -= {_point_id(template.template_id) for template in batch}
        for chosen in _batches(sorted(before)):
            self._delete(models.PointIdsList(points=chosen))
        self._version += 1

    def add(self, templates: Sequence[Template]) -> None:
        self._put(list({template.template_id: template for template in templates}.values()))
        self._version += 1

    def remove_template(self, template_id: str) -> None:
        self._delete(models.PointIdsList(points=[_point_id(template_id)]))
        self._version += 1

    def remove_person(self, person_id: str) -> None:
        owner = models.FieldCondition(key="person_id", match=models.MatchValue(value=person_id))
        self._delete(models.FilterSelector(filter=models.Filter(must=[owner])))
        self._version += 1

    def search(
        self, embeddings: np.ndarray, limit: int = 2, only: frozenset[str] | None = None
    ) -> list[list[Candidate]]:
        asked = checked(embeddings, self._dimension)
        if only is None:
            return [self._nearest(row, limit, None) for row in asked]
        named = models.FieldCondition(key="person_id", match=models.MatchAny(any=sorted(only)))
        return [self._nearest(row, limit, models.Filter(must=[named])) for row in asked]

    def close(self) -> None:
        """Ends the connection."""
        self._client.close()

    def _nearest(self, embedding: np.ndarray, limit: int, among: models.Filter | None) -> list[Candidate]:
        with self._asking():
            groups = self._client.query_points_groups(
                self._collection,
                group_by="person_id",
                query=embedding.tolist(),
                query_filter=among,
                limit=limit,
                group_size=1,
                with_payload=False,
            ).groups
        found = [Candidate(str(group.id), float(group.hits[0].score)) for group in groups]
        return sorted(found, key=lambda candidate: -candidate.similarity)

    def _open(self) -> None:
        if not self._client.collection_exists(self._collection):
            cosine = models.VectorParams(size=self._dimension, distance=models.Distance.COSINE)
            self._client.create_collection(self._collection, vectors_config=cosine)
        # Grouping and removing by person need it. A server makes it once and then leaves it alone.
        self._client.create_payload_index(
            self._collection, "person_id", field_schema=models.PayloadSchemaType.KEYWORD
        )
        size = self._client.get_collection(self._collection).config.params.vectors.size
        if size != self._dimension:
            raise ValueError(f"{self._collection} holds vectors of {size} numbers, not {self._dimension}")

    def _put(self, templates: Sequence[Template]) -> None:
        for template in templates:
            if template.embedding.shape != (self._dimension,):
                raise ValueError(f"expected ({self._dimension},) template, got {template.embedding.shape}")
        points = [
            models.PointStruct(
                id=_point_id(template.template_id),
                vector=template.embedding.tolist(),
                payload={"person_id": template.person_id},
            )
            for template in templates
        ]
        for batch in _batches(points):
            with self._asking():
                self._client.upsert(self._collection, batch, wait=True)

    def _delete(self, selector: models.PointIdsList | models.FilterSelector) -> None:
        with self._asking():
            self._client.delete(self._collection, selector, wait=True)

    def _point_ids(self) -> set[str]:
        ids: set[str] = set()
        offset = None
        while True:
            with self._asking():
                points, offset = self._client.scroll(
                    self._collection, limit=_PAGE, offset=offset, with_payload=False, with_vectors=False
                )
            ids |= {str(point.id) for point in points}
            if offset is None:
                return ids

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Turns the client's errors about the server into ours."""
        try:
            with self._turn:
                yield
        except (ResponseHandlingException, UnexpectedResponse) as error:
            raise StoreUnavailable("The Qdrant server does not answer. Check ROLLCALL_QDRANT_URL.") from error


def _point_id(template_id: str) -> str:
    """Qdrant takes UUIDs only, and a template's id may be any text."""
    return str(uuid5(NAMESPACE_OID, template_id))


def _batches(items: Sequence) -> Iterator[list]:
    for start in range(0, len(items), _BATCH):
        yield list(items[start : start + _BATCH])
