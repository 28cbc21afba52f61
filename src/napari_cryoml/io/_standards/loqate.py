"""LoQAtE: where GFP-tagged proteins of yeast lie, by condition."""

from __future__ import annotations

import csv
import io

from napari_cryoml._errors import InputError
from napari_cryoml.io._standards._format import Choice, Found, StandardFormat
from napari_cryoml.io._standards._text import TextFile

_PROTEIN, _SYMBOL, _PLACE = "ORF", "Gene", "control Localization"
_NO_PLACE = ("", "na", "below threshold", "ambiguous")


def recognises(file: TextFile) -> bool:
    """Tell it by its header."""
    header = file.head[0].split(",")
    return header[:2] == [_PROTEIN, _SYMBOL] and _PLACE in header


def read(file: TextFile, choice: Choice) -> Found:
    """Read the places without treatment, or those of another column."""
    protein, place = choice.columns or (_PROTEIN, _PLACE)
    rows = csv.DictReader(io.StringIO(file.text), restval="")
    for wanted in (protein, place):
        if wanted not in (rows.fieldnames or ()):
            known = [name for name in rows.fieldnames or () if name.endswith("Localization")]
            raise InputError(
                f"{file.path.name} has no column {wanted!r}; places are in {', '.join(known)}."
            )
    found = Found()
    try:
        for row in rows:
            _add(found, row[protein].strip(), row[place], (row.get(_SYMBOL) or "").strip())
    except csv.Error as error:
        raise InputError(
            f"{file.path.name} cannot be read as a table ({error}): download it again."
        ) from None
    return found


def _add(found: Found, protein: str, places: str, symbol: str) -> None:
    for place in map(str.strip, places.split(":")):
        if place.lower() in _NO_PLACE:
            found.left_out.update([place or "no place"])
        else:
            found.add(place, protein)
    found.also_called(protein, [symbol])


FORMAT = StandardFormat(
    name="loqate",
    title="LoQAtE: places of yeast proteins, by condition",
    recognises=recognises,
    read=read,
    options=frozenset({"columns"}),
)
