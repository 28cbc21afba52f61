"""The selections of a map, so that a lasso can be taken back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]

MOST_STEPS = 200
"""Selections that are remembered; those of a million rows take 125 kB each."""


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    bits: npt.NDArray[np.uint8]
    edit: int


class SelectionHistory:
    """Which rows are selected, and which were before.

    Each selection remembers the number of the last edit of the project at its time. That tells
    which of the two is undone first: an edit that is younger than the selection, or the selection.

    Parameters
    ----------
    n_rows : int
    """

    def __init__(self, n_rows: int) -> None:
        self._n_rows = n_rows
        self._done = [_Step(_packed(np.zeros(n_rows, bool)), -1)]
        self._undone: list[_Step] = []

    @property
    def mask(self) -> Mask:
        """Which rows are selected, shape (n,)."""
        return np.unpackbits(self._done[-1].bits, count=self._n_rows).view(bool)

    @property
    def can_undo(self) -> bool:
        """Whether there is a selection to take back."""
        return len(self._done) > 1

    @property
    def can_redo(self) -> bool:
        """Whether there is a selection to bring back."""
        return bool(self._undone)

    def select(self, mask: Mask, edit: int = -1) -> bool:
        """Select other rows; return whether that changed anything.

        Parameters
        ----------
        mask : array of shape (n,), bool
        edit : int
            Number of the last edit of the project; -1 without a project.
        """
        bits = _packed(mask)
        if np.array_equal(bits, self._done[-1].bits):
            return False
        self._done.append(_Step(bits, edit))
        self._undone.clear()
        if len(self._done) > MOST_STEPS:
            del self._done[0]
        return True

    def comes_before(self, edit: int) -> bool:
        """Whether the last selection is older than the edit of this number, or there is none."""
        return not self.can_undo or self._done[-1].edit < edit

    def undo(self) -> bool:
        """Go back to the selection before; return whether there was one."""
        if not self.can_undo:
            return False
        self._undone.append(self._done.pop())
        return True

    def waits_for(self, edit: int) -> bool:
        """Whether the next selection to bring back was made after the edit of this number.

        Edits that were undone have to be made again before it.
        """
        return not self._undone or self._undone[-1].edit > edit

    def redo(self) -> bool:
        """Bring back the selection that was undone last; return whether there was one."""
        if not self._undone:
            return False
        self._done.append(self._undone.pop())
        return True


def _packed(mask: Mask) -> npt.NDArray[np.uint8]:
    return np.packbits(np.asarray(mask, bool))
