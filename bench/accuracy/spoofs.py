"""Liveness: attacks that are taken for living people (APCER) and living people who are refused (BPCER).

The modes `off` and `observe` refuse nobody: every attack passes (APCER 1) and no one is kept out (BPCER 0),
by definition. What is measured here is what `require` does, by the passive model and by the challenge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench import liveness
from ray_backend.ports import FaceEngine
from ray_backend.services.confidence import interval
from ray_backend.vision.liveness import open_liveness
from tests import faces

HEADS = 100
NOTE = (
    "Liveness modes off and observe refuse nobody (APCER 1, BPCER 0); the rows are for require. Challenges "
    "on one photo and one kind of attack differ in their order and movements only, so the intervals are too "
    "narrow where trials outnumber photos. Photos of enrolled people stand for living ones, and synthetic "
    "heads for people who follow the challenge."
)


def rows(engines: Sequence[FaceEngine], seeds: int) -> Iterator[dict[str, object]]:
    """What `bench.liveness` measures, with intervals; nothing without the folder of labelled faces."""
    if not faces.labelled() or not engines:
        return
    models = faces.MODELS / "liveness"
    for engine in engines:
        if models.is_dir():
            yield from map(_with_interval, liveness.passive_rows(engine, open_liveness(str(models))))
        if seeds:
            attacks = liveness.attack_rows(engine, liveness.attack_photos(), range(seeds))
            yield from map(_with_interval, attacks)
    yield from map(_with_interval, liveness.head_rows(range(HEADS)))


def _with_interval(row: liveness.Row) -> dict[str, object]:
    trials = int(row["trials"])
    found = interval((row["share"] or 0.0) * trials, trials)
    return {**row, "low": round(found.low, 4), "high": round(found.high, 4)}
