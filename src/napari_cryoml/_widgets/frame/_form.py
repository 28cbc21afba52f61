"""A form that is made from a Config, so that an option is written in one place only."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from qtpy.QtCore import QEvent, QObject, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from napari_cryoml._errors import InputError
from napari_cryoml._registry import Config, describe

_NONE = "none"
_LARGE = 10**9
_SEVERAL = (dict, list, tuple)
"""Kinds of fields that hold several values at once: they are not shown, and keep their default."""


class ConfigForm(QWidget):
    """One row a field of a Config, fields of nested Configs in sections below.

    Parameters
    ----------
    config_class : type of Config
    choices : mapping of str to sequence of str
        Names to choose from for a field of text, by its dotted name.
    leave_out : sequence of str
        Dotted names of fields that are set elsewhere.
    """

    changed = Signal()

    def __init__(
        self,
        config_class: type[Config],
        *,
        choices: Mapping[str, Sequence[str]] | None = None,
        leave_out: Sequence[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._class = config_class
        self._choices = choices or {}
        self._left_out = set(leave_out)
        self._readers: dict[str, Callable[[], Any]] = {}
        self._writers: dict[str, Callable[[Any], None]] = {}
        self._needed: dict[str, str] = {}
        self._guard = WheelGuard(self)
        self._layout = QFormLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self._layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._add_fields(config_class, "")

    @property
    def fields(self) -> list[str]:
        """Dotted names of the fields on show."""
        return list(self._readers)

    def values(self) -> dict[str, Any]:
        """Return what is on show, nested as the Config is."""
        values: dict[str, Any] = {}
        for name, read in self._readers.items():
            *sections, field = name.split(".")
            at = values
            for section in sections:
                at = at.setdefault(section, {})
            at[field] = read()
        return values

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show these values; fields that are not named, or not known, stay as they are."""
        for name, value in _flatten(values):
            if name in self._writers:
                self._writers[name](value)

    def config(self, **elsewhere: Any) -> Config:
        """Return the Config on show.

        Parameters
        ----------
        **elsewhere
            Values of the fields that were left out.

        Raises
        ------
        InputError
            If a value is not accepted or one that is needed is missing, in one sentence.
        """
        for name, description in self._needed.items():
            if name not in elsewhere and not self._readers[name]():
                raise InputError(f"The option “{title(name)}” is needed: {description}")
        try:
            return self._class.model_validate(self.values() | elsewhere)
        except ValidationError as error:
            raise InputError(
                f"An option under Advanced is not accepted: {describe(error)}"
            ) from error

    def _add_fields(self, config_class: type[Config], prefix: str) -> None:
        nested = []
        for name, info in config_class.model_fields.items():
            dotted = prefix + name
            if dotted in self._left_out or get_origin(info.annotation) in _SEVERAL:
                continue
            if isinstance(info.annotation, type) and issubclass(info.annotation, Config):
                nested.append((dotted, info.annotation))
            else:
                self._add_field(dotted, info)
        for dotted, inner in nested:
            heading = QLabel(f"<b>{title(dotted)}</b>")
            self._layout.addRow(heading)
            self._add_fields(inner, dotted + ".")

    def _add_field(self, name: str, info: FieldInfo) -> None:
        widget, read, write, changed = self._editor(name, info)
        if info.is_required():
            self._needed[name] = info.description or ""
        else:
            write(info.get_default(call_default_factory=True))
        changed.connect(lambda *_: self.changed.emit())
        widget.setToolTip(tooltip(info))
        widget.setObjectName(name)
        widget.installEventFilter(self._guard)
        label = QLabel(title(name))
        label.setToolTip(widget.toolTip())
        self._layout.addRow(label, widget)
        self._readers[name], self._writers[name] = read, write

    def _editor(
        self, name: str, info: FieldInfo
    ) -> tuple[QWidget, Callable[[], Any], Callable[[Any], None], Any]:
        kind = info.annotation
        if name in self._choices:
            return _choice(list(self._choices[name]))
        if get_origin(kind) is Literal:
            return _choice(list(get_args(kind)))
        if kind is bool:
            box = QCheckBox()
            return box, box.isChecked, box.setChecked, box.toggled
        if kind is int:
            return _number(QSpinBox(), info, _LARGE)
        if kind is float:
            spin = _PlainSpinBox()
            spin.setDecimals(6)
            spin.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
            return _number(spin, info, _LARGE)
        return _text(kind)


