"""The tools of the map: what a drag does, colours, the whole map, clouds, the way out."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QMenu, QToolButton, QVBoxLayout, QWidget

from napari_cryoml._widgets.embedding._icons import icon
from napari_cryoml._widgets.frame import ThemeColours, WheelGuard, choice, line_of, tighten, tool

TOOLS = {
    "pan": ("✥ [J]", "Drag moves the map, the wheel zooms."),
    "lasso": (
        "➰ [K]",
        "Drag draws a line around points; Shift adds, Alt takes away.",
    ),
    "rectangle": ("▭ [U]", "Drag draws a box around points; Shift adds, Alt takes away."),
}
EXPORTS = {
    "picks": "Picks of the selection…",
    "classes": "Picks by class…",
    "embedding": "Embedding…",
    "figure": "Map as a picture…",
    "page": "Map as a web page…",
}


class ToolRow(QWidget):
    """A row above the map.

    Parameters
    ----------
    guard : WheelGuard
    """

    tool_chosen = Signal(str)
    colour_chosen = Signal(str)
    fit_requested = Signal()
    clouds_toggled = Signal(bool)
    export_requested = Signal(str)

    def __init__(self, guard: WheelGuard) -> None:
        super().__init__()
        self.tools = {
            name: tool("", f"{tip} Default: lasso.", checkable=True) for name, tip in TOOLS.items()
        }
        self.colour = choice(
            ["density"],
            "Colour the points by a column: label, class, cluster, novelty, score or any other. "
            "Default: how many points lie at a place.",
            guard,
        )
        self.fit = tool("", "Show the whole map [H].")
        self.clouds = tool(
            "",
            "Draw each class or group as a cloud, with its name where it is densest. Default: off.",
            checkable=True,
        )
        self.export = tool("", "Write picks, vectors or a picture to a file.")
        self.export.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._fill_export()
        self.set_colours(ThemeColours.of("dark"))
        column = QVBoxLayout(self)
        tighten(column)
        column.addLayout(
            line_of(*self.tools.values(), self.fit, self.colour, self.clouds, self.export)
        )
        for name, made in self.tools.items():
            made.clicked.connect(lambda _=False, name=name: self.choose(name))
        self.fit.clicked.connect(self.fit_requested)
        self.clouds.toggled.connect(self.clouds_toggled)
        self.colour.activated.connect(lambda _: self.colour_chosen.emit(self.colour.currentText()))

    def set_colours(self, colours: ThemeColours) -> None:
        """Draw the icons in the colours of a theme."""
        others = {"fit": self.fit, "clouds": self.clouds, "export": self.export}
        for name, made in (self.tools | others).items():
            made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            made.setIcon(icon(name, colours.text))

    def choose(self, name: str) -> None:
        """Take up a tool: a key of `TOOLS`."""
        for other, made in self.tools.items():
            made.setChecked(other == name)
        self.tool_chosen.emit(name)

    def show_colours(self, names: Sequence[str], current: str) -> None:
        """Offer columns to colour by, and show which one it is; without a signal."""
        self.colour.blockSignals(True)
        self.colour.clear()
        self.colour.addItems(list(names))
        self.colour.setCurrentText(current)
        self.colour.blockSignals(False)

    def _fill_export(self) -> None:
        menu = QMenu(self.export)
        for name, title in EXPORTS.items():
            action = menu.addAction(title)
            action.triggered.connect(lambda _=False, name=name: self.export_requested.emit(name))
        self.export.setMenu(menu)
