"""The point under the mouse: which one it is, and what is shown beside it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtGui import QImage

HOVER_MS = 40
REACH_PX = 6.0


class Hover(QObject):
    """Looks for the point under the mouse, not more often than the eye follows.

    Parameters
    ----------
    find : callable
        Row near a pixel (x, y), -1 without one.
    parent : QObject, optional
    """

    hovered = Signal(int)
    """The row under the mouse, -1 for none; each once."""

    changed = Signal()
    """What is shown beside it."""

    def __init__(
        self, find: Callable[[tuple[float, float], float], int], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.row = -1
        self.text = ""
        self.thumbnail: QImage | None = None
        self._find = find
        self._pixel: tuple[float, float] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(HOVER_MS)
        self._timer.timeout.connect(self._look)

    def move(self, x: float, y: float) -> None:
        """Look at this pixel soon."""
        self._pixel = (x, y)
        if not self._timer.isActive():
            self._timer.start()

    def leave(self) -> None:
        """Forget the point: the mouse is somewhere else."""
        self._pixel = None
        self._timer.stop()
        self._become(-1)

    def set_text(self, text: str) -> None:
        """Show words beside the point."""
        self.text = text
        self.changed.emit()

    def set_thumbnail(self, row: int, image: QImage | npt.NDArray[np.uint8] | None) -> None:
        """Show a picture beside the point, if it is still under the mouse."""
        if row == self.row:
            self.thumbnail = (
                image if image is None or isinstance(image, QImage) else as_image(image)
            )
            self.changed.emit()

    def _look(self) -> None:
        if self._pixel is not None:
            self._become(self._find(self._pixel, REACH_PX))

    def _become(self, row: int) -> None:
        if row == self.row:
            return
        self.row, self.text, self.thumbnail = row, "", None
        self.changed.emit()
        self.hovered.emit(row)


def as_image(pixels: npt.NDArray[np.uint8]) -> QImage:
    """Return an image of grey values, shape (h, w), or of colours, shape (h, w, 3 or 4)."""
    pixels = np.ascontiguousarray(pixels, np.uint8)
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    kinds = {
        1: QImage.Format.Format_Grayscale8,
        3: QImage.Format.Format_RGB888,
        4: QImage.Format.Format_RGBA8888,
    }
    # The copy owns its pixels: the array may go.
    return QImage(pixels.data, width, height, channels * width, kinds[channels]).copy()
