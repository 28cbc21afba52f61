"""Clouds of the categories on the map, made beside the GUI."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, QPointF, QRectF, Qt, QTimer, Signal
from qtpy.QtGui import QFontMetricsF, QImage, QPainter

from napari_cryoml._widgets.embedding._canvas_hover import as_image
from napari_cryoml._widgets.embedding._canvas_overlay import paint_terms
from napari_cryoml._widgets.embedding._canvas_scene import Colouring
from napari_cryoml._widgets.frame import ThemeColours
from napari_cryoml._widgets.jobs import Background
from napari_cryoml.embedding.drawing import (
    CLOUD_OPACITY,
    Cloud,
    MapView,
    category_clouds,
    place_terms,
)

_SETTLE_MS = 120
_SIDE_PX = 900


class CloudLayer(QObject):
    """The clouds, all in one picture that is stretched to the view.

    Parameters
    ----------
    parent : QObject, optional
    """

    changed = Signal()
    """There is another picture, or none."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.wanted = False
        self.clouds: list[Cloud] = []
        self._names: tuple[str, ...] = ()
        self._palette: npt.NDArray[np.uint8] | None = None
        self._picture: tuple[QImage, tuple[float, float, float, float]] | None = None
        self._rows: tuple[npt.NDArray[np.floating], npt.NDArray[np.integer]] | None = None
        self._thread = Background(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLE_MS)
        self._timer.timeout.connect(self._make)

    @property
    def visible(self) -> bool:
        """Whether there are clouds to paint."""
        return self.wanted and self._picture is not None

    def show(
        self, wanted: bool, coordinates: npt.NDArray[np.floating], made: Colouring, dark: bool
    ) -> None:
        """Make clouds of the categories, soon; the former ones stay until then."""
        self.wanted = wanted
        self._names, self._palette = made.names, made.colours(dark)
        ready = wanted and made.codes is not None and made.n_rows == len(coordinates)
        self._rows = (coordinates, made.codes) if ready and made.codes is not None else None
        if self._rows is None:
            self._take([])
        else:
            self._timer.start()

    def paint(self, painter: QPainter, view: MapView, theme: ThemeColours) -> None:
        """Paint the clouds and the names at their modes, the greatest first."""
        if self._picture is None:
            return
        image, (left, right, bottom, top) = self._picture
        corners = view.to_screen([(left, top), (right, bottom)])
        target = QRectF(QPointF(*corners[0]), QPointF(*corners[1]))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(target, image)
        metrics = QFontMetricsF(painter.font())
        words = [self._name(cloud.code) for cloud in self.clouds]
        sizes = [(metrics.horizontalAdvance(word) + 4, metrics.height()) for word in words]
        places = place_terms(view.to_screen([cloud.mode for cloud in self.clouds]), sizes)
        terms = [(w, QPointF(*p)) for w, p in zip(words, places, strict=True) if p[0] == p[0]]
        paint_terms(painter, terms, theme)

    def _make(self) -> None:
        if self._rows is None:
            return
        if self._thread.busy:
            self._timer.start()
            return
        self._thread.run(category_clouds, *self._rows, on_done=self._take, on_error=self._fail)

    def _fail(self, sentence: str) -> None:
        self._take([])

    def _take(self, clouds: list[Cloud]) -> None:
        self.clouds = sorted(clouds, key=lambda cloud: -cloud.count)
        self._picture = self._composed() if self.wanted and clouds else None
        self.changed.emit()

    def _composed(self) -> tuple[QImage, tuple[float, float, float, float]]:
        """Paint all clouds into one picture, the greatest behind."""
        extents = np.array([cloud.extent for cloud in self.clouds])
        left, bottom = extents[:, (0, 2)].min(axis=0)
        right, top = extents[:, (1, 3)].max(axis=0)
        per_unit = _SIDE_PX / max(right - left, top - bottom)
        width, height = (max(round(s * per_unit), 1) for s in (right - left, top - bottom))
        image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for cloud in self.clouds:
            corner = QPointF(
                (cloud.extent[0] - left) * per_unit, (top - cloud.extent[3]) * per_unit
            )
            opposite = QPointF(
                (cloud.extent[1] - left) * per_unit, (top - cloud.extent[2]) * per_unit
            )
            painter.drawImage(QRectF(corner, opposite), self._image(cloud))
        painter.end()
        return image, (float(left), float(right), float(bottom), float(top))

    def _image(self, cloud: Cloud) -> QImage:
        pixels = np.empty((*cloud.opacity.shape, 4), np.uint8)
        pixels[..., :3] = 0 if self._palette is None else self._palette[cloud.code]
        pixels[..., 3] = cloud.opacity * (255 * CLOUD_OPACITY)
        return as_image(pixels)

    def _name(self, code: int) -> str:
        return self._names[code] if code < len(self._names) else str(code)
