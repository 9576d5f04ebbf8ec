"""A group photo for the screen: the picture with a mark on each face, and the faces cut out."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape

from PIL import Image, ImageOps

from streamlit_app.group_words import GroupFace
from streamlit_app.i18n import _

_SIDE = 1280
_CROP_PX = 96
_CROP_MARGIN = 0.35

# A name's mark and a number's differ in line, shape and text, not in colour alone.
_STYLE = """<style>
.rc-group { position: relative; line-height: 0; border-radius: .5rem; overflow: hidden; }
.rc-group img { width: 100%; }
.rc-group i { position: absolute; box-sizing: border-box; border: 3px solid #37d583; border-radius: .4rem;
  box-shadow: 0 0 0 1.5px #000a, inset 0 0 0 1px #000a; }
.rc-group i.rc-not { border: 3px dashed #ffc247; }
.rc-group b { position: absolute; transform: translateX(-50%); margin-top: 3px; padding: .1em .4em;
  border-radius: .3em; background: #0b6b3a; color: #fff; font-size: clamp(.7rem, 1.2vw, .95rem);
  line-height: 1.25; font-weight: 600; white-space: nowrap; }
.rc-group b.rc-not { background: #ffc247; color: #241a00; }
.rc-crops { display: flex; flex-wrap: wrap; gap: 1rem; margin: 0; padding: 0; list-style: none; }
.rc-crops li { margin: 0; width: 11rem; font-size: .9rem; line-height: 1.35; }
.rc-crops img { width: 6rem; height: 6rem; object-fit: cover; border-radius: .5rem; display: block; }
.rc-crops strong { display: inline-block; padding: 0 .45em; border-radius: .3em; background: #ffc247;
  color: #241a00; }
</style>"""


def group_html(picture: bytes, faces: Sequence[GroupFace]) -> tuple[str, str]:
    """The marked picture, and the faces that do not count with their reasons; as safe HTML.

    Only for pictures that the backend could read.
    """
    small = _upright(picture)
    marks = "".join(map(_mark, faces))
    alt = escape(_("The group photo"))
    whole = f'{_STYLE}<div class="rc-group"><img src="{_source(small)}" alt="{alt}">{marks}</div>'
    others = "".join(_cut_out(small, face) for face in faces if face.person is None)
    return whole, f'<ul class="rc-crops">{others}</ul>'


def _mark(face: GroupFace) -> str:
    left, top, right, bottom = (100 * share for share in face.box)
    kind = "" if face.person else ' class="rc-not"'
    text = escape(face.person.name) if face.person else str(face.number)
    size = f"left:{left:.2f}%;top:{top:.2f}%;width:{right - left:.2f}%;height:{bottom - top:.2f}%"
    # A name near an edge would be cut off there.
    middle = min(92.0, max(8.0, (left + right) / 2))
    below = min(bottom, 94.0)
    return f'<i{kind} style="{size}"></i><b{kind} style="left:{middle:.2f}%;top:{below:.2f}%">{text}</b>'


def _cut_out(small: Image.Image, face: GroupFace) -> str:
    left, top, right, bottom = face.box
    x1, x2, y1, y2 = left * small.width, right * small.width, top * small.height, bottom * small.height
    half = (0.5 + _CROP_MARGIN) * max(x2 - x1, y2 - y1)
    middle_x, middle_y = (x1 + x2) / 2, (y1 + y2) / 2
    box = (
        max(0, round(middle_x - half)),
        max(0, round(middle_y - half)),
        min(small.width, max(1, round(middle_x + half))),
        min(small.height, max(1, round(middle_y + half))),
    )
    cut = small.crop(box)
    cut.thumbnail((2 * _CROP_PX, 2 * _CROP_PX))
    alt = escape(_("Face {number}", number=face.number))
    return (
        f'<li><img src="{_source(cut)}" alt="{alt}"><strong>{face.number}</strong> {escape(face.reason)}</li>'
    )


def _upright(picture: bytes) -> Image.Image:
    with Image.open(io.BytesIO(picture)) as image:
        image.draft("RGB", (_SIDE, _SIDE))
        small = ImageOps.exif_transpose(image)
        small.thumbnail((_SIDE, _SIDE))
        return small.convert("RGB")


def _source(image: Image.Image) -> str:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"
