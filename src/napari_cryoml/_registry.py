"""Configs, and the registries that find them by name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from napari_cryoml._errors import InputError


class Config(BaseModel):
    """The options of one thing that can be configured: frozen, checked, and without extras.

    A field's type, default, bounds and description make the form in the dock, the flag of the
    shell, the entry in the checkpoint and the row in the documentation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


ConfigT = TypeVar("ConfigT", bound=Config)


class Registry(Generic[ConfigT]):
    """Config classes by name.

    Parameters
    ----------
    kind : str
        What is registered, in the singular, for messages ("network", "objective").
    order : sequence of str, optional
        Names that come first, in this order, whichever module is imported first; others follow as
        they are registered.
    """

    def __init__(self, kind: str, order: Sequence[str] = ()) -> None:
        self.kind = kind
        self._place = {name: place for place, name in enumerate(order)}
        self._classes: dict[str, type[ConfigT]] = {}

    def register(self, name: str) -> Callable[[type[ConfigT]], type[ConfigT]]:
        """Return a class decorator that files a Config under `name`."""

        def decorate(cls: type[ConfigT]) -> type[ConfigT]:
            if name in self._classes:
                raise ValueError(f"A {self.kind} named {name!r} is registered already.")
            self._classes[name] = cls
            return cls

        return decorate

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._classes, key=lambda name: self._place.get(name, math.inf)))

    def __getitem__(self, name: str) -> type[ConfigT]:
        try:
            return self._classes[name]
        except KeyError:
            known = ", ".join(self)
            raise InputError(
                f"There is no {self.kind} named {name!r}: choose one of {known}."
            ) from None

    def create(self, name: str, **options: Any) -> ConfigT:
        """Return the Config filed under `name` with the given options.

        Raises
        ------
        InputError
            If the name is unknown or an option is not accepted.
        """
        cls = self[name]
        try:
            return cls(**options)
        except ValidationError as error:
            raise InputError(f"{self.kind} {name!r}: {describe(error)}") from error


# Where an option takes values of several kinds, pydantic names the kind after the option.
_ALTERNATIVE = re.compile(r"(constrained-\w+|int|float|bool|str|none|literal\[.*)$")


def describe(error: ValidationError) -> str:
    """Return the first complaint of a pydantic error as one sentence."""
    first = error.errors()[0]
    parts = (str(part) for part in first["loc"])
    option = ".".join(part for part in parts if not _ALTERNATIVE.match(part)) or "options"
    return f"{option}: {first['msg']}; {first['input']!r} was given."
