"""The colours of the current napari theme, for widgets that paint themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from napari.utils.colormaps import ensure_colormap
from napari.utils.theme import get_theme
from qtpy.QtGui import QColor

from napari_cryoml._napari._picker_display import HEAT_COLOURS

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


def heat_colours(shares: npt.NDArray[np.floating]) -> list[QColor]:
    """Return the heat map's colour at each share of its range, shape (n,); clipped to 0..1."""
    table = ensure_colormap(HEAT_COLOURS).map(np.clip(shares, 0, 1).astype(np.float32))
    return [QColor.fromRgbF(*map(float, row[:3])) for row in table]
