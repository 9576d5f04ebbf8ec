"""The newest picture of a video stream: what arrives in between is left out, nothing queues up."""

from __future__ import annotations

import asyncio
import io
import threading
from typing import TYPE_CHECKING

from ray_backend.observing import meters
from streamlit_app.camera.modes import Mode

if TYPE_CHECKING:
    from aiortc import MediaStreamTrack
    from av import VideoFrame

_WAY = Mode.WEBRTC.value
_JPEG_QUALITY = 85
_LONGEST_SIDE = 640


class NewestFrame:
    """A sink for streamlit-webrtc (`streamlit_webrtc.sink.MediaSink`).

    Its task on the event loop only puts the newest frame here; `take` is for another thread. May be
    started again after it was stopped, as it is when a browser connects anew.
    """

    def __init__(self) -> None:
        self._came = threading.Condition()
        self._frame: VideoFrame | None = None
        self._track: MediaStreamTrack | None = None
        self._task: asyncio.Task | None = None

    def addTrack(self, track: MediaStreamTrack) -> None:
        """The track to read from when started."""
        self._track = track

    def hasTrack(self) -> bool:
        """Whether there is one."""
        return self._track is not None

    def start(self) -> None:
        """Begins to read. Called on the event loop."""
        self._cancel(self._task)
        self._task = asyncio.get_running_loop().create_task(self._read(self._track))

    def stop(self) -> None:
        """Ends reading. May be called from any thread."""
        task, self._task, self._track = self._task, None, None
        self._cancel(task)

    def take(self, timeout_s: float) -> VideoFrame | None:
        """The newest frame that was not taken before, or None when none came in this time."""
        with self._came:
            self._came.wait_for(lambda: self._frame is not None, timeout_s)
            frame, self._frame = self._frame, None
            return frame

    async def _read(self, track: MediaStreamTrack) -> None:
        from aiortc.mediastreams import MediaStreamError

        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return  # the browser went away
            meters.frame(_WAY, "received")
            with self._came:
                if self._frame is not None:
                    meters.frame(_WAY, "dropped")
                self._frame = frame
                self._came.notify_all()

    @staticmethod
    def _cancel(task: asyncio.Task | None) -> None:
        if task is None or task.get_loop().is_closed():
            return
        task.get_loop().call_soon_threadsafe(task.cancel)


def as_jpeg(frame: VideoFrame) -> bytes:
    """The frame as a JPEG of at most 640 px: from here on it is a picture like a photo."""
    image = frame.to_image()
    image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_JPEG_QUALITY)
    return out.getvalue()
