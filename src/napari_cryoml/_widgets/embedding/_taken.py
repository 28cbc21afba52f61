"""Rows that are ready to be shown, and what is odd about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_cryoml._widgets.embedding._columns import state_of
from napari_cryoml._widgets.embedding._scratch import Scratch, Vectors
from napari_cryoml._widgets.embedding._state import MapState
from napari_cryoml.data import Crops, Embedding


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """Rows that are ready to be shown.

    Parameters
    ----------
    state : MapState
    vectors : array of shape (n, d), or Path
        What maps are made of; a file of them where they are many.
    crops : Crops, optional
        The pieces of images they stand for, where those are at hand.
    remarks : tuple of str
        Sentences about what was odd.
    method : str
        The map to begin with; "" for the one that was chosen last.
    """

    state: MapState
    vectors: Vectors | Path
    crops: Crops | None = None
    remarks: tuple[str, ...] = ()
    method: str = ""


def taken_of(
    embedding: Embedding,
    classes: Mapping[str, str],
    crops: Crops | None,
    scratch: Scratch,
    remarks: Iterable[str] = (),
) -> Taken:
    """Return rows that are ready to be shown; beside the GUI's thread."""
    state = state_of(embedding, classes)
    state.prepare()
    vectors = scratch.lay_down(embedding.vectors)
    return Taken(state, vectors, crops, (*remarks, *remarks_on(embedding)))


def remarks_on(embedding: Embedding) -> tuple[str, ...]:
    """Return what is odd about the rows: vectors that are not whole, and equal ones."""
    said = []
    finite = embedding.finite
    if not finite.all():
        bad = np.flatnonzero(~finite)
        said.append(
            f"{len(bad):,} of {len(embedding):,} rows have no whole vector (NaN), the first of "
            f"them {embedding.ids[bad[0]]}: they are set aside."
        )
    n_equal = duplicates(embedding)
    if n_equal:
        said.append(f"{n_equal:,} rows have the same vector as another one.")
    return tuple(said)


def duplicates(embedding: Embedding) -> int:
    """Return how many rows repeat the vector of an earlier row."""
    whole = np.ascontiguousarray(embedding.vectors[embedding.finite])
    if not whole.size:
        return 0
    return len(whole) - len(set(map(hash, map(bytes, whole))))
