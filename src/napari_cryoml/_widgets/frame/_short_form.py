"""A form that shows the few options that matter most, and folds the others away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_cryoml._registry import Config
from napari_cryoml._widgets.frame._controls import folded, tighten
from napari_cryoml._widgets.frame._form import ConfigForm

MOST_SHOWN = 5


class ShortForm(QWidget):
    """The options of one method: its own ones first, those of all methods folded.

    Parameters
    ----------
    config_class : type of Config
    """

    changed = Signal()

    def __init__(self, config_class: type[Config]) -> None:
        super().__init__()
        fields = list(config_class.model_fields)
        general = set(getattr(config_class.__mro__[1], "model_fields", {}))
        first = [name for name in fields if name not in general][:MOST_SHOWN]
        rest = [name for name in fields if name not in first]
        self._first = ConfigForm(config_class, leave_out=rest)
        self._rest = ConfigForm(config_class, leave_out=first)
        column = QVBoxLayout(self)
        tighten(column)
        column.addWidget(self._first)
        tip = "Show or hide options that seldom need a change."
        column.addWidget(folded("More options", tip, self._rest))
        column.addStretch(1)
        self._first.changed.connect(self.changed)
        self._rest.changed.connect(self.changed)

    def values(self) -> dict[str, Any]:
        """Return what is on show."""
        return self._first.values() | self._rest.values()

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show these values; options that are not named, or not known, stay as they are."""
        self._first.set_values(values)
        self._rest.set_values(values)

    def config(self) -> Config:
        """Return the Config on show.

        Raises
        ------
        InputError
            If a value is not accepted.
        """
        return self._rest.config(**self._first.values())
