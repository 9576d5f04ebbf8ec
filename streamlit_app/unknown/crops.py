"""Pictures of faces in a row, large enough to be compared."""

from __future__ import annotations

import base64
from collections.abc import Sequence

MOST_SHOWN = 6


def crops_html(thumbnails: Sequence[bytes]) -> str:
    """The first few pictures; what they show stands beside them."""
    shown = [one for one in thumbnails if one][:MOST_SHOWN]
    if not shown:
        return "<p>There is no picture to compare with.</p>"
    images = "".join(
        f'<img alt="Face" src="data:image/jpeg;base64,{base64.b64encode(one).decode()}">' for one in shown
    )
    return f'<div class="rc-crops">{images}</div>'
