"""Small controls that several parts of the dock are made of."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLayout,
    QMenu,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QWidget,
)
from superqt import QCollapsible

from napari_cryoml._widgets.frame._form import WheelGuard
from napari_cryoml._widgets.frame._group import button


def choice(names: Sequence[str], tip: str, guard: WheelGuard) -> QComboBox:
    """Return a list to choose from that may be narrower than its longest name."""
    box = QComboBox()
    box.addItems(list(names))
    box.setToolTip(f"<p>{tip}</p>")
    box.setMinimumContentsLength(5)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    box.installEventFilter(guard)
    return box


def menu_button(text: str, tip: str, menu: QMenu) -> QPushButton:
    """Return a push button that opens a menu."""
    made = button(text, f"<p>{tip}</p>")
    made.setMenu(menu)
    return made


def tool(text: str, tip: str, *, checkable: bool = False) -> QToolButton:
    """Return a small button of text."""
    made = QToolButton()
    made.setText(text)
    made.setToolTip(f"<p>{tip}</p>")
    made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
    made.setCheckable(checkable)
    return made


def words(tip: str, text: str = "") -> QLabel:
    """Return a line of text that wraps."""
    line = QLabel(text)
    line.setWordWrap(True)
    line.setTextFormat(Qt.TextFormat.PlainText)
    line.setToolTip(tip)
    return line


def line_of(*widgets: QWidget) -> QHBoxLayout:
    """Return a row of widgets side by side."""
    row = QHBoxLayout()
    row.setSpacing(4)
    row.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        row.addWidget(widget)
    return row


def tighten(layout: QLayout) -> None:
    """Take away the margins of a layout."""
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(3)


def folded(title: str, tip: str, content: QWidget) -> QCollapsible:
    """Return a section that shows `content` once it is opened."""
    section = QCollapsible(title)
    section.setDuration(0)
    section.layout().setContentsMargins(0, 0, 0, 0)
    section.addWidget(content)
    section.collapse(animate=False)
    section.toggleButton().setToolTip(f"{tip} Default: hidden.")
    return section


def scrolled(widget: QWidget) -> QScrollArea:
    """Return an area in which `widget` may be taller than there is room for."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(widget)
    return area
