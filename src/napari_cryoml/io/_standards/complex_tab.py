"""ComplexTAB: the complexes of Complex Portal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from napari_cryoml._errors import InputError
from napari_cryoml.io._standards._format import Choice, Found, StandardFormat
from napari_cryoml.io._standards._text import TextFile

_FIRST, _NAME = "complex ac", "recommended name"
_MOLECULES, _EXPANDED = "identifiers (and stoichiometry) of molecules in complex", "expanded"
_EVIDENCE = "evidence code"
_COUNT = re.compile(r"\(\d*\)")
_ISOFORM = re.compile(r"-(PRO_\d+|\d+)$")
_OTHER = ("CHEBI:", "URS", "EBI-")


def recognises(file: TextFile) -> bool:
    """Tell ComplexTAB by its header."""
    return file.head[0].lower().lstrip("#").startswith(_FIRST)


def read(file: TextFile, choice: Choice) -> Found:
    """Read complexes with the UniProt accessions of their proteins.

    Complexes inside complexes are replaced by their members; isoforms and processed chains count
    as their protein; small molecules and RNA are left out.
    """
    rows = list(_complexes(file))
    molecules = {row[_FIRST]: tuple(_identifiers(_listed(row))) for row in rows}
    found = Found()
    for row in rows:
        code = row.get(_EVIDENCE, "").partition("(")[0]
        if not choice.takes_evidence(code):
            found.left_out.update([f"evidence left out ({code})"])
            continue
        for name in sorted(_expanded(row[_FIRST], molecules)):
            if name.startswith(_OTHER):
                found.left_out.update(["small molecules and RNA"])
            else:
                found.add(row[_FIRST], _ISOFORM.sub("", name), row.get(_NAME, ""))
    return found


def _complexes(file: TextFile) -> Iterator[dict[str, str]]:
    lines = file.rows()
    header = [name.lower().lstrip("#") for name in next(lines)[1]]
    has_molecules = any(name == _MOLECULES or name.startswith(_EXPANDED) for name in header)
    if not has_molecules or header[0] != _FIRST:
        raise InputError(
            f"{file.path.name} has no columns of complexes and molecules, as ComplexTAB has: "
            "download it again."
        )
    for number, cells in lines:
        if len(cells) < len(header) / 2:
            raise InputError(
                f"{file.path.name}, line {number}: {len(header)} cells between tabs were expected, "
                f"{len(cells)} came: download the file again."
            )
        yield dict(zip(header, cells, strict=False))


def _listed(row: Mapping[str, str]) -> str:
    """Return the molecules of a complex, with those of inner complexes where they are told."""
    expanded = next((cell for name, cell in row.items() if name.startswith(_EXPANDED)), "")
    return expanded if expanded not in ("", "-") else row.get(_MOLECULES, "")


def _identifiers(listed: str) -> Iterator[str]:
    """Yield the molecules of ``P12345(2)|[Q1,Q2](1)``; members of a set count each."""
    for entry in _COUNT.sub("", listed).split("|"):
        for name in entry.strip(" []").split(","):
            if name.strip() not in ("", "-"):
                yield name.strip()


def _expanded(complex_: str, molecules: Mapping[str, tuple[str, ...]]) -> set[str]:
    names: set[str] = set()
    seen, waiting = {complex_}, [complex_]
    while waiting:
        for name in molecules[waiting.pop()]:
            if name not in molecules:
                names.add(name)
            elif name not in seen:
                seen.add(name)
                waiting.append(name)
    return {name for name in names if not name.startswith("CPX-")}


FORMAT = StandardFormat(
    name="complextab",
    title="ComplexTAB: complexes of Complex Portal, with UniProt accessions",
    recognises=recognises,
    read=read,
    options=frozenset({"evidence"}),
)
