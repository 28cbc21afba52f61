"""Where pictures lie that flow in lines, and the pictures that are at hand."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from qtpy.QtGui import QImage

GAP = 4
MOST_KEPT = 4000
"""Pictures that are kept, at most 150 MiB of them at the largest size."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Square pictures in lines, in pixels of the screen; all from the top of the first line.

    Parameters
    ----------
    n : int
        Pictures.
    side : int
        Of a picture.
    width : int
        Of a line.
    """

    n: int
    side: int
    width: int

    @property
    def step(self) -> int:
        """From one picture to the next."""
        return self.side + GAP

    @property
    def columns(self) -> int:
        """Pictures in a line, 1 or more."""
        return max((self.width - GAP) // self.step, 1)

    @property
    def height(self) -> int:
        """Of all lines together."""
        return -(-self.n // self.columns) * self.step + GAP

    def place(self, index: int) -> tuple[int, int]:
        """Return the left and the top of a picture."""
        line, column = divmod(index, self.columns)
        return GAP + column * self.step, GAP + line * self.step

    def index_at(self, x: int, y: int) -> int:
        """Return the picture at a place, -1 if there is none."""
        column, line = (x - GAP // 2) // self.step, (y - GAP // 2) // self.step
        index = line * self.columns + column
        return index if 0 <= column < self.columns and 0 <= index < self.n else -1

    def between(self, top: int, bottom: int) -> range:
        """Return the pictures of the lines that lie between two heights, or reach into them."""
        first = top // self.step * self.columns
        last = max(-(-(bottom - GAP) // self.step), 0) * self.columns
        return range(min(first, self.n), min(last, self.n))


class PictureShelf:
    """Pictures of rows, the latest that were shown."""

    def __init__(self) -> None:
        self._pictures: OrderedDict[int, QImage] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pictures)

    def put(self, row: int, picture: QImage) -> None:
        """Keep a picture; the one that was shown longest ago gives way."""
        self._pictures.pop(row, None)
        self._pictures[row] = picture
        if len(self._pictures) > MOST_KEPT:
            self._pictures.popitem(last=False)

    def get(self, row: int) -> QImage | None:
        """Return the picture of a row, or None."""
        if row in self._pictures:
            self._pictures.move_to_end(row)
        return self._pictures.get(row)

    def lacking(self, rows: Iterable[int], side: int) -> list[int]:
        """Return the rows without a picture of this size."""
        return [row for row in rows if not self._has(row, side)]

    def _has(self, row: int, side: int) -> bool:
        picture = self._pictures.get(row)
        return picture is not None and picture.width() == side

    def clear(self) -> None:
        """Forget everything."""
        self._pictures.clear()


def as_qimage(image: npt.NDArray[np.uint8]) -> QImage:
    """Return a picture (y, x) or (y, x, 3) as Qt has it."""
    layout = QImage.Format.Format_Grayscale8 if image.ndim == 2 else QImage.Format.Format_RGB888
    pixels = np.ascontiguousarray(image)
    height, width = pixels.shape[:2]
    # A copy: the image does not own the memory of the array.
    return QImage(pixels.data, width, height, pixels.strides[0], layout).copy()
