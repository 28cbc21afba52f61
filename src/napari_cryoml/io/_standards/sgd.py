"""Tables of the Saccharomyces Genome Database: GO slim and complexes."""

from __future__ import annotations

import re

from napari_cryoml._errors import InputError
from napari_cryoml.io._standards._format import Choice, Found, StandardFormat
from napari_cryoml.io._standards._text import TextFile

_SLIM_CELLS = 7
_ROOTS = {
    "GO:0005575": "nothing known (cellular_component)",
    "GO:0003674": "nothing known (molecular_function)",
    "GO:0008150": "nothing known (biological_process)",
}
_COMPLEX = re.compile(r"Component: (.+)/(\d+)$")
_MEMBER = re.compile(r"/([^/|]*)/([^/|]+)/(S\d{9})/")


def recognises_slim(file: TextFile) -> bool:
    """Tell go_slim_mapping.tab by its seven columns."""
    rows = [line.split("\t") for line in file.head[:3]]
    return all(len(cells) == _SLIM_CELLS and _is_slim(cells) for cells in rows)


def read_slim(file: TextFile, choice: Choice) -> Found:
    """Read the terms of each gene; the three roots, which say that nothing is known, are none."""
    found = Found()
    for number, cells in file.rows():
        if len(cells) != _SLIM_CELLS or not _is_slim(cells):
            raise InputError(
                f"{file.path.name}, line {number}: gene, name, identifier, aspect, term, GO number "
                "and kind between tabs were expected: download the file again."
            )
        protein, symbol, identifier, aspect, title, number_, _ = cells
        found.also_called(protein, [symbol, identifier])
        reason = "" if number_ else "terms outside the slim (other)"
        reason = reason or _ROOTS.get(number_, "")
        if not reason and choice.aspect and aspect != choice.aspect:
            reason = "other aspects"
        if reason:
            found.left_out.update([reason])
        else:
            found.add(number_, protein, title)
    return found


def recognises_complexes(file: TextFile) -> bool:
    """Tell go_protein_complex_slim.tab by its first line."""
    first = file.head[0].split("\t")
    return len(first) == 2 and bool(_COMPLEX.fullmatch(first[0].strip()))


def read_complexes(file: TextFile, choice: Choice) -> Found:
    """Read the members of each complex."""
    found = Found()
    for number, cells in file.rows():
        named = _COMPLEX.fullmatch(cells[0])
        members = _MEMBER.findall(cells[1]) if len(cells) == 2 else []
        if named is None or not members:
            raise InputError(
                f"{file.path.name}, line {number}: a complex and its genes between slashes were "
                "expected: download the file again."
            )
        term = f"GO:{int(named[2]):07d}"
        for symbol, protein, identifier in members:
            found.add(term, protein, named[1])
            found.also_called(protein, [symbol, identifier])
    return found


def _is_slim(cells: list[str]) -> bool:
    return cells[3].strip() in ("C", "F", "P") and cells[5].strip()[:3] in ("", "GO:")


SLIM_FORMAT = StandardFormat(
    name="sgd_slim",
    title="go_slim_mapping.tab of SGD",
    recognises=recognises_slim,
    read=read_slim,
    options=frozenset({"aspect"}),
)
COMPLEX_FORMAT = StandardFormat(
    name="sgd_complexes",
    title="go_protein_complex_slim.tab of SGD",
    recognises=recognises_complexes,
    read=read_complexes,
)
