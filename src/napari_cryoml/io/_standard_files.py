"""Read standards of function, and tables of names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

from napari_cryoml._errors import InputError
from napari_cryoml.data import Standard
from napari_cryoml.io._standards import STANDARD_FORMATS, StandardFormat
from napari_cryoml.io._standards._format import Choice, Found, stem_of
from napari_cryoml.io._standards._ontology import is_ontology, read_ontology
from napari_cryoml.io._standards._text import TextFile, open_text

NO_EVIDENCE = ("IEA", "ND")
"""Codes of evidence that are left out by default: inferred electronically, and no data."""

_HEADS = ("name", "alias", "gene", "symbol", "orf", "protein", "uniprot", "systematic", "id")


def read_standard(
    path: str | Path,
    format: str | None = None,
    *,
    name: str | None = None,
    aspect: Literal["C", "F", "P"] | None = None,
    include: Collection[str] | None = None,
    exclude: Collection[str] | None = None,
    ontology: str | Path | None = None,
    slim: str | None = None,
    columns: tuple[str, str] | None = None,
) -> Standard:
    """Read which proteins belong together from a file of any known format, told by its content.

    The formats are those of `STANDARD_FORMATS`: GAF, ComplexTAB, GO slim and complexes of SGD,
    LoQAtE, a table of 0 and 1, GMT, and tables (CSV, TSV) with a column of proteins and one of
    terms. All may be packed by gzip. Nothing is left out by size: see `Standard.sized`.

    Parameters
    ----------
    path : path
    format : str, optional
        Name of the format, for a file whose content does not tell.
    name : str, optional
        Name of the standard; the file's name without its ending by default.
    aspect : {"C", "F", "P"}, optional
        Of annotations of Gene Ontology, those of places in the cell, of molecular functions or of
        processes alone.
    include : collection of str, optional
        Codes of evidence that count, and no others.
    exclude : collection of str, optional
        Codes of evidence that do not count; "IEA" and "ND" by default, unless `include` is given.
    ontology : path, optional
        An OBO file. Annotations of GAF then count for all more general terms of the same aspect
        too (is_a, part_of), and terms have names.
    slim : str, optional
        A subset of the ontology, as "goslim_yeast": annotations count for the most specific terms
        of it that they fall under, and no others.
    columns : tuple of str, optional
        Names of the columns of proteins and of terms of a table.

    Returns
    -------
    Standard
        `aliases` holds the other names that the file knows, `provenance` the file, the format, the
        options, and how many lines were left out and why.

    Raises
    ------
    InputError
        If the file cannot be read, is of no known format or damaged, has no terms, or an option
        does not apply to its format.
    """
    file = open_text(path)
    kind = _kind_of(file, format)
    given = {
        "aspect": aspect,
        "evidence": include if include is not None else exclude,
        "ontology": ontology if ontology is not None else slim,
        "columns": columns,
    }
    _check(file, kind, given)
    if slim is not None and ontology is None:
        raise InputError(f"The slim {slim!r} is a part of an ontology: give its OBO file as well.")
    default = NO_EVIDENCE if include is None else ()
    choice = Choice(
        aspect,
        None if include is None else frozenset(include),
        frozenset(default if exclude is None else exclude),
        None if ontology is None else read_ontology(ontology),
        slim,
        columns,
    )
    found = kind.read(file, choice)
    if not found.terms:
        raise InputError(f"{file.path.name} has no term with a protein{_why(found)}.")
    return _standard(found, name or stem_of(file.path), _told(file, kind, choice, given, found))


def read_aliases(path: str | Path) -> dict[str, str]:
    """Read other names of proteins: a table of two columns, plain or packed by gzip.

    Parameters
    ----------
    path : path
        CSV or TSV with a name in each column, in either order; the first line may name them. A
        name with several others is left out.

    Returns
    -------
    dict of str to str
        The name in the second column of each in the first.

    Raises
    ------
    InputError
        If the file cannot be read, or a line has not two names.
    """
    file = open_text(path)
    pairs: dict[str, set[str]] = {}
    for number, line in file.lines():
        mark = next((m for m in ("\t", ",", ";") if m in line), None)
        cells = [cell.strip().strip('"') for cell in (line.split(mark) if mark else [line])]
        if len(cells) != 2:
            raise InputError(
                f"{file.path.name}, line {number}: two names of a protein were expected, "
                f"{len(cells)} came: keep two columns."
            )
        if number > 1 or not _is_header(cells):
            pairs.setdefault(cells[0], set()).add(cells[1])
    return {one: next(iter(two)) for one, two in pairs.items() if one and len(two) == 1}


def _kind_of(file: TextFile, format: str | None) -> StandardFormat:
    if format is not None:
        if format not in STANDARD_FORMATS:
            raise InputError(
                f"There is no format of standards named {format!r}: choose one of "
                f"{', '.join(STANDARD_FORMATS)}."
            )
        return STANDARD_FORMATS[format]
    if is_ontology(file):
        raise InputError(
            f"{file.path.name} is an ontology, which has terms but no proteins: give it as the "
            "ontology of a GAF file."
        )
    kind = next((k for k in STANDARD_FORMATS.values() if k.recognises(file)), None)
    if kind is None:
        raise InputError(
            f"{file.path.name} is of no known format: a table with a column of proteins and one of "
            f"terms was expected, or one of {', '.join(STANDARD_FORMATS)}."
        )
    return kind


def _check(file: TextFile, kind: StandardFormat, given: Mapping[str, Any]) -> None:
    for option, value in given.items():
        if value is not None and option not in kind.options:
            fitting = [k.name for k in STANDARD_FORMATS.values() if option in k.options]
            raise InputError(
                f"{file.path.name} was read as {kind.name}, which has no {option} to choose by; "
                f"{', '.join(fitting)} have: leave the option out, or give the format."
            )


def _standard(found: Found, name: str, provenance: dict[str, Any]) -> Standard:
    terms = {term: frozenset(members) for term, members in found.terms.items()}
    return Standard(name, terms, dict(found.titles), dict(found.aliases), provenance)


def _told(
    file: TextFile, kind: StandardFormat, choice: Choice, given: Mapping[str, Any], found: Found
) -> dict[str, Any]:
    told: dict[str, Any] = {"file": file.path.name, "format": kind.name}
    told |= {n: str(v) for n, v in given.items() if v is not None and n not in ("evidence",)}
    if kind.name == "gaf" or given["evidence"] is not None:
        told["exclude"] = sorted(choice.exclude)
        if choice.include is not None:
            told["include"] = sorted(choice.include)
    if choice.slim is not None:
        told["slim"] = choice.slim
    if found.left_out:
        told["left_out"] = dict(sorted(found.left_out.items()))
    return told


def _why(found: Found) -> str:
    if not found.left_out:
        return ""
    reasons = ", ".join(f"{reason}: {n}" for reason, n in found.left_out.most_common(3))
    return f" that was asked for (left out: {reasons})"


def _is_header(cells: list[str]) -> bool:
    words = [cell.lower().replace("_", " ").split() for cell in cells]
    return all(any(word in _HEADS for word in cell) for cell in words)
