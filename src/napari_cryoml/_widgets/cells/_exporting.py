"""The way out: a table of cells, and the confusion matrix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.cells._columns import columns_of
from napari_cryoml._widgets.cells._desk import Desk
from napari_cryoml._widgets.cells._state import CellState
from napari_cryoml._widgets.classes import write_matrix
from napari_cryoml._widgets.frame import Connections
from napari_cryoml.io import replacing

PARQUET = ".parquet"
_SEPARATORS = {".csv": ",", ".tsv": "\t"}


class Exporting:
    """Writes what is known of the cells.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        signals = (desk.replaced, desk.predicted, desk.labelled)
        self._connections = Connections(*[(signal, self.show) for signal in signals])

    def close(self) -> None:
        """Let go of the desk."""
        self._connections.close()

    def show(self) -> None:
        """Show what would be written."""
        cells = self._desk.cells
        text, matrix = "", False
        if cells is not None:
            n = int(cells.labelled.sum())
            what = ", with predictions" if cells.fitted is not None else ""
            text = f"{len(cells):,} cells, {n:,} of them labelled{what}."
            matrix = cells.fitted is not None and cells.fitted.report is not None
        self._desk.view.export.show_ready(text, matrix=matrix)

    def table(self) -> None:
        """Write a line a cell."""
        desk = self._desk
        with desk.telling():
            cells = desk.need_cells()
            path = desk.view.ask_table_path(desk.folder)
            if path is not None:
                table = table_of(cells)
                desk.background.run(write_table, table, path, on_done=desk.note, on_error=desk.warn)

    def matrix(self) -> None:
        """Write the confusion matrix as a table."""
        desk = self._desk
        with desk.telling():
            fitted = desk.need_cells().fitted
            if fitted is None or fitted.report is None:
                raise InputError("There is no confusion matrix: too few labels were held out.")
            path = desk.view.ask_matrix_path(desk.folder)
            if path is not None:
                desk.background.run(
                    write_matrix, fitted.report, path, on_done=desk.note, on_error=desk.warn
                )


def table_of(cells: CellState) -> dict[str, Any]:
    """Return a table of cells, each column of shape (n,): id, place, label, predictions, rest."""
    columns = columns_of(cells)
    table: dict[str, Any] = {"id": columns.pop("id")}
    if cells.crops.images is not None and cells.crops.positions is not None:
        table["image"] = cells.crops.images
        table["y"], table["x"] = cells.crops.positions.T
    return table | {name: values for name, values in columns.items() if name not in table}


def write_table(table: dict[str, Any], path: Path) -> str:
    """Write a table by its suffix, and return a sentence about it.

    Raises
    ------
    InputError
        If the suffix is of no table, or the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix != PARQUET and suffix not in _SEPARATORS:
        raise InputError(
            f"A table of cells is written as .csv, .tsv or .parquet; {path.name} was given."
        )
    frame = pd.DataFrame(table)
    with replacing(path) as draft:
        if suffix == PARQUET:
            frame.to_parquet(draft, index=False)
        else:
            frame.to_csv(draft, index=False, sep=_SEPARATORS[suffix])
    return f"{len(frame):,} cells were written to {path}."
