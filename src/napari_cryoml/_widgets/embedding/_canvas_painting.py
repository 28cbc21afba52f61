"""The map as it is on the screen: points, clouds, and what lies above them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, QPointF, QRectF
from qtpy.QtGui import QPainter
from qtpy.QtWidgets import QWidget

from napari_cryoml._widgets.embedding import _canvas_overlay as overlay
from napari_cryoml._widgets.embedding._canvas_clouds import CloudLayer
from napari_cryoml._widgets.embedding._canvas_hover import Hover
from napari_cryoml._widgets.embedding._canvas_scene import MapScene
from napari_cryoml._widgets.embedding._canvas_tools import MapTools
from napari_cryoml._widgets.frame import ThemeColours

_RING, _THIN_RING = 2.0, 1.4


class MapPainting(QObject):
    """Paints a map on a widget.

    Parameters
    ----------
    widget : QWidget
    scene : MapScene
    clouds : CloudLayer
    hover : Hover
    tools : MapTools
    """

    def __init__(
        self, widget: QWidget, scene: MapScene, clouds: CloudLayer, hover: Hover, tools: MapTools
    ) -> None:
        super().__init__(widget)
        self.theme = ThemeColours.of("dark")
        self.rings: npt.NDArray[np.intp] = np.empty(0, np.intp)
        self.arrows: tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]] | None = None
        self.hint = ""
        self.axes = ("x", "y")
        self._widget, self._scene, self._clouds = widget, scene, clouds
        self._hover, self._tools = hover, tools

    def paint(self) -> None:
        """Paint everything."""
        painter = QPainter(self._widget)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bounds = QRectF(self._widget.rect())
        if not self._scene.n_placed:
            painter.fillRect(bounds, self.theme.background)
            overlay.paint_hint(painter, self.hint, self.theme, bounds)
            painter.end()
            return
        self._scene.faint = self._clouds.visible
        picture = self._scene.picture(self._widget.devicePixelRatioF())
        painter.drawImage(QPointF(0, 0), picture)
        if self._clouds.visible:
            self._clouds.paint(painter, self._scene.view, self.theme)
        self._paint_arrows(painter)
        self._paint_rings(painter)
        if self._tools.drawing:
            overlay.paint_outline(painter, self._tools.outline, self._tools.mode)
        self._paint_axes(painter, bounds)
        self._paint_hover(painter, bounds)
        painter.end()

    def _paint_arrows(self, painter: QPainter) -> None:
        if self.arrows is not None:
            start, end = (self._scene.view.to_screen(places) for places in self.arrows)
            overlay.paint_arrows(painter, start, end, self.theme)

    def _paint_rings(self, painter: QPainter) -> None:
        radius = self._scene.point_radius()
        overlay.paint_rings(painter, self._places(self.rings), radius, self.theme, _RING)
        here = self._places(np.array([self._hover.row]))
        overlay.paint_rings(painter, here, radius, self.theme, _THIN_RING)

    def _paint_hover(self, painter: QPainter, bounds: QRectF) -> None:
        bounds = bounds.adjusted(0, 0, -self._scene.covered_px, 0)
        for place in self._places(np.array([self._hover.row])).tolist():
            text, thumbnail = self._hover.text, self._hover.thumbnail
            overlay.paint_label(painter, place, text, thumbnail, self.theme, bounds)

    def _paint_axes(self, painter: QPainter, bounds: QRectF) -> None:
        counted = f"{self._scene.n_placed:,} points"
        if self._scene.n_selected:
            counted = f"{self._scene.n_selected:,} of {counted} selected"
        painter.save()
        overlay.paint_axes(painter, self.axes, counted, self.theme, bounds)
        painter.restore()

    def _places(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        """Return the pixels of those of the rows that are on the map, shape (m, 2)."""
        rows = rows[(rows >= 0) & (rows < len(self._scene))]
        places = self._scene.view.to_screen(self._scene.coordinates[rows])
        return places[np.isfinite(places).all(axis=1)]
