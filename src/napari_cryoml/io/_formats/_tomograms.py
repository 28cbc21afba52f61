"""Names of tomograms, in formats that have a number for them.

They stand in a .doc file beside the table, as Dynamo has it: one ``number name`` a line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_cryoml.data import PicksTable
from napari_cryoml.io._formats._files import read_text, write_text
from napari_cryoml.io._formats._format import Hints

_MAPS = ("{stem}.doc", "indices_column20.doc")


def images_of(numbers: Sequence[Any], path: Path, hints: Hints) -> list[str]:
    """Return the name of each row's image.

    The picks of a single tomogram are named after the file unless a name is known, those of several
    after their number.
    """
    names = _names(path)
    if len(set(numbers)) > 1:
        return [names.get(_whole(number), _whole(number)) for number in numbers]
    only = names.get(_whole(numbers[0]), path.stem) if len(numbers) else path.stem
    return [hints.image or only] * len(numbers)


def write_names(path: Path, table: PicksTable, numbers: Mapping[str, Any]) -> list[Path]:
    """Write the names of several tomograms beside a table; a single one needs none."""
    if len(table) < 2:
        return []
    names = path.with_suffix(".doc")
    write_text(names, "".join(f"{numbers[image]} {image}\n" for image in table.images))
    return [names]


def numbers_of(table: PicksTable, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the number of each tomogram: the known one, or the next free one."""
    numbers = {image: known[image] for image in table.images if image in known}
    free = (n for n in range(1, len(table) + len(known) + 2) if n not in set(numbers.values()))
    return {image: numbers.get(image) or next(free) for image in table.images}


def known_numbers(table: PicksTable, column: str) -> dict[str, int]:
    """Return the numbers that the tomograms had in their file, where each has one of its own."""
    found: dict[str, int] = {}
    for picks in table:
        values = {float(value) for value in picks.columns.get(column, ())}
        if len(values) == 1 and (value := values.pop()) > 0 and value.is_integer():
            found[picks.image] = int(value)
    return found if len(set(found.values())) == len(found) else {}


def _names(path: Path) -> dict[str, str]:
    for pattern in _MAPS:
        beside = path.with_name(pattern.format(stem=path.stem))
        if beside.is_file():
            lines = (line.split(maxsplit=1) for line in read_text(beside).splitlines())
            return {cells[0]: cells[1].strip() for cells in lines if len(cells) == 2}
    return {}


def _whole(number: Any) -> str:
    return str(int(number)) if float(number).is_integer() else str(number)
