"""Ray tasks for bulk work: many pictures, many searches, spread over the actors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import ray

from ray_backend.domain.errors import ImageRejected
from ray_backend.domain.model import Candidate, FrameAnalysis
from ray_backend.serving import handles
from ray_backend.serving.names import DATABASE_ACTOR
from ray_backend.serving.pooled_faces import PooledFaces

_CHUNK = 64


def _batch_process_faces(images: Sequence[bytes], timeout_s: float) -> list[FrameAnalysis | ImageRejected]:
    return PooledFaces(timeout_s).analyse_many(images, bulk=True)


def _distributed_similarity_search(
    embeddings: np.ndarray, limit: int, timeout_s: float
) -> list[list[Candidate]]:
    database = handles.get_handle(DATABASE_ACTOR)
    calls = [
        database.find_similar_embeddings_batch.remote(embeddings[start : start + _CHUNK], limit)
        for start in range(0, len(embeddings), _CHUNK)
    ]
    return [row for call in calls for row in handles.result(call, timeout_s)]


def batch_process_faces(images: Sequence[bytes], *, timeout_s: float = 600.0) -> ray.ObjectRef:
    """All faces of each picture with embeddings, in order; a bad picture comes back as its error.

    Returns a reference at once: `ray.get` it, or hand it on.
    """
    return ray.remote(_batch_process_faces).options(num_cpus=0).remote(images, timeout_s)


def distributed_similarity_search(
    embeddings: np.ndarray, *, limit: int = 5, timeout_s: float = 60.0
) -> ray.ObjectRef:
    """The nearest people to each row of (N, D) float32, best first. Returns a reference at once."""
    task = ray.remote(_distributed_similarity_search).options(num_cpus=0)
    return task.remote(embeddings, limit, timeout_s)
