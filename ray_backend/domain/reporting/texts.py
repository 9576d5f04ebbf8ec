"""What scheduled exports say outside Rollcall, in each of a site's languages: titles, subjects, messages."""

from __future__ import annotations

from ray_backend.domain.consent import Language
from ray_backend.domain.reporting.exports import Report

TITLES: dict[Language, dict[Report, str]] = {
    "en": {
        Report.DAYS: "Attendance",
        Report.GRID: "Month grid",
        Report.BALANCES: "Balances",
        Report.LATE: "Late and early",
        Report.ABSENCES: "Absences",
        Report.OVERTIME: "Overtime",
        Report.KIOSKS: "Kiosk statistics",
    },
    "de": {
        Report.DAYS: "Anwesenheit",
        Report.GRID: "Monatsübersicht",
        Report.BALANCES: "Salden",
        Report.LATE: "Zu spät und zu früh",
        Report.ABSENCES: "Abwesenheiten",
        Report.OVERTIME: "Überstunden",
        Report.KIOSKS: "Kioskstatistik",
    },
}
SUBJECTS: dict[Language, str] = {
    "en": "{site}: {title}, {start} to {end}",
    "de": "{site}: {title}, {start} bis {end}",
}
MESSAGES: dict[Language, str] = {
    "en": """\
Attached is the report "{title}" of {site}, {start} to {end} ({rows} rows).

It was made on {made} ({zone}) for the scheduled export "{name}". Whoever looks after Rollcall
can change or end that on the page Scheduled exports.
""",
    "de": """\
Anbei der Bericht „{title}“ von {site}, {start} bis {end} ({rows} Zeilen).

Er wurde am {made} ({zone}) für den geplanten Export „{name}“ erstellt. Wer Rollcall betreut,
kann das auf der Seite „Geplante Exporte“ ändern oder beenden.
""",
}
TEST_SUBJECTS: dict[Language, str] = {
    "en": "{site}: a test of the e-mail settings",
    "de": "{site}: ein Test der E-Mail-Einstellungen",
}
TEST_MESSAGES: dict[Language, str] = {
    "en": "This message was sent from the page Scheduled exports of Rollcall. E-mail works.\n",
    "de": "Diese Nachricht kommt von der Seite „Geplante Exporte“ von Rollcall. E-Mail funktioniert.\n",
}
