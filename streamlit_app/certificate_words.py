"""Deletion certificates in words, and as a page to print. Knows no Streamlit."""

from __future__ import annotations

from html import escape
from zoneinfo import ZoneInfo

from ray_backend.domain.answers import SignedCertificate
from streamlit_app.i18n import N_, _, language, n_

GENUINE = N_("This certificate was issued by this site and was not changed since.")
VERIFIED = N_("Everything was searched again after the removal, and nothing was found.")
NOT_VERIFIED = N_(
    "After the removal something was found again, so the erasure is not complete. Start Rollcall again: it "
    "goes on with the erasure by itself and issues another certificate."
)
INTERRUPTED = N_("The erasure was broken off once, and finished later.")
_REMOVED = {
    "records": N_("Records of the person"),
    "templates": N_("Face templates"),
    "photos": N_("Photos"),
    "punches": N_("Attendance records"),
    "entries": N_("Corrections"),
    "leave": N_("Leave"),
    "files": N_("Files of corrections"),
    "codes": N_("Codes for the kiosk"),
    "look_alike_notes": N_("Notes of people who look alike"),
    "unknown_faces": N_("Unknown faces that look like the person"),
}
_KEPT = {
    "punches": N_("Attendance records kept without a name"),
    "entries": N_("Corrections kept without a name"),
}
_FILES = {
    "imports": N_("Notes of imports"),
    "filters": N_("Saved filters of reports"),
    "exports": N_("Scheduled exports"),
}
_CHECKS = {
    "people": N_("the person's records"),
    "templates": N_("face templates"),
    "codes": N_("codes for the kiosk"),
    "look_alike_notes": N_("notes of people who look alike"),
    "unknown_faces": N_("unknown faces that look like the person"),
    "settings": N_("any other note about the person"),
    "punches": N_("attendance records"),
    "entries": N_("corrections"),
    "leave": N_("leave"),
    "files": N_("files of corrections"),
    "templates_by_person": N_("face templates by the person's id"),
    "templates_by_face": N_("the same faces, under any id"),
}
_COMMAND = "rollcall certificate verify FILE --key KEY"
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
    rows = [(_(_REMOVED.get(what, what)), number) for what, number in content["removed"].items()]
    kept = [(_(_KEPT[what]), number) for what, number in content["kept_without_a_name"].items() if number]
    return [*rows, *kept]


def problems(certificate: SignedCertificate) -> list[str]:
    """What was found again, in words; empty for a verified one."""
    return [
        f"{_where(check['where'])}: {_searched(check['what'])} ({check['found']})"
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
        (_("Certificate"), content["certificate_id"]),
        (_("Site"), content["site"]),
        (_("Erased"), f"{erased_at(certificate, zone)} ({zone.key}), {content['finished_at']}"),
        (_("By"), content["by"]),
        (_("Database"), content["where"]["database"]),
        (_("Face recognition"), content["pack"]),
    ]
    title = escape(_("Deletion certificate"))
    parts = [
        f"<!doctype html><html lang='{language()}'><head><meta charset='utf-8'><title>{title}</title>",
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>",
        _verdict(certificate),
        _table(facts),
        _heading(_("What was removed")),
        _table(removed_rows(certificate)),
        _heading(_("Where it was removed")),
        _table(_places(content)),
        _heading(_("What was searched afterwards, and found")),
        _table([(f"{_where(one['where'])}: {_searched(one['what'])}", one["found"])
                for one in content["checks"]]),
        _heading(_("Whom it is about")),
        _paragraph(_("The certificate names nobody. Whoever knows the employee id can show that it is meant: "
                     "the id, with this salt, gives this digest (scrypt).")),
        _table([(_("Salt"), content["person"]["salt"]), (_("Digest"), content["person"]["digest"])]),
        _heading(_("Signature")),
        _paragraph(_("Ed25519. The file that was given out with this page can be checked with {command}.",
                     command=_COMMAND)).replace(_COMMAND, f"<code>{_COMMAND}</code>"),
        _table([(_("Public key"), certificate.public_key), (_("Signature"), certificate.signature)]),
        "</body></html>",
    ]  # fmt: skip
    return "".join(parts)


def _verdict(certificate: SignedCertificate) -> str:
    if not certificate.verified:
        return f"<p class='bad'>{escape(_(NOT_VERIFIED))}</p>"
    sentences = [VERIFIED, INTERRUPTED] if certificate.content["interrupted"] else [VERIFIED]
    return _paragraph(" ".join(_(sentence) for sentence in sentences))


def _places(content: dict) -> list[tuple[str, str]]:
    where = content["where"]
    if not where["database_overwrites"]:
        overwritten = _("Whether the server overwrites what it deletes is up to whoever runs it.")
    elif where.get("overwritten_at_night"):
        overwritten = _(
            "What was deleted was overwritten in the database's files; copies that may lie in their unused "
            "space are overwritten in the night after."
        )
    else:
        overwritten = _("What was deleted was overwritten in the database's files.")
    galleries = [
        (
            _where(part["part"]),
            n_(
                "version {version}, {number} template left",
                "version {version}, {number} templates left",
                part["templates"],
                version=part["version"],
            ),
        )
        for part in where["gallery"]
    ]
    return [
        (_("Database"), overwritten),
        *galleries,
        *((_(_FILES.get(name, name)), _("searched for the person's name")) for name in where["files"]),
        (_("Memory of the recognition service"), _("emptied of this person")),
        (_("Exports"), _("Rollcall keeps none: each is made for one download.")),
    ]


def _where(name: str) -> str:
    if name.startswith("shard "):
        return _("Gallery, part {part}", part=int(name.removeprefix("shard ")) + 1)
    return {"database": _("Database"), "gallery": _("Gallery")}.get(name, name)


def _searched(what: str) -> str:
    return _(_CHECKS.get(what, what))


def _heading(words: str) -> str:
    return f"<h2>{escape(words)}</h2>"


def _paragraph(words: str) -> str:
    return f"<p>{escape(words)}</p>"


def _table(rows: list[tuple]) -> str:
    cells = "".join(
        f"<tr><th scope='row'>{escape(str(label))}</th><td{' class=n' if isinstance(value, int) else ''}>"
        f"{escape(str(value))}</td></tr>"
        for label, value in rows
    )
    return f"<table>{cells}</table>"
