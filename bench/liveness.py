"""Passive and active liveness: how many attacks pass (APCER), how many people are kept out (BPCER).

Photos and models come from a folder beside the repository (`tests/faces.py`). Attacks on the challenge
are made from those photos: flat pictures moved by hand that do what is asked. Synthetic heads stand for
people there, since no public video follows these movements.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from bench.common import write_report
from ray_backend.ports import FaceEngine, LivenessModel
from ray_backend.settings import Settings
from ray_backend.vision.liveness import LIVE_FROM, open_liveness
from ray_backend.vision.packs import load_engine
from ray_backend.vision.quality import DLIB, INSIGHTFACE
from tests import faces
from tests.heads import ATTACKS, Ending, head, moved_photo, perform

ENROLLED = ("enrol", "probe", "many")
Row = dict[str, object]


def main() -> None:
    """Measures what the folder allows and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=6, help="challenges for each attack and photo")
    parser.add_argument("--heads", type=int, default=500, help="synthetic heads")
    parser.add_argument("--json", type=Path, default=Path("bench/results/liveness.json"))
    options = parser.parse_args()
    if not faces.labelled():
        raise SystemExit("There is no folder with labelled faces: set ROLLCALL_TEST_SHARED to one.")
    rows: list[Row] = []
    for pack in (str(faces.EDGE_PACK), "dlib-resnet"):
        engine = load_engine(Settings(pack=pack))
        rows += passive_rows(engine, open_liveness(str(faces.MODELS / "liveness")))
        rows += attack_rows(engine, attack_photos(), range(options.seeds))
    rows += head_rows(range(options.heads))
    write_report("liveness", rows, options.json, seeds=options.seeds, live_from=LIVE_FROM)


def passive_scores(engine: FaceEngine, model: LivenessModel, paths: Iterable[Path]) -> list[float]:
    """The model's score of the nearest face of each photo; photos without one are left out."""
    scores = []
    for path in paths:
        picture = faces.open_photo(path)
        scores += [model.score(picture, face) for face in engine.detect(picture)[:1]]
    return scores


def passive_rows(engine: FaceEngine, model: LivenessModel, live_from: float = LIVE_FROM) -> list[Row]:
    """APCER on the spoof photos, BPCER on photos of living people."""
    liveness = faces.FACES / "liveness"
    kinds = {
        "print or replay": (sorted(liveness.glob("spoof_*")), "APCER"),
        "live photo": (sorted(liveness.glob("live_*")), "BPCER"),
        "enrolled people's photos": ([photo.path for photo in faces.labelled(*ENROLLED)], "BPCER"),
    }
    rows = []
    for kind, (paths, rate) in kinds.items():
        scores = passive_scores(engine, model, paths)
        wrong = sum((score >= live_from) == (rate == "APCER") for score in scores)
        rows.append(_row(engine.pack.pack_id, "passive", kind, rate, wrong, len(scores)))
    return rows


def attack_photos() -> list[Path]:
    """One large frontal photo of each of a few people."""
    return [photo.path for photo in faces.labelled("enrol") if photo.path.stem == "1"]


def attack_endings(
    engine: FaceEngine, photos: Iterable[Path], attack: str, seeds: Iterable[int], fps: float = 6.0
) -> list[Ending]:
    """How the challenges of these seeds end for a flat photo that `attack` moves."""
    opened = [faces.open_photo(path) for path in photos]
    return [
        perform(moved_photo(engine, photo, attack, seed), seed, fps) for photo in opened for seed in seeds
    ]


def attack_rows(engine: FaceEngine, photos: Iterable[Path], seeds: Iterable[int]) -> list[Row]:
    """APCER of the challenge for each kind of attack."""
    rows = []
    for attack in ATTACKS:
        endings = attack_endings(engine, list(photos), attack, seeds)
        passed = sum(ending.live for ending in endings)
        rows.append(_row(engine.pack.pack_id, "active", attack, "APCER", passed, len(endings)))
    return rows


def head_rows(seeds: Iterable[int]) -> list[Row]:
    """BPCER of the challenge for synthetic heads with the landmarks of either kind of pack."""
    rows = []
    for name, scheme in (("five points of insightface", INSIGHTFACE), ("five points of dlib", DLIB)):
        for fps in (5.0, 10.0):
            endings = [perform(head(scheme, seed), seed, fps) for seed in seeds]
            refused = sum(not ending.live for ending in endings)
            kind = f"synthetic head, {fps:.0f} frames/s"
            rows.append(_row(name, "active", kind, "BPCER", refused, len(endings)))
    return rows


def _row(pack: str, way: str, kind: str, rate: str, wrong: int, trials: int) -> Row:
    """With no error in n trials, the true rate lies below 3/n with 95 % confidence (rule of three)."""
    share = wrong / trials if trials else None
    return {"pack": pack, "way": way, "kind": kind, "rate": rate, "share": share, "trials": trials}


if __name__ == "__main__":
    main()
