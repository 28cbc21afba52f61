"""Points of a map, sorted by the cell of a grid."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from napari_cryoml.embedding.drawing._view import bounds

N_CELLS = 256
_PER_BLOCK = 4

_Floats = npt.NDArray[np.float32]


class PointGrid:
    """The points of a map in the order of the cells they lie in, row by row of a grid.

    Neighbours on the map are neighbours in memory, so that a part of the map is a few slices, and
    counting by pixel stays in the processor's cache. Points beyond the grid belong to its rim.

    Parameters
    ----------
    coordinates : array of shape (n, 2)
        Map positions xy; rows that are not finite are left out.
    """

    def __init__(self, coordinates: npt.NDArray[np.floating]) -> None:
        points = np.asarray(coordinates, np.float32).reshape(-1, 2)
        low, high = bounds(points)
        self._low = low.astype(np.float32)
        extent = np.where(high > low, high - low, 1.0)
        self._per_unit = (N_CELLS / extent).astype(np.float32)
        rows = np.flatnonzero(np.isfinite(points).all(axis=1))
        x, y = (np.ascontiguousarray(points[rows, axis]) for axis in (0, 1))
        keys = (self._cells(y, 1) * N_CELLS + self._cells(x, 0)).astype(np.uint16)
        order = np.argsort(keys, kind="stable")
        self.rows: npt.NDArray[np.intp] = rows[order]
        """Row of `coordinates` of each point, shape (m,)."""
        self.x: _Floats = x[order]
        """Map x of each point."""
        self.y: _Floats = y[order]
        """Map y of each point."""
        counts = np.bincount(keys, minlength=N_CELLS**2)
        self._starts = np.concatenate([[0], np.cumsum(counts)])

    def __len__(self) -> int:
        return len(self.rows)

    def subset(self, mask: npt.NDArray[np.bool_]) -> PointGrid:
        """Return a grid of some of the points; `mask` follows the order of `rows`."""
        if mask.all():
            return self
        part = object.__new__(PointGrid)
        part._low, part._per_unit = self._low, self._per_unit
        kept = np.flatnonzero(mask)
        part.rows = self.rows.take(kept)
        part.x, part.y = self.x.take(kept), self.y.take(kept)
        part._starts = np.searchsorted(kept, self._starts)
        return part

    def slices(self, extent: tuple[float, float, float, float]) -> list[slice]:
        """Return slices that hold every point within `extent` (left, right, bottom, top)."""
        left, right = self._cells(np.array(extent[:2], np.float32), 0).tolist()
        bottom, top = self._cells(np.array(extent[2:], np.float32), 1).tolist()
        if (left, right) == (0, N_CELLS - 1):
            runs = [(bottom * N_CELLS, (top + 1) * N_CELLS)]
        else:
            lines = range(bottom * N_CELLS, (top + 1) * N_CELLS, N_CELLS)
            runs = [(line + left, line + right + 1) for line in lines]
        bounds_of = [(int(self._starts[a]), int(self._starts[b])) for a, b in runs]
        return [slice(first, last) for first, last in bounds_of if last > first]

    def nearest(self, x: float, y: float, reach: float) -> int:
        """Return the row of the point nearest to a map position, -1 if none is within `reach`."""
        slices = self.slices((x - reach, x + reach, y - reach, y + reach))
        best, found = reach**2, -1
        for part in slices:
            distances = (self.x[part] - x) ** 2 + (self.y[part] - y) ** 2
            index = int(distances.argmin())
            if distances[index] <= best:
                best, found = float(distances[index]), int(self.rows[part][index])
        return found

    def crowding(self, share: float) -> float:
        """Return the points per square map unit around the point at this share of crowds.

        Parameters
        ----------
        share : float
            0.5 for what half of the points see around them, 1 for the most crowded place.
        """
        if not len(self):
            return 0.0
        side, crowds = self._crowds
        index = int(np.searchsorted(crowds.cumsum(), share * len(self)))
        per_block = float(crowds[min(index, len(crowds) - 1)])
        return per_block / side**2 * float(self._per_unit[0]) * float(self._per_unit[1])

    @cached_property
    def _crowds(self) -> tuple[int, npt.NDArray[np.intp]]:
        """Side of a block of cells, and the points of each block that has any, few first.

        Blocks are as large as it takes to hold a few points on average.
        """
        blocks = np.sqrt(max(len(self), 1) / _PER_BLOCK)
        side = int(2 ** np.clip(np.ceil(np.log2(N_CELLS / blocks)), 0, np.log2(N_CELLS) - 1))
        counts = np.diff(self._starts).reshape(N_CELLS // side, side, N_CELLS // side, side)
        sums: npt.NDArray[np.intp] = counts.sum(axis=(1, 3)).ravel()
        return side, np.sort(sums[sums > 0])

    def _cells(self, values: _Floats, axis: int) -> npt.NDArray[np.int32]:
        scaled = (values - self._low[axis]) * self._per_unit[axis]
        return np.clip(scaled, 0, N_CELLS - 1, out=scaled).astype(np.int32)
