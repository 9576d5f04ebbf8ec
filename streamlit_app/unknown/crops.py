"""Pictures of faces in a row, large enough to be compared."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from streamlit_app.i18n import _

MOST_SHOWN = 6


def crops_html(thumbnails: Sequence[bytes]) -> str:
    """The first few pictures; what they show stands beside them."""
    shown = [one for one in thumbnails if one][:MOST_SHOWN]
    if not shown:
        return f"<p>{escape(_('There is no picture to compare with.'))}</p>"
    label = escape(_("Face"))
    images = "".join(
        f'<img alt="{label}" src="data:image/jpeg;base64,{base64.b64encode(one).decode()}">' for one in shown
    )
    return f'<div class="rc-crops">{images}</div>'
