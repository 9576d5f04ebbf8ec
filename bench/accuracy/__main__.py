"""How often a pack errs on labelled photos: error rates with intervals, thresholds, search, effects.

Usage: python -m bench.accuracy [--photos FOLDER]... [--pack PACK]... [--gallery N]... [--out FOLDER]

A folder holds `<person>/*.jpg`, or a `labels.csv` with the columns file, set and people. Without one the
faces of the shared folder beside the repository are taken, else the few photos inside installed packages.
Intervals are Clopper and Pearson's, two-sided, 95 %; their trials are people and pairs of people, not
photos, because photos of the same people tell little new. A rate that the trials cannot support gets no
threshold.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.accuracy import effects, open_set, photos, plots, spoofs
from bench.accuracy.pairs import Pairs, compare
from bench.accuracy.photos import Face, Shot
from bench.common import machine_facts, print_table
from ray_backend.domain.accuracy import curve, wrong_in_attempt
from ray_backend.domain.errors import PackUnavailable
from ray_backend.domain.model import Pack
from ray_backend.ports import FaceEngine
from ray_backend.services.confidence import lowest_supported, threshold_for
from ray_backend.settings import Settings
from ray_backend.vision.packs import load_engine

SHARED = Path(__file__).resolve().parents[3] / "shared"
RATES = (0.1, 0.01, 0.001, 0.0001)
SEARCH_RATES = (0.2, 0.1, 0.01)
FILM = ("video/hamilton_clip.mp4", "lin_manuel_miranda", "3.1", "6.9")  # where he stands alone on it
GALLERIES = (100, 1_000, 10_000, 50_000)


def main() -> None:
    """Measures every pack that can be had, prints tables, writes JSON and pictures."""
    options = _options()
    shots = photos.read(options.photos)
    report: dict[str, Any] = {"bench": "accuracy", "machine": machine_facts(), "photos": len(shots)}
    engines: dict[str, FaceEngine] = {}
    for pack in dict.fromkeys(options.pack):
        try:
            engine = load_engine(Settings(pack=pack))
        except PackUnavailable as error:
            print(f"{pack} is left out: {error}")
            continue
        engines[pack] = engine
        report[engine.pack.pack_id] = _measure(engine, shots, options)
    found = list(spoofs.rows(engines, options.challenges))
    if found:
        print_table("liveness", found)
        print(spoofs.NOTE)
        report["liveness"] = {"rows": found, "note": spoofs.NOTE}
    options.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=2, ensure_ascii=False)
    (options.out / "accuracy.json").write_text(text + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=Path, action="append", help="folder of labelled photos")
    parser.add_argument("--pack", action="append", help="pack, by name or folder; default: all at hand")
    parser.add_argument("--gallery", type=int, action="append", help="people in the gallery")
    parser.add_argument("--filler", choices=open_set.FILLERS, default="around", help=open_set.__doc__)
    parser.add_argument(
        "--challenges", type=int, default=0, help="challenges for each attack and photo: a minute each"
    )
    parser.add_argument("--film", help="film that shows one named person: FILE:PERSON:FROM_S:TO_S")
    parser.add_argument("--out", type=Path, default=Path("bench/results"))
    options = parser.parse_args()
    shared_faces, shared_pack = SHARED / "faces", SHARED / "models" / "edge"
    options.photos = options.photos or [folder for folder in [shared_faces] if folder.is_dir()]
    options.pack = options.pack or [
        "dlib-resnet", *[str(folder) for folder in [shared_pack] if folder.is_dir()]
    ]  # fmt: skip
    options.gallery = options.gallery or list(GALLERIES)
    if options.film is None and (shared_faces / FILM[0]).is_file():
        options.film = ":".join((str(shared_faces / FILM[0]), *FILM[1:]))
    return options


def _film(text: str) -> tuple[Path, str, float, float]:
    path, person, start, end = text.rsplit(":", 3)
    return Path(path), person, float(start), float(end)


def _measure(engine: FaceEngine, shots: list[Shot], options: argparse.Namespace) -> dict[str, Any]:
    pack = engine.pack
    faces, left_out = photos.find(shots, engine)
    pairs = compare(faces)
    tables = {
        "error rates": _error_rows(pairs, pack),
        "threshold for a false match rate": list(_threshold_rows(pairs)),
        "search": list(_search_rows(faces, pairs, pack, options)),
        "templates a person": effects.of_templates(faces, pack),
        "voted frames, made from photos": effects.of_frames(faces, engine),
    }
    if options.film:
        tables["voted frames of a film"] = effects.of_film(faces, engine, *_film(options.film))
    for name, rows in tables.items():
        print_table(f"{pack.pack_id}: {name}", rows)
    pictures = plots.draw(pairs, pack.pack_id, pack.threshold, options.out)
    facts = _facts(faces, pairs, left_out)
    print(json.dumps(facts, indent=1, ensure_ascii=False), *pictures, sep="\n")
    return {"threshold": pack.threshold, "margin": pack.margin, "facts": facts, "tables": tables,
            "curve": _points(pairs), "pictures": [path.name for path in pictures]}  # fmt: skip


def _facts(faces: list[Face], pairs: Pairs, left_out: dict[str, int]) -> dict[str, Any]:
    named = {face.identity for face in faces if face.named}
    return {
        "faces": len(faces),
        "left out": dict(left_out),
        "people known by name": len(named),
        "people without a name": len({face.identity for face in faces}) - len(named),
        "people with two photos or more": pairs.people,
        "pairs of photos of one person": pairs.genuine_comparisons,
        "pairs of different people": pairs.people_pairs,
        "pairs of photos of different people": pairs.impostor_comparisons,
        "closest different people": pairs.closest,
        "lowest false match rate that can be supported": lowest_supported(pairs.people_pairs),
    }


def _error_rows(pairs: Pairs, pack: Pack) -> list[dict[str, object]]:
    equal, _ = curve(pairs.genuine, pairs.impostor).equal_error()
    wanted = {"the pack's own": pack.threshold, "equal errors": equal}
    wanted |= {f"{step:+g}": pack.threshold + step for step in (-0.1, -0.05, -0.02, 0.02, 0.05) if
               pack.threshold + step < 1}  # fmt: skip
    return [_error_row(name, threshold, pairs) for name, threshold in wanted.items()]


def _error_row(name: str, threshold: float, pairs: Pairs) -> dict[str, object]:
    wrong, refused = pairs.false_matches(threshold), pairs.false_non_matches(threshold)
    return {
        "which": name, "threshold": round(threshold, 4),
        "FMR": wrong.rate, "FMR low": round(wrong.low, 6), "FMR high": wrong.high,
        "pairs of people": pairs.people_pairs,
        "FNMR": refused.rate, "FNMR low": round(refused.low, 6), "FNMR high": refused.high,
        "people": pairs.people, "FNMR of photos": pairs.photo_non_matches(threshold),
    }  # fmt: skip


def _threshold_rows(pairs: Pairs) -> Iterator[dict[str, object]]:
    for rate in RATES:
        choice = threshold_for(pairs.impostor, pairs.people_pairs, rate)
        if choice is None:
            needed = f"needs {3.69 / rate:,.0f} pairs of people, there are {pairs.people_pairs:,}"
            yield {"FMR": str(rate), "measured": None, "low": None, "safe": None, "note": needed}
            continue
        refused = pairs.false_non_matches(choice.safe)
        yield {
            "FMR": str(rate), "measured": choice.measured, "low": choice.low, "safe": choice.safe,
            "FNMR at safe": refused.rate, "FNMR low": round(refused.low, 6), "FNMR high": refused.high,
            "note": "",
        }  # fmt: skip


def _search_rows(
    faces: list[Face], pairs: Pairs, pack: Pack, options: argparse.Namespace
) -> Iterator[dict[str, object]]:
    for gallery in options.gallery:
        found = open_set.search(faces, gallery, options.filler)
        for rate in (None, *SEARCH_RATES):
            choice = found.threshold_for(rate) if rate else None
            threshold = choice.safe if choice else pack.threshold if rate is None else None
            wanted = "pack's own" if rate is None else f"{rate:g}"
            row = {"gallery": found.gallery, "filler": options.filler, "FPIR wanted": wanted}
            if threshold is None:
                yield row | {"note": f"{found.strangers} strangers are too few"}
            else:
                yield row | _search_row(found, threshold, pack, pairs)


def _search_row(found: open_set.Search, threshold: float, pack: Pack, pairs: Pairs) -> dict[str, object]:
    """Also what the measured FMR makes of a gallery of this size, at best and at worst."""
    let_in, missed = found.let_in(threshold), found.missed(threshold, pack.margin)
    fmr = pairs.false_matches(threshold)
    return {
        "threshold": threshold, "FPIR": let_in.rate, "FPIR high": let_in.high, "strangers": found.strangers,
        "from FMR": wrong_in_attempt(fmr.rate, found.gallery),
        "from FMR high": wrong_in_attempt(fmr.high, found.gallery),
        "FNIR": missed.rate, "FNIR high": missed.high, "people": found.mated_people,
    }  # fmt: skip


def _points(pairs: Pairs) -> list[dict[str, float]]:
    """The curve where it is neither all nor nothing."""
    rates = curve(pairs.genuine, pairs.impostor)
    shown = ((rates.fmr < 1) & (rates.fmr > 0)) | ((rates.fnmr > 0) & (rates.fnmr < 1))
    columns = (rates.thresholds[shown], rates.fmr[shown], rates.fnmr[shown])
    return [
        {"threshold": float(threshold), "FMR": float(fmr), "FNMR": float(fnmr)}
        for threshold, fmr, fnmr in zip(*columns, strict=True)
    ][::4]


if __name__ == "__main__":
    main()
