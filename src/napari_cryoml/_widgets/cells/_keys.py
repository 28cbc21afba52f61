"""What keys do in the Cells dock, while the mouse or the keyboard is in it."""

from __future__ import annotations

from napari_cryoml._widgets.frame import DockKey

CELLS_KEYS = (
    DockKey("U", "cut", "Cut crops of the cells, or stop"),
    DockKey("K", "segment", "Find cells in the marker, and cut their crops"),
    DockKey("N", "add", "Add a class"),
    DockKey("J", "label", "Clicks on cells in the image give the chosen class, or not"),
    DockKey("H", "suggest", "Show the cells that are worth a label next"),
    DockKey("Q", "train", "Train, or stop and keep what is there"),
    DockKey("Ctrl+Z", "undo", "Undo the last class"),
    DockKey("Ctrl+Shift+Z", "redo", "Redo"),
)
"""Those that do something while the dock has the keyboard."""

CELL_KEYS = (
    DockKey("1 … 9", "digit", "Give the cell the class of this key"),
    DockKey("0", "clear", "Take its class away"),
    DockKey("Enter, G", "give", "Give the cell the chosen class"),
    DockKey("Backspace, W", "take", "Take its class away"),
    DockKey("Arrows", "walk", "Walk from cell to cell"),
    DockKey("Double-click", "look", "Bring the cell to the middle of its image"),
)
"""What the cell with the frame around it obeys; the gallery itself takes them."""
