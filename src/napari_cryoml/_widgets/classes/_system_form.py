"""The options of a system, made from its Config; what a form cannot show keeps its default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_cryoml._errors import InputError
from napari_cryoml._registry import Config, describe
from napari_cryoml._widgets.frame import ConfigForm, tighten

if TYPE_CHECKING:
    from napari_cryoml.classification import SystemConfig


class SystemForm(QWidget):
    """The options of one system with the defaults of that system.

    Parameters
    ----------
    system : type of SystemConfig
    """

    changed = Signal()

    def __init__(self, system: type[Config]) -> None:
        super().__init__()
        self._system = system
        # The parts of a system have defaults of their own: those of the system come before them.
        self._defaults = system().model_dump()
        self.form = ConfigForm(system)
        self.form.set_values(self._defaults)
        column = QVBoxLayout(self)
        tighten(column)
        column.addWidget(self.form)
        column.addStretch(1)
        self.form.changed.connect(self.changed)

    def values(self) -> dict[str, Any]:
        """Return what is on show."""
        return self.form.values()

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show these values; options that are not named, or not known, stay as they are."""
        self.form.set_values(values)

    def config(self) -> SystemConfig:
        """Return the system with the options on show.

        Raises
        ------
        InputError
            If one is not accepted.
        """
        try:
            found = self._system.model_validate(_merged(self._defaults, self.values()))
        except ValidationError as error:
            raise InputError(
                f"An option under Advanced is not accepted: {describe(error)}"
            ) from error
        return cast("SystemConfig", found)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in over.items():
        inner = merged.get(name)
        if isinstance(value, Mapping) and isinstance(inner, Mapping):
            merged[name] = _merged(inner, value)
        else:
            merged[name] = value
    return merged
