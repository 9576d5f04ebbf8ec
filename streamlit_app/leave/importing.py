"""Leave from a file: looked at row by row, then kept."""

from __future__ import annotations

import io
from collections.abc import Sequence

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import RollcallError
from ray_backend.domain.worktime.schedule import Leave
from ray_backend.services.bulk_import.entries import ImportLimits
from ray_backend.services.leave_import import LeaveRow, of_person, read
from streamlit_app.i18n import _, message, n_
from streamlit_app.notes import say
from streamlit_app.session import ACTOR

LARGEST_BYTES = 10_000_000


def render(backend: Backend) -> None:
    """File, outcome of each row, confirmation."""
    st.write(
        _(
            "A CSV or Excel file with the columns employee id, first, last, kind; or personalnummer, von, "
            "bis, art. The same file may be imported again: what is there already stays one."
        )
    )
    file = st.file_uploader(_("File"), type=["csv", "xlsx"], key="leave-file")
    if file is None:
        return
    try:
        rows = read(io.BytesIO(file.getvalue()), file.name, ImportLimits(LARGEST_BYTES))
    except RollcallError as error:
        st.error(message(error), icon=":material/error:")
        return
    show(backend, rows)


def show(backend: Backend, rows: Sequence[LeaveRow]) -> None:
    """The outcome of each row, and keeping those that are right."""
    people = {one.employee_id for one in rows if one.leave}
    ids = {employee_id: backend.people.by_employee_id(employee_id) for employee_id in people}
    wanted: list[Leave] = []
    told = []
    for row in rows:
        person = ids.get(row.employee_id)
        problem = message(row.problem) if row.problem else ""
        if row.leave and person is None:
            problem = _("Nobody of your departments has this employee id.")
        elif row.leave and person:
            wanted.append(of_person(row.leave, person.person_id))
        told.append(_told(row, person.name if person else "", problem))
    st.dataframe(told, hide_index=True, key="leave-rows")
    st.caption(_("{right} of {number} rows can be imported.", right=len(wanted), number=len(rows)))
    label = n_("Import {number} row", "Import {number} rows", len(wanted))
    if st.button(label, type="primary", disabled=not wanted, key="leave-import"):
        _keep(backend, wanted)


def _keep(backend: Backend, wanted: Sequence[Leave]) -> None:
    try:
        new = backend.leave.add(list(wanted), actor=ACTOR)
    except RollcallError as error:
        st.error(message(error), icon=":material/error:")
        return
    say(_("New: {new}. There already: {there}.", new=new, there=len(wanted) - new))
    st.rerun()


def _told(row: LeaveRow, name: str, problem: str) -> dict[str, str]:
    leave = row.leave
    return {
        _("Row"): str(row.number),
        _("Employee id"): row.employee_id,
        _("Name"): name,
        _("First"): str(leave.first) if leave else "",
        _("Last"): str(leave.last) if leave else "",
        _("Kind"): leave.kind if leave else "",
        _("Outcome"): problem or _("Can be imported"),
    }
