"""CSV and Excel tables, as offices write them."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import date

import pytest
from openpyxl import Workbook

from ray_backend.domain.errors import InvalidInput
from tests.unit.bulk_import.sources import LIMITS, archive, contents, entries, folder, refused

PHOTOS = {"a.jpg": b"A", "b.jpg": b"B", "sub/c.jpg": b"C"}


def csv_folder(tmp_path, text: str | bytes, encoding: str = "utf-8", name: str = "people.csv"):
    data = text if isinstance(text, bytes) else text.encode(encoding)
    return folder(tmp_path, PHOTOS | {name: data}) / name


def excel(*rows, formats: dict[str, str] | None = None) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    for cell, shown_as in (formats or {}).items():
        book.active[cell].number_format = shown_as
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def drafts(path, **options) -> list[tuple[str, str, str, str, bool]]:
    return [
        (d.employee_id, d.name, d.department, d.email, d.consent)
        for d in (entry.draft for entry in entries(path, **options))
        if d is not None
    ]


@pytest.mark.parametrize(
    "headings",
    [
        "Employee ID,Name,Department,E-Mail,Consent,Photo",
        "employee_id, NAME ,dept,email,CONSENT,Pictures",
        "Personalnummer,Name,Abteilung,E-Mail-Adresse,Einwilligung,Foto",
        "Mitarbeiter-Nr.,Vollständiger Name,Bereich,Mail,Einverständnis,Bilddatei",
    ],
)
def test_headings_are_known_in_english_and_german(tmp_path, headings):
    path = csv_folder(tmp_path, f"{headings}\nE1,Ada,Lab,ada@example.org,yes,a.jpg\n")

    assert drafts(path, consent=False) == [("E1", "Ada", "Lab", "ada@example.org", True)]
    assert contents(path) == {"E1": [b"A"]}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out_also_beside_lists_of_photos(tmp_path, delimiter):
    rows = [
        ["id", "name", "photo"],
        ["E1", "Ada", '"a.jpg;b.jpg"'],
        ["E2", '"Bob, the Builder"', "sub/c.jpg"],
    ]
    path = csv_folder(tmp_path, "\r\n".join(delimiter.join(row) for row in rows))

    assert contents(path) == {"E1": [b"A", b"B"], "E2": [b"C"]}
    assert drafts(path)[1][1] == "Bob, the Builder"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "mac_roman", "cp850"])
def test_the_encoding_is_found_out(tmp_path, encoding):
    names = ["Jörg Müßig", "Zoë Weiß", "Änne Öztürk", "Günther Größer", "Käthe Süß", "Björn Schröder"]
    rows = "".join(f"E{n},{name},Büro für Änderungen,a.jpg\n" for n, name in enumerate(names))
    path = csv_folder(tmp_path, f"id,name,abteilung,foto\n{rows}", encoding)

    assert [draft[1] for draft in drafts(path)] == names


def test_given_and_family_names_come_together(tmp_path):
    assert (
        drafts(csv_folder(tmp_path, "id;Vorname;Nachname;Foto\nE1;Ada;Lovelace;a.jpg"))[0][1]
        == "Ada Lovelace"
    )
    assert drafts(csv_folder(tmp_path, "id;Vorname;Name;Foto\nE1;Ada;Lovelace;a.jpg"))[0][1] == "Ada Lovelace"


def test_several_photo_columns_and_several_photos_in_one_add_up(tmp_path):
    path = csv_folder(tmp_path, "id,name,Photo 1,photo2\nE1,Ada,a.jpg; b.jpg,sub\\c.jpg\nE2,Bob,,a.jpg\n")

    assert contents(path) == {"E1": [b"A", b"B", b"C"], "E2": [b"A"]}


@pytest.mark.parametrize(
    ("word", "agreed"),
    [("yes", True), ("Ja", True), ("x", True), ("1", True), ("WAHR", True), ("", False),
     ("no", "no_consent"), ("nein", "no_consent"), ("0", "no_consent"), ("perhaps", "consent_unclear")],
)  # fmt: skip
def test_consent_is_taken_from_its_column(tmp_path, word, agreed):
    path = csv_folder(tmp_path, f"id,name,consent,photo\nE1,Ada,{word},a.jpg\n")

    (entry,) = entries(path, consent=False)

    assert (entry.draft.consent if entry.draft else entry.refused[0].reason.code) == agreed


def test_a_no_in_the_table_outweighs_the_importers_word(tmp_path):
    path = csv_folder(tmp_path, "id,name,consent,photo\nE1,Ada,no,a.jpg\nE2,Bob,,b.jpg\n")

    assert [draft[0] for draft in drafts(path, consent=True)] == ["E2"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (",Ada,,a.jpg", "field"),
        ("E1,,,a.jpg", "field"),
        ("E1,Ada,nobody,a.jpg", "field"),
        ("E1,Ada,,", "no_photos"),
        ("E1,Ada,,gone.jpg", "missing"),
        ("E1,Ada,,../people/a.jpg", "outside"),
        ("E1,Ada,,/etc/passwd.jpg", "outside"),
        ("E1,Ada,,C:\\a.jpg", "outside"),
        ("E1,Ada,,notes.txt", "not_a_photo"),
        ("E1,=1+1,,a.jpg", "formula"),
        ("E1,\"=HYPERLINK(\"\"http://x\"\")\",,a.jpg", "formula"),
        ("+cmd|' /C calc'!A0,Ada,,a.jpg", "formula"),
        ("@SUM(1),Ada,,a.jpg", "formula"),
        ("E1,A\u202eda,,a.jpg", "hidden_sign"),
        ('E1,"' + "x" * 200_000 + '",,a.jpg', "row_damaged"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_taken_has_its_reason(tmp_path, row, code):
    path = csv_folder(tmp_path, f"id,name,email,photo\nE8,Good,,a.jpg\n{row}\nE9,Good too,,b.jpg\n")

    assert list(refused(path).values()) == [code]
    assert {"E8", "E9"} <= set(contents(path))


def test_a_refused_row_is_named_by_table_and_number(tmp_path):
    path = csv_folder(tmp_path, "id,name,photo\nE1,Ada,a.jpg\n\n,Nobody,b.jpg\n")

    assert list(refused(path)) == ["people.csv:4"]


def test_a_department_may_be_a_dash_and_a_name_may_have_one(tmp_path):
    path = csv_folder(tmp_path, "id,name,department,photo\n-12,Anna-Lena (née Ott),-,a.jpg\n")

    assert drafts(path)[0][:3] == ("-12", "Anna-Lena (née Ott)", "-")


def test_rows_for_one_person_count_once(tmp_path):
    path = csv_folder(tmp_path, "id,name,photo\nE1,Ada,a.jpg\nE1,Ada,a.jpg\nE1,Ada,b.jpg\n")

    assert contents(path) == {"E1": [b"A"]}
    assert refused(path) == {"people.csv:3": "same_person_twice", "people.csv:4": "same_person_twice"}


def test_links_beside_a_table_are_not_followed(tmp_path):
    path = csv_folder(tmp_path / "x", "id,name,photo\nE1,Ada,link.jpg\nE2,Bob,linked/a.jpg\n")
    (path.parent / "link.jpg").symlink_to(path.parent / "a.jpg")
    (path.parent / "linked").symlink_to(tmp_path)

    assert refused(path) == {"link.jpg": "link", "linked/a.jpg": "link"}


def test_a_photo_is_found_however_its_umlaut_is_written(tmp_path):
    path = (
        folder(tmp_path, {"Jo\u0308rg.jpg": b"J", "p.csv": "id,name,photo\nE1,J,J\u00f6rg.jpg".encode()})
        / "p.csv"
    )

    assert contents(path) == {"E1": [b"J"]}


@pytest.mark.parametrize("text", ["", "\n", "name,photo\nAda,a.jpg", "id,name\nE1,Ada", "just a line"])
def test_a_table_without_the_needed_columns_says_which(tmp_path, text):
    with pytest.raises(InvalidInput, match=r"no column for the (employee id|photo)"):
        entries(csv_folder(tmp_path, text))


def test_a_line_without_an_end_does_not_fill_the_memory(tmp_path):
    with pytest.raises(InvalidInput, match="a million characters"):
        entries(csv_folder(tmp_path, "id,name,photo\n" + "x" * 2_000_000))


def test_there_is_a_most_number_of_rows(tmp_path):
    path = csv_folder(tmp_path, "id,name,photo\n" + "".join(f"E{n},A,a.jpg\n" for n in range(11)))

    with pytest.raises(InvalidInput, match="more than 10 rows"):
        entries(path, limits=replace(LIMITS, rows=10))


# Excel


def excel_folder(tmp_path, data: bytes):
    return folder(tmp_path, PHOTOS | {"people.xlsx": data}) / "people.xlsx"


def test_ids_come_from_excel_as_they_are_seen(tmp_path):
    data = excel(
        ["Personalnummer", "Name", "Foto"],
        ["007", "Text with zeros", "a.jpg"],
        [7, "Number", "a.jpg"],
        [7.5, "With a point", "a.jpg"],
        [42, "Shown with zeros", "a.jpg"],
        [12345678901, "Long", "a.jpg"],
        [8.0, "As float", "a.jpg"],
        formats={"A5": "00000"},
    )

    ids = [draft[0] for draft in drafts(excel_folder(tmp_path, data))]

    assert ids == ["007", "7", "7.5", "00042", "12345678901", "8"]


def test_formulas_and_errors_of_excel_are_refused(tmp_path):
    data = excel(
        ["id", "name", "photo"],
        ["E1", '="A"&"da"', "a.jpg"],
        ["E2", "Bob", '=B2&".jpg"'],
        ["E3", "#REF!", "a.jpg"],
        ["E4", "Good", "a.jpg"],
    )
    path = excel_folder(tmp_path, data)

    assert list(refused(path).values()) == ["formula", "formula", "cell_error"]
    assert contents(path) == {"E4": [b"A"]}


def test_truth_values_and_dates_of_excel_are_read_as_words(tmp_path):
    data = excel(
        ["id", "name", "consent", "photo"],
        ["E1", "Ada", True, "a.jpg"],
        ["E2", "Bob", False, "a.jpg"],
        ["E3", "Eve", date(2026, 1, 2), "a.jpg"],
    )
    path = excel_folder(tmp_path, data)

    assert [draft[0] for draft in drafts(path, consent=False)] == ["E1"]
    assert list(refused(path).values()) == ["no_consent", "consent_unclear"]


def repacked(data: bytes, part: str, change) -> bytes:
    """An Excel file with one part changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            text = old.read(info)
            new.writestr(info.filename, change(text) if info.filename == part else text)
    return out.getvalue()


