"""What more templates of a person, and more frames of one visit, change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from bench.accuracy import photos
from bench.accuracy.pairs import certainly_different, keys
from bench.accuracy.photos import Face, Shot
from bench.faces import frames as camera_frames
from ray_backend.domain.decision import decide
from ray_backend.domain.kiosk.rules import KioskRules
from ray_backend.domain.kiosk.vote import Vote
from ray_backend.domain.kiosk.words import SeenFace
from ray_backend.domain.model import Candidate, Decision, DecisionKind, Pack
from ray_backend.ports import FaceEngine
from ray_backend.services.confidence import interval
from ray_backend.vision.images import encode_jpeg

MOST = 5
DRAWS = 200
_FRAME_S = 0.2


def of_templates(faces: Sequence[Face], pack: Pack) -> list[dict[str, object]]:
    """FNMR and FMR of a person's best of one to five templates, at the pack's threshold.

    The same people in every row: those with six photos or more. Which photos are templates is drawn by
    chance, 200 times for each person and face.
    """
    codes, _, named = keys(faces)
    rows = np.stack([face.embedding for face in faces])
    similarities = rows @ rows.T
    people = [code for code in np.unique(codes[named]) if (codes == code).sum() > MOST]
    different = certainly_different(faces)
    return [
        _template_row(count, people, codes, similarities, different, pack) for count in range(1, MOST + 1)
    ]


def _template_row(
    count: int,
    people: list[int],
    codes: np.ndarray,
    similarities: np.ndarray,
    different: np.ndarray,
    pack: Pack,
) -> dict[str, object]:
    random = np.random.default_rng(count)
    refused, wrong = [], []
    for code in people:
        own = np.flatnonzero(codes == code)
        others = np.flatnonzero(different[own[0]])
        misses, hits = [], []
        for _ in range(DRAWS):
            probe, *templates = random.permutation(own)[: count + 1]
            misses.append(similarities[probe, templates].max() < pack.threshold)
            hits.append((similarities[np.ix_(others, templates)].max(axis=1) >= pack.threshold).mean())
        refused.append(np.mean(misses))
        wrong.append(np.mean(hits))
    return {
        "templates": count,
        "FNMR": float(np.mean(refused)) if people else None,
        "FMR": float(np.mean(wrong)) if people else None,
        "people": len(people),
        "photos": int(sum((codes == code).sum() for code in people)),
    }


def of_frames(faces: Sequence[Face], engine: FaceEngine) -> list[dict[str, object]]:
    """What the kiosk's vote over one to five frames decides, for enrolled people and for strangers.

    The frames are made from the photos: size, place, light, noise and compression differ, the pose does
    not, so real frames differ more. A single frame is decided on by itself, which a kiosk never does.
    """
    alone = Counter(face.shot.name for face in faces)
    visits = [
        (face, shown)
        for face in faces
        if alone[face.shot.name] == 1 and (shown := _frames_of(face.shot, engine)) is not None
    ]
    return [_frame_row(count, visits, faces, engine.pack) for count in range(1, MOST + 1)]


def _frames_of(shot: Shot, engine: FaceEngine) -> list[Face] | None:
    """The faces of five frames made from a photo of one person; None where one shows none."""
    shots = [replace(shot, data=data) for data in camera_frames(shot.data, MOST, seed=len(shot.data))]
    found, _ = photos.find(shots, engine)
    return found if len(found) == MOST else None


def of_film(
    faces: Sequence[Face], engine: FaceEngine, film: Path, person: str, start_s: float, end_s: float
) -> list[dict[str, object]]:
    """As `of_frames`, on a film on which this person is alone between the two times, five frames a second.

    All frames show one person in one light: the shares have no interval.
    """
    frames = enumerate(_film_frames(film, start_s, end_s))
    shown, _ = photos.find([Shot(f"{film.name}/{number}", data, person) for number, data in frames], engine)
    gallery = _gallery(faces, None)
    return [_film_row(count, shown, gallery, person, engine.pack) for count in range(1, MOST + 1)]


def _film_row(
    count: int, shown: Sequence[Face], gallery: dict[str, np.ndarray], person: str, pack: Pack
) -> dict[str, object]:
    others = {name: rows for name, rows in gallery.items() if name != person}
    windows = [shown[first : first + count] for first in range(len(shown) - count + 1)]
    missed = [not _is(_decision(window, gallery, pack), person) for window in windows]
    let_in = [_decision(window, others, pack).kind is DecisionKind.MATCH for window in windows]
    return {
        "frames": count,
        "refused": float(np.mean(missed)) if windows else None,
        "let in as a stranger": float(np.mean(let_in)) if windows else None,
        "windows": len(windows),
        "frames with a face": len(shown),
    }


def _film_frames(film: Path, start_s: float, end_s: float) -> Iterator[bytes]:
    """JPEGs of the film between the two times."""
    capture = cv2.VideoCapture(str(film))
    rate = capture.get(cv2.CAP_PROP_FPS)
    every, number = max(1, round(rate * _FRAME_S)), 0
    while (read := capture.read())[0]:
        if start_s <= number / rate < end_s and number % every == 0:
            yield encode_jpeg(read[1], quality=92)
        number += 1
    capture.release()


def _frame_row(
    count: int, visits: list[tuple[Face, list[Face]]], faces: Sequence[Face], pack: Pack
) -> dict[str, object]:
    enrolled, strange, seen = Counter(), Counter(), Counter()
    for face, shown in visits:
        gallery = _gallery(faces, face)
        windows = [shown[first : first + count] for first in range(MOST - count + 1)]
        mine = [_decision(window, gallery, pack) for window in windows] if face.identity in gallery else []
        others = {name: rows for name, rows in gallery.items() if name != face.identity}
        theirs = [_decision(window, others, pack) for window in windows]
        seen[face.identity] += 1
        if mine:
            enrolled[face.identity] += np.mean([not _is(decision, face.identity) for decision in mine])
        strange[face.identity] += np.mean([decision.kind is DecisionKind.MATCH for decision in theirs])
    mated = {face.identity for face, _ in visits if face.identity in _gallery(faces, face)}
    refused = interval(sum(enrolled[name] / seen[name] for name in mated), len(mated))
    wrong = interval(sum(strange[name] / seen[name] for name in seen), len(seen))
    return {
        "frames": count,
        "refused": refused.rate, "refused, 95 % up to": refused.high, "people": len(mated),
        "strangers let in": wrong.rate, "let in, 95 % up to": wrong.high, "strangers": len(seen),
        "visits": len(visits),
    }  # fmt: skip


def _gallery(faces: Sequence[Face], visitor: Face | None) -> dict[str, np.ndarray]:
    """Templates of each named person, (N, D), without the photo that the visitor's frames are made from."""
    people: dict[str, list[np.ndarray]] = {}
    for face in faces:
        if face.named and face is not visitor and len(people.get(face.identity, [])) < 3:
            people.setdefault(face.identity, []).append(face.embedding)
    return {name: np.stack(rows) for name, rows in people.items()}


