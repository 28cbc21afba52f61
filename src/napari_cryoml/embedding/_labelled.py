"""Vectors with the classes of some of them, checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError


def labelled_rows(
    vectors: npt.ArrayLike, classes: npt.ArrayLike
) -> tuple[npt.NDArray[np.floating[Any]], npt.NDArray[np.str_], npt.NDArray[np.bool_]]:
    """Return the table, the classes ("" for none) and which rows are finite.

    Raises
    ------
    InputError
        If there is not one class a row, or no row with a finite vector is labelled.
    """
    table = np.asarray(vectors)
    names = np.asarray(classes, dtype=np.str_)
    if table.ndim != 2 or names.shape != (len(table),):
        raise InputError(
            f"Each row needs a class, or none: vectors of shape {table.shape} and classes of "
            f"shape {names.shape} were given."
        )
    finite = np.isfinite(table).all(axis=1)
    if not (names[finite] != "").any():
        raise InputError("No row is labelled: give some rows a class first.")
    return table, names, finite
