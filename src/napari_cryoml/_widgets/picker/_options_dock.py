"""The part of the dock that holds the options under Advanced."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_cryoml._registry import Config
from napari_cryoml._widgets.frame import Dock
from napari_cryoml._widgets.picker._advanced import AdvancedGroup


class OptionsDock(Dock):
    """A dock with options.

    Parameters
    ----------
    advanced : AdvancedGroup
    parent : QWidget, optional
    """

    options_changed = Signal()
    live_options_changed = Signal()
    workers_entered = Signal(str)
    workers_look_requested = Signal()

    def __init__(self, advanced: AdvancedGroup, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.advanced = advanced
        self.form = advanced.form
        self.form.changed.connect(self.options_changed)
        advanced.live_form.changed.connect(self.live_options_changed)
        field = advanced.workers
        field.editingFinished.connect(lambda: self.workers_entered.emit(field.text()))
        advanced.look.clicked.connect(self.workers_look_requested)

    def options(self) -> dict[str, Any]:
        """Return what is set under Advanced."""
        return self.form.values()

    def set_options(self, values: dict[str, Any]) -> None:
        """Show these values under Advanced."""
        self.form.set_values(values)

    def config(self, **elsewhere: Any) -> Config:
        """Return the Config on show, with the values of the fields that are set elsewhere.

        Raises
        ------
        InputError
            If a value is not accepted.
        """
        return self.form.config(**elsewhere)

    def live_options(self) -> dict[str, Any]:
        """Return what is set for live picking under Advanced."""
        return self.advanced.live_form.values()

    def set_live_options(self, values: dict[str, Any]) -> None:
        """Show these values for live picking under Advanced."""
        self.advanced.live_form.set_values(values)

    def live_config(self, **elsewhere: Any) -> Config:
        """Return the Config of live picking, with the values that are set elsewhere.

        Raises
        ------
        InputError
            If a value is not accepted.
        """
        return self.advanced.live_form.config(**elsewhere)

    def goes_on(self) -> bool:
        """Return whether training shall start from the last model."""
        return bool(self.advanced.go_on.isChecked())

    def set_goes_on(self, on: bool) -> None:
        """Show whether training shall start from the last model."""
        self.advanced.go_on.setChecked(on)

    def show_workers(self, text: str) -> None:
        """Show where all images are picked, as the user has typed it."""
        self.advanced.workers.setText(text)

    def show_workers_found(self, text: str, *, looking: bool = False) -> None:
        """Show what is known about the workers, or nothing, and whether there is more to come."""
        self.advanced.workers_found.setText(text)
        self.advanced.workers_found.setVisible(bool(text))
        self.advanced.look.setEnabled(not looking)

    def show_derived(self, text: str) -> None:
        """Show what follows from the diameter and the options."""
        self.advanced.derived.setText(text)
