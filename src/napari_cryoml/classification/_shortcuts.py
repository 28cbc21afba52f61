"""Options of a system that are given in part, or by a short word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

_PRETRAINING_SHARE = 0.6
"""Of the minutes of a run that has two stages."""

_OPTIONS_OF = {"network_options": "network", "objective_options": "objective"}

_TO_TRAINING: dict[str, tuple[str, ...]] = {
    "epochs": ("epochs",),
    "learning_rate": ("optimizer", "learning_rate"),
    "augmentation": ("augmentation", "kind"),
}
_TO_BOTH: dict[str, tuple[str, ...]] = {
    "batch": ("batch",),
    "minutes": ("minutes",),
    "precision": ("precision",),
    "seed": ("seed",),
}


def spread(values: Mapping[str, Any], *, pretrains: bool) -> dict[str, Any]:
    """Return options with the short words put where they belong.

    Parameters
    ----------
    values : mapping
        `epochs`, `learning_rate` and `augmentation` go to training with labels; `batch`,
        `minutes`, `precision` and `seed` to both stages, the minutes split between them.
    pretrains : bool
        Whether there are two stages.

    Returns
    -------
    dict
        Where epochs are given and `least_steps` is not, it is 0: what is asked for is done.
        Where a learning rate is given and `learning_rates` are not, there are none to be tried.
    """
    given = dict(values)
    if given.get("learning_rate") is not None:
        given.setdefault("learning_rates", ())
    for word, path in _TO_TRAINING.items():
        if word in given:
            _put(given, ("training", *path), given.pop(word))
    for word, path in _TO_BOTH.items():
        if word not in given:
            continue
        value = given.pop(word)
        first, second = value, value
        if word == "minutes" and value is not None and pretrains:
            first, second = value * _PRETRAINING_SHARE, value * (1 - _PRETRAINING_SHARE)
        _put(given, ("pretraining", "training", *path), first)
        _put(given, ("training", *path), second)
    return _as_long_as_asked(given)


def _as_long_as_asked(given: dict[str, Any]) -> dict[str, Any]:
    """Return options with no least number of steps where epochs are given and it is not."""
    training = given.get("training")
    if isinstance(training, Mapping) and "epochs" in training:
        given.setdefault("least_steps", 0)
    first = given.get("pretraining")
    if isinstance(first, Mapping):
        given["pretraining"] = _as_long_as_asked(dict(first))
    return given


def _put(values: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Put a value into nested groups, without changing those that were given."""
    head, *rest = path
    if not rest:
        values[head] = value
        return
    inner = values.get(head, {})
    if isinstance(inner, BaseModel):
        inner = inner.model_dump()
    values[head] = dict(inner)
    _put(values[head], tuple(rest), value)


def merged(usual: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is given laid over what is usual, group by group.

    Options of a network or objective are dropped where another one is given.
    """
    result = {name: _plain(value) for name, value in usual.items()}
    for options, owner in _OPTIONS_OF.items():
        if owner in given and given[owner] != usual.get(owner) and options in usual:
            result[options] = {}
    for name, value in given.items():
        known = result.get(name)
        if isinstance(known, dict) and isinstance(value, Mapping):
            result[name] = merged(known, value)
        else:
            result[name] = value
    return result


def _plain(value: Any) -> Any:
    return value.model_dump() if isinstance(value, BaseModel) else value
