"""The corner of the map that says what its colours mean."""

from __future__ import annotations

from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from napari_cryoml._widgets.embedding._canvas_colour_bar import ColourBar
from napari_cryoml._widgets.embedding._canvas_legend import Legend, LegendEntry
from napari_cryoml._widgets.embedding._canvas_scene import Colouring
from napari_cryoml._widgets.frame import ThemeColours
from napari_cryoml.embedding.drawing import unlabelled

NO_CATEGORY = "none"
"""How the legend calls rows without a category."""

_GAP = 6
_SHARE = 0.7
_ROOMY_PX = 480


class ColourCorner(QObject):
    """A legend or a colour bar, at the upper right of a widget.

    Parameters
    ----------
    widget : QWidget
    """

    chosen = Signal(str)
    """Name of the category that was clicked; `NO_CATEGORY` for those without."""

    arranged = Signal()
    """Its size is another one, perhaps."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.legend, self.bar = Legend(widget), ColourBar(widget)
        self._widget = widget
        self.legend.hide()
        self.bar.hide()
        self.legend.chosen.connect(self.chosen)
        self.legend.folded.connect(self.arrange)

    def show(self, made: Colouring, dark: bool) -> None:
        """Explain a colouring."""
        palette = made.colours(dark)
        if made.values is not None and palette is not None:
            self.bar.show_scale(made.title, made.limits, palette)
        else:
            self.bar.hide()
        self.legend.show_entries(made.title, _entries(made, dark))
        self.arrange()

    def set_theme(self, theme: ThemeColours) -> None:
        """Paint in the colours of a theme."""
        self.legend.set_theme(theme)
        self.bar.set_theme(theme)

    def arrange(self) -> None:
        """Move to the corner, no higher than the widget allows."""
        self.legend.set_roomy(self._widget.width() >= _ROOMY_PX)
        for panel in (self.legend, self.bar):
            wanted = panel.sizeHint()
            width = min(wanted.width(), self._widget.width() // 2)
            height = min(wanted.height(), round(self._widget.height() * _SHARE))
            panel.setGeometry(self._widget.width() - width - _GAP, _GAP, width, height)
        self.arranged.emit()

    @property
    def width(self) -> int:
        """Pixels at the right that the legend or the bar covers over much of the height."""
        covered = [0]
        if not self.bar.isHidden():
            covered.append(self.bar.width() + _GAP)
        if not self.legend.isHidden() and not self.legend.is_folded:
            covered.append(self.legend.width() + _GAP)
        return max(covered)


def _entries(made: Colouring, dark: bool) -> list[LegendEntry]:
    """Return the categories that have rows, in the order of their codes, and then none."""
    palette = made.colours(dark)
    if made.codes is None or palette is None:
        return []
    entries = [
        LegendEntry(name, QColor(*colour), count)
        for name, colour, count in zip(
            made.names, palette.tolist(), made.counts().tolist(), strict=False
        )
        if count
    ]
    if rest := int((made.codes < 0).sum()):
        entries.append(LegendEntry(NO_CATEGORY, QColor(*unlabelled(dark)), rest))
    return entries
