"""Points on a map as a picture: densities where they are many, discs where they are few."""

from __future__ import annotations

from itertools import chain

import numpy as np
import numpy.typing as npt

from napari_cryoml.embedding.drawing._grid import PointGrid
from napari_cryoml.embedding.drawing._layers import Layer
from napari_cryoml.embedding.drawing._paint import Rgb, compose
from napari_cryoml.embedding.drawing._palettes import PLAIN, unlabelled
from napari_cryoml.embedding.drawing._view import MapView

_RADII = (1.0, 8.0)
_FAINT = 0.4

_Codes = npt.NDArray[np.unsignedinteger]
_Colours = npt.NDArray[np.uint8]
_Mask = npt.NDArray[np.bool_]


class PointRaster:
    """Points of a map with their colours, ready to be painted from any view.

    Two layers are painted: behind, the points without a class, or, while some are selected, all
    others, faint; in front, the points with a class, or the selected ones with an outline.

    Parameters
    ----------
    coordinates : array of shape (n, 2)
        Map positions xy; rows that are not finite are left out.
    """

    def __init__(self, coordinates: npt.NDArray[np.floating]) -> None:
        self._all = self._visible = PointGrid(coordinates)
        self._codes: _Codes | None = None
        self._palette = np.array([unlabelled(), PLAIN], np.uint8)
        self._selected: _Mask | None = None
        self._layers: list[Layer] | None = None

    def set_colours(
        self,
        codes: npt.NDArray[np.integer] | None,
        palette: _Colours | None = None,
        none: Rgb | None = None,
    ) -> None:
        """Colour each row by a row of a palette.

        Parameters
        ----------
        codes : int array of shape (n,), optional
            Row of `palette`; -1 for none, painted behind. All in the palette's first colour
            without it.
        palette : uint8 array of shape (k, 3), optional
            The plain colour without it.
        none : tuple of int, optional
            Red, green and blue of rows without a class.
        """
        first = unlabelled() if none is None else none
        rest = [PLAIN] if palette is None or not len(palette) else palette
        self._palette = np.concatenate([[first], rest]).astype(np.uint8)
        self._codes = None if codes is None else _rows_of(len(self._palette), codes)
        self._layers = None

    def set_shown(self, shown: _Mask | None) -> None:
        """Paint these rows alone, a mask of shape (n,); all without it."""
        self._visible = self._all if shown is None else self._all.subset(shown[self._all.rows])
        self._layers = None

    def set_selected(self, selected: _Mask | None) -> None:
        """Mark these rows, a mask of shape (n,), and paint the others faint; none without it."""
        self._selected = selected if selected is not None and selected.any() else None
        self._layers = None

    @property
    def n_visible(self) -> int:
        """Rows that are painted."""
        return len(self._visible)

    def nearest(self, position: npt.ArrayLike, reach: float) -> int:
        """Return the painted row nearest to a map position, -1 if none is within `reach` units."""
        x, y = np.asarray(position, float).tolist()
        return self._visible.nearest(x, y, reach)

    def render(
        self,
        view: MapView,
        background: Rgb | None = None,
        faint: bool = False,
        ratio: float = 1.0,
    ) -> npt.NDArray[np.uint8]:
        """Return the picture of a view.

        Parameters
        ----------
        view : MapView
        background : tuple of int, optional
            Red, green and blue behind the points; transparent without it.
        faint : bool
            Whether the points are only to be made out, behind something else.
        ratio : float
            Pixels of the picture to a pixel of the view, for screens that are finer than that.

        Returns
        -------
        uint8 array of shape (h, w, 4)
            Red, green, blue and opacity.
        """
        if self._layers is None:
            self._layers = self._layered()
        fine = view.scaled(ratio)
        radius, strength = self.radius(view) * ratio, _FAINT if faint else 1.0
        sheets = [layer.sheets(fine, radius, strength) for layer in self._layers]
        return compose(fine.size, list(chain.from_iterable(sheets)), background)

    def radius(self, view: MapView) -> float:
        """Return the radius of a point, pixels; it grows more slowly than the map as one zooms."""
        crowding = self._visible.crowding(0.5) * view.units_per_pixel**2
        return float(np.clip(max(crowding, 1e-12) ** -0.3, *_RADII))

    def _layered(self) -> list[Layer]:
        codes = self._grid_codes()
        selected = self._selected
        front = codes > 0 if selected is None else selected[self._visible.rows]
        if front.all() or not front.any():
            return [Layer(self._visible, codes, self._palette, outlined=selected is not None)]
        behind, ahead = self._visible.subset(~front), self._visible.subset(front)
        strength = 1.0 if selected is None else _FAINT
        return [
            Layer(behind, codes[~front], self._palette, strength),
            Layer(ahead, codes[front], self._palette, outlined=selected is not None),
        ]

    def _grid_codes(self) -> _Codes:
        """Return the row of the palette of each visible point, 0 for none."""
        rows = self._visible.rows
        return np.ones(len(rows), np.uint8) if self._codes is None else self._codes[rows]


def _rows_of(n_colours: int, codes: npt.NDArray[np.integer]) -> _Codes:
    """Return codes as rows of a palette whose first row is for none; few bytes, fast to gather."""
    if len(codes) and not -1 <= codes.min() <= codes.max() < n_colours - 1:
        raise ValueError(f"codes reach beyond a palette of {n_colours - 1} colours")
    rows: _Codes = codes.astype(np.uint8 if n_colours <= 256 else np.uint16)
    rows += 1
    return rows