def _decision(window: Sequence[Face], gallery: dict[str, np.ndarray], pack: Pack) -> Decision:
    """The kiosk's own vote, told to decide after these frames."""
    if len(window) == 1:
        return decide(_candidates(window[0], gallery), threshold=pack.threshold, margin=pack.margin)
    rules = KioskRules(min_frames=len(window), match_s=0, give_up_frames=len(window), give_up_s=0, doubt_s=0)
    vote = Vote(rules, threshold=pack.threshold, margin=pack.margin)
    for number, face in enumerate(window):
        side = face.quality.size_px
        seen = SeenFace(
            (0, 0, side, side), np.zeros((5, 2), np.float32), face.quality, face.embedding,
            tuple(_candidates(face, gallery)),
        )  # fmt: skip
        vote.add(number * _FRAME_S, seen)
    return vote.decision() or Decision(DecisionKind.UNKNOWN)


def _candidates(face: Face, gallery: dict[str, np.ndarray]) -> list[Candidate]:
    found = [Candidate(name, float((rows @ face.embedding).max())) for name, rows in gallery.items()]
    return sorted(found, key=lambda candidate: -candidate.similarity)


def _is(decision: Decision, identity: str) -> bool:
    return decision.kind is DecisionKind.MATCH and decision.best.person_id == identity
