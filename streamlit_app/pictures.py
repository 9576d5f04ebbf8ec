"""Small copies of photos for the screen, with the face marked."""

from __future__ import annotations

import base64
import io

from PIL import Image, ImageOps

from streamlit_app.presenters import RelativeBox

_SIDE = 480


def photo_html(picture: bytes, box: RelativeBox | None, description: str) -> str:
    """The photo with a frame around the face. Only for pictures that the backend could read.

    `description` is for screen readers and must be safe in HTML.
    """
    frame = ""
    if box:
        left, top, right, bottom = (100 * share for share in box)
        size = f"left:{left}%;top:{top}%;width:{right - left}%;height:{bottom - top}%"
        frame = f'<i style="{size}"></i>'
    source = base64.b64encode(_small_copy(picture)).decode()
    return (
        f'<div class="rc-photo"><img src="data:image/jpeg;base64,{source}" alt="{description}">{frame}</div>'
    )


def _small_copy(picture: bytes) -> bytes:
    with Image.open(io.BytesIO(picture)) as image:
        image.draft("RGB", (_SIDE, _SIDE))
        small = ImageOps.exif_transpose(image)
        small.thumbnail((_SIDE, _SIDE))
        out = io.BytesIO()
        small.convert("RGB").save(out, "JPEG", quality=80)
    return out.getvalue()
