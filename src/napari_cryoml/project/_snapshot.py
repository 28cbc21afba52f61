"""A copy of a project file to look at, while another program may be writing the file."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import TypeAlias

from napari_cryoml._errors import InputError

_State: TypeAlias = list[tuple[int, int, int] | None]

_STILL_S = 0.03
"""How long a file must not have changed: longer than the clock of any file system ticks."""
_PATIENCE_S = 5.0


class Snapshot:
    """A folder of its own with a copy of a project file, deleted with the object.

    Whoever has the file open holds its lock all the time, so SQLite cannot read beside; and
    without the lock, pages of two commits might be read. A copy of the file and of its rollback
    journal that were both still for a moment is what a crash in that moment would have left, and
    from that SQLite always recovers.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="cryoml-", ignore_cleanup_errors=True)
        self.path = Path(self._folder.name) / "project"

    def close(self) -> None:
        """Delete the copy; a second call does nothing."""
        self._folder.cleanup()

    def take(self, path: Path) -> None:
        """Copy a project that another process may have open.

        Raises
        ------
        InputError
            If it cannot be read, or is written to without a pause.
        """
        parts = [path, journal_of(path)]
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end:
            before = _state(parts)
            time.sleep(_STILL_S)
            if _state(parts) != before:
                continue
            try:
                _copy(parts, [self.path, journal_of(self.path)])
            except OSError as error:
                raise InputError(
                    f"The project {path} cannot be copied to look at it "
                    f"({error.strerror or error}): free some space, or check its permissions."
                ) from error
            if _state(parts) == before:
                return
        raise InputError(
            f"The project {path} is being written to without a pause: try again in a moment."
        )

    def take_from(self, connection: sqlite3.Connection) -> None:
        """Copy a project that this process has open: reading its file would lose the lock."""
        with contextlib.closing(sqlite3.connect(self.path)) as copy:
            connection.backup(copy)


def journal_of(path: Path) -> Path:
    """Return where SQLite keeps the rollback journal of a file."""
    return path.with_name(f"{path.name}-journal")


def _state(parts: list[Path]) -> _State:
    found: _State = []
    for part in parts:
        try:
            status = part.stat()
        except OSError:
            found.append(None)
            continue
        found.append((status.st_ino, status.st_size, status.st_mtime_ns))
    return found


def _copy(parts: list[Path], copies: list[Path]) -> None:
    for part, copy in zip(parts, copies, strict=True):
        copy.unlink(missing_ok=True)
        with contextlib.suppress(*([FileNotFoundError] if part is not parts[0] else [])):
            shutil.copyfile(part, copy)
