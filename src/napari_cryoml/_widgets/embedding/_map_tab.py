"""The options of the map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from napari_cryoml._registry import Config
from napari_cryoml._widgets.frame import ConfigForm, ShortForm, button, folded, line_of, words

if TYPE_CHECKING:
    from napari_cryoml.embedding import CropEncoderConfig, ProjectionConfig


class MapTab(QWidget):
    """A form a method, and what was done with the rows.

    Parameters
    ----------
    configs, encoders : mapping of str to type of Config
    """

    changed = Signal()
    """An option of a map or an encoder."""

    again_requested = Signal()
    """Make the map on show again."""

    selection_requested = Signal()
    """Make a map of the selected rows alone."""

    def __init__(
        self, configs: Mapping[str, type[Config]], encoders: Mapping[str, type[Config]]
    ) -> None:
        super().__init__()
        self.again = button("Map again", "Lay the same vectors out with these options.")
        self.selected = button(
            "Map selection [9]",
            "Lay the selected rows out alone, to see what parts them; the whole map stays and is "
            "found under its method. Default: all rows.",
        )
        self.notes = words("How the map on show was made, and what was left out of it.")
        self.forms = {name: ShortForm(config) for name, config in configs.items()}
        self.encoders = {name: ConfigForm(config) for name, config in encoders.items()}
        self._stack = _stacked(self.forms.values())
        self._encoder_stack = _stacked(self.encoders.values())
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addLayout(line_of(self.again, self.selected))
        column.addWidget(self.notes)
        column.addWidget(self._stack)
        tip = "Show or hide the options of what turns crops into vectors."
        column.addWidget(folded("Encoder", tip, self._encoder_stack))
        column.addStretch(1)
        self.again.clicked.connect(self.again_requested)
        self.selected.clicked.connect(self.selection_requested)
        for form in self._all_forms.values():
            form.changed.connect(self.changed)

    def config(self, method: str) -> ProjectionConfig:
        """Return the options of a method.

        Raises
        ------
        InputError
            If one is not accepted.
        """
        return cast("ProjectionConfig", self.forms[method].config())

    def encoder_config(self, name: str) -> CropEncoderConfig:
        """Return the options of an encoder.

        Raises
        ------
        InputError
            If one is not accepted.
        """
        return cast("CropEncoderConfig", self.encoders[name].config())

    def values(self) -> dict[str, dict[str, Any]]:
        """Return the options of all methods."""
        return {name: form.values() for name, form in self._all_forms.items()}

    @property
    def _all_forms(self) -> dict[str, ShortForm | ConfigForm]:
        return {**self.forms, **self.encoders}

    def show_values(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Show options that were kept."""
        for name, form in self._all_forms.items():
            form.set_values(values.get(name, {}))

    def show_method(self, method: str) -> None:
        """Show the form of a method."""
        if method in self.forms:
            self._stack.setCurrentWidget(self.forms[method])

    def show_encoder(self, name: str) -> None:
        """Show the form of an encoder."""
        self._encoder_stack.setCurrentWidget(self.encoders[name])

    def show_empty(self, empty: bool) -> None:
        """Show that there is nothing to lay out yet; options can be set before."""
        self.again.setEnabled(not empty)
        self.selected.setEnabled(not empty)

    def show_notes(self, text: str) -> None:
        """Show how the map was made."""
        self.notes.setText(text)
        self.notes.setVisible(bool(text))


def _stacked(forms: Iterable[QWidget]) -> QStackedWidget:
    stack = QStackedWidget()
    for form in forms:
        stack.addWidget(form)
    return stack
