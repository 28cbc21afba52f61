"""The colours of the current napari theme, for widgets that paint themselves."""

from __future__ import annotations

from dataclasses import dataclass

from napari.utils.theme import get_theme
from qtpy.QtGui import QColor

PICK = QColor("#56B4E9")
VALIDATION = QColor("#E69F00")
NEGATIVE = QColor("#D55E00")
POSITIVE = QColor("#009E73")


@dataclass(frozen=True, slots=True)
class ThemeColours:
    """What a painted widget needs of a theme."""

    background: QColor
    text: QColor
    muted: QColor

    @classmethod
    def of(cls, theme: str) -> ThemeColours:
        """Return the colours of a theme of napari."""
        found = get_theme(theme)
        return cls(
            QColor(found.foreground.as_hex()),
            QColor(found.text.as_hex()),
            QColor(found.secondary.as_hex()),
        )
