"""One open SQLite file: locking, transactions, and errors as sentences."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

from napari_cryoml._errors import InputError
from napari_cryoml.project._migration import migrate, upgrade
from napari_cryoml.project._schema import (
    APPLICATION_ID,
    VERSION,
    definitions,
    expected_definitions,
)
from napari_cryoml.project._snapshot import Snapshot

Row: TypeAlias = tuple[Any, ...]

# Under POSIX, a process that reads and closes a file by the way loses its locks on that file. So a
# file that is open here already must be known without looking into it.
_OPEN_HERE: WeakValueDictionary[tuple[int, int] | None, Store] = WeakValueDictionary()

_MAGIC = b"SQLite format 3\x00"
_HEADER_BYTES = 100
_LOCK_WAIT_S = 0.5
_CHECKED_BYTES = 64 * 2**20


class Unwritable(InputError):
    """A project that can be looked at, but not changed from here."""


class Store:
    """A project file that is open in this process and in no other, or a copy to look at.

    One connection holds the file's lock from opening to closing; the lock goes with the process,
    however that ends. The journal is a rollback journal: the write-ahead log of SQLite needs
    shared memory, which network disks do not have. Each commit waits for the disk
    (``synchronous=FULL``), which costs some milliseconds a click and survives a power cut.

    Parameters
    ----------
    path : Path
        The file, which exists.
    connection : sqlite3.Connection
        Open on `path` or on a copy of it, in autocommit mode.
    snapshot : Snapshot, optional
        The copy that is looked at in place of the file.
    why : str
        The sentence that says why nothing can be changed; "" where it can.
    """

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        snapshot: Snapshot | None = None,
        why: str = "",
    ) -> None:
        self.path, self.why_read_only = path, why
        self._connection = connection
        self._snapshot = snapshot
        self._lock = threading.RLock()
        self._depth = 0
        self._failure: BaseException | None = None
        self._identity = _identity(path)
        if not why:
            _OPEN_HERE[self._identity] = self

    @classmethod
    def create(cls, path: Path) -> Store:
        """Make a new project file.

        Raises
        ------
        InputError
            If the file exists or cannot be written.
        """
        try:
            path.open("xb").close()
        except FileExistsError:
            raise InputError(
                f"{path} exists already: open it, or choose another name for the new project."
            ) from None
        except OSError as error:
            raise InputError(
                f"The project {path} cannot be written ({error.strerror}): choose another folder."
            ) from error
        try:
            return cls._prepared(path, new=True)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    @classmethod
    def open(cls, path: Path, *, read_only: bool | None = False) -> Store:
        """Open a project file.

        Parameters
        ----------
        path : Path
        read_only : bool or None
            True to look at a copy, None to do that where the file cannot be written.

        Raises
        ------
        InputError
            If it is missing, not one of ours, newer or damaged; unless a copy will do, if it
            cannot be written or is open elsewhere.
        """
        if read_only:
            return cls._looked_at(path, _only_shown(path))
        try:
            if _identity(path) in _OPEN_HERE:
                raise _locked(path)
            _check_header(path)
            return cls._prepared(path, new=False)
        except Unwritable as error:
            if read_only is None:
                return cls._looked_at(path, str(error))
            raise

    @classmethod
    def _looked_at(cls, path: Path, why: str) -> Store:
        snapshot, here = Snapshot(), _OPEN_HERE.get(_identity(path))
        with _sentences(path):
            if here is not None:
                here.copy_to(snapshot)
            else:
                _check_header(path)
                snapshot.take(path.resolve())  # the journal lies beside the file itself
            connection = sqlite3.connect(
                snapshot.path, isolation_level=None, check_same_thread=False
            )
            try:
                _configure(connection)
                version = _check_content(path, connection)
                if version < VERSION:
                    upgrade(connection, version)
                connection.execute("PRAGMA query_only = ON")
                return cls(path, connection, snapshot, why)
            except BaseException:
                connection.close()
                raise

    @classmethod
    def _prepared(cls, path: Path, *, new: bool) -> Store:
        connection = _connected(path)
        try:
            with _sentences(path):
                _configure(connection)
                version = 0 if new else _check_content(path, connection)
                if new:
                    upgrade(connection, 0)
                elif not os.access(path.resolve().parent, os.W_OK):
                    raise _unwritable(path)  # there is no place for the journal
                elif version < VERSION:
                    migrate(path, connection, version)
                    connection = _connected(path)
                    _configure(connection)
            return cls(path, connection)
        except BaseException:
            connection.close()
            raise

    def copy_to(self, snapshot: Snapshot) -> None:
        """Fill a snapshot with what has been committed."""
        with self._lock:
            snapshot.take_from(self._connection)

    def close(self) -> None:
        """Release the file; a second call does nothing."""
        with self._lock:
            self._connection.close()
        if self._snapshot is not None:
            self._snapshot.close()
        elif _OPEN_HERE.get(self._identity) is self:
            del _OPEN_HERE[self._identity]

    def check_writable(self) -> None:
        """Refuse in the words that say why, where the project is only looked at.

        Raises
        ------
        InputError
            If nothing can be changed.
        """
        if self.why_read_only:
            raise Unwritable(self.why_read_only)

    def rows(self, query: str, *values: Any) -> list[Row]:
        """Return all rows a query finds."""
        with self._lock, _sentences(self.path):
            return self._connection.execute(query, values).fetchall()

    def row(self, query: str, *values: Any) -> Row | None:
        """Return the first row a query finds, or None."""
        with self._lock, _sentences(self.path):
            found: Row | None = self._connection.execute(query, values).fetchone()
            return found

    def write(self, statement: str, *values: Any) -> int:
        """Carry out a statement inside a transaction; return the id of the row it has added."""
        with self.transaction(), _sentences(self.path):
            return self._connection.execute(statement, values).lastrowid or 0

    def write_all(self, statement: str, rows: Iterable[Row]) -> None:
        """Carry out a statement for each of `rows` inside a transaction."""
        with self.transaction(), _sentences(self.path):
            self._connection.executemany(statement, rows)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block writes as one; after an error, nothing of it is kept.

        A transaction within another joins it: once it has failed, the outer one fails too. Other
        threads wait until it is over.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        with self._lock:
            if self._depth == 0:
                self._begin()
            self._depth += 1
            try:
                yield
            except BaseException as error:
                self._failure = error
                raise
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._finish()

    def _begin(self) -> None:
        self.check_writable()
        self._check_place()
        with _sentences(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
        self._failure = None

    def _finish(self) -> None:
        failure, self._failure = self._failure, None
        try:
            if failure is None:
                with _sentences(self.path):
                    self._connection.execute("COMMIT")
        finally:
            # SQLite has rolled back by itself after some errors, a full disk among them.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        if failure is not None:
            raise failure

    def _check_place(self) -> None:
        # Where an open file can be deleted, writing on would go nowhere.
        if _identity(self.path) != self._identity:
            raise InputError(
                f"The project {self.path} has been moved or deleted while it was open: put it "
                f"back, or close the project and open it where it is now."
            )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        path, timeout=_LOCK_WAIT_S, isolation_level=None, check_same_thread=False
    )


def _configure(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN EXCLUSIVE")  # takes the lock, which is then kept
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = DELETE")


def _check_header(path: Path) -> None:
    # Read here, so that SQLite does not so much as touch the database of another program.
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except FileNotFoundError:
        raise InputError(f"There is no project {path}: check the name, or create it.") from None
    except OSError as error:
        raise InputError(
            f"The project {path} cannot be read ({error.strerror}): check its permissions."
        ) from error
    version = int.from_bytes(header[60:64], "big")
    application = int.from_bytes(header[68:72], "big")
    if not header.startswith(_MAGIC) or application != APPLICATION_ID:
        raise _not_ours(path)
    if version > VERSION:
        raise InputError(
            f"The project {path} was made by a newer napari-cryoml (its format is {version}, this "
            f"one reads up to {VERSION}): update napari-cryoml."
        )


def _check_content(path: Path, connection: sqlite3.Connection) -> int:
    """Check that a file is one of ours in full, and return its version."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    # Also keeps out triggers and views that we did not write.
    if not 0 < version <= VERSION or definitions(connection) != expected_definitions(version):
        raise _damaged(path)
    # Reading a large file whole would hold up its opening; its faults show when they are met.
    if path.stat().st_size <= _CHECKED_BYTES:
        (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if answer != "ok":
            raise _damaged(path)
    return int(version)


def _not_ours(path: Path) -> InputError:
    return InputError(
        f"{path} is not a napari-cryoml project: choose a file that was saved as one."
    )


def _locked(path: Path) -> Unwritable:
    return Unwritable(
        f"The project {path} is open in another window or program: close it there first."
    )


def _unwritable(path: Path) -> Unwritable:
    return Unwritable(
        f"The project {path} or its folder cannot be written: copy it to a folder of yours, and "
        "open the copy."
    )


def _only_shown(path: Path) -> str:
    return f"The project {path} was opened to look at it: open it again to change something."


def _damaged(path: Path) -> InputError:
    return InputError(
        f"The project {path} is damaged and cannot be read in full: use a backup copy of the file."
    )


@contextlib.contextmanager
def _sentences(path: Path) -> Iterator[None]:
    """Turn what a file or disk can do to SQLite into sentences; leave faults of our own alone."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        known = explain(error, path)
        if known is None:
            raise
        raise known from error


def explain(error: sqlite3.Error, path: Path) -> InputError | None:
    """Return the error for the user, or None if it is no matter of the file or the disk."""
    # The low byte is the kind of error; the rest tells apart where it arose.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if isinstance(error, sqlite3.ProgrammingError) and "closed database" in str(error):
        return InputError(f"The project {path} has been closed meanwhile: open it again.")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return _locked(path)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return _unwritable(path)
    if code == sqlite3.SQLITE_FULL:
        return InputError(
            f"The disk that holds the project {path} is full: free some space and do the last "
            f"step again; everything before it is saved."
        )
    if code == sqlite3.SQLITE_IOERR:
        return InputError(
            f"The disk that holds the project {path} does not respond properly: check it and do "
            f"the last step again; everything before it is saved."
        )
    if code == sqlite3.SQLITE_NOTADB:
        return _not_ours(path)
    return _damaged(path) if code == sqlite3.SQLITE_CORRUPT else None
