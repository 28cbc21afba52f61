"""Keeps what is made in the project, beside the GUI's thread, as it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.embedding._desk import Desk
from napari_cryoml._widgets.jobs import Background
from napari_cryoml.data import Embedding
from napari_cryoml.project import Edit, EmbeddingEntry, Project

CHOICES = "explorer"
"""Setting: what was chosen in the Explorer: method, colour, options."""

SHOWN = "explorer_shown"
"""Setting: number of the embedding that was looked at last."""

MOST = 10
"""Embeddings that a project keeps; beyond that, the oldest goes. Classes stay: they go by ids."""


class Keeping:
    """The project behind the map.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._writer = Background()
        self.project: Project | None = None
        self._is_own = False
        self._number = _Number()
        self._edit: Edit | None = None
        self._left: tuple[Path, int | None] | None = None

    @property
    def busy(self) -> bool:
        """Whether anything is still to be written."""
        return self._writer.busy

    @property
    def is_borrowed(self) -> bool:
        """Whether the project is that of the Picker."""
        return self.project is not None and not self._is_own

    def use(self, project: Project | None, *, own: bool = False) -> None:
        """Keep everything in a project from now on; one of our own is closed when it is left."""
        if project is self.project:
            return
        self.leave()
        self.project = self._desk.project = project
        self._is_own = own
        if project is not None and self._left is not None and self._left[0] == project.path:
            # The same one, opened again: the map on show is still kept there.
            self._number = _Number(self._left[1])

    def leave(self) -> None:
        """Write what waits, and let go of the project."""
        self._writer.close(finish=True)
        self._writer = Background()
        project, self.project = self.project, None
        if project is not None:
            self._left = project.path, self._number.value
        self._desk.project = None
        self._number = _Number()
        if project is not None and self._is_own:
            project.close()

    def close(self) -> None:
        """Leave the project for good."""
        self.leave()
        self._writer.close()

    @property
    def has_map(self) -> bool:
        """Whether the project keeps the map on show."""
        return self._number.value is not None

    # Embeddings

    def entries(self) -> list[EmbeddingEntry]:
        """Return the embeddings that the project keeps, newest first."""
        return [] if self.project is None else self.project.embeddings()[::-1]

    @property
    def last(self) -> int | None:
        """Number of the embedding that was looked at last, if the project keeps it."""
        if self.project is None:
            return None
        number = self.project.setting(SHOWN)
        return number if number in {entry.id for entry in self.entries()} else None

    def add(self, name: str, embedding: Embedding) -> None:
        """Keep a new embedding: columns that come later belong to it."""
        self._number = number = _Number()
        if self.project is not None:
            self._write(_add, self.project, number, name, embedding)

    def pass_by(self) -> None:
        """Keep nothing of the map on show: it belongs to no project of ours."""
        self._number = _Number()

    def resume(self, number: int) -> None:
        """Have columns that come later belong to an embedding that is kept."""
        self._number = _Number(number)
        if self.project is not None:
            self.project.set_setting(SHOWN, number)

    def read(
        self,
        number: int,
        then: Callable[[Embedding, dict[str, str]], Any],
        on_done: Callable[[Any], object],
    ) -> None:
        """Read an embedding that is kept, and resume it.

        Parameters
        ----------
        number : int
        then : callable
            Takes the embedding and the classes by id, beside the GUI's thread.
        on_done : callable
            Takes what `then` has returned.

        Raises
        ------
        InputError
            If there is no project.
        """
        if self.project is None:
            raise InputError("There is no project to read from: open its images in the Picker.")
        self.resume(number)
        self._writer.run(
            _read, self.project, number, then, on_done=on_done, on_error=self._desk.warn
        )

    def columns(
        self, columns: Mapping[str, npt.NDArray[Any]], note: Mapping[str, Any] | None = None
    ) -> None:
        """Keep columns of the embedding on show."""
        if self.project is not None:
            copies = {name: np.array(values) for name, values in columns.items()}
            self._write(_set_columns, self.project, self._number, copies, dict(note or {}))

    # Choices and classes

    def choices(self) -> dict[str, Any]:
        """Return what was chosen in the Explorer of this project."""
        value = None if self.project is None else self.project.setting(CHOICES)
        return dict(value) if isinstance(value, dict) else {}

    def choose(self, **choices: Any) -> None:
        """Keep what was chosen."""
        if self.project is not None:
            self.project.set_setting(CHOICES, self.choices() | choices)

    def classes(self) -> dict[str, str]:
        """Return the class of each row that has one, by id."""
        return {} if self.project is None else self.project.classes()

    def classify(self, ids: Sequence[str], classes: str | Sequence[str] | None) -> bool:
        """Give rows a class, as one edit that can be undone; return whether that is kept.

        Raises
        ------
        InputError
            If the project cannot be written.
        """
        if self.project is None:
            return False
        self._edit = self.project.classify(ids, classes)
        return True

    def tell(self) -> None:
        """Have other docks on the project of the Picker hear of the classes that were given."""
        edit, self._edit = self._edit, None
        picker = self._desk.picker
        if edit is not None and picker is not None and picker.project is self.project:
            picker.tell(edit)

    def _write(self, function: Callable[..., None], *args: Any) -> None:
        self._writer.run(function, *args, on_done=lambda _: None, on_error=self._say_unkept)

    def _say_unkept(self, sentence: str) -> None:
        self._desk.warn(f"This could not be kept in the project. {sentence}")


class _Number:
    """Number of an embedding in its project, once it is known there."""

    def __init__(self, value: int | None = None) -> None:
        self.value = value


def _read(project: Project, number: int, then: Callable[..., Any]) -> Any:
    return then(project.embedding(number), project.classes())


def _add(project: Project, number: _Number, name: str, embedding: Embedding) -> None:
    number.value = project.add_embedding(name, embedding)
    project.set_setting(SHOWN, number.value)
    for entry in project.embeddings()[:-MOST]:
        project.remove_embedding(entry.id)


def _set_columns(
    project: Project, number: _Number, columns: dict[str, npt.NDArray[Any]], note: dict[str, Any]
) -> None:
    if number.value is not None:
        project.set_embedding_columns(number.value, columns, note)
