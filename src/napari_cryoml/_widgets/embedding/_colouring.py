"""Which colour each row has: a class of a few, or a value between low and high."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._widgets.embedding._state import CLASS, CLUSTER, DENSITY, MapState

MOST_CATEGORIES = 128
"""Categories with a colour of their own; the rarest ones beyond them have none."""

FEW_INTEGERS = 64
"""Different whole numbers up to which a column is taken for categories, not for values."""

Palette = npt.NDArray[np.uint8]

_FIXED = {"particle": "#009E73", "not a particle": "#D55E00"}


@dataclass(frozen=True, slots=True, eq=False)
class Colouring:
    """What a column says about colours.

    Parameters
    ----------
    codes : int array of shape (n,), optional
        Number of each row's category, -1 for none.
    names : tuple of str
        Of the categories.
    counts : tuple of int
        Rows in each.
    values : float array of shape (n,), optional
        In place of categories; NaN for none.
    fixed : mapping of int to str
        Colours, as "#RRGGBB", that some categories have everywhere.
    """

    codes: npt.NDArray[np.intp] | None = None
    names: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    values: npt.NDArray[np.float32] | None = None
    fixed: Mapping[int, str] = field(default_factory=dict)


def colouring(state: MapState, own_colours: Mapping[str, str] | None = None) -> Colouring:
    """Return how the column that the map is coloured by is to be shown.

    Parameters
    ----------
    state : MapState
    own_colours : mapping of str to str, optional
        Colours of classes, as "#RRGGBB".
    """
    if state.colour == DENSITY:
        return Colouring()
    if state.colour == CLASS:
        return _named(state.classes.codes, state.classes.names, own_colours or {})
    values = state.column(state.colour)
    if is_continuous(values) and state.colour != CLUSTER:
        return Colouring(values=values.astype(np.float32))
    if values.dtype.kind in "iuf":
        return _numbered(np.nan_to_num(values, nan=-1).astype(np.int64))
    return _named(*state.categories(state.colour), _FIXED)


def palette_of(names: Sequence[str]) -> dict[str, str]:
    """Return a colour, as "#RRGGBB", for each of some names, the same ones for the same order."""
    from napari_cryoml.embedding.drawing import categorical

    rows = categorical(len(names)).tolist()
    return {name: f"#{r:02X}{g:02X}{b:02X}" for name, (r, g, b) in zip(names, rows, strict=True)}


def is_continuous(values: npt.NDArray[Any]) -> bool:
    """Return whether a column holds values, not categories."""
    if values.dtype.kind == "f":
        return True
    return values.dtype.kind in "iu" and len(np.unique(values)) > FEW_INTEGERS


def _named(
    codes: npt.NDArray[np.signedinteger[Any]], names: Sequence[str], own: Mapping[str, str]
) -> Colouring:
    """Texts come by falling number of rows."""
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    order = np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]
    order = order[counts[order] > 0]
    code_of = np.full(len(names) + 1, -1, np.intp)
    code_of[order] = np.arange(len(order))
    chosen = tuple(names[k] for k in order)
    return Colouring(
        codes=code_of[codes],
        names=chosen,
        counts=tuple(int(counts[k]) for k in order),
        fixed={code: own[name] for code, name in enumerate(chosen) if name in own},
    )


def _numbered(values: npt.NDArray[Any]) -> Colouring:
    """Whole numbers are their own order, so that group 3 has the third colour; -1 is none."""
    counted = Counter(values[values >= 0].tolist())
    known = sorted(counted)[:MOST_CATEGORIES]
    codes = np.searchsorted(known, values).clip(max=max(len(known) - 1, 0)) if known else values
    found = np.asarray(known)[codes] == values if known else np.zeros(len(values), bool)
    return Colouring(
        codes=np.where(found, codes, -1).astype(np.intp),
        names=tuple(map(str, known)),
        counts=tuple(counted[number] for number in known),
    )
