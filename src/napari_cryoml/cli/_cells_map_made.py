"""Vectors of cells on their way to a map of proteins, and the files it is written to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.cli._embed_files import column_of, with_columns, write_result
from napari_cryoml.cli._embed_maps import MAP_NAMES, is_category
from napari_cryoml.cli._output import run_job
from napari_cryoml.data import Embedding
from napari_cryoml.embedding import DisplacementConfig

PAGES = (".html", ".htm")
FIGURES = (".svg", ".png")

Centre: TypeAlias = Literal["mean", "median", "trimmed"]

_COLOURED_BY = ("class", "localisation", "localization", "place")
_MOST_NAMED = 20


@dataclass(slots=True)
class ProteinMap:
    """What becomes of the rows of a file on their way to a map.

    Parameters
    ----------
    cells : Embedding
        What was read.
    by : str
        Column of proteins.
    """

    cells: Embedding
    by: str
    figures: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    rows: Embedding = field(init=False)
    layout: npt.NDArray[np.float32] = field(init=False)
    axes: tuple[str, str] = field(init=False)
    arrows: Any = None
    groups: Any = None
    groups_title: str = ""

    def __post_init__(self) -> None:
        self.rows = self.cells

    @property
    def proteins(self) -> npt.NDArray[np.str_]:
        """The protein of each row of the map."""
        if self.by in self.rows.table:
            return np.asarray(self.rows.table[self.by]).astype(np.str_)
        return self.rows.ids

    def sum_up(self, least: int, centre: Centre) -> None:
        """Make one vector a protein, unless there is one already."""
        from napari_cryoml.embedding import group_vectors

        if self.by not in self.cells.table and "grouped" in self.cells.provenance:
            self.notes.append("These are vectors of groups already: they are mapped as they are.")
        else:
            self.rows = group_vectors(self.cells, self.by, least=least, centre=centre)
            self.figures["cells"] = int(self.rows.table["n_cells"].sum())
        self.notes += [str(note) for note in self.rows.provenance.get("notes", ())]
        self.figures = {"proteins": len(self.rows)} | self.figures

    def compare(
        self,
        condition: str,
        pair: tuple[str, str] | None,
        config: DisplacementConfig,
        least: int,
        centre: Centre,
        fdr: float,
    ) -> None:
        """Make a vector of each protein in either condition, and test which of them move."""
        from napari_cryoml.embedding import condition_vectors, displacements

        compared = (self.cells, self.by, condition, pair)
        self.rows = condition_vectors(*compared, least=least, centre=centre)
        moved = run_job(displacements(*compared, config), "Comparing")
        place = moved.rows_of(self.proteins)
        names = ("displacement", "effect", "p", "q")
        columns = {name: np.where(place >= 0, moved.table[name][place], np.nan) for name in names}
        about = dict(moved.provenance["displacements"])
        self.rows = with_columns(self.rows, columns, about)
        q = moved.table["q"]
        order = np.argsort(np.where(np.isfinite(q), q, np.inf), kind="stable")
        sure = [row for row in order.tolist() if q[row] <= fdr]
        self.notes += [str(note) for note in moved.provenance["notes"]]
        self.figures |= {
            "proteins": len(set(self.proteins.tolist())),
            "cells": int(self.rows.table["n_cells"].sum()),
            "conditions": about["pair"],
            "tested": int(np.isfinite(q).sum()),
            "fdr": fdr,
            "n_moved": len(sure),
            "moved": [_told(moved, row) for row in sure[:_MOST_NAMED]],
        }
        self.arrows = (condition, moved.ids[sure])

    def lay_out(self, method: str, config: Any) -> None:
        """Make the map; its coordinates become columns."""
        from napari_cryoml.embedding import project

        found = run_job(project(self.rows.vectors, config), "Mapping")
        self.layout = found.layout
        name = MAP_NAMES.get(method, method)
        columns = {f"{name}{axis}": values for axis, values in enumerate(found.layout.T)}
        about = {"map": method, "options": config.model_dump(mode="json")}
        self.rows = with_columns(self.rows, columns, about)
        self.axes = (f"{name} 1", f"{name} 2")
        self.notes += [note for note in (*found.notes, found.origin) if note]
        self.figures |= {"n_features": self.rows.n_features, "map": name}

    def show_terms(self, path: Path, terms: Sequence[str], aliases: Path | None) -> None:
        """Find which proteins belong to which term."""
        from napari_cryoml.embedding.drawing import group_clouds, standard_groups
        from napari_cryoml.io import read_aliases, read_standard

        standard = read_standard(path)
        others = None if aliases is None else read_aliases(aliases)
        groups, said = standard_groups(self.proteins, standard, terms, aliases=others)
        self.groups, self.groups_title = group_clouds(self.layout, groups), standard.name
        self.notes += [*said, *self.groups.notes]
        self.figures |= {"standard": standard.name, "terms": list(self.groups.names)}

    def write(self, out: Sequence[Path], color: str | None, title: str, crops: Path | None) -> None:
        """Write every file that was asked for."""
        from napari_cryoml.io import save_or_rescue

        if color is not None:
            column_of(self.rows, color)
        else:
            color = next((name for name in _COLOURED_BY if name in self.rows.table), None)
        for path in out:
            kind = path.suffix.lower()
            if kind in PAGES:
                save_or_rescue(lambda place: self._write_page(place, color, title, crops), path)
            elif kind in FIGURES:
                save_or_rescue(lambda place: self._write_figure(place, color, title), path)
            else:
                write_result(self.rows, path)
        self.figures = {"files": [str(path) for path in out]} | self.figures

    def _write_page(self, path: Path, color: str | None, title: str, crops: Path | None) -> None:
        from napari_cryoml.embedding import all_correlated
        from napari_cryoml.embedding.drawing import write_page

        arrows = self._arrows()
        write_page(
            path,
            self.rows,
            self.layout,
            title=title or "Proteins",
            colour=color,
            groups=self.groups,
            groups_title=self.groups_title,
            arrows=None if arrows is None else (arrows.names, arrows.start, arrows.end),
            neighbours=all_correlated(self.rows),
            thumbnails={} if crops is None else self._thumbnails(crops),
        )

    def _write_figure(self, path: Path, color: str | None, title: str) -> None:
        from napari_cryoml.embedding.drawing import category_codes, write_figure

        options: dict[str, Any] = {"title": title, "axes": self.axes}
        if self.groups is not None:
            options |= {"groups": self.groups, "legend_title": self.groups_title}
        elif color is not None:
            values = column_of(self.rows, color)
            options["legend_title"] = color
            if is_category(values):
                options["codes"], options["names"] = category_codes(values)
            else:
                options["values"] = values
        arrows = self._arrows()
        drawn = None if arrows is None else (arrows.start, arrows.end)
        write_figure(path, self.layout, arrows=drawn, **options)

    def _arrows(self) -> Any:
        """Return the arrows of the proteins that move, where two conditions are compared."""
        from napari_cryoml.embedding import arrows

        if self.arrows is None:
            return None
        condition, moved = self.arrows
        return arrows(self.layout, self.rows, by=self.by, condition=condition).take(moved)

    def _thumbnails(self, path: Path) -> dict[int, bytes]:
        """Return a picture of the most central cells for each row."""
        from napari_cryoml.embedding import central_thumbnails
        from napari_cryoml.io import read_cells

        if self.by not in self.cells.table:
            raise InputError("Crops are shown of cells: give vectors of cells, not of proteins.")
        crops = read_cells(path)
        pictures: dict[int, bytes] = {}
        for of_map, of_cells in self._parts():
            names = self.proteins[of_map].tolist()
            shown = central_thumbnails(self.cells, crops, names, self.by, rows=of_cells)
            rows = zip(of_map.tolist(), names, strict=True)
            pictures |= {row: shown[name] for row, name in rows if name in shown}
        if not pictures:
            raise InputError(
                f"None of the cells is among the crops in {path.name}: their ids differ; give the "
                "crops that were embedded."
            )
        return pictures

    def _parts(self) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp] | None]]:
        """Yield rows of the map, one a protein, and the cells that they stand for."""
        if self.arrows is None:
            yield np.arange(len(self.rows)), None
            return
        condition, _ = self.arrows
        of_rows, of_cells = (
            np.asarray(table[condition]) for table in (self.rows.table, self.cells.table)
        )
        for value in np.unique(of_rows):
            yield np.flatnonzero(of_rows == value), np.flatnonzero(of_cells == value)


def _told(moved: Embedding, row: int) -> dict[str, Any]:
    names = ("displacement", "effect", "p", "q")
    return {"protein": str(moved.ids[row])} | {
        name: float(moved.table[name][row]) for name in names
    }
