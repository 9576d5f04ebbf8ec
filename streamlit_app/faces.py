"""The small round face beside a name."""

from __future__ import annotations

import base64


def face_html(thumbnail: bytes, size_px: int) -> str:
    """A small round face, or an empty circle. For the eye only: the name stands beside it."""
    if not thumbnail:
        return f"<span class='rc-face' style='--face: {size_px}px' aria-hidden='true'></span>"
    data = base64.b64encode(thumbnail).decode()
    return f"<img class='rc-face' style='--face: {size_px}px' alt='' src='data:image/jpeg;base64,{data}'>"
