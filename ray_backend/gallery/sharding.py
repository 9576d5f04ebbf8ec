"""Merging what several shards of one gallery answered to the same question."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ray_backend.domain.model import Candidate


def merge(results_per_shard: Iterable[Sequence[Candidate]], limit: int) -> list[Candidate]:
    """The `limit` nearest people over all shards, best first; of equals the one named first.

    A person whose templates lie on several shards counts once, with the largest similarity. When each
    shard answered with its own `limit` nearest people, this is what one gallery of all would answer.
    """
    best: dict[str, Candidate] = {}
    for candidates in results_per_shard:
        for candidate in candidates:
            known = best.get(candidate.person_id)
            if known is None or candidate.similarity > known.similarity:
                best[candidate.person_id] = candidate
    return sorted(best.values(), key=lambda candidate: -candidate.similarity)[:limit]
