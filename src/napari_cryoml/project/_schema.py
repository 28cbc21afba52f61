"""The tables of a project file."""

from __future__ import annotations

import sqlite3
from functools import cache

APPLICATION_ID = 0x63724D4C  # "crML", in the header of the file
VERSION = 4

# Labels are only ever added; what takes them away, and what was undone, is a row too. A label
# lives if the edit that made it is done and no done edit has removed it.
_FIRST = """
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


# Classes are named, not numbered, and kept as edits: what the class of each row was before, and is
# after. An embedding is one Parquet file in parts, and there once all of its parts are; what is
# worked out from it later has a row a column, so that it need not be written again.
_SECOND = """
CREATE TABLE class_edits (
    edit INTEGER PRIMARY KEY REFERENCES edits,
    ids BLOB NOT NULL,
    before BLOB NOT NULL,
    after BLOB NOT NULL
);
CREATE TABLE embeddings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    made TEXT NOT NULL,
    name TEXT NOT NULL,
    n_rows INTEGER NOT NULL,
    n_features INTEGER NOT NULL,
    n_parts INTEGER NOT NULL,
    provenance TEXT NOT NULL
);
CREATE TABLE embedding_parts (
    embedding INTEGER NOT NULL REFERENCES embeddings,
    part INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (embedding, part)
);
CREATE TABLE embedding_columns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    embedding INTEGER NOT NULL REFERENCES embeddings,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    note TEXT NOT NULL,
    content BLOB NOT NULL,
    UNIQUE (embedding, name)
);
"""

# Orientations are matrices that act on columns zyx. Those of picks are there for the few sets that
# have any, and go with their picks. What a file said about the particles that were read as labels
# has a table of its own: picks are replaced at every click, and this is not.
_THIRD = """
CREATE TABLE pick_rotations (
    image INTEGER PRIMARY KEY REFERENCES picks ON DELETE CASCADE,
    rotations BLOB NOT NULL
);
CREATE TABLE imported_picks (
    image INTEGER PRIMARY KEY REFERENCES images,
    positions BLOB NOT NULL,
    rotations BLOB,
    columns TEXT NOT NULL
);
"""

# What the file of an image holds, so that it is found again under another name.
_FOURTH = """
CREATE TABLE image_contents (
    image INTEGER PRIMARY KEY REFERENCES images,
    size INTEGER NOT NULL,
    digest TEXT NOT NULL
);
"""

_ADDED = {1: _FIRST, 2: _SECOND, 3: _THIRD, 4: _FOURTH}
"""What each version has added; no version changes what is there."""


def statements(since: int = 0, version: int = VERSION) -> list[str]:
    """Return the statements, one by one, that lead from the tables of one version to another.

    Parameters
    ----------
    since : int
        Version whose tables are there; 0 for an empty file.
    version : int
        Version that is wanted.
    """
    added = ";".join(_ADDED[number] for number in range(since + 1, version + 1))
    return [part.strip() for part in added.split(";") if part.strip()]


def definitions(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    """Return the kind and definition of everything a file defines."""
    rows = connection.execute("SELECT type, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {(kind, sql) for kind, sql in rows}


@cache
def expected_definitions(version: int = VERSION) -> frozenset[tuple[str, str]]:
    """Return what `definitions` finds in a file of a version."""
    connection = sqlite3.connect(":memory:")
    try:
        for statement in statements(version=version):
            connection.execute(statement)
        return frozenset(definitions(connection))
    finally:
        connection.close()
