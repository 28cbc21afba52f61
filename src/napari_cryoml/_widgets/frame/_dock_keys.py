"""Keys that a dock has while the mouse or the keyboard is in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut, QWidget


@dataclass(frozen=True, slots=True)
class DockKey:
    """A key, as Qt spells it, and what it does."""

    key: str
    action: str
    title: str


def bind_dock_keys(
    dock: QWidget, keys: Sequence[DockKey], actions: Mapping[str, Callable[[], object]]
) -> list[QShortcut]:
    """Bind keys to a dock, for as long as it lives.

    Parameters
    ----------
    dock : QWidget
    keys : sequence of DockKey
    actions : mapping of str to callable
        What to call for each `DockKey.action`.
    """
    made = []
    for key in keys:
        shortcut = QShortcut(QKeySequence(key.key), dock)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(actions[key.action])
        made.append(shortcut)
    return made


def legend_of(keys: Sequence[DockKey]) -> str:
    """Return the list of keys as rich text."""
    lines = "".join(
        f"<tr><td><b>{key.key}</b>&nbsp;&nbsp;</td><td>{key.title}</td></tr>" for key in keys
    )
    return f"<table>{lines}</table>"
