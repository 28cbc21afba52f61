"""GMT: a term, a remark and its members a line, as MSigDB, Enrichr and KEGG exports have it."""

from __future__ import annotations

import re

from napari_cryoml._errors import InputError
from napari_cryoml.io._standards._format import Choice, Found, StandardFormat
from napari_cryoml.io._standards._text import TextFile

_WEIGHT = re.compile(r",-?\d+(\.\d+)?(e-?\d+)?$", re.IGNORECASE)
_NO_REMARK = ("", "na", "n/a", "null", "-")


def recognises(file: TextFile) -> bool:
    """Tell GMT by its name, or by lines of three and more cells that are not equally many."""
    if file.suffix == ".gmt":
        return True
    counts = [len(line.rstrip("\t").split("\t")) for line in file.head]
    return min(counts) >= 3 and len(set(counts)) > 1


def read(file: TextFile, choice: Choice) -> Found:
    """Read terms with their members; weights behind members (``TP53,1.0``) are left away."""
    found = Found()
    for number, cells in file.rows():
        if len(cells) < 2 or not cells[0]:
            raise InputError(
                f"{file.path.name}, line {number}: the name of a term, a remark and its members "
                "between tabs were expected: check the file, or give its format."
            )
        term, remark = cells[0], cells[1]
        title = "" if remark.lower() in _NO_REMARK or "://" in remark else remark
        for cell in cells[2:]:
            if cell:
                found.add(term, _WEIGHT.sub("", cell), title)
    return found


FORMAT = StandardFormat(
    name="gmt",
    title="GMT: term, remark and members between tabs",
    recognises=recognises,
    read=read,
)
