"""What is on the map: rows, places, columns, classes and the selection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.embedding._history import Mask, SelectionHistory
from napari_cryoml._widgets.embedding._row_cells import RowArrows, RowCells
from napari_cryoml._widgets.link import RowClasses, factorised
from napari_cryoml.data import UNLABELLED, Embedding

LABEL, CLASS, CLUSTER, NOVELTY, SCORE = "label", "class", "cluster", "novelty", "score"
DENSITY = "density"
"""Colour by nothing: how many points lie at a place."""

_FIRST = (LABEL, CLASS, SCORE, CLUSTER, NOVELTY)
_UNSUITED = 0.5
"""Share of different values above which a column of text says nothing as a colour."""

_SAMPLE = 10_000

Layout = npt.NDArray[np.float32]


class MapState:
    """One embedding with all that was made of it.

    Parameters
    ----------
    embedding : Embedding
    layouts : mapping of str to array of shape (n, 2)
        Maps that were made before, by method.
    hidden : iterable of str
        Columns of its table that are no colours.
    """

    def __init__(
        self,
        embedding: Embedding,
        *,
        layouts: Mapping[str, Layout] | None = None,
        hidden: Iterable[str] = (),
    ) -> None:
        self.embedding = embedding
        self.layouts = {
            name: _layout(values, embedding) for name, values in (layouts or {}).items()
        }
        self.method = next(reversed(self.layouts), "")
        self.columns: dict[str, npt.NDArray[Any]] = {}
        self.classes = RowClasses.none(len(embedding))
        # By row, `UNLABELLED` for none; None as long as nobody can tell.
        self.labels: npt.NDArray[np.int8] | None = None
        self._hidden = frozenset(hidden)
        self._row_of: dict[str, int] | None = None
        self._has_colours: dict[str, bool] = {}
        self._categories: dict[str, tuple[Any, npt.NDArray[np.intp], list[str]]] = {}
        # The cells that rows stand for, where rows are proteins; where the image of a row is shown
        # by someone else than the link, who does so.
        self.row_cells: RowCells | None = None
        self.arrows: RowArrows | None = None
        self.look_at: Callable[[int], object] | None = None
        self.history = SelectionHistory(len(embedding))
        self.colour = DENSITY

    def __len__(self) -> int:
        return len(self.embedding)

    @property
    def layout(self) -> Layout:
        """Places of the map on show, shape (n, 2); NaN where a row has none."""
        found = self.layouts.get(self.method)
        return np.full((len(self), 2), np.nan, np.float32) if found is None else found

    @property
    def placed(self) -> Mask:
        """Which rows have a place on the map on show."""
        return np.asarray(np.isfinite(self.layout).all(axis=1))

    @property
    def selection(self) -> Mask:
        """Which rows are selected, shape (n,)."""
        return self.history.mask

    @property
    def selected(self) -> npt.NDArray[np.intp]:
        """Numbers of the selected rows, rising."""
        return np.flatnonzero(self.selection)

    def need_selected(self, what: str) -> npt.NDArray[np.intp]:
        """Return the selected rows.

        Raises
        ------
        InputError
            If nothing is selected; `what` says what would be done with them.
        """
        rows = self.selected
        if not len(rows):
            raise InputError(f"Nothing is selected: draw a lasso around points {what}.")
        return rows

    def set_layout(self, method: str, layout: Layout, rows: Any = None) -> None:
        """Take over the places of all rows, or of some: the others have none on that map.

        Raises
        ------
        InputError
            If there is not one place a row.
        """
        if rows is None:
            self.layouts[method] = _layout(layout, self.embedding)
            return
        whole = np.full((len(self), 2), np.nan, np.float32)
        whole[rows] = layout
        self.layouts[method] = whole

    def rows_of(self, ids: Iterable[str]) -> npt.NDArray[np.intp]:
        """Return the rows of those ids that are on this map."""
        if self._row_of is None:
            self._row_of = {one: row for row, one in enumerate(self.embedding.ids.tolist())}
        return np.array([self._row_of[one] for one in ids if one in self._row_of], np.intp)

    # Colours

    def categories(self, name: str) -> tuple[npt.NDArray[np.intp], list[str]]:
        """Return a column of texts as numbers, -1 for none, and the texts they stand for.

        They are kept: a million texts take a while to look through.
        """
        values = self.column(name)
        known = self._categories.get(name)
        if known is None or known[0] is not values:
            known = self._categories[name] = (values, *factorised(values))
        return known[1:]

    def prepare(self) -> None:
        """Look through the texts of all columns, beside the GUI's thread."""
        for name in self.names:
            if name not in (DENSITY, CLASS, LABEL) and self.column(name).dtype.kind in "Ub":
                self.categories(name)

    @property
    def names(self) -> list[str]:
        """Names of what the map can be coloured by, the usual ones first."""
        table = self._columns()
        first = [name for name in _FIRST if name in table]
        others = [name for name in table if name not in first and self._is_colour(name)]
        return [DENSITY, *first, *others]

    def _is_colour(self, name: str) -> bool:
        if name not in self._has_colours:
            self._has_colours[name] = _has_colours(self._columns()[name]())
        return self._has_colours[name]

    def column(self, name: str) -> npt.NDArray[Any]:
        """Return the values of one column, shape (n,).

        Raises
        ------
        InputError
            If there is none of that name.
        """
        columns = self._columns()
        if name not in columns:
            raise InputError(f"This embedding has no column {name!r}: choose another colour.")
        return np.asarray(columns[name]())

    def _columns(self) -> dict[str, Callable[[], npt.NDArray[Any]]]:
        """Return what gives each column; some are only made when they are wanted."""
        known: dict[str, npt.NDArray[Any]] = {}
        if self.embedding.images is not None:
            known["image"] = self.embedding.images
        table = self.embedding.table
        known |= {name: table[name] for name in table if name not in self._hidden}
        known |= self.columns
        columns: dict[str, Callable[[], npt.NDArray[Any]]] = {
            name: partial(np.asarray, values) for name, values in known.items()
        }
        labels = self.labels
        if labels is not None:
            columns.pop(LABEL, None)
            if (labels != UNLABELLED).any():
                columns[LABEL] = lambda: _LABEL_NAMES[labels]
        if (self.classes.codes >= 0).any():
            columns[CLASS] = lambda: self.classes.texts
        return columns

    # Selection

    def combine(self, mask: Mask, mode: str) -> Mask:
        """Return what is selected after `mask` was drawn: "replace", "add" or "subtract"."""
        if mode == "add":
            return self.selection | mask
        if mode == "subtract":
            return self.selection & ~mask
        return np.asarray(mask, bool)

    def images_of(self, rows: npt.NDArray[np.intp]) -> int:
        """Return how many images some rows lie in; 0 where rows have no images."""
        images = self.embedding.images
        return 0 if images is None else len(set(images[rows].tolist()))


_LABEL_NAMES = np.array(["not a particle", "particle", ""])
"""By label; the last one is that of `UNLABELLED`, which is -1."""


def _layout(values: npt.ArrayLike, embedding: Embedding) -> Layout:
    layout = np.array(values, np.float32)
    if layout.shape != (len(embedding), 2):
        raise InputError(
            f"A map of {len(embedding)} rows needs as many places of two numbers; an array of "
            f"shape {layout.shape} was given."
        )
    return layout


def _has_colours(values: npt.NDArray[Any]) -> bool:
    values = np.asarray(values)
    if values.dtype.kind in "biuf":
        return True
    sample = values[:_SAMPLE].tolist()
    return len(set(sample)) <= max(2, _UNSUITED * len(sample))
