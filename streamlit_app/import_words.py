"""Imports in words and rows for people. Knows nothing of Streamlit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

import pandas as pd

from ray_backend.services.bulk_import.entries import Counts
from ray_backend.services.bulk_import.report import Row, refused_csv
from ray_backend.services.bulk_import.runs import Run, State
from ray_backend.services.bulk_import.words import Fate
from streamlit_app.i18n import N_, _, in_language, language, message, n_

MOST_ROWS = 2000
_FATES = {
    Fate.ACCEPTED: N_("Accepted"),
    Fate.STORED_ALREADY: N_("Stored before"),
    Fate.DUPLICATE: N_("Somebody else's face"),
    Fate.REFUSED: N_("Refused"),
}
# The same before anything is stored.
_REHEARSED = _FATES | {Fate.ACCEPTED: N_("Would be accepted"), Fate.REFUSED: N_("Would be refused")}
_TITLES = (
    N_("File"), N_("Employee id"), N_("Name"), N_("Outcome"), N_("Why"), N_("Shows employee id"),
)  # fmt: skip
HOW = N_(
    "A **.zip** holds one folder for each person, named `<employee id>_<name>`, with photos in it; or a "
    "table and the photos that it names. A table is a **.csv** or **.xlsx** file with the columns "
    "*Employee id*, *Name* and *Photo*, and if you like *Department*, *E-mail* and *Consent*; headings may "
    "be German. Several photos stand in several columns, or in one with semicolons between them."
)
LARGER = N_(
    "At most {megabytes} MB can be uploaded. For more, lay the files into the import folder on the server, "
    "or run `rollcall people import` there."
)
NO_FOLDER = N_(
    "At most {megabytes} MB can be uploaded. For more, run `rollcall people import` on the server, or name a "
    "folder there in ROLLCALL_IMPORT_DIR."
)
CONSENT = N_(
    "Everybody in it agreed to the consent text of this site. It is noted with each person that you said so."
)
NO_CONSENT = N_("Without this tick only people are taken whose row in a table says yes under *Consent*.")


def fates(*, rehearsed: bool) -> dict[Fate, str]:
    """What may become of a file, in words: of a dry run, what would."""
    return {fate: _(text) for fate, text in (_REHEARSED if rehearsed else _FATES).items()}


def total_words(done: int, total: int | None) -> str:
    """How far an import came."""
    if total is None:
        return n_("{number:,} person", "{number:,} people", done)
    return _("{done:,} of about {total:,} people", done=done, total=max(done, total))


def progress(done: int, total: int | None) -> float:
    """As a share, 0 to 1."""
    return min(1.0, done / total) if total else 0.0


def result_words(run: Run, state: State) -> str:
    """What came of an import, and what to do next."""
    if state is State.DONE:
        if run.plan.dry_run:
            return _("This was a dry run: nothing is stored yet. Look at the table, then import.")
        return _("The import is done. Who was accepted is recognised at the kiosks from now on.")
    if run.plan.dry_run:
        return _("The dry run was not finished. Start it again.")
    return _(
        "The import was not finished. What is done is kept; it goes on where it was, and nobody comes twice."
    )


def tiles(counts: Counts) -> dict[str, int]:
    """The numbers of an import by what they count."""
    return {
        _("People"): counts.people,
        _("New people"): counts.created,
        _("Photos accepted"): counts.accepted,
        _("Stored before"): counts.stored_already,
        _("Somebody else's face"): counts.duplicates,
        _("Refused"): counts.refused,
    }


def refused_file(run: Run) -> Callable[[], bytes]:
    """Makes the file of what was not taken, in the language of whoever reads this: the thread that makes it
    knows of no reader."""
    reader = language()

    def made() -> bytes:
        with in_language(reader):
            titles = [_(title) for title in _TITLES]
            words = fates(rehearsed=run.plan.dry_run)
            return refused_csv(run.outcomes(), titles=titles, fate_words=words.__getitem__, say=message)

    return made


def table(rows: Iterable[Row], text: str = "", *, rehearsed: bool = False) -> pd.DataFrame:
    """The first of the rows that hold the text, ready to be shown."""
    names = fates(rehearsed=rehearsed)
    text = text.casefold()
    wanted = (row for row in rows if text in f"{row.place}\n{row.employee_id}\n{row.name}".casefold())
    shown = list(islice(wanted, MOST_ROWS))
    # Few reasons stand in many rows.
    said = {sentence: message(sentence) for sentence in {row.reason.sentence for row in shown if row.reason}}
    return pd.DataFrame(
        {
            _("File"): [row.place for row in shown],
            _("Employee id"): [row.employee_id for row in shown],
            _("Name"): [row.name for row in shown],
            _("Outcome"): [names[row.fate] for row in shown],
            _("Why"): [said[row.reason.sentence] if row.reason else "" for row in shown],
        }
    )
