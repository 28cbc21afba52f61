"""What becomes of the labels of a run: trained on, kept to choose the epoch, or to measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.classification._hold_out import Rows, hold_out
from napari_cryoml.classification._labelled_crops import UNKNOWN, LabelledCrops
from napari_cryoml.classification._network_system import NetworkSystem
from napari_cryoml.data import CellSplit


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Which crops are trained on, which choose the epoch, and which measure the result.

    Parameters
    ----------
    truth : array of shape (n,), int
        All labels.
    labels : array of shape (n,), int
        Those that may be trained on; -1 for all others.
    all_rows : array of shape (m,), intp
        Crops that may be seen in training, labelled or not.
    chosen_on, held : array of shape (k,), intp
        Labelled crops that are not.
    validation, test : array of shape (m,), intp
        The same with those that have no label, where the split was made before.
    notes : tuple of str
    """

    truth: npt.NDArray[np.intp]
    labels: npt.NDArray[Any]
    all_rows: Rows
    chosen_on: Rows
    held: Rows
    validation: Rows
    test: Rows
    notes: tuple[str, ...]

    @classmethod
    def of(cls, data: LabelledCrops, system: NetworkSystem) -> Split:
        """Return the split that a system asks for, as far as there are labels for it."""
        if data.split is not None:
            return cls._given(data, data.split)
        seed, labels, notes = system.training.seed, data.labels.copy(), []
        measured = hold_out(labels, system.held_out_share, seed, data.classes)
        if measured.lacking:
            notes.append(
                f"The accuracy is not known: {measured.lacking} has too few to hold any out."
            )
        labels[measured.held] = UNKNOWN
        share = 0.0 if system.keep == "last" else system.training.validation_share
        chosen = hold_out(labels, share, seed + 1, data.classes)
        if chosen.lacking:
            notes.append(
                f"The last epoch was kept: {chosen.lacking} has too few to choose the best one on."
            )
        labels[chosen.held] = UNKNOWN
        unseen = np.concatenate([measured.held, chosen.held])
        rows = _all_but(unseen, len(labels))
        choose, measure = chosen.held, measured.held
        return cls(data.labels, labels, rows, choose, measure, choose, measure, tuple(notes))

    @classmethod
    def _given(cls, data: LabelledCrops, split: CellSplit) -> Split:
        """Return the split that was made before."""
        seen = np.zeros(len(data.labels), np.bool_)
        seen[split.train] = True
        labels = np.where(seen, data.labels.astype(np.int32), np.int32(UNKNOWN))
        if len(np.unique(labels[labels != UNKNOWN])) < 2:
            raise InputError(
                "Fewer than two classes have labels among the crops to train on: hold fewer out, "
                "or label more."
            )
        unseen = np.concatenate([split.validation, split.test])
        return cls(
            data.labels,
            labels,
            _all_but(unseen, len(labels)),
            split.validation[data.labels[split.validation] != UNKNOWN],
            split.test[data.labels[split.test] != UNKNOWN],
            split.validation,
            split.test,
            split.notes,
        )

    @property
    def labelled(self) -> Rows:
        """Rows whose labels are trained on."""
        return np.flatnonzero(self.labels != UNKNOWN)


def _all_but(rows: Rows, n: int) -> Rows:
    """Return all rows of `n` but some."""
    is_other = np.ones(n, np.bool_)
    is_other[rows] = False
    return np.flatnonzero(is_other)
