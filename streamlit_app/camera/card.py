"""The answer as a card of large plain text, for the modes whose page Streamlit draws."""

from __future__ import annotations

from html import escape

from streamlit_app.kiosk_words import Answer

# The live kiosk's finer states, in the ones that have a colour and a sign here.
_LOOKS = {
    "closer": "hint", "adjust": "hint", "hold": "idle", "challenge": "hint", "locked": "unknown",
    "ambiguous": "unknown", "spoof": "unknown", "wrong": "unknown", "limited": "unknown",
    "thanks": "already",
}  # fmt: skip
_SIGNS = {"in": "✓", "out": "→", "already": "◷", "hint": "▲", "unknown": "◆", "away": "…"}


def card_html(answer: Answer) -> str:
    """As safe HTML, announced to screen readers when it changes."""
    detail = " ".join(filter(None, (answer.time, answer.direction, answer.hint, answer.note)))
    look = _LOOKS.get(answer.state, answer.state)
    return (
        f'<div class="rc-answer rc-{look}" role="status" aria-live="assertive" aria-atomic="true">'
        f'<span class="rc-sign" aria-hidden="true">{_SIGNS.get(look, "")}</span>'
        f"<div><p>{escape(answer.headline)}</p><small>{escape(detail)}</small></div></div>"
    )
