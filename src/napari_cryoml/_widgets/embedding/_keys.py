"""The keys of the Explorer, while the mouse or the keyboard is in its dock."""

from __future__ import annotations

from napari_cryoml._widgets.frame import DockKey

MAP_KEYS = (
    DockKey("G", "particles", "Label the selection as particles"),
    DockKey("W", "negatives", "Label the selection as no particles"),
    DockKey("N", "classes", "Give the selection a class"),
    DockKey("Ctrl+Z", "undo", "Undo the last selection, label or class"),
    DockKey("Ctrl+Shift+Z", "redo", "Redo"),
    DockKey("Q", "map", "Map the picks, or stop and keep what is there"),
    DockKey("J", "pan", "Drag moves the map"),
    DockKey("K", "lasso", "Drag draws a lasso"),
    DockKey("U", "rectangle", "Drag draws a rectangle"),
    DockKey("H", "fit", "Show the whole map"),
    DockKey("8", "more", "Find rows like the selected ones"),
    DockKey("9", "map_selection", "Map the selected rows alone"),
    DockKey("0", "clear", "Select nothing"),
)
"""Those that the Picker has too mean the same there: they go to where the mouse is."""
