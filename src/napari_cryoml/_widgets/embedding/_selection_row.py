"""What is selected, and what can be said about it in one stroke."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLineEdit, QMenu, QVBoxLayout, QWidget, QWidgetAction

from napari_cryoml._widgets.frame import button, line_of, menu_button, tighten, tool, words

NOTHING = "Nothing is selected: draw around points on the map."


class SelectionRow(QWidget):
    """The count of selected rows, and the buttons that label them."""

    particles_requested = Signal()
    negatives_requested = Signal()
    class_chosen = Signal(str)
    """A class for the selected rows; "" takes theirs away."""

    clear_requested = Signal()
    undo_requested = Signal()
    redo_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.text = words("How many rows are selected, and in how many images.")
        self.undo = tool("↶", "Undo the last selection or label [Ctrl+Z].")
        self.redo = tool("↷", "Redo what was undone [Ctrl+Shift+Z].")
        self.particles = button(
            "Particles [G]", "Label all selected picks as particles. Default: no labels."
        )
        self.negatives = button(
            "Not particles [W]",
            "Label all selected picks as no particles, as one edit. Default: no labels.",
        )
        self._menu = QMenu(self)
        self.classes = menu_button(
            "Class [N]", "Give the selected rows a class, old or new. Default: none.", self._menu
        )
        self.clear = tool("✕", "Select nothing [0].")
        self.name = QLineEdit()
        self.name.setPlaceholderText("New class, then Enter")
        self.name.setToolTip("Name of a new class for the selected rows. Default: none.")
        self._build()
        self.show_selection(NOTHING, 0)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        tighten(column)
        top = line_of(self.text, self.undo, self.redo, self.clear)
        top.setStretch(0, 1)
        column.addLayout(top)
        column.addLayout(line_of(self.particles, self.negatives, self.classes))
        entry = QWidgetAction(self._menu)
        entry.setDefaultWidget(self.name)
        self._menu.addAction(entry)
        self.particles.clicked.connect(self.particles_requested)
        self.negatives.clicked.connect(self.negatives_requested)
        self.clear.clicked.connect(self.clear_requested)
        self.undo.clicked.connect(self.undo_requested)
        self.redo.clicked.connect(self.redo_requested)
        self.name.returnPressed.connect(self._take_name)

    def show_selection(self, text: str, n_rows: int) -> None:
        """Show how many rows are selected."""
        self.text.setText(text)
        for widget in (self.particles, self.negatives, self.classes, self.clear):
            widget.setEnabled(n_rows > 0)

    def show_undo(self, undo: bool, redo: bool) -> None:
        """Show whether anything can be undone and redone."""
        self.undo.setEnabled(undo)
        self.redo.setEnabled(redo)

    def show_classes(self, counts: Mapping[str, int]) -> None:
        """Offer the classes that there are, with how many rows have them."""
        for action in self._menu.actions()[1:]:
            self._menu.removeAction(action)
        for name, count in counts.items():
            action = self._menu.addAction(f"{name}  ({count:,})")
            action.triggered.connect(lambda _=False, name=name: self.class_chosen.emit(name))
        if counts:
            self._menu.addSeparator()
            self._menu.addAction("No class").triggered.connect(lambda: self.class_chosen.emit(""))

    def open_classes(self) -> None:
        """Open the list of classes, ready for a new name."""
        if self.classes.isEnabled():
            self.name.setFocus()
            self.classes.showMenu()

    def _take_name(self) -> None:
        name = self.name.text().strip()
        if name:
            self.name.clear()
            self._menu.hide()
            self.class_chosen.emit(name)
