"""insightface's liveness add-on as a `LivenessModel`. Its weights are for non-commercial research."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import requests
from insightface.addons import ADDON_CATALOG, Liveness, ensure_addon
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from ray_backend.domain.errors import PackUnavailable
from ray_backend.domain.model import DetectedFace
from ray_backend.vision.alignment import ARCFACE_POINTS
from ray_backend.vision.session import open_session

NAME = "liveness"
INSTEAD = "or set ROLLCALL_LIVENESS_MODELS to a folder with MiniFASNet models, or to nothing to do without"


class LivenessAddon:
    """insightface's model behind its own preparation. Safe to call from several threads."""

    def __init__(self, path: Path) -> None:
        """Raises PackUnavailable when the file is not such a model."""
        try:
            self._model = Liveness(path, session=open_session(path))
        except (
            RuntimeError,
            ort_errors.Fail,
            ort_errors.InvalidProtobuf,
            ort_errors.InvalidGraph,
            ort_errors.NoSuchFile,
        ) as error:
            raise PackUnavailable(
                f"{path} is not insightface's liveness model. Delete it to fetch it again, {INSTEAD}."
            ) from error
        self.model_id = f"insightface-{NAME}-{ADDON_CATALOG[NAME].sha256[:8]}"

    def score(self, image_bgr: np.ndarray, face: DetectedFace) -> float:
        """The probability, 0 to 1, that the face of a (H, W, 3) uint8 BGR picture is a living one.

        0 where too much of the face's surroundings lies outside of the picture for the model to judge:
        it must not be a way around it.
        """
        answer = self._model.predict(image_bgr, arcface_points(face.landmarks))
        return 0.0 if answer["live_score"] is None else float(answer["live_score"])


def open_addon(models_dir: Path) -> LivenessAddon:
    """The add-on in `models_dir`, downloaded if it is not there. Raises PackUnavailable."""
    root = models_dir.expanduser()
    place = root / "addons" / ADDON_CATALOG[NAME].filename
    try:
        return LivenessAddon(ensure_addon(NAME, root=root))
    except requests.RequestException as error:
        raise PackUnavailable(
            f"insightface's liveness model cannot be downloaded from {ADDON_CATALOG[NAME].url}. Put the file "
            f"at {place} yourself, {INSTEAD}."
        ) from error
    except RuntimeError as error:
        # insightface says so when the digest or the size is another than the one that it knows.
        raise PackUnavailable(
            f"insightface's liveness model at {place} is not the published one. Delete it to fetch it again, "
            f"{INSTEAD}."
        ) from error
    except OSError as error:
        raise PackUnavailable(
            f"insightface's liveness model cannot be stored at {place}: {error.strerror or error}. Make the "
            f"folder writable, {INSTEAD}."
        ) from error


def arcface_points(landmarks: np.ndarray) -> np.ndarray:
    """(5, 2) float32 left eye, right eye, nose, left and right mouth corner, for landmarks of any pack.

    dlib's five (four corners of the eyes, and the nose) have no mouth: there the points of a mean face
    are placed upon the eyes.
    """
    points = np.asarray(landmarks, dtype=np.float64)
    # insightface goes from left to right from the first point to the second and from the fourth to the
    # fifth; dlib goes from right to left from the first to the second.
    if (points[1] - points[0]) @ (points[4] - points[3]) > 0:
        return points.astype(np.float32)
    eyes = np.stack([points[2:4].mean(0), points[0:2].mean(0)]) @ [1, 1j]
    mean_face = ARCFACE_POINTS @ [1, 1j]
    step = (eyes[1] - eyes[0]) / (mean_face[1] - mean_face[0])
    placed = eyes[0] + step * (mean_face - mean_face[0])
    return np.column_stack([placed.real, placed.imag]).astype(np.float32)
