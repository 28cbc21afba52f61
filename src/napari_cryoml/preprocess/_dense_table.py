"""Tables of cells in which row i is label i, as viewers look rows up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError

_MOST_ROWS = 10_000_000


def dense_table(
    labels: npt.ArrayLike,
    columns: Mapping[str, npt.ArrayLike] | None = None,
    *,
    image_name: str = "",
    n_labels: int | None = None,
) -> dict[str, npt.NDArray[Any]]:
    """Return a table with a row for each number up to the largest label, row 0 the background.

    napari finds the row of a label by its place in the table, and other plugins by the columns
    ``label``, ``index`` or ``roi_id``: this table serves all of them.

    Parameters
    ----------
    labels : array of shape (k,)
        Label of each row of `columns`: whole numbers above 0, each at most once.
    columns : mapping of str to array of shape (k,), optional
        What is known of each; numbers, truth values or texts.
    image_name : str
        What ``roi_id`` tells in every row.
    n_labels : int, optional
        Largest label of the image, where cells without a row have larger ones.

    Returns
    -------
    dict of str to array of shape (largest label + 1,)
        ``label`` and ``index`` (0, 1, 2 ...), ``roi_id``, then the columns. Numbers without a cell
        have NaN, False or "" there; whole numbers become floats if there are such.

    Raises
    ------
    InputError
        If a label is no whole number above 0 or is there twice, a column has another length, or
        the largest label is beyond ten million.
    """
    rows = _checked(labels)
    n = 1 + max(int(rows.max(initial=0)), n_labels or 0)
    if n > _MOST_ROWS:
        raise InputError(
            f"A label of {n - 1} would need as many rows: number the cells from 1, for instance "
            "with skimage.segmentation.relabel_sequential."
        )
    numbers = np.arange(n)
    table: dict[str, npt.NDArray[Any]] = {
        "label": numbers,
        "index": numbers.copy(),
        "roi_id": np.full(n, image_name),
    }
    for name, values in (columns or {}).items():
        if name not in table:
            table[name] = _dense(name, np.asarray(values), rows, n)
    return table


def _checked(labels: npt.ArrayLike) -> npt.NDArray[np.int64]:
    rows = np.asarray(labels)
    whole = rows.dtype.kind in "iu" or not rows.size
    if rows.ndim != 1 or not whole or (rows < 1).any() or len(np.unique(rows)) != rows.size:
        raise InputError(
            "A table of cells needs one label a row: whole numbers above 0, none of them twice."
        )
    return rows.astype(np.int64)


def _dense(
    name: str, values: npt.NDArray[Any], rows: npt.NDArray[np.int64], n: int
) -> npt.NDArray[Any]:
    if values.shape != rows.shape:
        raise InputError(
            f"Column {name!r} has shape {values.shape}; {len(rows)} cells need as many values."
        )
    kind = values.dtype.kind
    if kind not in "biufU":
        values = np.array(["" if value is None else str(value) for value in values], np.str_)
    if kind in "iu" and len(rows) < n:
        values = values.astype(np.float64)
    empty: Any = {"f": np.nan, "b": False, "U": ""}.get(values.dtype.kind, 0)
    dense = np.full(n, empty, values.dtype)
    dense[rows] = values
    return dense
