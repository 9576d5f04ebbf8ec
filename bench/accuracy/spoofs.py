"""Liveness: attacks that are taken for living people (APCER) and living people who are refused (BPCER).

The modes `off` and `observe` refuse nobody: every attack passes (APCER 1) and no one is kept out (BPCER 0),
by definition. What is measured here is what `require` does, by the passive model and by the challenge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bench import liveness
from bench.common import usable_cores
from ray_backend.ports import FaceEngine
from ray_backend.vision.liveness import open_liveness
from tests import faces

HEADS = 100
NOTE = liveness.NOTE


def rows(engines: Mapping[str, FaceEngine], seeds: int) -> Iterator[dict[str, object]]:
    """What `bench.liveness` measures, with intervals; nothing without the folder of labelled faces.

    `engines` by the packs as the settings name them.
    """
    if not faces.labelled() or not engines:
        return
    models = faces.MODELS / "liveness"
    found: list[liveness.Row] = []
    for engine in engines.values():
        if models.is_dir():
            found += liveness.passive_rows(engine, open_liveness(str(models)))
    if seeds:
        found += liveness.attack_rows(list(engines), liveness.attack_photos(), range(seeds), usable_cores())
    found += liveness.head_rows(range(HEADS))
    yield from map(liveness.with_interval, found)
