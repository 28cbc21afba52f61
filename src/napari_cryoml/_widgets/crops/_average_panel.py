"""The average of the selection, and up to which detail it can be trusted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QRect, QSize, Signal
from qtpy.QtGui import QImage, QPainter
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from napari_cryoml._widgets.crops._average_curve import THRESHOLDS, CorrelationCurve
from napari_cryoml._widgets.crops._gallery_flow import as_qimage
from napari_cryoml._widgets.crops._sections import SectionRow
from napari_cryoml._widgets.frame import PaintedWidget, ThemeColours, line_of, tighten, tool, words
from napari_cryoml.averaging import (
    ClassAverage,
    ShellCorrelation,
    SubtomogramAverage,
    thumbnails,
)

EMPTY = "The average of the crops is shown here once a few are selected."
_SIDE = 104


class AveragePanel(QWidget):
    """Average, correlation of its halves, and what there is to say; signals and setters only.

    Parameters
    ----------
    sections : bool
        Whether three sections of a volume are shown, above the curve, or one beside it.
    parent : QWidget, optional
    """

    save_requested = Signal()

    def __init__(self, *, sections: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sections = sections
        self.picture = SectionRow() if sections else AveragePicture()
        self.curve = CorrelationCurve()
        self.text = words("Crops in the average, and the detail at which its halves agree.")
        # In a narrow dock it takes two lines, which layouts would squeeze into one.
        self.text.setMinimumHeight(2 * self.text.fontMetrics().lineSpacing())
        self.notes = words("What is to know about this average.")
        self.save = tool("Save average…", "Write the average and its halves as MRC files.")
        self.save.clicked.connect(lambda: self.save_requested.emit())
        pair = QVBoxLayout() if sections else QHBoxLayout()
        pair.setSpacing(4)
        pair.addWidget(self.picture)
        pair.addWidget(self.curve, 1)
        column = QVBoxLayout(self)
        tighten(column)
        column.addLayout(pair)
        below = line_of(self.text, self.save)
        below.setStretch(0, 1)
        column.addLayout(below)
        column.addWidget(self.notes)
        self.clear()

    def clear(self, text: str = EMPTY) -> None:
        """Show no average, and this sentence."""
        self.picture.set_volume(None)
        self.curve.set_curve(None)
        self._show_pictures(False)
        self._say(text)
        self.save.setEnabled(False)

    def show_busy(self, n: int, done: int = 0, total: int = 0) -> None:
        """Say that crops are being averaged; the last average stays on show, faded.

        Parameters
        ----------
        n : int
            Crops.
        done, total : int
            Rounds; a total of 0 is not known yet.
        """
        share = f" {100 * done // total}\N{NO-BREAK SPACE}%" if total else ""
        self.picture.set_faded(True)
        self._say(f"Averaging {n:,} crop{'s' * (n != 1)}…{share}")
        self.save.setEnabled(False)

    def show_average(self, average: ClassAverage | SubtomogramAverage) -> None:
        """Show an average, in the contrast of its crops."""
        self._show_pictures(True)
        self.picture.set_volume(average.average)
        self.curve.set_curve(_correlation(average))
        self._say(_summary(average), " ".join(average.notes))
        self.save.setEnabled(True)

    def set_colours(self, colours: ThemeColours) -> None:
        """Paint in the colours of a theme."""
        self.picture.set_colours(colours)
        self.curve.set_colours(colours)

    def _show_pictures(self, some: bool) -> None:
        """Keep empty frames off a dock that has no room to spare."""
        if self._sections:
            for widget in (self.picture, self.curve, self.save):
                widget.setVisible(some)

    def _say(self, text: str, notes: str = "") -> None:
        self.text.setText(text)
        self.notes.setText(notes)
        self.notes.setVisible(bool(notes))


class AveragePicture(PaintedWidget):
    """A square picture that fades while another one is made."""

    def __init__(self) -> None:
        super().__init__()
        self._image: QImage | None = None
        self._faded = False
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Average of the selected crops")

    def sizeHint(self) -> QSize:
        """Return the size of the picture."""
        return QSize(_SIDE, _SIDE)

    def set_volume(self, average: npt.NDArray[np.floating] | None) -> None:
        """Show an image (y, x), the middle of a volume (z, y, x), or nothing."""
        self._image = None
        if average is not None:
            image = thumbnails(average[None, None].astype(np.float32), 2 * _SIDE, smooth=0)[0]
            self._image = as_qimage(image)
        self.set_faded(False)

    def set_faded(self, faded: bool) -> None:
        """Fade the image, or show it in full."""
        self._faded = faded
        self.update()

    def _paint(self, painter: QPainter) -> None:
        """Paint the image."""
        if self._image is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.setOpacity(0.35 if self._faded else 1.0)
            painter.drawImage(QRect(0, 0, _SIDE, _SIDE), self._image)


def _correlation(average: ClassAverage | SubtomogramAverage) -> ShellCorrelation | None:
    return average.fsc if isinstance(average, SubtomogramAverage) else average.frc


def _summary(average: ClassAverage | SubtomogramAverage) -> str:
    n = len(average.used)
    text = f"{n:,} crop{'s' * (n != 1)}"
    curve = _correlation(average)
    if curve is None:
        return text
    found = [f"{curve.in_words(at)} at {at:g}" for at in THRESHOLDS]
    return f"{text} · {' · '.join(found)}"