@pytest.mark.parametrize(
    ("part", "filling"),
    [
        ("xl/worksheets/sheet1.xml", b"<row>" + b" " * 20_000_000),
        ("xl/styles.xml", b" " * 20_000_000),
        ("xl/worksheets/sheet1.xml", b"<row></row>" * 20_000_000),
    ],
)
def test_an_excel_file_that_unpacks_to_too_much_is_refused_before_it_is_parsed(tmp_path, part, filling):
    data = repacked(excel(["id", "name", "photo"], ["E1", "Ada", "a.jpg"]), part, lambda text: text + filling)
    assert len(data) < 1_000_000

    with pytest.raises(InvalidInput, match=r"too large|a row of more"):
        entries(excel_folder(tmp_path, data))


def test_entities_that_grow_are_refused(tmp_path):
    bomb = b'<!DOCTYPE x [<!ENTITY a "' + b"a" * 1000 + b'">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 100) for n in range(6)
    ) + b"]>"  # fmt: skip
    data = repacked(
        excel(["id", "name", "photo"], ["E1", "Ada", "a.jpg"]),
        "xl/worksheets/sheet1.xml",
        lambda text: bomb + re.sub(rb"<\?xml.*?\?>", b"", text).replace(b"<v>", b"<v>&g;", 1),
    )

    with pytest.raises(InvalidInput, match="not an Excel file that can be read"):
        entries(excel_folder(tmp_path, data))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"id,name\n"])
