"""A command with its options as a YAML file, to be looked at, kept, sent and run again."""

from __future__ import annotations

import itertools
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from napari_cryoml import __version__
from napari_cryoml._errors import InputError, InputWarning

FORMAT = 1
"""Version of the file format."""
_LARGEST_BYTES = 2**24
_DEEPEST = 20  # the time to parse lists in lists grows with the square of their depth
_KEYS = {"recipe", "version", "command", "options"}

Plain = str | int | float | bool
Value = Plain | list[Plain]
"""What an option may be."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One command and what it was given.

    Parameters
    ----------
    command : str
        As it is typed: "pick live".
    options : mapping of str to value
        By name without dashes; a list stands for an option given several times, or for several
        arguments. Paths that are not absolute start from the folder of the recipe.
    version : str
        Of this package, when the recipe was made.
    """

    command: str
    options: Mapping[str, Value]
    version: str = __version__

    def write(self, path: str | Path) -> Path:
        """Write the recipe as YAML.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        place = Path(path)
        content = {"recipe": FORMAT, "version": self.version, "command": self.command}
        text = yaml.safe_dump(
            content | {"options": dict(self.options)}, sort_keys=False, allow_unicode=True
        )
        part = place.with_name(f".{place.name}.part")
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(place)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise InputError(
                f"{place} was not written ({error.strerror or error}): choose another place."
            ) from error
        return place

    @classmethod
    def read(cls, path: str | Path) -> Recipe:
        """Return the recipe in a file.

        Raises
        ------
        InputError
            If the file is no recipe, or of a later version of the format.

        Warns
        -----
        InputWarning
            If another version of this package made it.
        """
        place = Path(path)
        content = _loaded(place)
        if not isinstance(content, dict) or "recipe" not in content:
            raise InputError(
                f"{place} is no recipe: a YAML file with recipe, command and options was expected."
            )
        if content["recipe"] != FORMAT:
            raise InputError(
                f"{place} is a recipe of format {content['recipe']!r}, and this version reads "
                f"format {FORMAT}: update napari-cryoml."
            )
        return cls._checked(place, content)

    @classmethod
    def _checked(cls, place: Path, content: Mapping[str, Any]) -> Recipe:
        command, options = content.get("command"), content.get("options", {})
        extra = sorted(map(str, set(content) - _KEYS))
        if not isinstance(command, str) or not isinstance(options, dict) or extra:
            what = f"it also has {', '.join(extra)}" if extra else "one of them is missing"
            raise InputError(
                f"{place} is no recipe: recipe, version, command and options were expected, and "
                f"{what}."
            )
        for name, value in options.items():
            if not isinstance(name, str) or not _is_plain(value):
                raise InputError(
                    f"{place}: the option {name!r} should be a number, a text, true, false, or a "
                    f"list of these."
                )
        version = str(content.get("version", ""))
        if version != __version__:
            warnings.warn(
                f"{place.name} was made by version {version or 'unknown'}, and this is "
                f"{__version__}: results may differ.",
                InputWarning,
                stacklevel=2,
            )
        return cls(command, options, version)


def _loaded(place: Path) -> Any:
    try:
        if place.stat().st_size > _LARGEST_BYTES:
            raise InputError(f"{place} is no recipe: it is larger than 16 MiB.")
        text = place.read_text(encoding="utf-8")
        if _depth(text) > _DEEPEST:
            raise InputError(
                f"{place} is no recipe: brackets lie in brackets; choose another file."
            )
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise InputError(
                f"{place} refers to its own parts, which a recipe does not: spell them out."
            )
        return yaml.safe_load(text)
    except OSError as error:
        raise InputError(
            f"{place} cannot be read ({error.strerror or error}): check it."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{place} is no YAML ({line}): choose a recipe.") from error


def _depth(text: str) -> int:
    """Return how many brackets are open at most, in names and texts too."""
    steps = (1 if found[0] in "[{" else -1 for found in re.finditer(r"[][{}]", text))
    return max(itertools.accumulate(steps), default=0)


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(entry, str | int | float | bool) for entry in value)
    return isinstance(value, str | int | float | bool)
