"""Colours of classes: Okabe and Ito's, which colour-blind people can tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from napari_cryoml.project import ClassEntry, Project

OKABE_ITO = (
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
    "#999999",
)
"""Okabe and Ito 2008, grey in place of black: it is seen on dark images too."""

UNSURE = "#808080"
_DIGITS = "123456789"


def next_colour(used: Iterable[str]) -> str:
    """Return the first colour that is not used yet; all used, the one used least."""
    taken = [colour.upper() for colour in used]
    return min(OKABE_ITO, key=taken.count)


def next_key(used: Iterable[str]) -> str:
    """Return the first digit that gives no class yet; "" if all do."""
    taken = set(used)
    return next((digit for digit in _DIGITS if digit not in taken), "")


def completed(entries: Sequence[ClassEntry], names: Iterable[str]) -> list[ClassEntry]:
    """Return classes with those added that rows have and nobody has listed."""
    found = list(entries)
    for name in names:
        if name and name not in {entry.name for entry in found}:
            colour = next_colour(entry.colour for entry in found)
            found.append(ClassEntry(name, colour, next_key(entry.key for entry in found)))
    return found


def classes_of(project: Project | None) -> list[ClassEntry]:
    """Return the classes of a project: those that it lists, and those that rows have."""
    if project is None:
        return []
    listed = [
        entry if entry.key else ClassEntry(entry.name, entry.colour)
        for entry in project.class_list()
    ]
    return completed(listed, sorted(set(project.classes().values())))


def rgb(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue, 0 to 255, of a colour as "#RRGGBB"."""
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue
