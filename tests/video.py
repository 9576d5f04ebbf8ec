"""Camera films for Chromium's fake camera: an .mjpeg file is JPEG pictures one behind the other."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
from PIL import Image

from tests.people import face_photo

WIDTH, HEIGHT = 640, 480


def film_of_person(path: Path, person: int, frames: int = 30) -> Path:
    """Somebody who stands before the camera and moves a little."""
    with Image.open(io.BytesIO(face_photo(person))) as photo:
        side = 360
        face = photo.resize((side, side))
    with path.open("wb") as file:
        for frame in range(frames):
            canvas = Image.new("RGB", (WIDTH, HEIGHT), (96, 104, 112))
            canvas.paste(face, ((WIDTH - side) // 2 + frame % 5, (HEIGHT - side) // 2 + frame % 3))
            canvas.save(file, "JPEG", quality=92)
    return path


def film_of_nobody(path: Path) -> Path:
    """An empty room."""
    with path.open("wb") as file:
        for _ in range(5):
            Image.new("RGB", (WIDTH, HEIGHT), (96, 104, 112)).save(file, "JPEG")
    return path


def film_from_video(path: Path, video: Path, *, every: int = 2, longest: int = 300) -> Path:
    """Every n-th frame of a video file."""
    capture = cv2.VideoCapture(str(video))
    written = index = 0
    with path.open("wb") as file:
        while written < longest:
            read, frame = capture.read()
            if not read:
                break
            if index % every == 0:
                file.write(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())
                written += 1
            index += 1
    capture.release()
    assert written, f"no frame could be read from {video}"
    return path


def film_of_visits(path: Path, *visits: tuple[int | None, float]) -> Path:
    """People one after the other, each for so many seconds; None is an empty room. 30 frames a second."""
    with path.open("wb") as file:
        for person, seconds in visits:
            frames = [_encoded(_scene(person, step)) for step in range(5)]
            for number in range(round(30 * seconds)):
                file.write(frames[number // 3 % len(frames)])
    return path


def _scene(person: int | None, step: int) -> Image.Image:
    canvas = Image.new("RGB", (WIDTH, HEIGHT), (96, 104, 112))
    if person is not None:
        with Image.open(io.BytesIO(face_photo(person))) as photo:
            side = 360
            canvas.paste(photo.resize((side, side)), ((WIDTH - side) // 2 + step, (HEIGHT - side) // 2))
    return canvas


def _encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()
