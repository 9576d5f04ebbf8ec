"""Deletion certificates in words, and as a page to print. Knows no Streamlit."""

from __future__ import annotations

from html import escape
from zoneinfo import ZoneInfo

from ray_backend.domain.answers import SignedCertificate

GENUINE = "This certificate was issued by this site and was not changed since."
VERIFIED = "Everything was searched again after the removal, and nothing was found."
NOT_VERIFIED = (
    "After the removal something was found again, so the erasure is not complete. Start Rollcall again: it "
    "goes on with the erasure by itself and issues another certificate."
)
INTERRUPTED = "The erasure was broken off once, and finished later."
_REMOVED = {
    "records": "Records of the person",
    "templates": "Face templates",
    "photos": "Photos",
    "punches": "Attendance records",
    "entries": "Corrections and leave",
    "codes": "Codes for the kiosk",
    "look_alike_notes": "Notes of people who look alike",
    "unknown_faces": "Unknown faces that look like the person",
}
_KEPT = {
    "punches": "Attendance records kept without a name",
    "entries": "Corrections and leave kept without a name",
}
_FILES = {"imports": "Notes of imports"}
_CHECKS = {
    "people": "the person's records",
    "templates": "face templates",
    "codes": "codes for the kiosk",
    "look_alike_notes": "notes of people who look alike",
    "unknown_faces": "unknown faces that look like the person",
    "settings": "any other note about the person",
    "punches": "attendance records",
    "entries": "corrections and leave",
    "templates_by_person": "face templates by the person's id",
    "templates_by_face": "the same faces, under any id",
}
_STYLE = """
body { font: 11pt/1.45 system-ui, sans-serif; color: #111; background: #fff; max-width: 44rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.05rem; margin: 1.4rem 0 .3rem; }
table { border-collapse: collapse; width: 100%; } td.n { text-align: right; }
td, th { border-bottom: 1px solid #bbb; padding: .25rem .4rem; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; }
.bad { border: 2px solid #a00; padding: .6rem; color: #a00; }
@media print { body { margin: 0; } }
"""


def erased_at(certificate: SignedCertificate, zone: ZoneInfo) -> str:
    """The time at the site."""
    return f"{certificate.issued_at.astimezone(zone):%Y-%m-%d %H:%M}"


def removed_rows(certificate: SignedCertificate) -> list[tuple[str, int]]:
    """What went and what was kept, with how many."""
    content = certificate.content
    rows = [(_REMOVED.get(what, what), number) for what, number in content["removed"].items()]
    kept = [(_KEPT[what], number) for what, number in content["kept_without_a_name"].items() if number]
    return [*rows, *kept]


def problems(certificate: SignedCertificate) -> list[str]:
    """What was found again, in words; empty for a verified one."""
    return [
        f"{_where(check['where'])}: {_CHECKS.get(check['what'], check['what'])} ({check['found']})"
        for check in certificate.content["checks"]
        if check["found"]
    ]


def file_name(certificate: SignedCertificate, ending: str) -> str:
    """For a download."""
    return f"deletion-certificate-{certificate.certificate_id[:12]}.{ending}"


def page_html(certificate: SignedCertificate, zone: ZoneInfo) -> str:
    """A page of its own to print or to keep as PDF. It is for reading; the JSON file is what is checked."""
    content = certificate.content
    facts = [
        ("Certificate", content["certificate_id"]),
        ("Site", content["site"]),
        ("Erased", f"{erased_at(certificate, zone)} ({zone.key}), {content['finished_at']}"),
        ("By", content["by"]),
        ("Database", content["where"]["database"]),
        ("Face recognition", content["pack"]),
    ]
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Deletion certificate</title>",
        f"<style>{_STYLE}</style></head><body><h1>Deletion certificate</h1>",
        _verdict(certificate),
        _table(facts),
        "<h2>What was removed</h2>",
        _table(removed_rows(certificate)),
        "<h2>Where it was removed</h2>",
        _table(_places(content)),
        "<h2>What was searched afterwards, and found</h2>",
        _table([(f"{_where(one['where'])}: {_CHECKS.get(one['what'], one['what'])}", one["found"])
                for one in content["checks"]]),
        "<h2>Whom it is about</h2>",
        "<p>The certificate names nobody. Whoever knows the employee id can show that it is meant: the id, "
        "with this salt, gives this digest (scrypt).</p>",
        _table([("Salt", content["person"]["salt"]), ("Digest", content["person"]["digest"])]),
        "<h2>Signature</h2>",
        "<p>Ed25519. The file that was given out with this page can be checked with "
        "<code>rollcall certificate verify FILE --key KEY</code>.</p>",
        _table([("Public key", certificate.public_key), ("Signature", certificate.signature)]),
        "</body></html>",
    ]  # fmt: skip
    return "".join(parts)


def _verdict(certificate: SignedCertificate) -> str:
    if not certificate.verified:
        return f"<p class='bad'>{escape(NOT_VERIFIED)}</p>"
    words = f"{VERIFIED} {INTERRUPTED}" if certificate.content["interrupted"] else VERIFIED
    return f"<p>{escape(words)}</p>"


def _places(content: dict) -> list[tuple[str, str]]:
    where = content["where"]
    overwritten = (
        "What was deleted was overwritten in the database's files."
        if where["database_overwrites"]
        else "Whether the server overwrites what it deletes is up to whoever runs it."
    )
    galleries = [
        (
            _where(part["part"]),
            f"version {part['version']}, {part['templates']} templates left",
        )
        for part in where["gallery"]
    ]
    return [
        ("Database", overwritten),
        *galleries,
        *((_FILES.get(name, name), "searched for the person's name") for name in where["files"]),
        ("Memory of the recognition service", "emptied of this person"),
        ("Exports", "Rollcall keeps none: each is made for one download."),
    ]


def _where(name: str) -> str:
    if name.startswith("shard "):
        return f"Gallery, part {int(name.removeprefix('shard ')) + 1}"
    return {"database": "Database", "gallery": "Gallery"}.get(name, name)


def _table(rows: list[tuple]) -> str:
    cells = "".join(
        f"<tr><th scope='row'>{escape(str(label))}</th><td{' class=n' if isinstance(value, int) else ''}>"
        f"{escape(str(value))}</td></tr>"
        for label, value in rows
    )
    return f"<table>{cells}</table>"