class _PlainSpinBox(QDoubleSpinBox):
    """A spin box that writes 0.5 rather than 0.500000."""

    def textFromValue(self, value: float) -> str:
        return f"{value:g}"


class WheelGuard(QObject):
    """Keeps the wheel from changing a value while it scrolls the dock."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave a wheel event to the scroll area unless the control has been clicked."""
        if event.type() == QEvent.Type.Wheel and not watched.hasFocus():
            event.ignore()
            return True
        return False


def title(name: str) -> str:
    """Return the label of a field: its last part, in words."""
    return name.rsplit(".", 1)[-1].replace("_", " ").capitalize()


def tooltip(info: FieldInfo) -> str:
    """Return what a field does, its bounds and its default."""
    low, high = _bounds(info)
    bounds = ""
    if low is not None and high is not None:
        bounds = f" From {low:g} to {high:g}."
    elif low is not None:
        bounds = f" At least {low:g}."
    default = (
        "none" if info.is_required() else _as_text(info.get_default(call_default_factory=True))
    )
    return f"<p>{info.description or ''}{bounds} Default: {default}.</p>"


def _bounds(info: FieldInfo) -> tuple[float | None, float | None]:
    low = high = None
    for entry in info.metadata:
        low = next((v for a in ("ge", "gt") if (v := getattr(entry, a, None)) is not None), low)
        high = next((v for a in ("le", "lt") if (v := getattr(entry, a, None)) is not None), high)
    return low, high


def _choice(options: list[Any]) -> tuple[QWidget, Callable[[], Any], Callable[[Any], None], Any]:
    box = QComboBox()
    box.setMinimumContentsLength(6)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    for option in options:
        box.addItem(str(option), option)

    def write(value: Any) -> None:
        if box.findData(value) < 0:
            box.addItem(str(value), value)
        box.setCurrentIndex(box.findData(value))

    return box, box.currentData, write, box.currentIndexChanged


def _number(
    spin: QSpinBox | QDoubleSpinBox, info: FieldInfo, large: int
) -> tuple[QWidget, Callable[[], Any], Callable[[Any], None], Any]:
    low, high = _bounds(info)
    kind = int if isinstance(spin, QSpinBox) else float
    spin.setRange(kind(-large if low is None else low), kind(large if high is None else high))
    spin.setKeyboardTracking(False)
    # What was written may have more digits than are shown: it comes back as it was.
    exact: dict[float, Any] = {}

    def write(value: Any) -> None:
        spin.setValue(kind(value))
        exact[spin.value()] = kind(value)

    return spin, lambda: exact.get(spin.value(), spin.value()), write, spin.valueChanged


def _text(kind: Any) -> tuple[QWidget, Callable[[], Any], Callable[[Any], None], Any]:
    line = QLineEdit()
    optional = get_origin(kind) in (Union, types.UnionType) and type(None) in get_args(kind)
    if optional:
        line.setPlaceholderText(_NONE)

    def read() -> Any:
        text = line.text().strip()
        return None if optional and text in ("", _NONE) else text

    def write(value: Any) -> None:
        line.setText("" if value is None else _as_text(value))

    return line, read, write, line.editingFinished


def _as_text(value: Any) -> str:
    if value is None:
        return _NONE
    return f"{value:g}" if isinstance(value, float) else str(value)


def _flatten(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            rows += _flatten(value, f"{prefix}{name}.")
        else:
            rows.append((prefix + name, value))
    return rows
