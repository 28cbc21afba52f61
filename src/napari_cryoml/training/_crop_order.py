"""In which order the crops of an epoch are drawn, and which of them more than once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError

Rows = npt.NDArray[Any]
Labels = npt.NDArray[Any]


def epoch_order(
    rows: Rows,
    labels: Labels,
    rng: np.random.Generator,
    *,
    labelled_share: float | None = None,
    balanced: bool = False,
    block: int = 1,
    window: int = 1,
) -> Rows:
    """Return the rows of an epoch in the order they are drawn in; it is as long as `rows`.

    Parameters
    ----------
    rows : array of shape (m,)
        What may be drawn.
    labels : array of shape (n,)
        Class of each of all crops, -1 for none.
    rng : numpy Generator
    labelled_share : float, optional
        Least share of rows with a label, in each stretch of the order too: they are repeated, and
        rows without a label, chosen anew each time, wait for another epoch. None for as they come.
    balanced : bool, default False
        Rows of each class equally often.
    block : int, default 1
        Rows that are stored together, from a multiple of it on. Where all rows are drawn once, the
        blocks come in an order of chance, and rows are mixed within stretches of them.
    window : int, default 1
        Length of such a stretch.

    Raises
    ------
    InputError
        If all are to have a label, and none has.
    """
    known = labels[rows] >= 0
    if labelled_share == 1 and not known.any():
        raise InputError(
            "None of the crops to learn from has a label, and only those with one are to be "
            "drawn: label some, or ask for a smaller share."
        )
    if not known.any() or (not balanced and (labelled_share is None or known.all())):
        return mixed(rows, rng, block, window)
    labelled, others = rows[known], rows[~known]
    n_labelled = max(len(labelled), math.ceil((labelled_share or 0) * len(rows)))
    turns = _evened(labelled, labels, n_labelled, rng) if balanced else labelled
    drawn = _in_turn(turns, n_labelled, rng)
    rest = rng.permutation(others)[: len(rows) - n_labelled]
    if labelled_share is None:
        return rng.permutation(np.concatenate([drawn, rest]))
    return _spread(drawn, rest)


def mixed(rows: Rows, rng: np.random.Generator, block: int = 1, window: int = 1) -> Rows:
    """Return rows in an order of chance that is quick to read.

    Parameters
    ----------
    rows : array of shape (m,)
    rng : numpy Generator
    block : int, default 1
        Rows that are stored together, from a multiple of it on; 1 if any order is as quick.
    window : int, default 1
        Each stretch of so many rows, from a multiple of it on in the result, holds whole blocks,
        but for those that its ends cut.
    """
    if block <= 1:
        return rng.permutation(rows)
    ascending = np.sort(rows)
    starts = np.flatnonzero(np.diff(ascending // block, prepend=-1))
    ends = np.append(starts[1:], len(rows))
    order, at = np.empty_like(ascending), 0
    for number in rng.permutation(len(starts)):
        part = ascending[starts[number] : ends[number]]
        order[at : at + len(part)] = part
        at += len(part)
    for start in range(0, len(order), window):
        rng.shuffle(order[start : start + window])
    return order


def _in_turn(rows: Rows, n: int, rng: np.random.Generator) -> Rows:
    """Return `n` rows: all of them in an order of chance, then all of them again."""
    turns = [rng.permutation(rows) for _ in range(math.ceil(n / len(rows)))]
    return np.concatenate(turns)[:n]


def _evened(rows: Rows, labels: Labels, n: int, rng: np.random.Generator) -> Rows:
    """Return `n` rows, those of each class equally often."""
    groups = _of_each_class(rows, labels)
    shares = rng.permutation(np.diff(np.linspace(0, n, len(groups) + 1).round().astype(int)))
    drawn = [
        _in_turn(group, share, rng) for group, share in zip(groups, shares, strict=True) if share
    ]
    return np.concatenate(drawn)


def _of_each_class(rows: Rows, labels: Labels) -> list[Rows]:
    """Return the rows of each class, in their order; at one go, for there may be thousands."""
    numbers = labels[rows]
    order = np.argsort(numbers, kind="stable")
    cuts = np.flatnonzero(np.diff(numbers[order])) + 1
    return np.split(rows[order], cuts)


def _spread(some: Rows, others: Rows) -> Rows:
    """Return both, `some` at even distances, so that each stretch has its share of them."""
    n = len(some) + len(others)
    reached = np.arange(n + 1) * len(some) // n
    is_some = np.diff(reached) > 0
    order = np.empty(n, np.intp)
    order[is_some], order[~is_some] = some, others
    return order
