"""The tables of a project file."""

from __future__ import annotations

import sqlite3
from functools import cache

APPLICATION_ID = 0x63724D4C  # "crML", in the header of the file
VERSION = 1

# Labels are only ever added; what takes them away, and what was undone, is a row too. A label
# lives if the edit that made it is done and no done edit has removed it.
SCHEMA = """
CREATE TABLE images (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    relative TEXT,
    shape TEXT NOT NULL,
    pixel_size REAL
);
CREATE TABLE edits (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    made TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('done', 'undone', 'discarded')),
    image INTEGER REFERENCES images,
    setting TEXT,
    before TEXT,
    after TEXT
);
CREATE TABLE labels (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image INTEGER NOT NULL REFERENCES images,
    edit INTEGER NOT NULL REFERENCES edits,
    label INTEGER NOT NULL CHECK (label IN (0, 1)),
    z REAL,
    y REAL NOT NULL,
    x REAL NOT NULL
);
CREATE TABLE removals (
    label INTEGER NOT NULL REFERENCES labels,
    edit INTEGER NOT NULL REFERENCES edits,
    PRIMARY KEY (label, edit)
);
CREATE TABLE models (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    made TEXT NOT NULL,
    edit INTEGER NOT NULL,
    summary TEXT NOT NULL,
    checkpoint BLOB NOT NULL
);
CREATE TABLE picks (
    image INTEGER PRIMARY KEY REFERENCES images,
    model INTEGER REFERENCES models,
    edit INTEGER,
    positions BLOB NOT NULL,
    scores BLOB,
    pixel_size REAL,
    diameter REAL,
    columns TEXT NOT NULL
);
CREATE TABLE score_maps (
    image INTEGER PRIMARY KEY REFERENCES images,
    shape TEXT NOT NULL,
    scale TEXT NOT NULL,
    origin TEXT NOT NULL,
    scores BLOB NOT NULL
);
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE current (one INTEGER PRIMARY KEY CHECK (one = 1), model INTEGER REFERENCES models);
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    started TEXT NOT NULL,
    finished TEXT NOT NULL,
    state TEXT NOT NULL,
    summary TEXT NOT NULL
);
CREATE INDEX edits_by_state ON edits (state);
CREATE INDEX labels_by_image ON labels (image);
CREATE INDEX labels_by_edit ON labels (edit);
CREATE INDEX removals_by_edit ON removals (edit);
CREATE VIEW live_labels AS
    SELECT labels.* FROM labels
    JOIN edits ON edits.id = labels.edit AND edits.state = 'done'
    WHERE NOT EXISTS (
        SELECT 1 FROM removals
        JOIN edits AS removing ON removing.id = removals.edit AND removing.state = 'done'
        WHERE removals.label = labels.id
    );
"""


def statements() -> list[str]:
    """Return the statements that make the tables, one by one."""
    return [part.strip() for part in SCHEMA.split(";") if part.strip()]


def definitions(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    """Return the kind and definition of everything a file defines."""
    rows = connection.execute("SELECT type, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {(kind, sql) for kind, sql in rows}


@cache
def expected_definitions() -> frozenset[tuple[str, str]]:
    """Return what `definitions` finds in a new file."""
    connection = sqlite3.connect(":memory:")
    try:
        for statement in statements():
            connection.execute(statement)
        return frozenset(definitions(connection))
    finally:
        connection.close()
