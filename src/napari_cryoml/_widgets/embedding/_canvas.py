"""The map of the Explorer: points to look at, to point at and to draw around."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QImage, QPaintEvent, QResizeEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_cryoml._widgets.embedding._canvas_clouds import CloudLayer
from napari_cryoml._widgets.embedding._canvas_corner import ColourCorner
from napari_cryoml._widgets.embedding._canvas_hover import REACH_PX, Hover
from napari_cryoml._widgets.embedding._canvas_input import MapInput
from napari_cryoml._widgets.embedding._canvas_painting import MapPainting
from napari_cryoml._widgets.embedding._canvas_scene import (
    Codes,
    Colouring,
    Colours,
    MapScene,
    Mask,
    by_category,
    by_value,
)
from napari_cryoml._widgets.embedding._canvas_tools import MapTools, PatientClear
from napari_cryoml._widgets.frame import ThemeColours
from napari_cryoml.embedding.drawing import MapView, lasso_mask

EMPTY = "Nothing to show yet: make a map first."

KEYS = (
    "Drag with the left button: the tool. With the middle or right button, or with Space: move. "
    "Wheel, + and -: zoom. Double click or F: the whole map. Arrows: move. Shift adds to the "
    "selection, Alt or Ctrl takes away. Escape: drop the outline."
)
"""What the mouse and the keys do."""


class EmbeddingCanvas(QWidget):
    """A map of points, painted without OpenGL; it knows rows, and nothing of what they are.

    Parameters
    ----------
    parent : QWidget, optional
    """

    hovered = Signal(int)
    """The row under the mouse, -1 for none."""

    clicked = Signal(int, str)
    """A row, -1 for a click on nothing, and "replace", "add" or "subtract"."""

    selected = Signal(object, str)
    """Mask of the rows in an outline, bool array of shape (n,), and the same."""

    legend_clicked = Signal(str)
    """Name of a category."""

    view_changed = Signal()
    """Another part of the map is on show."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scene = MapScene()
        self._seen = self.scene.view
        self._tools, self._clear = MapTools(self), PatientClear(self)
        self._input = MapInput(self, self._tools, self._clear)
        self._hover = Hover(self.scene.nearest, self)
        self._clouds = CloudLayer(self)
        self._painting = MapPainting(self, self.scene, self._clouds, self._hover, self._tools)
        self._corner = ColourCorner(self)
        self._build()
        self._connect()
        self.set_hint(EMPTY)
        self.set_theme(self._painting.theme)

    def _build(self) -> None:
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 140)
        self.setAccessibleName("Map")
        self.setAccessibleDescription(KEYS)

    def _connect(self) -> None:
        self._tools.panned.connect(self._pan)
        self._tools.outlined.connect(self._take_outline)
        self._tools.clicked.connect(self._take_click)
        self._tools.changed.connect(self._redraw)
        self._input.zoomed.connect(self._zoom)
        self._input.stepped.connect(self._pan)
        self._input.fit_requested.connect(self.fit)
        self._input.pointed.connect(self._hover.move)
        self._input.left.connect(self._hover.leave)
        self._clear.due.connect(lambda: self.clicked.emit(-1, "replace"))
        self._hover.hovered.connect(self.hovered)
        self._hover.changed.connect(self.update)
        self._clouds.changed.connect(self.update)
        self._corner.chosen.connect(self.legend_clicked)
        self._corner.arranged.connect(self._make_room)

    # What is shown

    def set_layout(
        self, coordinates: npt.NDArray[np.floating] | None, keep_view: bool = True
    ) -> None:
        """Place the rows.

        Parameters
        ----------
        coordinates : array of shape (n, 2), or None
            Map positions xy, y upwards; NaN for rows that are not on the map. None for no map.
        keep_view : bool
            Whether a part of the map that the user went to stays on show. The whole map stays
            whole in either case.
        """
        n_before = len(self.scene)
        self.scene.set_layout(coordinates, keep_view)
        if len(self.scene) != n_before:
            self.ring([])
            self._hover.leave()
        self._explain()

    def set_codes(
        self,
        codes: Codes | None,
        names: Sequence[str] = (),
        palette: Colours | None = None,
        title: str = "",
    ) -> None:
        """Colour the rows by category.

        Parameters
        ----------
        codes : int array of shape (n,), or None
            Category of each row, -1 for none. None for one colour.
        names : sequence of str
            Of the categories.
        palette : uint8 array of shape (k, 3), optional
            Their colours; by default told apart by everybody, on a dark and on a light ground.
        title : str
            Of the legend.
        """
        self._colour(Colouring() if codes is None else by_category(codes, names, palette, title))

    def set_values(
        self,
        values: npt.NDArray[np.floating],
        title: str = "",
        limits: tuple[float, float] | None = None,
    ) -> None:
        """Colour the rows by a number.

        Parameters
        ----------
        values : array of shape (n,)
            Rows whose value is not finite are grey.
        title : str
            Of the colour bar.
        limits : tuple of float, optional
            Values at the ends of the colour bar; the 1st and 99th percentile by default.
        """
        self._colour(by_value(values, title, limits))

    def set_selection(self, mask: Mask | None) -> None:
        """Mark rows, bool array of shape (n,), and let the others fade; None for no rows."""
        self.scene.set_selected(mask)
        self.update()

    def set_shown(self, mask: Mask | None) -> None:
        """Show some rows alone, bool array of shape (n,); None for all."""
        self.scene.set_shown(mask)
        self.update()

    def ring(self, rows: npt.ArrayLike) -> None:
        """Put rings around rows, array of shape (m,)."""
        self._painting.rings = np.asarray(rows, np.intp).reshape(-1)
        self.update()

    def set_arrows(
        self,
        start: npt.NDArray[np.floating] | None,
        end: npt.NDArray[np.floating] | None,
    ) -> None:
        """Draw arrows between map positions xy, each of shape (m, 2); None for none."""
        self._painting.arrows = None if start is None or end is None else (start, end)
        self.update()

    def set_hint(self, text: str) -> None:
        """Say this while there is nothing to show."""
        self._painting.hint = text
        self.update()

    def set_axes(self, first: str, second: str) -> None:
        """Name the axes."""
        self._painting.axes = (first, second)
        self.update()

    def set_hover_text(self, text: str) -> None:
        """Show words beside the point under the mouse, until it is another one."""
        self._hover.set_text(text)

    def set_thumbnail(self, row: int, image: QImage | npt.NDArray[np.uint8] | None) -> None:
        """Show a picture beside the point, if this row is still the one under the mouse."""
        self._hover.set_thumbnail(row, image)

    def set_clouds(self, wanted: bool) -> None:
        """Show the density of each category, with its name, over faint points."""
        self._clouds.wanted = wanted
        self._explain()

    def set_theme(self, theme: ThemeColours) -> None:
        """Paint in the colours of a theme."""
        self._painting.theme = theme
        self.scene.set_theme(theme)
        self._corner.set_theme(theme)
        self._explain()

    # What the user does

    @property
    def tool(self) -> str:
        """What a drag with the left button is: "pan", "lasso" or "rectangle"."""
        return self._tools.tool

    def set_tool(self, tool: str) -> None:
        """Make a drag with the left button a "pan", a "lasso" or a "rectangle"."""
        self._tools.choose(tool)

    def fit(self) -> None:
        """Show the whole map."""
        self.scene.fit()
        self._viewed()

    def export(self, path: str | Path) -> Path:
        """Write what is in view to a PNG or SVG file, and return its path."""
        return self.scene.write(path, self._clouds.wanted, self._painting.axes, self.arrows)

    @property
    def arrows(self) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]] | None:
        """Where arrows begin and end, those that have both places; None without any."""
        if self._painting.arrows is None:
            return None
        start, end = self._painting.arrows
        whole = np.isfinite(start).all(axis=1) & np.isfinite(end).all(axis=1)
        return start[whole], end[whole]

    def sizeHint(self) -> QSize:
        """Return a size that fits a dock."""
        return QSize(320, 300)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the map."""
        self._painting.paint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the whole map whole, or its middle in the middle."""
        self._corner.arrange()

    def _colour(self, colouring: Colouring) -> None:
        self.scene.set_colouring(colouring)
        self._explain()

    def _explain(self) -> None:
        """Say what the colours mean, and make the clouds of their categories."""
        scene = self.scene
        self._corner.show(scene.colouring, scene.dark)
        self._clouds.show(self._clouds.wanted, scene.placed(), scene.colouring, scene.dark)
        self.update()

    def _make_room(self) -> None:
        self.scene.resize(self.width(), self.height(), self._corner.width)
        self._viewed()

    def _pan(self, right: float, down: float) -> None:
        self._go(self.scene.view.panned(right, down))

    def _zoom(self, factor: float, x: float, y: float) -> None:
        self._go(self.scene.view.zoomed(factor, (x, y)))

    def _go(self, view: MapView) -> None:
        self.scene.move(view)
        self._viewed()

    def _viewed(self) -> None:
        self.update()
        if self.scene.view != self._seen:
            self._seen = self.scene.view
            self.view_changed.emit()

    def _redraw(self) -> None:
        self.setCursor(self._tools.cursor)
        self.update()

    def _take_outline(self, corners: npt.NDArray[np.float64], mode: str) -> None:
        mask = lasso_mask(self.scene.coordinates, self.scene.view.to_map(corners))
        self.selected.emit(self.scene.shown(mask), mode)

    def _take_click(self, x: float, y: float, mode: str) -> None:
        row = self.scene.nearest((x, y), REACH_PX)
        if row >= 0:
            self.clicked.emit(row, mode)
        elif mode == "replace":
            self._clear.start()
