"""Passive liveness: models that tell from one frame whether a living face or a picture of one is seen."""

from __future__ import annotations

from pathlib import Path

from ray_backend.ports import LivenessModel

INSIGHTFACE = "insightface"
# From which score of a `LivenessModel` a face counts as a living one. Measured for two MiniFASNet models:
# two spoof photos score 0.30 at most, one live one 0.99; of 52 photos of people 88 % (boxes of SCRFD) and
# 96 % (of dlib) reach 0.5, and 81 % and 85 % reach 0.8. Two attacks say little: `bench/liveness.py` tells.
LIVE_FROM = 0.5


def open_liveness(wanted: str, *, models_dir: Path = Path("~/.insightface")) -> LivenessModel | None:
    """The model that `Settings.liveness_models` asks for: a folder, `insightface`, or nothing.

    insightface's own is downloaded into `models_dir` if it is not there. Raises PackUnavailable, which
    says what to do.
    """
    if not wanted:
        return None
    # Imports are here because each kind's libraries take a second, and one runs at most.
    if wanted == INSIGHTFACE:
        from ray_backend.vision.liveness.addon import open_addon

        return open_addon(models_dir)
    from ray_backend.vision.liveness.minifasnet import open_folder

    return open_folder(Path(wanted).expanduser())
