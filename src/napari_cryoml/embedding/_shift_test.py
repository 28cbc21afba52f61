"""Whether the cells of one protein moved between two conditions: a permutation test in blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Table: TypeAlias = npt.NDArray[np.float64]

_ENOUGH = 50
"""Permutations that go as far as the data, after which the others need not be drawn."""

_FIRST, _MOST_AT_ONCE = 100, 2000
_TIE = 1 - 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class TwoConditions:
    """Cells of one protein in two conditions.

    Parameters
    ----------
    vectors : array of shape (n, d), float64
    after : array of shape (n,), bool
        Whether a cell is in the second condition.
    blocks : array of shape (n,), intp
        The plate of each, from 0; cells are compared within plates.
    """

    vectors: Table
    after: npt.NDArray[np.bool_]
    blocks: npt.NDArray[np.intp]

    def crossed(self) -> TwoConditions:
        """Return the cells of blocks that hold both conditions; the others tell nothing."""
        counts = [
            np.bincount(self.blocks[mask], minlength=1 + self.blocks.max(initial=0))
            for mask in (self.after, ~self.after)
        ]
        kept = ((counts[0] > 0) & (counts[1] > 0))[self.blocks]
        _, blocks = np.unique(self.blocks[kept], return_inverse=True)
        return TwoConditions(self.vectors[kept], self.after[kept], blocks)

    def shifted(self, by: Table) -> TwoConditions:
        """Return the cells with those of the second condition moved back by a vector."""
        moved = self.vectors - self.after[:, None] * by
        return TwoConditions(moved, self.after, self.blocks)

    @property
    def n_blocks(self) -> int:
        """How many blocks there are."""
        return int(self.blocks.max(initial=-1)) + 1

    @property
    def weights(self) -> Table:
        """Weight of each cell in the displacement, shape (n,).

        The displacement is the mean over blocks of the difference of the two means there, each
        block weighted by n1 n2 / (n1 + n2): blocks in which both are known well count most.
        """
        counts = self._counts()
        worth = counts.prod(axis=1) / counts.sum(axis=1)
        share = (worth / worth.sum())[:, None] / counts * np.array([-1.0, 1.0])
        return np.asarray(share[self.blocks, self.after.astype(np.intp)])

    def displacement(self) -> Table:
        """Return how far the mean moved, shape (d,)."""
        return np.asarray(self.weights @ self.vectors)

    def effect(self) -> float:
        """Return the displacement as a multiple of the scatter of the cells.

        The square of the displacement, less what the scatter alone is expected to bring about,
        over the trace of the covariance of cells within block and condition; its root. 0 where the
        displacement is no longer than scatter explains; NaN where the scatter is not known.
        """
        group = 2 * self.blocks + self.after
        counts = np.bincount(group, minlength=2 * self.n_blocks)
        freedom = len(group) - len(counts)
        if freedom < 1:
            return float("nan")
        sums = np.zeros((len(counts), self.vectors.shape[1]))
        np.add.at(sums, group, self.vectors)
        scatter = ((self.vectors - (sums / counts[:, None])[group]) ** 2).sum() / freedom
        square = (self.displacement() ** 2).sum() - scatter * (self.weights**2).sum()
        if scatter == 0:
            return float("inf") if square > 0 else 0.0
        return float(np.sqrt(max(square, 0.0) / scatter))

    def _counts(self) -> Table:
        """Return the cells of each block before and after, shape (n_blocks, 2)."""
        group = 2 * self.blocks + self.after
        return np.bincount(group, minlength=2 * self.n_blocks).reshape(-1, 2).astype(np.float64)


def p_value(cells: TwoConditions, n_permutations: int, rng: np.random.Generator) -> float:
    """Return how often cells dealt out to the conditions by chance move as far as they did.

    Within each block the conditions are dealt out anew. Drawing ends once 50 permutations have
    moved as far as the data: then p is 50 over the number drawn by then, and it is
    (g + 1) / (n + 1) where only g of all n did (Besag and Clifford 1991, Biometrika 78, 301).
    Both are valid p-values, and where nothing moved few permutations suffice.

    Parameters
    ----------
    cells : TwoConditions
        Crossed; see `TwoConditions.crossed`.
    n_permutations : int
        The most that are drawn.
    rng : numpy Generator
    """
    order = np.argsort(cells.blocks, kind="stable")
    vectors, weights = cells.vectors[order], cells.weights[order]
    blocks = cells.blocks[order]
    vectors = vectors - vectors.mean(axis=0)
    # Of few cells only their inner products count.
    products = vectors @ vectors.T if len(vectors) <= vectors.shape[1] else None
    reached = _TIE * _squares(weights[None], vectors, products)[0]
    far, drawn, size = 0, 0, _FIRST
    while drawn < n_permutations:
        size = min(size, n_permutations - drawn)
        dealt = weights[np.argsort(blocks + rng.random((size, len(blocks))), axis=1)]
        as_far = _squares(dealt, vectors, products) >= reached
        if far + as_far.sum() >= _ENOUGH:
            return _ENOUGH / (drawn + int(np.flatnonzero(as_far)[_ENOUGH - far - 1]) + 1)
        far, drawn, size = far + int(as_far.sum()), drawn + size, min(2 * size, _MOST_AT_ONCE)
    return (far + 1) / (n_permutations + 1)


def _squares(weights: Table, vectors: Table, products: Table | None) -> Table:
    """Return the square of the displacement for each row of weights."""
    if products is not None:
        return np.asarray(((weights @ products) * weights).sum(axis=1))
    return np.asarray(((weights @ vectors) ** 2).sum(axis=1))
