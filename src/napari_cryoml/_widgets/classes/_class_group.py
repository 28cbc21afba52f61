"""The classes there are, and which of them clicks give."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QColorDialog, QWidget

from napari_cryoml._widgets.classes._class_list import ClassList, ClassRow
from napari_cryoml._widgets.frame import Group, button, line_of, tool, words

NO_CLASSES = (
    "Add two classes or more, and give crops of the gallery theirs by the digit, or click {items} "
    "in the image; “junk” can be one."
)


class ClassGroup(Group):
    """The list of classes and what can be done with it.

    Parameters
    ----------
    items : str
        What is clicked in the image, as "picks".
    further : sequence of QWidget
        More controls of the dock's own, beside the buttons.
    """

    class_chosen = Signal(str)
    """A class was picked: it is what clicks give from now on."""

    add_requested = Signal()
    """Add a class; `edit_name` lets its name be typed in."""

    renamed = Signal(str, str)
    """The name of a class before, and the one that was typed in."""

    remove_requested = Signal(str)
    """Take a class away, and from all crops that have it."""

    recoloured = Signal(str, str)
    """The name of a class and its new colour as "#RRGGBB"."""

    label_mode_toggled = Signal(bool)
    """Whether clicks in the image give the chosen class."""

    undo_requested = Signal()
    redo_requested = Signal()

    def __init__(self, items: str = "picks", further: Sequence[QWidget] = ()) -> None:
        super().__init__("2  Classes")
        self._items = items
        self.list = ClassList()
        self.add = button("Add class [N]", "Add a class and type in its name. Default: none.")
        self.remove = tool("✕", "Remove the chosen class, and take it from all its crops.")
        self.label = button(
            "Label in image [J]",
            f"Clicks on {items} in the image give them the chosen class; a second click takes it "
            "away. Default: off.",
        )
        self.label.setCheckable(True)
        self.undo = tool("↶", "Undo the last class [Ctrl+Z].")
        self.redo = tool("↷", "Redo what was undone [Ctrl+Shift+Z].")
        self.text = words("How many crops have a class.")
        self._build(further)
        self.show_classes((), "")
        self.show_undo(False, False)

    def _build(self, further: Sequence[QWidget]) -> None:
        self.column.addWidget(self.list)
        self.column.addLayout(line_of(self.add, self.label, *further))
        below = line_of(self.text, self.remove, self.undo, self.redo)
        below.setStretch(0, 1)
        self.column.addLayout(below)
        self.list.chosen.connect(self.class_chosen)
        self.list.renamed.connect(self.renamed)
        self.list.colour_requested.connect(self._ask_colour)
        self.add.clicked.connect(lambda: self.add_requested.emit())
        self.remove.clicked.connect(lambda: self.remove_requested.emit(self.list.current))
        self.label.toggled.connect(self.label_mode_toggled)
        self.undo.clicked.connect(lambda: self.undo_requested.emit())
        self.redo.clicked.connect(lambda: self.redo_requested.emit())

    @property
    def current(self) -> str:
        """Name of the chosen class; "" for none."""
        return self.list.current

    def show_classes(self, rows: Sequence[ClassRow], current: str, text: str = "") -> None:
        """Show classes, one of them as the chosen one ("" for none), without a signal.

        Parameters
        ----------
        rows : sequence of ClassRow
        current : str
        text : str
            How many crops have a class, as "41 of 213 crops have a class."
        """
        self.list.set_rows(rows, current)
        self.text.setText(text or ("" if rows else NO_CLASSES.format(items=self._items)))
        self.remove.setEnabled(bool(current))
        self.label.setEnabled(bool(rows))

    def show_label_mode(self, on: bool) -> None:
        """Show whether clicks in the image give classes, without a signal."""
        self.label.blockSignals(True)
        self.label.setChecked(on)
        self.label.blockSignals(False)

    def show_undo(self, undo: bool, redo: bool) -> None:
        """Show whether anything can be undone and redone."""
        self.undo.setEnabled(undo)
        self.redo.setEnabled(redo)

    def edit_name(self, name: str) -> None:
        """Let the name of a class be typed over."""
        self.list.edit_name(name)

    def _ask_colour(self, name: str) -> None:
        row = next(row for row in self.list.rows if row.name == name)
        options = QColorDialog.ColorDialogOption.DontUseNativeDialog
        chosen = QColorDialog.getColor(QColor(row.colour), self, f"Colour of {name}", options)
        if chosen.isValid():
            self.recoloured.emit(name, str(chosen.name(QColor.NameFormat.HexRgb)).upper())
