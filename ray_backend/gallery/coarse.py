"""Short codes of embeddings that can be searched fast, made with faiss. Only this file imports it.

Product quantisation with four bits: an embedding is cut into up to 128 pieces and each is replaced
by the nearest of 16 learnt ones, so that 512 float32 become 64 bytes. All codes are gone through with
table look-ups in registers ("fast scan", Andre et al., VLDB 2015; Johnson et al., IEEE Big Data 2019).
Nothing is left out by a graph or by cells, so a face is missed only where its code is.
"""

from __future__ import annotations

import threading
import zlib
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import faiss
import numpy as np

from ray_backend.gallery.blocks import code_bytes, pieces

_CENTRES = 16
_DIGEST_BYTES = 16
_BITS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Coarse:
    """Codes of the first `covered` rows of a chunk, packed for searching. Never changes."""

    packed: Any
    covered: int

    def search(self, embeddings: np.ndarray, wanted: int) -> tuple[np.ndarray, np.ndarray]:
        """(N, K) approximate inner products and (N, K) rows, the best `wanted`, -1 where there is none."""
        one_thread()
        return self.packed.search(embeddings, min(wanted, self.covered))


class Codebook:
    """The learnt pieces. Vectors are (N, D) float32, codes (N, code_bytes(D)) uint8."""

    def __init__(self, dimension: int, centres: np.ndarray) -> None:
        """`centres`: (pieces, 16, D / pieces) float32. Raises ValueError for another number."""
        count = pieces(dimension)
        shape = (count, _CENTRES, dimension // count)
        if centres.size != np.prod(shape) or not np.isfinite(centres).all():
            raise ValueError(f"expected {shape} finite centres, got {centres.shape}")
        self._dimension = dimension
        self._centres = np.ascontiguousarray(centres, np.float32).reshape(shape)
        self._quantizer = faiss.ProductQuantizer(dimension, count, _BITS)
        faiss.copy_array_to_vector(self._centres.ravel(), self._quantizer.centroids)
        seed = zlib.crc32(self._centres.tobytes())
        self._odd = np.random.default_rng(seed).integers(0, 1 << 31, code_bytes(dimension), np.uint32) * 2 + 1

    @classmethod
    def train(cls, vectors: np.ndarray) -> Codebook:
        """Learns from a sample of at least 16 vectors; some tens of thousands are enough."""
        one_thread()
        dimension = vectors.shape[1]
        quantizer = faiss.ProductQuantizer(dimension, pieces(dimension), _BITS)
        quantizer.cp.min_points_per_centroid = 1  # keeps faiss from warning about small samples
        quantizer.train(np.ascontiguousarray(vectors, np.float32))
        return cls(dimension, faiss.vector_to_array(quantizer.centroids))

    @classmethod
    def from_bytes(cls, dimension: int, data: bytes) -> Codebook:
        """What `to_bytes` gave. Raises ValueError when it is damaged or of another dimension."""
        digest, body = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
        if blake2b(body, digest_size=_DIGEST_BYTES).digest() != digest:
            raise ValueError("the codebook is damaged")
        return cls(dimension, np.frombuffer(body, np.float32))

    def to_bytes(self) -> bytes:
        """The centres behind their digest."""
        body = self._centres.tobytes()
        return blake2b(body, digest_size=_DIGEST_BYTES).digest() + body

    def encode(self, vectors: np.ndarray) -> np.ndarray:
        """The codes of the vectors."""
        one_thread()
        return self._quantizer.compute_codes(np.ascontiguousarray(vectors, np.float32))

    def sums(self, codes: np.ndarray) -> np.ndarray:
        """(N,) uint32 check sums, never 0; those of another codebook's codes do not fit."""
        return (codes.astype(np.uint32) * self._odd).sum(axis=1, dtype=np.uint32) | np.uint32(1 << 31)

    def pack(self, codes: np.ndarray) -> Coarse:
        """An index over these codes."""
        plain = faiss.IndexPQ(self._dimension, pieces(self._dimension), _BITS, faiss.METRIC_INNER_PRODUCT)
        faiss.copy_array_to_vector(self._centres.ravel(), plain.pq.centroids)
        plain.is_trained = True
        faiss.copy_array_to_vector(np.ascontiguousarray(codes).ravel(), plain.codes)
        plain.ntotal = len(codes)
        return Coarse(faiss.IndexPQFastScan(plain), len(codes))


_threads = threading.local()


def one_thread() -> None:
    """Keeps faiss on the calling thread: more of them fight with the inference for the cores.

    OpenMP keeps the number for each calling thread, so each has to say so once.
    """
    if not getattr(_threads, "told", False):
        faiss.omp_set_num_threads(1)
        _threads.told = True
