"""Files of older versions are brought up to date on a copy; the old file stays as it was."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

from napari_cryoml._errors import InputError
from napari_cryoml.project._schema import (
    APPLICATION_ID,
    VERSION,
    definitions,
    expected_definitions,
    statements,
)


def upgrade(connection: sqlite3.Connection, since: int) -> None:
    """Make the tables that a file of version `since` lacks, all or none; 0 for a new file."""
    connection.execute("BEGIN IMMEDIATE")
    for statement in statements(since):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def migrate(path: Path, connection: sqlite3.Connection, since: int) -> Path:
    """Put a copy of the present version in the place of an older file, which gets another name.

    At every moment there is a whole file under the project's name: the old one or the new one.

    Parameters
    ----------
    path : Path
        The project file.
    connection : sqlite3.Connection
        Open on it, with its lock; closed by this.
    since : int
        Its version.

    Returns
    -------
    Path
        Where the old file is now.

    Raises
    ------
    InputError
        If there is no place for the copy; the file is as it was then.
    """
    place = path.resolve()  # a link to the project stays a link
    draft: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
        os.close(handle)
        draft = Path(name)
        _write(draft, connection, since)
        shutil.copymode(place, draft)
        kept = _keep(place, connection, since)
        connection.close()
        draft.replace(place)
        _to_disk(place.parent)
        return kept
    except OSError as error:
        raise InputError(
            f"The project {path} is of an older version, and its copy in the present one cannot "
            f"be written beside it ({error.strerror or error}): free some space, or copy it to "
            "another folder, and open it there."
        ) from error
    finally:
        if draft is not None:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)


def _write(draft: Path, connection: sqlite3.Connection, since: int) -> None:
    with contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as copy:
        connection.backup(copy)
        upgrade(copy, since)
        if definitions(copy) != expected_definitions(VERSION):
            raise sqlite3.DatabaseError(f"version {since} does not lead to version {VERSION}")
    _to_disk(draft)


def _keep(place: Path, connection: sqlite3.Connection, since: int) -> Path:
    """Give the old file a second name that is free, and return it."""
    number = 1
    while True:
        extra = "" if number == 1 else f"-{number}"
        kept = place.with_name(f"{place.name}.v{since}{extra}.bak")
        try:
            os.link(place, kept)
            return kept
        except FileExistsError:
            number += 1
        except OSError:  # no links on this disk
            with contextlib.closing(sqlite3.connect(kept)) as copy:
                connection.backup(copy)
            _to_disk(kept)
            return kept


def _to_disk(path: Path) -> None:
    """Wait until a file or the names in a folder are on the disk, where the system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
