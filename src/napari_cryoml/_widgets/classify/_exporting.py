"""The way out: particle lists by class, and the confusion matrix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.classes import ClassState, Rows, write_matrix, write_rows
from napari_cryoml._widgets.classify._desk import Desk
from napari_cryoml._widgets.frame import Connections
from napari_cryoml._widgets.link import write_classes, write_picks
from napari_cryoml.data import PicksTable

if TYPE_CHECKING:
    from napari_cryoml.classification import Predictions

_TABLES = (".csv", ".tsv")


class Exporting:
    """Writes what is known of the crops.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._connections = Connections(
            *[
                (signal, self.show)
                for signal in (desk.replaced, desk.predicted, desk.labelled, desk.rated)
            ]
        )

    def close(self) -> None:
        """Let go of the desk."""
        self._connections.close()

    def show(self) -> None:
        """Show what would be written."""
        state = self._desk.state
        text, matrix = "", False
        if state is not None:
            names = _named(state, *self._chosen())
            n = int((names != "").sum())
            text = f"{n:,} particles of {len(set(names.tolist()) - {''}):,} classes." if n else ""
            matrix = state.fitted is not None and state.fitted.report is not None
        self._desk.view.export.show_ready(text, matrix=matrix)

    def _chosen(self) -> tuple[str, float]:
        return self._desk.view.export.chosen[0], self._desk.threshold

    def lists(self) -> None:
        """Write particle lists: all in one file, or a file for each class."""
        desk = self._desk
        with desk.telling():
            state = desk.need_state()
            names = _named(state, *self._chosen())
            if not (names != "").any():
                raise InputError("No crop has a class yet: label some, or train a classifier.")
            path = desk.view.ask_lists_path(desk.folder)
            if path is None:
                return
            each = desk.view.export.chosen[1] == "each"
            desk.note("Writing…")
            desk.background.run(
                _write,
                state,
                names,
                path,
                each,
                _shapes(desk),
                on_done=desk.note,
                on_error=desk.warn,
            )

    def matrix(self) -> None:
        """Write the confusion matrix as a table."""
        desk = self._desk
        with desk.telling():
            fitted = desk.need_state().fitted
            if fitted is None or fitted.report is None:
                raise InputError("There is no confusion matrix: too few labels were held out.")
            path = desk.view.ask_matrix_path(desk.folder)
            if path is not None:
                report = fitted.report
                desk.background.run(
                    write_matrix, report, path, on_done=desk.note, on_error=desk.warn
                )


def _named(state: ClassState, what: str, threshold: float) -> np.ndarray:
    """Return the class under which each crop is written, "" for none."""
    return state.classes.texts if what == "labelled" else state.verdicts(threshold)


def _shapes(desk: Desk) -> dict[str, tuple[int, ...]]:
    if desk.project is None:
        return {}
    return {one.name: one.shape for one in desk.project.images()}


def _write(
    state: ClassState,
    names: np.ndarray,
    path: Path,
    each: bool,
    shapes: Mapping[str, tuple[int, ...]],
) -> str:
    """Write lists, and return a sentence about it; beside the GUI's thread."""
    if state.places is None:
        return _write_boxes(state, names, path)
    classes = sorted(set(names.tolist()) - {""})
    if not each:
        rows = np.flatnonzero(names != "")
        return write_picks(table_of(state, rows, names), path, shapes)
    tables = {name: table_of(state, np.flatnonzero(names == name), names) for name in classes}
    return write_classes(tables, path, shapes)


def table_of(state: ClassState, rows: Rows, names: np.ndarray) -> PicksTable:
    """Return crops as picks of their images, with class, confidence and pose where known.

    Parameters
    ----------
    state : ClassState
    rows : array of shape (k,)
    names : array of shape (n,), str
        Class of each crop of the state, which goes before what the classifier says.
    """
    return _predictions(state, names).take(rows).table(state.crops)


def _predictions(state: ClassState, names: np.ndarray) -> Predictions:
    """Return what the classifier says, with labels as certain."""
    from napari_cryoml.classification import Predictions

    classes = tuple(sorted(set(names.tolist()) - {""}))
    table = np.zeros((len(state), len(classes)), np.float32)
    if state.fitted is not None:
        for number, name in enumerate(state.fitted.classes):
            if name in classes:
                column = state.fitted.predictions.probabilities[:, number]
                table[:, classes.index(name)] = np.nan_to_num(column)
    labelled = np.flatnonzero(state.labelled)
    numbers = state.numbers(classes)[labelled]
    table[labelled] = 0
    table[labelled[numbers >= 0], numbers[numbers >= 0]] = 1
    return Predictions(state.crops.ids, table, classes)


def _write_boxes(state: ClassState, names: np.ndarray, path: Path) -> str:
    """Write the classes of boxes that lie in no tomogram, as a table of their ids."""
    if path.suffix.lower() not in _TABLES:
        raise InputError(
            "These boxes know no places in tomograms, so they make no particle list: choose a "
            "table (.csv) for their classes."
        )
    confidence = np.where(state.labelled, 1.0, np.nan_to_num(state.confidence))
    rows = [
        (state.ids[row], names[row], f"{confidence[row]:.4f}")
        for row in np.flatnonzero(names != "").tolist()
    ]
    write_rows(path, [("id", "class", "confidence"), *rows])
    return f"The classes of {len(rows):,} box{'es' * (len(rows) != 1)} were written to {path}."
