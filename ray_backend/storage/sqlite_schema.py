"""The sqlite schema as ordered migrations. `PRAGMA user_version` counts how many a file has had.

Times are microseconds since 1970 in UTC. Column names are the keys of `records`. Add a migration at the
end to change the schema; never edit one that was released.
"""

from __future__ import annotations

APPLICATION_ID = int.from_bytes(b"Roll", "big")

_FIRST = (
    """CREATE TABLE people (
        person_id TEXT PRIMARY KEY,
        employee_id TEXT NOT NULL,
        name TEXT NOT NULL,
        search TEXT NOT NULL,
        department TEXT NOT NULL,
        email TEXT NOT NULL,
        active INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        consent_at INTEGER
    )""",
    "CREATE UNIQUE INDEX people_employee_id ON people (employee_id)",
    """CREATE TABLE templates (
        sequence INTEGER PRIMARY KEY,
        template_id TEXT NOT NULL UNIQUE,
        person_id TEXT NOT NULL REFERENCES people (person_id),
        pack_id TEXT NOT NULL,
        embedding BLOB NOT NULL,
        quality REAL NOT NULL,
        source TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        photo_sha256 TEXT NOT NULL,
        thumbnail BLOB NOT NULL
    )""",
    "CREATE INDEX templates_person ON templates (person_id, created_at)",
    "CREATE INDEX templates_pack ON templates (pack_id)",
    """CREATE TABLE punches (
        punch_id TEXT PRIMARY KEY,
        person_id TEXT NOT NULL,
        at INTEGER NOT NULL,
        direction TEXT NOT NULL,
        kiosk TEXT NOT NULL,
        source TEXT NOT NULL,
        idempotency_key TEXT NOT NULL,
        cooldown_slot_a TEXT NOT NULL,
        cooldown_slot_b TEXT NOT NULL,
        receipt TEXT
    )""",
    "CREATE UNIQUE INDEX punches_idempotency_key ON punches (idempotency_key)",
    "CREATE UNIQUE INDEX punches_cooldown_slot_a ON punches (cooldown_slot_a)",
    "CREATE UNIQUE INDEX punches_cooldown_slot_b ON punches (cooldown_slot_b)",
    "CREATE INDEX punches_at ON punches (at, punch_id)",
    "CREATE INDEX punches_person_at ON punches (person_id, at, punch_id)",
    "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE audit (
        entry_id TEXT PRIMARY KEY,
        at INTEGER NOT NULL,
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        detail TEXT NOT NULL
    )""",
    "CREATE INDEX audit_at ON audit (at, entry_id)",
    # A row says that deleted bytes still have to be wiped: written with the deletion, so a crash
    # between the two is noticed when the file is opened next.
    "CREATE TABLE wipes (id INTEGER PRIMARY KEY)",
)

_DECISIONS = (
    """CREATE TABLE decisions (
        record_id TEXT PRIMARY KEY,
        at INTEGER NOT NULL,
        kiosk TEXT NOT NULL,
        kind TEXT NOT NULL,
        source TEXT NOT NULL,
        liveness TEXT NOT NULL,
        liveness_score REAL,
        similarity REAL,
        frames INTEGER NOT NULL,
        seconds REAL NOT NULL,
        punch_id TEXT NOT NULL
    )""",
    "CREATE INDEX decisions_at ON decisions (at, record_id)",
    "CREATE INDEX decisions_kiosk_at ON decisions (kiosk, at, record_id)",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _DECISIONS)
