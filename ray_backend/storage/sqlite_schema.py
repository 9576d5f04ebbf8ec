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

_MERGED = (
    "ALTER TABLE people ADD COLUMN consent_version TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE people ADD COLUMN merged_into TEXT NOT NULL DEFAULT ''",
    # Everything that a list of people is searched by and ordered by, so that a search reads this alone:
    # it is half as long as the table, and in the order of the list.
    """CREATE INDEX people_listed
        ON people (employee_id, person_id, merged_into, active, department, search)""",
    "CREATE INDEX people_merged ON people (merged_into, department, active)",
    "CREATE INDEX audit_subject ON audit (subject, at, entry_id)",
    "CREATE INDEX audit_actor ON audit (actor, at, entry_id)",
)

_ENTRIES = (
    """CREATE TABLE entries (
        kind TEXT NOT NULL,
        entry_id TEXT NOT NULL,
        at INTEGER NOT NULL,
        subject TEXT NOT NULL,
        state TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (kind, entry_id)
    )""",
    "CREATE INDEX entries_at ON entries (kind, at, entry_id)",
    "CREATE INDEX entries_subject ON entries (kind, subject, at, entry_id)",
    "CREATE INDEX entries_state ON entries (kind, state, at, entry_id)",
)

_COLUMNS = (
    # Everything that a report reads of a punch, so that a month of many people is read from this alone.
    "DROP INDEX punches_at",
    "CREATE INDEX punches_at ON punches (at, punch_id, person_id, direction)",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _DECISIONS, _MERGED, _ENTRIES, _COLUMNS)

_UNKNOWN = (
    """CREATE TABLE unknown_faces (
        face_id TEXT PRIMARY KEY,
        at INTEGER NOT NULL,
        kiosk TEXT NOT NULL,
        pack_id TEXT NOT NULL,
        embedding BLOB NOT NULL,
        quality REAL NOT NULL,
        group_id TEXT NOT NULL,
        thumbnail BLOB NOT NULL
    )""",
    "CREATE INDEX unknown_faces_at ON unknown_faces (at, face_id)",
    "CREATE INDEX unknown_faces_group ON unknown_faces (group_id, at, face_id)",
    """CREATE TABLE unknown_groups (
        group_id TEXT PRIMARY KEY,
        ignored INTEGER NOT NULL,
        not_people TEXT NOT NULL
    )""",
    "CREATE TABLE wipes (id INTEGER PRIMARY KEY)",
)

# The schema of the file beside it that holds unknown faces.
UNKNOWN_MIGRATIONS: tuple[tuple[str, ...], ...] = (_UNKNOWN,)
