"""In which order the crops of an epoch are drawn, and which of them more than once."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError

Rows = npt.NDArray[np.intp]
Labels = npt.NDArray[np.int64]


def epoch_order(
    rows: Rows,
    labels: Labels,
    rng: np.random.Generator,
    *,
    labelled_share: float | None = None,
    balanced: bool = False,
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
    if not known.any() or (labelled_share is None and not balanced):
        return rng.permutation(rows)
    labelled, others = rows[known], rows[~known]
    n_labelled = max(len(labelled), math.ceil((labelled_share or 0) * len(rows)))
    turns = _evened(labelled, labels, n_labelled, rng) if balanced else labelled
    drawn = _in_turn(turns, n_labelled, rng)
    rest = rng.permutation(others)[: len(rows) - n_labelled]
    if labelled_share is None:
        return rng.permutation(np.concatenate([drawn, rest]))
    return _spread(drawn, rest)


def _in_turn(rows: Rows, n: int, rng: np.random.Generator) -> Rows:
    """Return `n` rows: all of them in an order of chance, then all of them again."""
    turns = [rng.permutation(rows) for _ in range(math.ceil(n / len(rows)))]
    return np.concatenate(turns)[:n]


def _evened(rows: Rows, labels: Labels, n: int, rng: np.random.Generator) -> Rows:
    """Return `n` rows, those of each class equally often."""
    classes = np.unique(labels[rows])
    shares = rng.permutation(np.diff(np.linspace(0, n, len(classes) + 1).round().astype(int)))
    drawn = [
        _in_turn(rows[labels[rows] == number], share, rng)
        for number, share in zip(classes, shares, strict=True)
        if share
    ]
    return np.concatenate(drawn)


def _spread(some: Rows, others: Rows) -> Rows:
    """Return both, `some` at even distances, so that each stretch has its share of them."""
    n = len(some) + len(others)
    reached = np.arange(n + 1) * len(some) // n
    is_some = np.diff(reached) > 0
    order = np.empty(n, np.intp)
    order[is_some], order[~is_some] = some, others
    return order
