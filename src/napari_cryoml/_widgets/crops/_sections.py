"""Sections through the middle of a volume, with what is laid over them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_cryoml._widgets.crops._gallery_flow import as_qimage
from napari_cryoml._widgets.frame import PaintedWidget, heat_colours

_GAP, _TITLE_PX, _MOST_PX, _LEAST_PX = 4, 14, 160, 60
_PERCENTILES = (1, 99)
_SHADES = 256
_AXES = {3: ("across z", "across y", "across x"), 2: ("",)}

Image = npt.NDArray[np.floating]


def central_sections(volume: Image) -> list[Image]:
    """Return the sections through the middle of a volume across z, y and x; an image as it is.

    Parameters
    ----------
    volume : array of shape (z, y, x) or (y, x)
    """
    if volume.ndim == 2:
        return [volume]
    return [volume.take(side // 2, axis) for axis, side in enumerate(volume.shape)]


class SectionRow(PaintedWidget):
    """The sections of one volume side by side; one picture of an image.

    Parameters
    ----------
    parent : QWidget, optional
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pictures: list[QImage] = []
        self._overlays: list[QImage] = []
        self._ndim = 3
        self._opacity = 0.5
        self._faded = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Sections of a crop")

    @property
    def n_sections(self) -> int:
        """How many pictures are on show."""
        return len(self._pictures)

    @property
    def has_overlay(self) -> bool:
        """Whether something is laid over the pictures."""
        return bool(self._overlays)

    def sizeHint(self) -> QSize:
        """Return a size that fits a narrow dock."""
        return QSize(260, round(self._side) + (_TITLE_PX if self._ndim == 3 else 0))

    def set_volume(self, volume: Image | None) -> None:
        """Show a volume (z, y, x) or an image (y, x), or nothing; what lay over it goes."""
        self._overlays = []
        self._faded = False
        self._pictures = []
        if volume is not None:
            self._ndim = volume.ndim
            sections = central_sections(volume)
            low, high = _limits(sections)
            self._pictures = [as_qimage(_stretched(section, low, high)) for section in sections]
        self._fit()

    def set_overlay(self, shares: Image | None) -> None:
        """Lay shares of 0 to 1, of the shape of the volume, over it; None takes them away."""
        sections = [] if shares is None else central_sections(shares)
        self._overlays = [_coloured(section) for section in sections[: self.n_sections]]
        self.update()

    def set_opacity(self, opacity: float) -> None:
        """Set the opacity (0 to 1) of what lies over the pictures."""
        self._opacity = opacity
        self.update()

    def set_faded(self, faded: bool) -> None:
        """Fade the pictures, while others are made."""
        self._faded = faded
        self.update()

    @property
    def _side(self) -> float:
        """Side of a picture in pixels of the screen."""
        n = max(self.n_sections, 1)
        room = (self.width() - (n - 1) * _GAP) / n
        return min(max(room, _LEAST_PX), _MOST_PX)

    def _fit(self) -> None:
        self.setFixedHeight(self.sizeHint().height())
        self.update()

    def resizeEvent(self, event: object) -> None:
        """Keep the pictures as large as there is room for."""
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the pictures, what lies over them, and what they are."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for index, picture in enumerate(self._pictures):
            box = QRectF(index * (self._side + _GAP), 0, self._side, self._side)
            self._paint_one(painter, box, index, picture)
        painter.end()

    def _paint_one(self, painter: QPainter, box: QRectF, index: int, picture: QImage) -> None:
        inner = _fitted(picture, box)
        painter.fillRect(box, self._colours.background)
        painter.setOpacity(0.35 if self._faded else 1.0)
        painter.drawImage(inner, picture)
        if self._overlays:
            painter.setOpacity(self._opacity)
            painter.drawImage(inner, self._overlays[index])
        painter.setOpacity(1.0)
        painter.setPen(QPen(self._colours.text, 1))
        below = QRectF(box.left(), box.bottom(), box.width(), _TITLE_PX)
        font = painter.font()
        font.setPixelSize(10)
        painter.setFont(font)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, _AXES[self._ndim][index])


def _limits(sections: list[Image]) -> tuple[float, float]:
    """Return what is black and what is white: one contrast for all sections."""
    values = np.concatenate([section.ravel() for section in sections])
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = (float(limit) for limit in np.percentile(finite, _PERCENTILES))
    return low, high if high > low else low + 1.0


def _stretched(section: Image, low: float, high: float) -> npt.NDArray[np.uint8]:
    shares = np.nan_to_num((section - low) / (high - low), nan=0.5)
    return np.asarray(np.rint(255 * np.clip(shares, 0, 1)), np.uint8)


def _coloured(shares: Image) -> QImage:
    """Return a heat map that is the more opaque the higher it is."""
    table = np.array(
        [_rgba(colour) for colour in heat_colours(np.linspace(0, 1, _SHADES))], np.uint8
    )
    table[:, 3] = np.linspace(0, 255, _SHADES)
    codes = np.rint(np.clip(np.nan_to_num(shares), 0, 1) * (_SHADES - 1)).astype(np.intp)
    pixels = np.ascontiguousarray(table[codes])
    height, width = codes.shape
    image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
    return image.copy()


def _rgba(colour: QColor) -> tuple[int, int, int, int]:
    return colour.red(), colour.green(), colour.blue(), 255


def _fitted(picture: QImage, box: QRectF) -> QRectF:
    """Return where a picture that may not be square lies within a box."""
    scale = min(box.width() / picture.width(), box.height() / picture.height())
    width, height = scale * picture.width(), scale * picture.height()
    centre = box.center()
    return QRectF(centre.x() - width / 2, centre.y() - height / 2, width, height)
