"""What is on the map of the Explorer, and the picture of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from qtpy.QtGui import QColor, QImage

from napari_cryoml._widgets.frame import ThemeColours
from napari_cryoml.embedding.drawing import (
    MapView,
    PointRaster,
    categorical,
    sequential,
    shades,
    unlabelled,
    value_limits,
    write_figure,
)

_FURTHEST, _NEAREST = 8.0, 1e4
_DARK_BELOW = 128

Colours = npt.NDArray[np.uint8]
Codes = npt.NDArray[np.integer]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Colouring:
    """What the points are coloured by.

    Parameters
    ----------
    codes : int array of shape (n,), optional
        Category of each row, -1 for none.
    names : tuple of str
        Of the categories.
    palette : uint8 array of shape (k, 3), optional
        Of the categories; one for the theme without it.
    values : array of shape (n,), optional
        In place of categories.
    limits : tuple of float
        Values at the ends of the colour bar.
    title : str
        Of the legend or the colour bar.
    """

    codes: Codes | None = None
    names: tuple[str, ...] = ()
    palette: Colours | None = None
    values: npt.NDArray[np.floating] | None = None
    limits: tuple[float, float] = (0.0, 1.0)
    title: str = ""

    @property
    def n_rows(self) -> int | None:
        """Rows that it is for, None for any number."""
        column = self.values if self.codes is None else self.codes
        return None if column is None else len(column)

    def row_codes(self) -> Codes | None:
        """Return the row of `colours` of each row."""
        return self.codes if self.values is None else shades(self.values, self.limits)

    def colours(self, dark: bool) -> Colours | None:
        """Return the palette on a dark or a light ground."""
        if self.values is not None:
            return sequential(dark)
        if self.palette is not None or self.codes is None:
            return self.palette
        return categorical(max(len(self.names), int(self.codes.max(initial=-1)) + 1), dark)

    def counts(self) -> npt.NDArray[np.intp]:
        """Return the rows of each category."""
        if self.codes is None:
            return np.zeros(0, np.intp)
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.names))


class MapScene:
    """Points, their colours, what is selected, and the view; no widget."""

    def __init__(self) -> None:
        self.coordinates = np.empty((0, 2), np.float32)
        """Map positions xy, shape (n, 2); NaN for rows that are not on the map."""
        self.view = MapView()
        self.fitted = True
        """Whether the view holds the whole map and follows it."""
        self.faint = False
        """Whether the points are only a ground for something else."""
        self.n_selected = 0
        self._colouring = Colouring()
        self._selected: Mask | None = None
        self._shown: Mask | None = None
        self._raster = PointRaster(self.coordinates)
        self._background = QColor("black")
        self._picture: tuple[tuple[object, ...], QImage] | None = None
        self._whole = self.view
        self.covered_px = 0
        """Pixels at the right where something else covers the points."""

    def __len__(self) -> int:
        return len(self.coordinates)

    @property
    def n_placed(self) -> int:
        """Rows that are on the map and not hidden."""
        return self._raster.n_visible

    @property
    def dark(self) -> bool:
        """Whether the background is dark."""
        return self._background.lightness() < _DARK_BELOW

    @property
    def ground(self) -> tuple[int, int, int]:
        """Red, green and blue of the background."""
        return self._background.red(), self._background.green(), self._background.blue()

    def set_layout(self, coordinates: npt.NDArray[np.floating] | None, keep_view: bool) -> None:
        """Place the rows anew; masks for another number of rows are dropped."""
        empty = np.empty((0, 2), np.float32)
        self.coordinates = empty if coordinates is None else np.asarray(coordinates, np.float32)
        self._raster = PointRaster(self.coordinates)
        self.set_shown(self._shown)
        self.set_selected(self._selected)
        self._recolour()
        self._measure()
        if self.fitted or not keep_view:
            self.fit()

    @property
    def colouring(self) -> Colouring:
        """What the rows are coloured by."""
        fits = self._colouring.n_rows in (None, len(self))
        return self._colouring if fits else Colouring()

    def set_colouring(self, colouring: Colouring) -> None:
        """Colour the rows; colours for another number of rows wait until there are as many."""
        self._colouring = colouring
        self._recolour()

    def set_selected(self, mask: Mask | None) -> None:
        """Mark the rows of a mask of shape (n,); one for another number of rows marks none."""
        mask = self._fitting(mask)
        self.n_selected = 0 if mask is None else int(np.count_nonzero(mask))
        self._selected = mask if self.n_selected else None
        self._raster.set_selected(self._selected)
        self._picture = None

    def set_shown(self, mask: Mask | None) -> None:
        """Show the rows of a mask of shape (n,) alone, all without it."""
        self._shown = self._fitting(mask)
        self._raster.set_shown(self._shown)
        self._picture = None

    def shown(self, mask: Mask) -> Mask:
        """Return a mask of shape (n,) without the hidden rows."""
        return mask if self._shown is None else mask & self._shown

    def placed(self) -> npt.NDArray[np.float32]:
        """Return the positions, shape (n, 2), NaN for hidden rows."""
        if self._shown is None:
            return self.coordinates
        return np.where(self._shown[:, None], self.coordinates, np.float32(np.nan))

    def set_theme(self, theme: ThemeColours) -> None:
        """Paint on the background of a theme, with colours for it."""
        self._background = theme.background
        self._recolour()

    def resize(self, width: int, height: int, covered: int) -> None:
        """Give the view this size, pixels; so many at its right are covered by something else."""
        size, covered = (max(width, 1), max(height, 1)), min(covered, width // 2)
        if (size, covered) == (self.view.size, self.covered_px):
            return
        self.view, self.covered_px = self.view.resized(size), covered
        self._measure()
        if self.fitted:
            self.fit()

    def fit(self) -> None:
        """Show the whole map."""
        self.view, self.fitted = self._whole, True

    def move(self, view: MapView) -> None:
        """Show another part of the map, within reason."""
        units = self._whole.units_per_pixel
        if units / _NEAREST <= view.units_per_pixel <= units * _FURTHEST:
            self.view, self.fitted = view, False

    def nearest(self, pixel: tuple[float, float], reach_px: float) -> int:
        """Return the row within reach of a pixel, -1 without one."""
        reach = reach_px + self._raster.radius(self.view)
        position = self.view.to_map(pixel)
        return self._raster.nearest(position, reach * self.view.units_per_pixel)

    def point_radius(self) -> float:
        """Return how large a point is painted, pixels."""
        return self._raster.radius(self.view)

    def picture(self, ratio: float) -> QImage:
        """Return the points on the background, `ratio` device pixels a pixel."""
        key = (self.view, ratio, self.faint)
        if self._picture is None or self._picture[0] != key:
            pixels = self._raster.render(self.view, self.ground, self.faint, ratio)
            height, width = pixels.shape[:2]
            kind = QImage.Format.Format_RGBX8888
            image = QImage(pixels.data, width, height, 4 * width, kind).copy()
            image.setDevicePixelRatio(ratio)
            self._picture = (key, image)
        return self._picture[1]

    def write(
        self,
        path: str | Path,
        clouds: bool,
        axes: tuple[str, str],
        arrows: tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]] | None = None,
    ) -> Path:
        """Write what is in view to a PNG or SVG file."""
        made = self.colouring
        return write_figure(
            path,
            self.placed(),
            made.values,
            codes=made.codes,
            names=made.names,
            palette=made.colours(self.dark) if made.codes is not None else None,
            limits=made.limits if made.values is not None else None,
            legend_title=made.title,
            view=None if self.fitted else self.view,
            clouds=clouds,
            arrows=arrows,
            axes=axes,
            dark=self.dark,
        )

    def _fitting(self, mask: Mask | None) -> Mask | None:
        return mask if mask is not None and len(mask) == len(self) else None

    def _recolour(self) -> None:
        made = self.colouring
        self._raster.set_colours(made.row_codes(), made.colours(self.dark), unlabelled(self.dark))
        self._picture = None

    def _measure(self) -> None:
        width, height = self.view.size
        free = MapView.fit(self.coordinates, (width - self.covered_px, height))
        whole = free.resized(self.view.size)
        self._whole = whole.panned(-self.covered_px / 2, 0)


def by_value(
    values: npt.NDArray[np.floating], title: str, limits: tuple[float, float] | None
) -> Colouring:
    """Return the colouring by a number per row, between `value_limits` by default."""
    found = value_limits(np.asarray(values)) if limits is None else limits
    return Colouring(values=np.asarray(values, np.float32), limits=found, title=title)


def by_category(
    codes: Codes, names: Sequence[str], palette: Colours | None, title: str
) -> Colouring:
    """Return the colouring by a category per row."""
    return Colouring(np.asarray(codes), tuple(map(str, names)), palette, title=title)
