"""A table of 0 and 1: a row a protein, a column a term."""

from __future__ import annotations

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml.io._standards._format import Choice, Found, StandardFormat
from napari_cryoml.io._standards._text import TextFile

_LEAST_TERMS = 2


def recognises(file: TextFile) -> bool:
    """Tell it by cells of 0 and 1 under a header."""
    mark = _mark(file.head[0])
    rows = [line.split(mark) for line in file.head[1:5]]
    width = len(file.head[0].split(mark))
    return (
        bool(rows)
        and width > _LEAST_TERMS
        and all(len(row) == width and {c.strip() for c in row[1:]} <= {"0", "1"} for row in rows)
    )


def read(file: TextFile, choice: Choice) -> Found:
    """Read the members of each column."""
    lines = file.lines()
    _, header = next(lines)
    mark = _mark(header)
    terms = [name.strip().strip('"') for name in header.split(mark)][1:]
    if len(set(terms)) < len(terms):
        twice = next(name for name in terms if terms.count(name) > 1)
        raise InputError(f"{file.path.name} has two columns named {twice!r}: give each its own.")
    found = Found()
    for number, line in lines:
        protein, _, values = line.partition(mark)
        ones = _ones(values, mark, len(terms))
        if ones is None:
            raise InputError(
                f"{file.path.name}, line {number}: {len(terms)} cells of 0 or 1 were expected: "
                "mend or remove the line."
            )
        for place in ones:
            found.add(terms[place], protein.strip().strip('"'))
    return found


def _ones(values: str, mark: str, n: int) -> list[int] | None:
    """Return which of `n` cells are 1, or None where they are not all 0 or 1."""
    if len(values) != 2 * n - 1:  # blanks or other values: slowly
        cells = [cell.strip() for cell in values.split(mark)]
        fits = len(cells) == n and set(cells) <= {"0", "1"}
        return [k for k, cell in enumerate(cells) if cell == "1"] if fits else None
    letters = np.frombuffer(values.encode("latin-1", "replace"), np.uint8)
    digits, marks = letters[::2], letters[1::2]
    fits = bool((digits >> 1 == ord("0") >> 1).all() and (marks == ord(mark)).all())
    return np.flatnonzero(digits == ord("1")).tolist() if fits else None


def _mark(header: str) -> str:
    return "\t" if "\t" in header else ","


FORMAT = StandardFormat(
    name="matrix",
    title="table of 0 and 1: proteins in rows, terms in columns",
    recognises=recognises,
    read=read,
)
