"""Imports in words and rows for people. Knows nothing of Streamlit."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import pandas as pd

from ray_backend.services.bulk_import.entries import Counts
from ray_backend.services.bulk_import.report import Row
from ray_backend.services.bulk_import.runs import Run, State
from ray_backend.services.bulk_import.words import Fate

MOST_ROWS = 2000
FATES = {
    Fate.ACCEPTED: "Accepted",
    Fate.STORED_ALREADY: "Stored before",
    Fate.DUPLICATE: "Somebody else's face",
    Fate.REFUSED: "Refused",
}
# The same before anything is stored.
FATES_REHEARSED = FATES | {Fate.ACCEPTED: "Would be accepted", Fate.REFUSED: "Would be refused"}
HOW = (
    "A **.zip** holds one folder for each person, named `<employee id>_<name>`, with photos in it; or a "
    "table and the photos that it names. A table is a **.csv** or **.xlsx** file with the columns "
    "*Employee id*, *Name* and *Photo*, and if you like *Department*, *E-mail* and *Consent*; headings may "
    "be German. Several photos stand in several columns, or in one with semicolons between them."
)
LARGER = (
    "At most {megabytes} MB can be uploaded. For more, lay the files into the import folder on the server, "
    "or run `rollcall people import` there."
)
NO_FOLDER = (
    "At most {megabytes} MB can be uploaded. For more, run `rollcall people import` on the server, or name a "
    "folder there in ROLLCALL_IMPORT_DIR."
)
CONSENT = (
    "Everybody in it agreed to the consent text of this site. It is noted with each person that you said so."
)
NO_CONSENT = "Without this tick only people are taken whose row in a table says yes under *Consent*."


def total_words(done: int, total: int | None) -> str:
    """How far an import came."""
    if total is None:
        return f"{done:,} people"
    return f"{done:,} of about {max(done, total):,} people"


def progress(done: int, total: int | None) -> float:
    """As a share, 0 to 1."""
    return min(1.0, done / total) if total else 0.0


def result_words(run: Run, state: State) -> str:
    """What came of an import, and what to do next."""
    if state is State.DONE:
        if run.plan.dry_run:
            return "This was a dry run: nothing is stored yet. Look at the table, then import."
        return "The import is done. Who was accepted is recognised at the kiosks from now on."
    if run.plan.dry_run:
        return "The dry run was not finished. Start it again."
    return (
        "The import was not finished. What is done is kept; it goes on where it was, and nobody comes twice."
    )


def tiles(counts: Counts) -> dict[str, int]:
    """The numbers of an import by what they count."""
    return {
        "People": counts.people,
        "New people": counts.created,
        "Photos accepted": counts.accepted,
        "Stored before": counts.stored_already,
        "Somebody else's face": counts.duplicates,
        "Refused": counts.refused,
    }


def table(rows: Iterable[Row], text: str = "", *, rehearsed: bool = False) -> pd.DataFrame:
    """The first of the rows that hold the text, ready to be shown."""
    names = FATES_REHEARSED if rehearsed else FATES
    text = text.casefold()
    wanted = (row for row in rows if text in f"{row.place}\n{row.employee_id}\n{row.name}".casefold())
    shown = list(islice(wanted, MOST_ROWS))
    return pd.DataFrame(
        {
            "File": [row.place for row in shown],
            "Employee id": [row.employee_id for row in shown],
            "Name": [row.name for row in shown],
            "Outcome": [names[row.fate] for row in shown],
            "Why": [row.reason.sentence if row.reason else "" for row in shown],
        }
    )
