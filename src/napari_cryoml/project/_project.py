"""A project: everything a user has made, in one file."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path

from napari_cryoml.project._embedding_records import EmbeddingRecords
from napari_cryoml.project._image_records import absolute
from napari_cryoml.project._store import Store

PROJECT_SUFFIX = ".cryoml"
"""How names of project files end by custom; any name is accepted."""


class Project(EmbeddingRecords):
    """Images, labels, models, picks, embeddings and settings in one SQLite file.

    Made by `Project.create` and `Project.open`; a context manager that closes it. Every change is
    on the disk when the call that made it returns, so killing the program loses nothing, and a
    call that raises `InputError` has changed nothing. Undo and redo go on where they were after
    closing and opening.

    Calls from several threads take turns, a transaction being one turn. While it is open, no other
    process can change the file; others can look at a copy, as it was when they opened it.

    Examples
    --------
    >>> with Project.create("apoferritin.cryoml") as project:  # doctest: +SKIP
    ...     project.add_images(open_images(["micrographs/"]))
    ...     project.annotate("001.mrc", add=Annotations.of_positives([[120, 310]]))
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @classmethod
    def create(cls, path: str | os.PathLike[str]) -> Project:
        """Make a new project in a file that does not exist yet.

        Raises
        ------
        InputError
            If the file exists or cannot be written.
        """
        return cls(Store.create(absolute(path)))

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, read_only: bool | None = False) -> Project:
        """Open a project.

        A file of an older version is replaced by a copy of the present one; the old file is kept
        beside it, as ``NAME.v3.bak`` for version 3.

        Parameters
        ----------
        path : path
        read_only : bool or None, default False
            True to look at it without changing anything, even while another program changes it:
            what is shown is a copy, made now. None to do so only where the file cannot be written
            or is open elsewhere; `read_only` tells which it was.

        Raises
        ------
        InputError
            If the file is missing, not a project, of a newer version or damaged; with
            ``read_only=False`` also if it cannot be written or is open in another process.
        """
        return cls(Store.open(absolute(path), read_only=read_only))

    @property
    def read_only(self) -> bool:
        """Whether it is only looked at: whatever would change it raises `InputError`."""
        return bool(self._store.why_read_only)

    @property
    def why_read_only(self) -> str:
        """The sentence that says why nothing can be changed; "" where it can."""
        return self._store.why_read_only

    def check_writable(self) -> None:
        """Do nothing where the project can be changed.

        Raises
        ------
        InputError
            If it is only looked at, with the sentence that says why.
        """
        self._store.check_writable()

    @property
    def path(self) -> Path:
        """The file, absolute."""
        return self._store.path

    def transaction(self) -> AbstractContextManager[None]:
        """Return a context that commits all that is written in it at once, or nothing of it.

        For writing the picks of many images: one wait for the disk in place of one an image.

        Raises
        ------
        InputError
            When the context is left, if the file cannot be written.
        """
        return self._store.transaction()

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._store.close()

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
