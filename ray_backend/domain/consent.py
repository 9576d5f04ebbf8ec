"""What whoever is registered agrees to, where the site has no text of its own.

These are texts of record, each of them a version, so no catalogue translates them.
"""

from __future__ import annotations

from typing import Literal

Language = Literal["en", "de"]

CONSENT_TEXTS: dict[Language, str] = {
    "en": (
        "I agree that my face is stored as photos and numbers and is used to record attendance. I may "
        "withdraw this at any time; my photos and everything computed from them are then erased."
    ),
    "de": (
        "Ich bin damit einverstanden, dass mein Gesicht in Form von Fotos und Zahlen gespeichert und zur "
        "Erfassung meiner Anwesenheit verwendet wird. Ich kann das jederzeit widerrufen; meine Fotos und "
        "alles daraus Berechnete werden dann gelöscht."
    ),
}
