"""POST /check_in, GET /attendance and its export."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import openpyxl
import pypdf
import pytest

from ray_backend.domain.errors import Overloaded
from ray_backend.domain.model import Direction, Punch
from ray_backend.domain.permissions import Role
from ray_backend.services import table_files
from ray_backend.settings import Settings
from ray_backend.storage import open_store
from tests.api.conftest import IMAGE, encoded
from tests.fakes import photo

ADA, ALAN, STRANGER = 1, 2, 9


def check_in(web, who: int, key: str = "k1", role: Role = Role.KIOSK, **request):
    return web.send_picture("/check_in", photo(who), headers={"Idempotency-Key": key}, role=role, **request)


def test_a_check_in_at_a_kiosk_records_one_punch_with_its_receipt(web):
    web.site.enrol(ADA)
    document = check_in(web, ADA).json()
    assert (document["decision"], document["repeated"]) == ("match", False)
    assert document["person"] == {"employee_id": "E1", "name": "Person 1"}
    assert document["local_time"] == "2026-03-02T09:00:00+01:00"
    assert document["punch"]["direction"] == "in"
    assert document["punch"]["kiosk"] == "kiosk", "the token's own name"
    assert document["punch"]["receipt"]["pack"] == "fake"
    assert document["punch"]["receipt"]["similarity"] == pytest.approx(1, abs=1e-4)
    assert [punch.punch_id for punch in web.site.punches()] == [document["punch"]["punch_id"]]


def test_the_same_key_gives_the_same_punch_even_hours_later(web):
    web.site.enrol(ADA)
    first = check_in(web, ADA).json()
    web.site.clock.move(hours=3)
    again = check_in(web, ADA).json()
    assert again["punch"] == first["punch"]
    assert (first["repeated"], again["repeated"]) == (False, True)
    another = check_in(web, ADA, key="k2").json()
    assert another["punch"]["direction"] == "out"
    assert len(web.site.punches()) == 2


def test_two_kiosks_that_choose_the_same_key_are_not_shown_each_others_people(web):
    web.site.enrol(ADA)
    web.site.enrol(ALAN)
    door, gate = ({"role": Role.ADMIN, "params": {"kiosk": name}} for name in ("door", "gate"))
    assert check_in(web, ADA, **door).json()["person"]["employee_id"] == "E1"
    assert check_in(web, ALAN, **gate).json()["person"]["employee_id"] == "E2"
    assert len(web.site.punches()) == 2


@pytest.mark.parametrize(
    ("picture", "decision", "issue"),
    [
        (photo(STRANGER), "unknown", None),
        (photo(ADA, blurred=True), "poor_quality", "blurred"),
        (photo(), "no_face", None),
    ],
)
def test_anything_but_a_match_is_an_answer_without_a_punch(web, picture, decision, issue):
    web.site.enrol(ADA)
    answer = web.send_picture("/check_in", picture, headers={"Idempotency-Key": "k"}, role=Role.KIOSK)
    assert answer.status_code == 200
    document = answer.json()
    assert (document["decision"], document["issue"], document["punch"], document["person"]) == (
        decision, issue, None, None,
    )  # fmt: skip
    assert web.site.punches() == []


def test_the_kiosk_is_named_in_the_query_the_form_or_the_document(web):
    web.site.enrol(ADA)
    keys = iter("abc")

    def head():
        return {"Idempotency-Key": next(keys)}

    answers = [
        web.send_picture("/check_in?kiosk=door", photo(ADA), headers=head()),
        web.call("POST", "/check_in", headers=head(), data={"kiosk": "door"},
                 files={"file": ("a.png", photo(ADA), IMAGE)}),
        web.call("POST", "/check_in", headers=head(), json={"kiosk": "door", "image": encoded(photo(ADA))}),
    ]  # fmt: skip
    assert [answer.json()["punch"]["kiosk"] for answer in answers] == ["door"] * 3


@pytest.mark.parametrize("kiosk", [None, "", "x" * 65, "a\nb"])
def test_a_program_has_to_name_a_kiosk(web, kiosk):
    params = {} if kiosk is None else {"kiosk": kiosk}
    assert check_in(web, ADA, role=Role.ADMIN, params=params).status_code == 422
    document = {"kiosk": 7, "image": encoded(photo(ADA))}
    assert web.call("POST", "/check_in", headers={"Idempotency-Key": "k"}, json=document).status_code == 422


def test_a_kiosk_may_not_speak_for_another_one(web):
    web.site.enrol(ADA)
    assert check_in(web, ADA, params={"kiosk": "another"}).status_code == 403
    assert check_in(web, ADA, params={"kiosk": "kiosk"}).status_code == 200


@pytest.mark.parametrize("key", [None, "", "x" * 201, "a b", "\xe9"])
def test_a_check_in_needs_a_key(web, key):
    headers = {} if key is None else {"Idempotency-Key": key.encode("latin-1")}
    answer = web.send_picture("/check_in", photo(ADA), role=Role.KIOSK, headers=headers)
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["detail"]


def test_a_full_queue_records_nothing_and_says_when_to_come_again(web):
    web.site.enrol(ADA)
    web.recogniser.failure = Overloaded("Too many wait.", 1.0)
    answer = check_in(web, ADA)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert web.site.punches() == []


def punched(web, *offsets_s: float, who: int = ADA):
    person = web.site.enrol(who)
    for index, offset in enumerate(offsets_s):
        at = web.site.clock.now() + timedelta(seconds=offset)
        web.site.punch(person.person_id, at, key=f"{who}/{index}")
    return person


def every_page(web, **query) -> list[dict]:
    rows, cursor = [], None
    for _ in range(100):
        page = web.get("/attendance", **query, **({"cursor": cursor} if cursor else {})).json()
        rows += page["punches"]
        cursor = page["next_cursor"]
        if cursor is None:
            return rows
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_together_are_every_punch_once_even_where_many_have_one_time(web, limit):
    punched(web, 0, 1, 1, 1, 1, 1, 2, 2, 3)
    punched(web, 1, 1, 3, who=ALAN)
    expected = [punch.punch_id for punch in web.site.punches()]
    assert [row["punch_id"] for row in every_page(web, limit=limit)] == expected
    assert len(expected) == 12


def test_ten_thousand_punches_come_page_by_page_each_once(open_web, tmp_path):
    """In a real database, with hundreds of punches of the same second."""
    store = open_store(Settings(store=f"sqlite:///{(tmp_path / 'site.sqlite3').as_posix()}"))
    web = open_web(store=store)
    person, now = web.site.enrol(ADA), web.site.clock.now()
    keys = [f"{number:05}" for number in range(10_000)]
    store.add_punches(
        [
            Punch(
                person.person_id, now + timedelta(seconds=number // 300), Direction.IN, "door", "face", key,
                (f"{key}/a", f"{key}/b"), punch_id=f"{7919 * number % 10_000:05}",
            )
            for number, key in enumerate(keys)
        ]
    )  # fmt: skip
    pages, cursor, sizes = [], None, []
    while cursor is not None or not pages:
        page = web.get("/attendance", limit=1000, **({"cursor": cursor} if cursor else {})).json()
        pages += [(row["at"], row["punch_id"]) for row in page["punches"]]
        sizes.append(len(page["punches"]))
        cursor = page["next_cursor"]
    assert sizes == [1000] * 10
    assert len(set(pages)) == 10_000
    assert pages == sorted(pages)
    store.close()


def test_a_punch_that_comes_between_two_pages_hides_none(web):
    ada = punched(web, 0, 1, 2, 3)
    first = web.get("/attendance", limit=2).json()
    web.site.punch(ada.person_id, web.site.clock.now() + timedelta(seconds=1), key="late")
    rest = every_page(web, limit=2)
    second = web.get("/attendance", limit=100, cursor=first["next_cursor"]).json()["punches"]
    assert {row["punch_id"] for row in first["punches"] + second} >= {
        punch.punch_id for punch in web.site.punches() if punch.idempotency_key != "late"
    }
    assert len(rest) == 5


def test_punches_are_found_by_time_and_person(web):
    punched(web, 0, 3600)
    punched(web, 1800, who=ALAN)

    def kinds(**query):
        rows = every_page(web, **query)
        return [(row["person"]["employee_id"], row["at"][11:16]) for row in rows]

    assert kinds(since="2026-03-02T08:30:00Z") == [("E2", "08:30"), ("E1", "09:00")]
    assert kinds(until="2026-03-02T08:30:00Z") == [("E1", "08:00")]
    assert kinds(since="2026-03-02T09:30:00") == [("E2", "08:30"), ("E1", "09:00")], "the site's time"
    assert kinds(person="E1") == [("E1", "08:00"), ("E1", "09:00")]
    assert kinds(person="E1", limit=1) == [("E1", "08:00"), ("E1", "09:00")]
    assert web.get("/attendance", person="E9").status_code == 404


def test_the_punch_of_somebody_erased_has_no_person(web):
    ada = punched(web, 0)
    web.site.backend.people.erase(ada.person_id, typed_employee_id="E1", keep_punches=True, actor="a")
    assert [row["person"] for row in every_page(web)] == [None]


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "x"}, {"cursor": "W10="}, {"cursor": "WyIyMDI2IiwiYSIsMV0="}, {"cursor": "é"},
        {"cursor": "bnVsbA=="}, {"since": "0001-01-01T00:00:00"}, {"until": "9999-12-31T23:59:59-12:00"},
        {"since": "yesterday"}, {"limit": 0}, {"limit": 1001},
    ],
)  # fmt: skip
def test_a_query_that_cannot_be_is_refused(web, query):
    assert web.get("/attendance", **query).status_code == 422


DAYS = {"start": "2026-03-02", "end": "2026-03-02"}


def test_the_export_is_the_day_sheet_as_a_file(web):
    punched(web, 0, 28_800)
    answer = web.get("/attendance/export", Role.MANAGER, **DAYS)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="attendance_2026-03-02_2026-03-02.csv"'
    )
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["Employee id"], row["Worked (hours)"]) == ("E1", "8")
    assert (row["Filter"], row["Time zone"]) == ("2026-03-02 to 2026-03-02", "Europe/Berlin")
    answer = web.get("/attendance/export", format="xlsx", **DAYS)
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content))["2026-03"]
    assert sheet["A2"].value == "E1"
    assert "xlsx" in answer.headers["Content-Disposition"]


def test_the_export_as_json_and_on_paper(web):
    punched(web, 0, 28_800)
    answer = web.get("/attendance/export", format="json", **DAYS)
    assert answer.headers["Content-Type"] == "application/json"
    (row,) = answer.json()["rows"]
    assert (row["employee_id"], row["worked"], row["first_in"]) == ("E1", 480, "2026-03-02T09:00:00")
    answer = web.get("/attendance/export", format="pdf", **DAYS)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert "8:00" in pypdf.PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()


def test_the_export_of_days_with_one_status(web):
    punched(web, 0, 28_800)
    rows = {
        status: web.get("/attendance/export", format="json", status=status, **DAYS).json()["rows"]
        for status in ("present", "absent")
    }
    assert (len(rows["present"]), rows["absent"]) == (1, [])


def test_an_export_too_long_for_paper_is_refused(web, monkeypatch):
    monkeypatch.setattr(table_files, "MOST_PRINTED_ROWS", 0)
    punched(web, 0, 28_800)
    answer = web.get("/attendance/export", format="pdf", **DAYS)
    assert answer.status_code == 422
    assert "Choose fewer days" in answer.json()["detail"]


def test_the_export_without_days_is_this_month_so_far(web):
    punched(web, 0)
    answer = web.get("/attendance/export")
    assert "attendance_2026-03-01_2026-03-02.csv" in answer.headers["Content-Disposition"]
    assert "E1" in answer.text
    assert "E1" not in web.get("/attendance/export", department="Codes").text
    assert "E1" not in web.get("/attendance/export", person="nobody").text


@pytest.mark.parametrize(
    "query",
    [
        {"start": "2026-03-03", "end": "2026-03-02"}, {"start": "2020-01-01", "end": "2026-01-01"},
        {"start": "0001-01-01", "end": "0001-01-02"}, {"format": "doc"},
        {"start": "March"}, {"status": "tired"},
    ],
)  # fmt: skip
def test_an_export_that_cannot_be_is_refused(web, query):
    assert web.get("/attendance/export", **query).status_code == 422