def test_what_is_no_excel_file_is_said_so(tmp_path, data):
    with pytest.raises(InvalidInput, match="not an Excel file that can be read"):
        entries(excel_folder(tmp_path, data))


# A table beside the photos, in a folder and in a zip


@pytest.mark.parametrize("around", ["", "staff/"])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_table_in_a_zip_names_the_photos_in_it(tmp_path, around, kind):
    rows = [["id", "name", "photo"], ["E1", "Ada", "a.jpg"], ["E2", "Bob", "sub/c.jpg;../x.jpg"]]
    table = excel(*rows) if kind == "xlsx" else "\n".join(",".join(row) for row in rows).encode()
    files = {around + name: data for name, data in (PHOTOS | {f"people.{kind}": table}).items()}
    path = archive(tmp_path / "all.zip", files)

    assert contents(path) == {"E1": [b"A"], "E2": [b"C"]}
    assert refused(path) == {"../x.jpg": "outside"}


def test_a_folder_with_a_table_is_read_by_the_table(tmp_path):
    path = csv_folder(tmp_path, "id,name,photo\nE1,Ada,a.jpg\n")

    assert contents(path.parent) == {"E1": [b"A"]}


def test_several_tables_are_too_many(tmp_path):
    folder(tmp_path, {"one.csv": b"", "two.xlsx": b"", "E1_Ada/a.jpg": b"1"})

    with pytest.raises(InvalidInput, match=r"several tables: one\.csv, two\.xlsx"):
        entries(tmp_path)


def test_a_table_that_unpacks_to_too_much_is_refused(tmp_path):
    path = archive(tmp_path / "all.zip", {"people.csv": b"id,photo\n" + b" " * 3_000_000})

    with pytest.raises(InvalidInput, match="unpacks to"):
        entries(path)
