"""The keys of the Explorer, while the mouse or the keyboard is in its dock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut, QWidget


@dataclass(frozen=True, slots=True)
class MapKey:
    """A key, as Qt spells it, and what it does."""

    key: str
    action: str
    title: str


MAP_KEYS = (
    MapKey("G", "particles", "Label the selection as particles"),
    MapKey("W", "negatives", "Label the selection as no particles"),
    MapKey("N", "classes", "Give the selection a class"),
    MapKey("Ctrl+Z", "undo", "Undo the last selection, label or class"),
    MapKey("Ctrl+Shift+Z", "redo", "Redo"),
    MapKey("Q", "map", "Map the picks, or stop and keep what is there"),
    MapKey("J", "pan", "Drag moves the map"),
    MapKey("K", "lasso", "Drag draws a lasso"),
    MapKey("U", "rectangle", "Drag draws a rectangle"),
    MapKey("H", "fit", "Show the whole map"),
    MapKey("8", "more", "Find rows like the selected ones"),
    MapKey("9", "map_selection", "Map the selected rows alone"),
    MapKey("0", "clear", "Select nothing"),
)
"""Those that the Picker has too mean the same there: they go to where the mouse is."""


def bind_keys(dock: QWidget, actions: dict[str, Callable[[], object]]) -> list[QShortcut]:
    """Bind `MAP_KEYS` to a dock, for as long as it lives.

    Parameters
    ----------
    dock : QWidget
    actions : mapping of str to callable
        What to call for each `MapKey.action`.
    """
    made = []
    for key in MAP_KEYS:
        shortcut = QShortcut(QKeySequence(key.key), dock)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(actions[key.action])
        made.append(shortcut)
    return made


def legend_text() -> str:
    """Return the list of keys as rich text."""
    lines = "".join(
        f"<tr><td><b>{key.key}</b>&nbsp;&nbsp;</td><td>{key.title}</td></tr>" for key in MAP_KEYS
    )
    return f"<table>{lines}</table>"
