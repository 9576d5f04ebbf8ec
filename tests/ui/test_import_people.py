"""The page that imports people: dry run, import, progress that is found again, and what came of it."""

from __future__ import annotations

import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ray_backend.client import local_backend
from ray_backend.domain.queries import AuditQuery, PeopleQuery
from ray_backend.services.bulk_import.runs import Plan, State
from streamlit_app import import_words
from streamlit_app.i18n import in_language
from streamlit_app.views import import_people
from tests.fakes import FakeEngine, photo
from tests.ui.conftest import account, page, words


def archive(**people: list[bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, photos in people.items():
            for number, data in enumerate(photos):
                made.writestr(f"{name}/{number}.png", data)
    return file.getvalue()


PEOPLE = archive(E1_Ada=[photo(1)], E2_Bob=[photo(2), photo(2, blurred=True)], E3_Twin=[photo(1, variant=1)])


def button(test, label: str):
    return next(found for found in test.button if found.label == label)


def settle(test, backend):
    """Until the import of the moment is over, and the page as it is then."""
    runs = backend.import_desk().runs
    for _ in range(200):
        newest = backend.import_desk().newest()
        if runs.state_of(newest) is not State.RUNNING:
            break
        test.run()
    return test.run()


def dry_run(test, backend, data: bytes = PEOPLE, name: str = "staff.zip", consent: bool = True):
    test.file_uploader[0].set_value([(name, data, "application/zip")])
    if consent:
        test.checkbox[0].check()
    button(test.run(), "Start the dry run").click().run()
    return settle(test, backend)


def stored(backend) -> set[str]:
    return {person.employee_id for person in backend.people.find(PeopleQuery()).items}


def outcomes(test) -> dict[str, tuple[str, str]]:
    table = test.dataframe[0].value
    return dict(zip(table["File"], zip(table["Outcome"], table["Why"], strict=True), strict=True))


@pytest.fixture
def form(backend):
    return page(import_people.render, backend).run()


def test_without_a_file_nothing_can_be_started(form):
    assert "one folder for each person" in words(form)
    assert button(form, "Start the dry run").disabled


def test_a_dry_run_shows_what_would_happen_and_stores_nothing(form, backend):
    dry_run(form, backend)

    assert "nothing is stored yet" in words(form)
    assert outcomes(form) == {
        "E1_Ada/0.png": ("Would be accepted", ""),
        "E2_Bob/0.png": ("Would be accepted", ""),
        "E2_Bob/1.png": ("Would be refused", "The face is blurred."),
        "E3_Twin/0.png": ("Somebody else's face", "The photo shows a person who is registered as E1."),
    }
    assert stored(backend) == set()


def test_after_it_the_same_file_is_imported_and_the_upload_goes(form, backend, settings):
    dry_run(form, backend)
    assert list((settings.data_dir / "imports" / "uploads").iterdir())

    button(form, "Import now").click().run()
    settle(form, backend)

    assert "The import is done" in words(form)
    assert stored(backend) == {"E1", "E2"}
    assert {metric.label: metric.value for metric in form.metric} == {
        "People": "3", "New people": "2", "Photos accepted": "2", "Stored before": "0",
        "Somebody else's face": "1", "Refused": "1",
    }  # fmt: skip
    assert list((settings.data_dir / "imports" / "uploads").iterdir()) == []
    enrolled = backend.audit_log.find(AuditQuery(action="person.enrolled")).items
    assert {entry.actor for entry in enrolled} == {"admin"}


def test_without_the_tick_nobody_is_taken_of_whom_nothing_says_that_they_agreed(form, backend):
    dry_run(form, backend, consent=False)

    assert {why for _, why in outcomes(form).values()} == {"Nothing says that this person agreed."}


def test_the_result_is_there_for_whoever_opens_the_page_later(form, backend):
    dry_run(form, backend)

    assert "Dry run of staff" in words(page(import_people.render, backend).run())


def test_the_table_can_be_searched_and_filtered(form, backend):
    dry_run(form, backend)

    form.text_input(key="import_find").set_value("bob").run()
    assert set(outcomes(form)) == {"E2_Bob/0.png", "E2_Bob/1.png"}

    form.text_input(key="import_find").set_value("no such").run()
    assert "No file matches" in words(form)


def test_something_else_can_be_imported_afterwards(form, backend, settings):
    dry_run(form, backend)

    button(form, "Import something else").click().run()

    assert button(form, "Start the dry run").disabled
    assert list((settings.data_dir / "imports" / "uploads").iterdir()) == []


def test_what_cannot_be_read_says_why(form, backend):
    dry_run(form, backend, b"no zip at all")

    assert "not a zip archive that can be read" in form.error[0].value


def test_one_that_broke_off_goes_on(form, backend, tmp_path):
    source = tmp_path / "in"
    (source / "E1_Ada").mkdir(parents=True)
    (source / "E1_Ada" / "0.png").write_bytes(photo(1))
    desk = backend.import_desk()
    run = desk.runs.new(Plan(str(source), "admin", title="in", consent=True), desk.now())
    assert run.standing.state is State.RUNNING  # as a killed process leaves it

    form.run()
    assert "was not finished" in form.warning[0].value
    button(form, "Go on").click().run()
    settle(form, backend)

    assert stored(backend) == {"E1"}
    assert desk.newest().run_id == run.run_id


def test_one_that_runs_is_shown_and_can_be_stopped(form, backend, tmp_path):
    desk = backend.import_desk()
    run = desk.runs.new(Plan(str(tmp_path), "admin", title="photos_2026", consent=True), desk.now())
    run.stands(total=7)

    with desk.runs.only_one():
        form.run()
        assert "0 of about 7 people" in form.get("progress")[0].proto.text
        assert "photos\\_2026" in words(form)
        assert not form.file_uploader
        button(form, "Stop").click().run()
        assert button(form, "Stop").disabled
    assert run.stop_asked


def test_only_the_configured_folder_is_offered(settings, clock, monkeypatch, tmp_path):
    root = tmp_path / "to import"
    for name in ("staff/E1_Ada", ".hidden"):
        (root / name).mkdir(parents=True)
    (root / "staff" / "E1_Ada" / "0.png").write_bytes(photo(1))
    (root / "link").symlink_to("/etc")
    (root / "notes.txt").write_text("")
    values = settings.model_copy(update={"import_dir": root})
    backend = local_backend(values, engine=FakeEngine(), clock=clock)
    backend.accounts.ensure_admin("a long enough password")
    from streamlit_app import deps

    monkeypatch.setattr(deps, "site", backend.site.current)
    form = page(import_people.render, backend).run()

    form.radio[0].set_value("Take it from the import folder on the server").run()
    assert form.selectbox[0].options == ["staff"]
    form.selectbox[0].set_value("staff")
    form.checkbox[0].check()
    button(form.run(), "Start the dry run").click().run()
    settle(form, backend)
    assert outcomes(form) == {"E1_Ada/0.png": ("Would be accepted", "")}
    for name in ("../data", "/etc", "link", "notes.txt", ".hidden", "staff/../../x"):
        with pytest.raises(Exception, match="no such folder"):
            backend.import_desk().path_on_the_server(name)


def test_only_administrators_may_import(backend):
    from ray_backend.domain.permissions import Role

    test = page(import_people.render, backend, username=account(backend, Role.MANAGER)).run()

    assert "may not see this page" in test.error[0].value
    assert not Path(backend._settings.data_dir / "imports").exists()


def test_the_file_of_what_was_not_taken_is_in_the_readers_language(form, backend):
    """The server makes it in a thread that knows of no reader."""
    dry_run(form, backend)
    run = backend.import_desk().newest()
    with in_language("de"):
        made = import_words.refused_file(run)
    with ThreadPoolExecutor(1) as elsewhere:
        lines = elsewhere.submit(made).result().decode("utf-8-sig").splitlines()
    assert lines[0] == "Datei,Personal-Nr.,Name,Ergebnis,Warum,Zeigt Personal-Nr."
    refused = {line.partition(",")[0]: line for line in lines[1:]}
    assert refused["E2_Bob/1.png"].endswith(",Würden abgelehnt,Das Gesicht ist unscharf.,")
