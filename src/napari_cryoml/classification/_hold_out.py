"""Labels that are kept from training, so that a classifier can be measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.intp]

_LEAST_TRAINED = 2


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Which labelled rows are trained on, and which are not.

    Parameters
    ----------
    train : array of shape (k,), intp
    held : array of shape (m,), intp
        Empty where there are too few labels.
    lacking : str
        Which class has too few, and how many, in words; empty if all have enough.
    """

    train: Rows
    held: Rows
    lacking: str = ""


def hold_out(
    labels: npt.NDArray[np.intp], share: float, seed: int, classes: Sequence[str]
) -> HeldOut:
    """Hold out the same share of the labels of each class, drawn by chance.

    Nothing is held out unless each class can spare a label and keep two: a figure over some of
    the classes only would be taken for one over all.

    Parameters
    ----------
    labels : array of shape (n,), intp
        Classes of rows; those of a negative number are passed over.
    share : float
        0 to hold out nothing.
    seed : int
    classes : sequence of str
        Names of the classes, for what is lacking.
    """
    labelled = np.flatnonzero(labels >= 0)
    counts = np.bincount(labels[labelled], minlength=len(classes))
    nothing = np.empty(0, np.intp)
    if share <= 0:
        return HeldOut(labelled, nothing)
    wanted = np.maximum(np.rint(share * counts).astype(np.intp), 1)
    few = np.flatnonzero((counts > 0) & (counts - wanted < _LEAST_TRAINED))
    if len(few):
        return HeldOut(labelled, nothing, f"{classes[few[0]]!r} ({counts[few[0]]} labels)")
    rng = np.random.default_rng(seed)
    # All classes at one go: there may be thousands of them, and millions of rows.
    by_class = np.split(labelled[np.argsort(labels[labelled], kind="stable")], np.cumsum(counts))
    drawn = [
        rng.permutation(rows)[: wanted[number]] for number, rows in enumerate(by_class) if len(rows)
    ]
    held = np.sort(np.concatenate(drawn))
    return HeldOut(np.setdiff1d(labelled, held), held)
