"""Standards as a command takes them: a file, and how it is to be read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from napari_cryoml._errors import InputError
from napari_cryoml.data import Standard

_OPTION = re.compile(r"(name|format|aspect|include|exclude|ontology|slim|columns)=(.*)")
_SEVERAL = ("include", "exclude", "columns")


def read_standards(words: Sequence[str]) -> list[Standard]:
    """Return standards from words such as ``slim.tab,aspect=C,name=GO CC``.

    Raises
    ------
    InputError
        If a file cannot be read so, or two standards have one name.
    """
    standards = [_read(word) for word in words]
    names = [standard.name for standard in standards]
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"Two standards are called {name!r}: give each a name, as FILE,name=processes."
            )
    return standards


def _read(word: str) -> Standard:
    from napari_cryoml.io import read_standard

    parts = word.split(",")
    options: dict[str, Any] = {}
    while len(parts) > 1 and (found := _OPTION.fullmatch(parts[-1].strip())):
        parts.pop()
        options[found[1]] = found[2].split("+") if found[1] in _SEVERAL else found[2]
    if len(columns := options.get("columns", ["", ""])) != 2:
        raise InputError(f"columns takes two names, as columns=gene+complex; {columns} was given.")
    if "columns" in options:
        options["columns"] = tuple(columns)
    if options.get("aspect") not in (None, "C", "F", "P"):
        raise InputError(f"aspect is C, F or P; {options['aspect']!r} was given.")
    return read_standard(Path(",".join(parts)), **options)
