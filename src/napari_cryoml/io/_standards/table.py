"""Tables of a protein and a term a line: CSV and TSV as anybody writes them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

from napari_cryoml._errors import InputError
from napari_cryoml.data import naming_scheme
from napari_cryoml.io._standards._format import Choice, Found, StandardFormat
from napari_cryoml.io._standards._text import TextFile

_PROTEIN = [
    "orf",
    "systematic_name",
    "systematic",
    "protein",
    "protein_name",
    "protein_id",
    "target_name",
    "gene_name",
    "gene_names",
    "gene_symbol",
    "symbol",
    "gene",
    "uniprot",
    "uniprot_id",
    "entry",
    "ensg_id",
    "ensembl",
    "locus",
]
_TERM = [
    "term",
    "term_name",
    "go_term",
    "go_name",
    "complex",
    "complex_name",
    "complex_id",
    "pathway",
    "pathway_name",
    "process",
    "bioprocess",
    "annotation",
    "annotation_name",
    "localization",
    "localisation",
    "location",
    "main_location",
    "compartment",
    "component",
    "class",
    "category",
    "group",
    "module",
    "cluster",
    "label",
    "go_id",
]
_EVIDENCE = ["evidence", "evidence_code", "reliability", "annotation_grade"]
_NOTHING = ("", "na", "nan", "none", "n/a")
_SEVERAL = re.compile(r"[;|]")
_MARKS = ("\t", ",", ";")


def recognises(file: TextFile) -> bool:
    """Tell a table by two cells or more in each of its first two lines."""
    mark = _mark(file.head[0])
    return mark is not None and all(mark in line for line in file.head[:2])


def read(file: TextFile, choice: Choice) -> Found:
    """Read two columns; several proteins or terms in a cell lie between ``;`` or ``|``.

    The columns are those the caller names, else the first of the usual names, else the only two
    there are: first the protein and then the term, or the other way round where the second column
    alone follows a known scheme of names. Further columns of names are other names of the
    protein, and a column ``evidence`` or ``reliability`` is its evidence.
    """
    rows = list(_rows(file))
    names = [_plain(cell) for cell in rows[0]]
    protein, term, headed = _columns(file, rows, names, choice)
    others = [k for k, name in enumerate(names) if headed and name in _PROTEIN and k != protein]
    evidence = next((k for k, name in enumerate(names) if headed and name in _EVIDENCE), None)
    found = Found()
    for cells in rows[1:] if headed else rows:
        if len(cells) <= max(protein, term):
            found.left_out.update(["lines with cells missing"])
            continue
        code = cells[evidence] if evidence is not None and evidence < len(cells) else ""
        if evidence is not None and not choice.takes_evidence(code):
            found.left_out.update([f"evidence left out ({code})"])
            continue
        proteins = _entries(cells[protein])
        for entry in _entries(cells[term]):
            for name in proteins:
                found.add(entry, name)
        if len(proteins) == 1:
            found.also_called(proteins[0], [cells[k] for k in others if k < len(cells)])
    return found


def _rows(file: TextFile) -> Iterator[list[str]]:
    mark = _mark(file.head[0]) or "\t"
    lines = (line for line in io.StringIO(file.text) if line.strip())
    try:
        for cells in csv.reader(lines, delimiter=mark):
            yield [" ".join(cell.split()) for cell in cells]
    except csv.Error as error:
        raise InputError(
            f"{file.path.name} cannot be read as a table ({error}): save it again as CSV."
        ) from None


def _columns(
    file: TextFile, rows: Sequence[list[str]], names: Sequence[str], choice: Choice
) -> tuple[int, int, bool]:
    """Return the columns of proteins and terms, and whether the first line names them."""
    if choice.columns is not None:
        protein, term = (_named(file, rows[0], wanted) for wanted in choice.columns)
        return protein, term, True
    found = [
        next((names.index(word) for word in words if word in names), None)
        for words in (_PROTEIN, _TERM)
    ]
    if found[0] is not None and found[1] is not None:
        return found[0], found[1], True
    if len(names) == 2:
        headed = found[0] is not None or found[1] is not None
        if headed:
            protein = found[0] if found[0] is not None else 1 - (found[1] or 0)
            return protein, 1 - protein, True
        turned = _is_scheme(rows, 1) and not _is_scheme(rows, 0)
        return int(turned), int(not turned), False
    raise InputError(
        f"{file.path.name} does not say which of its columns are proteins and which are terms (its "
        f"first line reads: {', '.join(rows[0][:8])}): name both columns."
    )


def _named(file: TextFile, header: Sequence[str], wanted: str) -> int:
    if wanted not in header:
        raise InputError(
            f"{file.path.name} has no column {wanted!r}; it has {', '.join(header[:12])}."
        )
    return header.index(wanted)


def _is_scheme(rows: Sequence[list[str]], column: int) -> bool:
    cells = [row[column] for row in rows if len(row) > column]
    return naming_scheme(cells)[0] not in ("other names", "gene names")


def _entries(cell: str) -> list[str]:
    parts = [part.strip() for part in _SEVERAL.split(cell)]
    return [part for part in parts if part.lower() not in _NOTHING]


def _mark(line: str) -> str | None:
    return next((mark for mark in _MARKS if mark in line), None)


def _plain(name: str) -> str:
    return re.sub(r"[\s.-]+", "_", name.strip().lower())


FORMAT = StandardFormat(
    name="table",
    title="CSV or TSV with a column of proteins and one of terms",
    recognises=recognises,
    read=read,
    options=frozenset({"columns", "evidence"}),
)
