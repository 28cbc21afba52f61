"""GAF: annotations of Gene Ontology, one a line."""

from __future__ import annotations

import re

from napari_cryoml._errors import InputError
from napari_cryoml.data import naming_scheme
from napari_cryoml.io._standards._format import Choice, Found, StandardFormat
from napari_cryoml.io._standards._text import TextFile

_TERM = re.compile(r"GO:\d{7}")
_LEAST_CELLS = 15
_SYSTEMATIC = "systematic names of yeast"
_OBSOLETE = "terms that are obsolete or not in the ontology"
_NOT, _EVIDENCE, _COMPLEX = "said not to be (NOT)", "evidence left out", "whole complexes"


def recognises(file: TextFile) -> bool:
    """Tell GAF by its first line, or by lines of 15 cells with a term of Gene Ontology."""
    head = file.head
    if head[0].lower().startswith("!gaf-version"):
        return True
    lines = [line.split("\t") for line in head if not line.startswith("!")]
    return bool(lines) and all(
        len(cells) >= _LEAST_CELLS and _TERM.fullmatch(cells[4]) for cells in lines
    )


def read(file: TextFile, choice: Choice) -> Found:
    """Read annotations that are not denied, of the evidence and aspect that is wanted.

    A protein goes by its systematic name where the first synonym is one, as SGD has it, else by
    its symbol; symbol, synonyms and the identifier in the database are its other names.
    """
    found = Found()
    for number, cells in file.rows():
        if cells[0].startswith("!"):
            continue
        if len(cells) < _LEAST_CELLS or not _TERM.fullmatch(cells[4]):
            raise InputError(
                f"{file.path.name}, line {number}: 15 cells between tabs with a term GO:0000000 in "
                f"the fifth were expected, {len(cells)} came: download the file again."
            )
        if _taken(cells, choice, found):
            _add(cells, choice, found)
    return found


def _taken(cells: list[str], choice: Choice, found: Found) -> bool:
    qualifier, evidence, aspect, kind = cells[3], cells[6], cells[8], cells[11]
    reason = ""
    if "NOT" in qualifier.upper().split("|"):
        reason = _NOT
    elif not choice.takes_evidence(evidence):
        reason = f"{_EVIDENCE} ({evidence})"
    elif choice.aspect and aspect != choice.aspect:
        reason = "other aspects"
    elif "complex" in kind:
        reason = _COMPLEX
    found.left_out.update([reason] if reason else [])
    return not reason


def _add(cells: list[str], choice: Choice, found: Found) -> None:
    identifier, symbol, synonyms = cells[1], cells[2], cells[10].split("|")
    systematic = naming_scheme(synonyms[:1])[0] == _SYSTEMATIC
    protein = synonyms[0] if systematic else symbol
    found.also_called(protein, [symbol, identifier, *synonyms])
    terms, titles = _terms(cells[4], choice)
    if not terms:
        found.left_out.update([_OBSOLETE])
    for term in terms:
        found.add(term, protein, titles.get(term, ""))


def _terms(term: str, choice: Choice) -> tuple[frozenset[str], dict[str, str]]:
    """Return the terms that an annotation counts for, and names of terms."""
    ontology = choice.ontology
    if ontology is None:
        return frozenset([term]), {}
    current = ontology.current(term)
    if current is None:
        return frozenset(), {}
    if choice.slim is None:
        return ontology.ancestors(current), ontology.names
    return ontology.slimmed(current, ontology.subset(choice.slim)), ontology.names


FORMAT = StandardFormat(
    name="gaf",
    title="GAF 2.x: annotations of Gene Ontology, with evidence",
    recognises=recognises,
    read=read,
    options=frozenset({"aspect", "evidence", "ontology"}),
)
