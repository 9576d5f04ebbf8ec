"""What the face engines cost: milliseconds of each stage, against the bare models in the same run.

Usage: python -m bench.engine [--pack FOLDER_OR_NAME]... [--photo FILE] [--json FILE]

A stage is timed as one caller and as two callers at once, each on a thread of its own. "Bare" is the
model alone, with nothing before or after it: in onnxruntime and float32, and the detector on the whole
picture. Where ours is faster than bare, it looked at less, or reckoned in bfloat16.
"""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from PIL import Image

from bench.common import write_report
from bench.plain import open_with
from ray_backend.domain.errors import PackUnavailable
from ray_backend.ports import FaceEngine
from ray_backend.settings import Settings
from ray_backend.vision.images import PillowCodec, decode, encode_jpeg
from ray_backend.vision.insightface_pack import InsightfacePack, input_size
from ray_backend.vision.packs import find_pack, open_pack
from ray_backend.vision.scrfd import network_input

FRAME = (640, 480)  # what a kiosk's camera sends
ROUND_S = 0.12  # each stage is repeated for so long in a round; the median of the rounds counts
ROUNDS = 11
CALLERS = 2


@dataclass(frozen=True)
class Stage:
    """A piece of work, and the same piece as a bare model call where there is one."""

    name: str
    work: Callable[[], object]
    bare: Callable[[], object] | None = None


def main() -> None:
    """Measures every pack that can be had and writes the report."""
    options = _options()
    frame = _frame(options.photo)
    rows = []
    for pack in dict.fromkeys(["dlib-resnet", *options.pack]):
        try:
            choice = find_pack(Settings(pack=pack))
        except PackUnavailable as error:
            print(f"{pack} is left out: {error}")
            continue
        engine, plain = open_pack(choice), open_with(choice, bfloat16=False)
        rows += [_row(engine.pack.pack_id, stage) for stage in _stages(engine, plain, frame)]
    write_report("engine", rows, options.json, frame=list(FRAME), rounds=ROUNDS, callers=CALLERS)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pack", action="append", default=[], help="one more pack, by name or folder")
    parser.add_argument("--photo", type=Path, help="picture with a face; default: scikit-image's astronaut")
    parser.add_argument("--json", type=Path, default=Path("bench/results/engine.json"))
    return parser.parse_args()


def _frame(photo: Path | None) -> bytes:
    """The photo as a JPEG of a camera's size."""
    if photo is None:
        spec = importlib.util.find_spec("skimage")
        photo = Path(spec.submodule_search_locations[0], "data", "astronaut.png")
    picture = decode(photo.read_bytes(), max_bytes=10**8, max_pixels=10**8)
    canvas = Image.new("RGB", FRAME, "grey")
    image = Image.fromarray(picture[:, :, ::-1])
    image.thumbnail(FRAME)
    canvas.paste(image, ((FRAME[0] - image.width) // 2, (FRAME[1] - image.height) // 2))
    return encode_jpeg(np.asarray(canvas)[:, :, ::-1], quality=85)


def _stages(engine: FaceEngine, plain: FaceEngine, frame: bytes) -> Iterator[Stage]:
    codec = PillowCodec(max_bytes=10**8, max_pixels=10**8)
    picture = codec.decode(frame)
    faces = engine.detect(picture)
    if not faces:
        raise SystemExit(f"{engine.pack.pack_id} finds no face in this photo; name another with --photo")
    face = faces[0]
    crop = engine.align(picture, face)
    yield Stage("decode", lambda: codec.decode(frame))
    yield Stage("detect", lambda: engine.detect(picture), _bare_detector(plain, picture))
    yield Stage("align", lambda: engine.align(picture, face))
    yield Stage("quality", lambda: engine.quality(picture, face, crop))
    for count in (1, 8):
        crops = [crop] * count
        yield Stage(f"embed {count}", lambda crops=crops: engine.embed(crops), _bare_embedder(plain, count))
    yield Stage("whole frame", lambda: _whole(codec, engine, frame), _bare_whole(plain, picture))


def _whole(codec: PillowCodec, engine: FaceEngine, frame: bytes) -> np.ndarray:
    """One check-in's worth of work: the nearest face of a frame."""
    picture = codec.decode(frame)
    face = engine.detect(picture)[0]
    crop = engine.align(picture, face)
    engine.quality(picture, face, crop)
    return engine.embed([crop])


def _bare_detector(engine: FaceEngine, picture: np.ndarray) -> Callable[[], object] | None:
    """The detector's session on what it is given for this picture; HOG has none."""
    if not isinstance(engine, InsightfacePack):
        return None
    model = engine._detector
    blob, _ = network_input(model, picture, input_size(*FRAME))
    return lambda: model.session.run(model.output_names, {model.input_name: blob})


def _bare_embedder(engine: FaceEngine, count: int) -> Callable[[], object]:
    session = engine._embedder.session if isinstance(engine, InsightfacePack) else engine._session
    source = session.get_inputs()[0]
    blob = np.random.default_rng(0).uniform(0, 255, (count, *source.shape[1:])).astype(np.float32)
    return lambda: session.run(None, {source.name: blob})


def _bare_whole(engine: FaceEngine, picture: np.ndarray) -> Callable[[], object] | None:
    detector, embedder = _bare_detector(engine, picture), _bare_embedder(engine, 1)
    if detector is None:
        return None
    return lambda: (detector(), embedder())


def _row(pack: str, stage: Stage) -> dict[str, object]:
    """Ours and bare are measured turn by turn, so that a noisy neighbour disturbs both alike."""
    jobs = {"ours": stage.work, "bare": stage.bare}
    times: dict[str, list[float]] = {}
    with ThreadPoolExecutor(CALLERS) as threads:
        for _ in range(ROUNDS):
            for who, job in jobs.items():
                if job is not None:
                    times.setdefault(f"{who} ms", []).append(_ms_a_call(job))
                    times.setdefault(f"{who} /s, {CALLERS} callers", []).append(_rate(threads, job))
    row: dict[str, object] = {"pack": pack, "stage": stage.name}
    row |= {name: round(median(values), 4) for name, values in times.items()}
    if stage.bare is not None:
        rate = f"/s, {CALLERS} callers"
        row["ours : bare, 1 caller"] = round(row["bare ms"] / row["ours ms"], 3)
        row[f"ours : bare, {CALLERS} callers"] = round(row[f"ours {rate}"] / row[f"bare {rate}"], 3)
    return row


def _ms_a_call(job: Callable[[], object]) -> float:
    calls, seconds = _repeat(job)
    return 1000 * seconds / calls


def _rate(threads: ThreadPoolExecutor, job: Callable[[], object]) -> float:
    """Calls a second of all callers together."""
    done = [threads.submit(_repeat, job) for _ in range(CALLERS)]
    return sum(calls / seconds for calls, seconds in (part.result() for part in done))


def _repeat(job: Callable[[], object]) -> tuple[int, float]:
    job()
    start, calls = perf_counter(), 0
    while (seconds := perf_counter() - start) < ROUND_S:
        job()
        calls += 1
    return calls, seconds


if __name__ == "__main__":
    main()
