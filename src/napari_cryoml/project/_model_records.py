"""The trained models of a project."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from napari_cryoml._errors import InputError
from napari_cryoml.project._edit_log import EditLog
from napari_cryoml.project._entries import JSON, ModelEntry
from napari_cryoml.project._packing import checked, dump, dump_time, load_mapping, load_time, now
from napari_cryoml.project._store import Row

_COLUMNS = "SELECT id, made, summary, length(checkpoint), edit FROM models"


class ModelRecords(EditLog):
    """Checkpoints are kept in the project file as they are; nothing here looks into them."""

    def add_model(
        self,
        checkpoint: bytes | str | os.PathLike[str],
        summary: Mapping[str, JSON],
        *,
        edit: int | None = None,
        current: bool = True,
    ) -> int:
        """Keep a trained model, and return its number.

        Parameters
        ----------
        checkpoint : bytes or path
            The checkpoint, or the file that holds it.
        summary : mapping of str to JSON
            What to show about the model: name of the network, losses, number of labels.
        edit : int, optional
            `edit_number` when the labels were handed to the training; the present one by default.
        current : bool
            Whether the model becomes the current one.

        Raises
        ------
        InputError
            If the checkpoint cannot be read or the file cannot be written.
        """
        data = checkpoint if isinstance(checkpoint, bytes) else _read(Path(checkpoint))
        if not data:
            raise InputError(
                "The checkpoint is empty: train the model again, or choose another file."
            )
        with self._store.transaction():
            number = self._store.write(
                "INSERT INTO models (made, edit, summary, checkpoint) VALUES (?, ?, ?, ?)",
                dump_time(now()),
                self.edit_number if edit is None else int(edit),
                dump(dict(summary)),
                data,
            )
            if current:
                self.set_current_model(number)
        return number

    def models(self) -> list[ModelEntry]:
        """Return all models, oldest first."""
        return [self._model(row) for row in self._store.rows(f"{_COLUMNS} ORDER BY id")]

    def model(self, number: int) -> ModelEntry:
        """Return one model.

        Raises
        ------
        InputError
            If there is none of this number.
        """
        row = self._store.row(f"{_COLUMNS} WHERE id = ?", number)
        if row is None:
            raise InputError(f"There is no model {number} in the project: choose one that is.")
        return self._model(row)

    def current_model(self) -> ModelEntry | None:
        """Return the model that is in use, or None."""
        number = self._current()
        return None if number is None else self.model(number)

    def set_current_model(self, number: int | None) -> None:
        """Take another model into use, or none.

        Raises
        ------
        InputError
            If there is none of this number, or the file cannot be written.
        """
        if number is not None:
            self.model(number)
        self._store.write("INSERT OR REPLACE INTO current (one, model) VALUES (1, ?)", number)

    def export_model(self, number: int, path: str | os.PathLike[str]) -> Path:
        """Write the checkpoint of a model to a file, replacing one that is there.

        The file appears whole or not at all.

        Raises
        ------
        InputError
            If there is no such model or the file cannot be written.
        """
        self.model(number)
        (data,) = self._store.rows("SELECT checkpoint FROM models WHERE id = ?", number)[0]
        target = Path(path).absolute()
        try:
            _write_whole(target, data)
        except OSError as error:
            raise InputError(
                f"The model cannot be written to {target} ({error.strerror}): choose another place."
            ) from error
        return target

    def _current(self) -> int | None:
        row = self._store.row("SELECT model FROM current")
        return None if row is None else row[0]

    def _model(self, row: Row) -> ModelEntry:
        number, made, summary, size, edit = row
        with checked("The list of models", self._store.path):
            return ModelEntry(number, load_time(made), load_mapping(summary), int(size), int(edit))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"The checkpoint {path} cannot be read ({error.strerror}): choose another file."
        ) from error


def _write_whole(target: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
