"""Passive and active liveness: how many attacks pass (APCER), how many people are kept out (BPCER).

Photos and models come from a folder beside the repository (`tests/faces.py`). Attacks on the challenge
are made from those photos: flat pictures moved by hand that do what is asked. Synthetic heads stand for
people there, since no public video follows these movements.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from bench.common import usable_cores, write_report
from ray_backend.ports import FaceEngine, LivenessModel
from ray_backend.services.confidence import interval
from ray_backend.settings import Settings
from ray_backend.vision.liveness import LIVE_FROM, open_liveness
from ray_backend.vision.packs import load_engine
from ray_backend.vision.quality import DLIB, INSIGHTFACE
from tests import faces
from tests.heads import ATTACKS, head, moved_photo, perform

ENROLLED = ("enrol", "probe", "many")
FPS, FILM_FPS = 6.0, 5.0
Row = dict[str, object]
NOTE = (
    "Liveness modes off and observe refuse nobody (APCER 1, BPCER 0); the rows are for require. Challenges "
    "on one photo and one kind of attack differ in their order and movements only, so the intervals are too "
    "narrow where trials outnumber photos, and so it is with the frames of one film of two people. Photos of "
    "enrolled people stand for living ones, and synthetic heads for people who follow the challenge."
)


def main() -> None:
    """Measures what the folder allows and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=6, help="challenges for each attack and photo")
    parser.add_argument("--heads", type=int, default=500, help="synthetic heads")
    parser.add_argument("--workers", type=int, default=usable_cores(), help="processes")
    parser.add_argument("--json", type=Path, default=Path("bench/results/liveness.json"))
    options = parser.parse_args()
    if not faces.labelled():
        raise SystemExit("There is no folder with labelled faces: set ROLLCALL_TEST_SHARED to one.")
    packs = (str(faces.EDGE_PACK), "dlib-resnet")
    rows: list[Row] = []
    for pack in packs:
        print(f"Photos before the passive model, found by {Path(pack).name}", flush=True)
        rows += passive_rows(_engine(pack), open_liveness(str(faces.MODELS / "liveness")))
    rows += attack_rows(packs, attack_photos(), range(options.seeds), options.workers)
    rows += head_rows(range(options.heads))
    facts = {"seeds": options.seeds, "live_from": LIVE_FROM, "note": NOTE}
    write_report("liveness", [with_interval(row) for row in rows], options.json, **facts)
    print(NOTE)


def passive_scores(engine: FaceEngine, model: LivenessModel, pictures: Iterable[np.ndarray]) -> list[float]:
    """The model's score of the nearest face of each picture; pictures without one are left out."""
    return [model.score(picture, face) for picture in pictures for face in engine.detect(picture)[:1]]


def passive_rows(engine: FaceEngine, model: LivenessModel, live_from: float = LIVE_FROM) -> list[Row]:
    """APCER on the spoof photos, BPCER on photos and a film of living people."""
    liveness = faces.FACES / "liveness"
    kinds = {
        "print or replay": (map(faces.open_photo, sorted(liveness.glob("spoof_*"))), "APCER"),
        "live photo": (map(faces.open_photo, sorted(liveness.glob("live_*"))), "BPCER"),
        "enrolled people's photos": (
            (faces.open_photo(photo.path) for photo in faces.labelled(*ENROLLED)),
            "BPCER",
        ),
        "frames of a film of two people": (_film_frames(), "BPCER"),
    }
    rows = []
    for kind, (pictures, rate) in kinds.items():
        scores = passive_scores(engine, model, pictures)
        wrong = sum((score >= live_from) == (rate == "APCER") for score in scores)
        rows.append(_row(engine.pack.pack_id, "passive", kind, rate, wrong, len(scores)))
    return rows


def _film_frames() -> Iterator[np.ndarray]:
    """Five frames a second, (H, W, 3) uint8 BGR."""
    capture = cv2.VideoCapture(str(faces.FACES / "video" / "hamilton_clip.mp4"))
    every, number = max(1, round(capture.get(cv2.CAP_PROP_FPS) / FILM_FPS)), 0
    while (read := capture.read())[0]:
        if number % every == 0:
            yield read[1]
        number += 1
    capture.release()


def attack_photos() -> list[Path]:
    """One large frontal photo of each of a few people."""
    return [photo.path for photo in faces.labelled("enrol") if photo.path.stem == "1"]


def attack_rows(
    packs: Sequence[str], photos: Sequence[Path], seeds: Sequence[int], workers: int = 1
) -> list[Row]:
    """APCER of the challenge for each pack, as the settings name it, and each kind of attack.

    One attack on one photo takes about half a second for each seed, so they are shared out to processes.
    """
    tasks = [(pack, attack, photo, list(seeds)) for pack in packs for attack in ATTACKS for photo in photos]
    passed: dict[tuple[str, str], list[int]] = {}
    names: dict[str, str] = {}
    # Started anew: a forked process would share the parent's onnxruntime threads, which do not run in it.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(_attack, *task): task for task in tasks}
        for done in track(as_completed(waiting), "Attacks on the challenge", total=len(tasks)):
            pack, attack, _, _ = waiting[done]
            names[pack], live = done.result()
            passed.setdefault((pack, attack), []).extend(live)
    return [
        _row(names[pack], "active", attack, "APCER", sum(passed[pack, attack]), len(passed[pack, attack]))
        for pack in packs
        for attack in ATTACKS
    ]


def _attack(pack: str, attack: str, photo: Path, seeds: Sequence[int]) -> tuple[str, list[bool]]:
    """The pack's id, and for each seed whether the photo passed for a living person."""
    engine, picture = _engine(pack), faces.open_photo(photo)
    live = [perform(moved_photo(engine, picture, attack, seed), seed, FPS).live for seed in seeds]
    return engine.pack.pack_id, live


@cache
def _engine(pack: str) -> FaceEngine:
    return load_engine(Settings(pack=pack))


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


def with_interval(row: Row) -> Row:
    """The row with the bounds of its rate: Clopper and Pearson's, two-sided, 95 %."""
    trials = int(row["trials"])
    found = interval((row["share"] or 0.0) * trials, trials)
    return {**row, "low": round(found.low, 4), "high": round(found.high, 4)}


def _row(pack: str, way: str, kind: str, rate: str, wrong: int, trials: int) -> Row:
    share = wrong / trials if trials else None
    return {"pack": pack, "way": way, "kind": kind, "rate": rate, "share": share, "trials": trials}


if __name__ == "__main__":
    main()
