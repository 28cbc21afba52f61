"""Variations of crops that are made once, kept, and drawn from again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_cryoml.training._crop_order import Rows

Make = Callable[[Rows, npt.NDArray[np.bool_]], Tensor]


class KeptViews:
    """Draws from a few variations of each crop, which are made when they are first drawn.

    Parameters
    ----------
    n_crops : int
    copies : int
        Variations of each crop, the crop as it is among them.
    make : callable
        Told rows of crops and which of them are to be varied, returns what is drawn of each,
        shape (k, ...).
    rng : numpy.random.Generator
    memory_bytes : int, default 2 GiB
        What does not fit is made anew each time.
    """

    def __init__(
        self,
        n_crops: int,
        copies: int,
        make: Make,
        rng: np.random.Generator,
        memory_bytes: int = 2**31,
    ) -> None:
        self._copies, self._make, self._rng = copies, make, rng
        self._memory_bytes = memory_bytes
        self._place = np.full(n_crops * copies, -1, np.intp)
        self._kept: Tensor | None = None
        self._n_kept = 0

    def draw(self, rows: Rows, n_views: int) -> tuple[Tensor, ...]:
        """Return views of crops, shape (b, ...) each; those of one crop are different copies.

        Parameters
        ----------
        rows : array of shape (b,), intp
        n_views : int
            No more than there are copies.
        """
        numbers = self._rng.permuted(np.tile(np.arange(self._copies), (len(rows), 1)), axis=1)
        wanted = rows * self._copies + numbers.T[:n_views]
        return tuple(self._read(wanted.ravel()).chunk(n_views))

    def _read(self, wanted: Rows) -> Tensor:
        """Return variations by their numbers, ``row * copies + copy``."""
        known = self._place[wanted] >= 0
        if self._kept is not None and known.all():
            return self._kept[self._places(wanted)]
        missing = np.unique(wanted[~known])
        made = self._make(missing // self._copies, missing % self._copies > 0)
        found = made.new_empty(len(wanted), *made.shape[1:])
        if self._kept is not None:
            found[torch.from_numpy(known)] = self._kept[self._places(wanted[known])]
        order = torch.from_numpy(np.searchsorted(missing, wanted[~known])).to(made.device)
        found[torch.from_numpy(~known)] = made[order]
        self._keep(missing, made)
        return found

    def _places(self, numbers: Rows) -> Tensor:
        return torch.from_numpy(self._place[numbers])

    def _keep(self, numbers: Rows, made: Tensor) -> None:
        if self._kept is None:
            fits = self._memory_bytes // max(made[0].numel() * made.element_size(), 1)
            self._kept = made.new_empty(min(len(self._place), fits), *made.shape[1:])
        room = min(len(numbers), len(self._kept) - self._n_kept)
        places = self._n_kept + np.arange(room)
        self._kept[self._n_kept : self._n_kept + room] = made[:room]
        self._place[numbers[:room]] = places
        self._n_kept += room
