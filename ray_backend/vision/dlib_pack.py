"""The built-in pack `dlib-resnet`: dlib's HOG detector and landmarks, its face ResNet in onnxruntime.

All of it comes with packages: the code with `dlib-bin`, the weights with `face_recognition_models`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import exp
from pathlib import Path
from queue import Empty, LifoQueue

import cv2
import dlib
import numpy as np

from ray_backend.domain.errors import PackUnavailable
from ray_backend.domain.model import DetectedFace, Pack, Quality
from ray_backend.vision import quality
from ray_backend.vision.alignment import dlib_crop
from ray_backend.vision.bfloat16 import in_bfloat16
from ray_backend.vision.calibration import DLIB_RESNET
from ray_backend.vision.dlib_graph import to_onnx
from ray_backend.vision.dlib_weights import read_network
from ray_backend.vision.results import largest_first, normalised
from ray_backend.vision.session import memory_errors, open_session

PACK_ID = "dlib-resnet"
DIMENSION = 128
CROP = (3, 150, 150)
LICENCE = "dlib's code: Boost Software License; its models: CC0, free for any use."
WEIGHTS_PACKAGE = "face_recognition_models"
RESNET = "dlib_face_recognition_resnet_model_v1.dat"
LANDMARKS = "shape_predictor_5_face_landmarks.dat"
# HOG's time grows with the pixels and its smallest face is about 60 px. Pictures shorter than the
# first of these are doubled, longer than the second shrunk to it; where that shows no face, a larger
# one is looked at again at up to the third. Camera frames of 640 x 480 are taken as they are.
SMALLEST_SIDE, USUAL_SIDE, LARGEST_SIDE = 400, 800, 1280


class DlibPack:
    """The pack `dlib-resnet` as a `FaceEngine`. Safe to call from several threads."""

    def __init__(self, *, origin: str = "built in", threads: int = 1, bfloat16: bool = True) -> None:
        """`bfloat16`: where that is faster. Raises PackUnavailable when the weights are not installed."""
        folder = weights_folder()
        self.pack = Pack(PACK_ID, DIMENSION, DLIB_RESNET.threshold, DLIB_RESNET.margin, LICENCE, origin)
        network = to_onnx(read_network(folder / RESNET))
        session = open_session(network, threads)
        self._session = in_bfloat16(session, network, CROP) if bfloat16 else session
        self._landmarks = dlib.shape_predictor(str(folder / LANDMARKS))
        self._detectors: LifoQueue = LifoQueue()

    def detect(self, image_bgr: np.ndarray, quick: bool = False) -> list[DetectedFace]:
        """Upright faces, largest first. Landmarks: dlib's five, in its order. There is no quicker way."""
        grey = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
        found: list[DetectedFace] = []
        for scale in _working_scales(max(grey.shape)):
            found = [self._face(grey, *hit, scale) for hit in self._find(_scaled(grey, scale))]
            if found:
                break
        return largest_first(found)

    def align(self, image_bgr: np.ndarray, face: DetectedFace) -> np.ndarray:
        """(150, 150, 3) uint8 BGR: dlib's own face chip."""
        return dlib_crop(image_bgr, face.landmarks)

    def embed(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        """(N, 128) float32, L2-normalised, for N crops of `align`."""
        if not len(crops):
            return np.empty((0, DIMENSION), np.float32)
        batch = np.stack(crops)[:, :, :, ::-1].transpose(0, 3, 1, 2)
        batch = np.ascontiguousarray(batch, dtype=np.float32)
        with memory_errors():
            return normalised(self._session.run(None, {"crops": batch})[0])

    def quality(self, image_bgr: np.ndarray, face: DetectedFace, crop: np.ndarray) -> Quality:
        """Measures one face."""
        return quality.measure(image_bgr, face, crop, quality.DLIB)

    def _find(self, grey: np.ndarray) -> Iterator[tuple[dlib.rectangle, float]]:
        with self._detector() as detector:
            rectangles, scores, _ = detector.run(grey, 0, 0.0)
        return zip(rectangles, scores, strict=True)

    def _face(self, grey: np.ndarray, rectangle: dlib.rectangle, score: float, scale: float) -> DetectedFace:
        box = (
            rectangle.left() / scale,
            rectangle.top() / scale,
            (rectangle.right() + 1) / scale,
            (rectangle.bottom() + 1) / scale,
        )
        shape = self._landmarks(grey, dlib.rectangle(*(round(edge) for edge in box)))
        points = np.array([[point.x, point.y] for point in shape.parts()], np.float32)
        # HOG's score is a distance from its decision plane, from 0 up, rarely above 3.
        return DetectedFace(box, points, 1 - exp(-score))

    @contextmanager
    def _detector(self) -> Iterator[dlib.fhog_object_detector]:
        """A detector that nobody else uses meanwhile: it keeps the picture's pyramid in itself."""
        try:
            detector = self._detectors.get_nowait()
        except Empty:
            detector = dlib.get_frontal_face_detector()
        try:
            yield detector
        finally:
            self._detectors.put(detector)


def weights_folder() -> Path:
    """Where the weights of `face_recognition_models` lie. Raises PackUnavailable.

    The package itself is never imported: it needs `pkg_resources`, which newer setuptools lack.
    """
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place) / "models"
        if all((folder / name).is_file() for name in (RESNET, LANDMARKS)):
            return folder
    raise PackUnavailable(
        "The weights of dlib-resnet are not installed. Run: pip install face_recognition_models"
    )


def _working_scales(longest: int) -> tuple[float, ...]:
    """What to multiply a picture's sides with before detection, in the order of trying."""
    if longest > USUAL_SIDE:
        return USUAL_SIDE / longest, min(1.0, LARGEST_SIDE / longest)
    return (2.0,) if longest < SMALLEST_SIDE else (1.0,)


def _scaled(grey: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1.0:
        return grey
    size = tuple(max(1, round(side * scale)) for side in (grey.shape[1], grey.shape[0]))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
