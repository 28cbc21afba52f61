"""Options of a Config as a recipe and the shell spell them: ``key.key=value``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from napari_cryoml._errors import InputError
from napari_cryoml._registry import Config, ConfigT, describe

_NONE = "none"


def settings_of(config: Config, leave_out: Sequence[str] = ()) -> list[str]:
    """Return all options of a Config, so that `with_settings` makes the same one of them.

    Parameters
    ----------
    config : Config
    leave_out : sequence of str
        Dotted names of options that are told in another way.
    """
    pairs = _flat(config.model_dump(mode="json"))
    return [f"{name}={_spelled(value)}" for name, value in pairs if name not in leave_out]


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def _spelled(value: Any) -> str:
    if value is None:
        return _NONE
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def with_settings(config: ConfigT, settings: Sequence[str]) -> ConfigT:
    """Return a Config with ``key.key=value`` settings put in.

    Raises
    ------
    InputError
        If a setting has no ``=``, names no option, or its value is not accepted.
    """
    values = config.model_dump()
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise InputError(f"--set takes name=value; {setting!r} was given.")
        _put(values, key.strip().split("."), value.strip(), key)
    try:
        return type(config).model_validate(values)
    except ValidationError as error:
        raise InputError(describe(error)) from error


def _put(values: dict[str, Any], path: list[str], value: str, key: str) -> None:
    for part in path[:-1]:
        if not isinstance(values.get(part), dict):
            raise InputError(f"--set {key}: there is no group of options named {part!r}.")
        values = values[part]
    if path[-1] not in values:
        raise InputError(f"--set {key}: choose one of {', '.join(values)}.")
    if isinstance(values[path[-1]], tuple):
        values[path[-1]] = value.split(",")
    else:
        values[path[-1]] = None if value == _NONE else value
