"""Made-up templates like those of real people, for the tests and for bench/gallery.py."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from ray_backend.domain.model import Template

AT = datetime(2026, 3, 2, tzinfo=UTC)


def template(person_id: str, template_id: str, embedding: np.ndarray) -> Template:
    return Template(person_id, "fake", embedding, 0.9, "upload", AT, template_id=template_id)


class Faces:
    """People, each a point on the sphere, and pictures of them scattered around it.

    `alike`: cosine similarity that two pictures of one person have on average. `cone`: the same of two
    strangers, 0 for most packs and about 0.87 for dlib's. The directions are used unevenly, as networks
    use them: strangers spread more than uniform points would.
    """

    def __init__(self, dimension: int, people: int, *, alike: float = 0.65, cone: float = 0.0, seed: int = 0):
        self._chance = np.random.default_rng(seed)
        weights = (np.arange(1, dimension + 1, dtype=np.float32) / dimension) ** -0.25
        self._weights = weights / np.linalg.norm(weights)
        self._common = self._points(1)[0] * np.float32(np.sqrt(cone))
        self._own = np.float32(np.sqrt((alike - cone) / (1 - cone)))
        self._apart = np.float32(np.sqrt(1 - cone))
        self._centres = self._points(people)

    def pictures(self, people: np.ndarray) -> np.ndarray:
        """(N, D) float32, L2-normalised: one new picture of each of these people, by number."""
        noise = self._points(len(people)) * np.sqrt(1 - self._own**2)
        rows = (self._centres[people] * self._own + noise) * self._apart + self._common
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def _points(self, count: int) -> np.ndarray:
        rows = self._chance.standard_normal((count, len(self._weights)), np.float32) * self._weights
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)
