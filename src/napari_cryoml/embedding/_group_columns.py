"""What a table of cells says about each protein."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Columns: TypeAlias = dict[str, npt.NDArray[Any]]

# A place on a map of cells is none on a map of proteins.
_MAP = re.compile(r"(umap|tsne|pca)\d+", re.IGNORECASE)


def columns_of_groups(
    table: Mapping[str, npt.NDArray[Any]], codes: npt.NDArray[np.intp], n_groups: int
) -> Columns:
    """Return each column of a table of cells as one of groups.

    Of text and truth values, the most frequent value of a group stands for it (of equally frequent
    ones the first in the alphabet; "" does not count), and where not all groups agree, a column
    "NAME share" tells the share of the cells that have it. Of real numbers, the mean of those that
    are finite stands for it. Whole numbers stay where the cells of each group agree, and are left
    out otherwise: they number cells. So are columns of text of which no two cells of a group have
    the same, and coordinates of maps.

    Parameters
    ----------
    table : mapping of str to array of shape (n,)
    codes : array of shape (n,), intp
        Group of each row, from 0.
    n_groups : int
    """
    columns: Columns = {}
    for name, values in table.items():
        kind = values.dtype.kind
        if _MAP.fullmatch(name):
            continue
        if kind == "f":
            columns[name] = _means(values, codes, n_groups)
            continue
        most, share, repeats = _most_frequent(values, codes, n_groups)
        agreed = bool((np.nan_to_num(share, nan=1.0) == 1).all())
        if agreed or (kind in "bU" and repeats):
            columns[name] = most
            if not agreed:
                columns[f"{name} share"] = share
    return columns


def _means(
    values: npt.NDArray[np.floating], codes: npt.NDArray[np.intp], n_groups: int
) -> npt.NDArray[np.float64]:
    finite = np.isfinite(values)
    counts = np.bincount(codes[finite], minlength=n_groups)
    sums = np.bincount(codes[finite], values[finite].astype(np.float64), minlength=n_groups)
    return np.divide(sums, counts, out=np.full(n_groups, np.nan), where=counts > 0)


def _most_frequent(
    values: npt.NDArray[Any], codes: npt.NDArray[np.intp], n_groups: int
) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64], bool]:
    """Return the most frequent value of each group, its share, and whether any occurs twice.

    The share is NaN for a group without a value.
    """
    told = np.flatnonzero(values != "") if values.dtype.kind == "U" else np.arange(len(values))
    kinds, numbers = np.unique(values[told], return_inverse=True)
    pairs, counts = np.unique(codes[told] * max(len(kinds), 1) + numbers, return_counts=True)
    group, number = pairs // max(len(kinds), 1), pairs % max(len(kinds), 1)
    # Of each group the last is the most frequent; of equally frequent ones the first value.
    order = np.lexsort((-number, counts, group))
    last = order[np.flatnonzero(np.diff(group[order], append=-1) != 0)]
    most = np.zeros(n_groups, values.dtype)
    most[group[last]] = kinds[number[last]]
    total = np.bincount(codes[told], minlength=n_groups)
    share = np.full(n_groups, np.nan)
    share[group[last]] = counts[last] / total[group[last]]
    return most, share, bool((counts > 1).any())
