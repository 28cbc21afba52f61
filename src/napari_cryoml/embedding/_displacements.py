"""How far proteins move between two conditions, and which of them move at all."""

from __future__ import annotations

import zlib
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_cryoml._registry import Config
from napari_cryoml.data import Embedding
from napari_cryoml.embedding._condition_cells import ConditionCells
from napari_cryoml.embedding._shift_test import p_value
from napari_cryoml.jobs import Command, Event


class DisplacementConfig(Config):
    """How the cells of a protein are compared between two conditions."""

    block: str = Field(
        "plate",
        description="Column of what cells are compared within, as plates; cells of a plate on "
        "which only one condition lies tell nothing. Empty to compare all cells with each other.",
    )
    remove_shared: bool = Field(
        False,
        description="Take away what all proteins moved by (the median of their displacements) "
        "before each is tested: a difference of staining or plates moves all of them.",
    )
    least: int = Field(
        3, ge=2, description="Cells that a protein needs in each condition to be tested."
    )
    n_permutations: int = Field(
        10_000, ge=20, le=10_000_000, description="Permutations for each protein, at the most."
    )
    seed: int = Field(0, ge=0, description="Seed of the permutations.")


def displacements(
    embedding: Embedding,
    by: str = "protein",
    condition: str = "condition",
    pair: tuple[str, str] | None = None,
    config: DisplacementConfig | None = None,
    *,
    rows: npt.ArrayLike | None = None,
) -> Generator[Event, Command | None, Embedding]:
    """Compare the cells of each protein between two conditions.

    The displacement of a protein is the difference of the mean vectors of its cells, plate by
    plate where plates are known. Its p-value is found by dealing the conditions out anew to the
    cells of each plate; q-values are by Benjamini and Hochberg: of the proteins with q below 0.05,
    5 % are expected not to have moved. Cells of one plate must be exchangeable if nothing moved;
    that cells of different plates are not is allowed for.

    Parameters
    ----------
    embedding : Embedding
        One row a cell.
    by : str, default "protein"
        The column of proteins.
    condition : str, default "condition"
        The column of conditions.
    pair : tuple of str, optional
        Condition before and after; the two that there are, in the order of the alphabet, by
        default.
    config : DisplacementConfig, optional
    rows : array of shape (m,), int, or (n,), bool, optional
        Cells that count; all by default.

    Yields
    ------
    Event
        One a protein.

    Returns
    -------
    Embedding
        One row a protein that has cells in both conditions; its vector is the displacement. The
        columns are

        n_before, n_after
            Cells.
        n_blocks
            Plates with both conditions; 1 if cells are compared without regard to plates.
        displacement
            Length of the vector.
        effect
            That length, less what scatter brings about, as a multiple of the scatter of cells;
            0 where scatter explains it all.
        p, q
            NaN for proteins that could not be tested: ``notes`` in the provenance say why.
            Stopped by `Command.STOP`, those that had not had their turn have NaN too.

    Raises
    ------
    InputError
        If a column or a condition is missing, or no protein has cells in both.

    References
    ----------
    Benjamini and Hochberg 1995, J. R. Stat. Soc. B 57, 289; Besag and Clifford 1991, Biometrika 78,
    301.
    """
    config = config or DisplacementConfig()
    cells = ConditionCells.of(embedding, by, condition, pair, rows, config.block)
    found = _Found.of(cells, config)
    for done, number in enumerate(np.flatnonzero(found.testable).tolist(), 1):
        name = str(cells.members.names[number])
        own = cells.at(number).shifted(found.shared)
        rng = np.random.default_rng([config.seed, zlib.crc32(name.encode())])
        found.p[number] = p_value(own, config.n_permutations, rng)
        found.effect[number] = own.effect()
        message = f"{name}: p = {found.p[number]:.2g}"
        event = Event(done=done, total=int(found.testable.sum()), message=message)
        if (yield event) is Command.STOP:
            break
    made_by = {"by": by, "condition": condition, "pair": list(cells.pair)}
    made_by |= config.model_dump(mode="json")
    notes = _notes(cells, found, config, embedding)
    provenance = {**embedding.provenance, "displacements": made_by, "notes": notes}
    return Embedding(found.moved, cells.members.names, None, None, found.columns(), provenance)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What is known of each protein; `p` and `effect` are filled in one after the other."""

    moved: npt.NDArray[np.float64]
    counts: npt.NDArray[np.intp]
    n_blocks: npt.NDArray[np.intp]
    testable: npt.NDArray[np.bool_]
    shared: npt.NDArray[np.float64]
    p: npt.NDArray[np.float64]
    effect: npt.NDArray[np.float64]

    @classmethod
    def of(cls, cells: ConditionCells, config: DisplacementConfig) -> _Found:
        n = len(cells)
        moved = np.empty((n, cells.vectors.shape[1]))
        counts, n_blocks = np.zeros((n, 2), np.intp), np.zeros(n, np.intp)
        testable = np.zeros(n, bool)
        for number in range(n):
            own, every = cells.at(number), cells.at(number, within_plates=False)
            counts[number] = np.bincount(every.after, minlength=2)
            n_blocks[number] = own.n_blocks
            testable[number] = np.bincount(own.after, minlength=2).min() >= config.least
            moved[number] = (own if own.n_blocks else every).displacement()
        shared = np.zeros(moved.shape[1])
        if config.remove_shared and testable.any():
            shared = np.median(moved[testable], axis=0)
        p, effect = np.full((2, n), np.nan)
        return cls(moved - shared, counts, n_blocks, testable, shared, p, effect)

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of the result."""
        from scipy.stats import false_discovery_control

        q = self.p.copy()
        known = np.isfinite(q)
        if known.any():
            q[known] = false_discovery_control(q[known])
        return {
            "n_before": self.counts[:, 0],
            "n_after": self.counts[:, 1],
            "n_blocks": self.n_blocks,
            "displacement": np.sqrt((self.moved**2).sum(axis=1)),
            "effect": self.effect,
            "p": self.p,
            "q": q,
        }


def _notes(
    cells: ConditionCells, found: _Found, config: DisplacementConfig, embedding: Embedding
) -> list[str]:
    """Return what was not tested, and why."""
    notes = []
    if config.block and config.block not in embedding.table:
        notes.append(
            f"There is no column {config.block!r}: cells were compared without regard to plates."
        )
    if cells.one_sided:
        notes.append(f"Left out, with cells in one condition only: {cells.one_sided}.")
    apart = int((found.n_blocks == 0).sum())
    if apart:
        notes.append(
            f"Not tested, for no {config.block} holds both conditions: {apart} of {len(cells)}. "
            f"What the condition does cannot be told from what the {config.block} does there; with "
            "an empty block, cells are compared as if it did nothing."
        )
    few = int((~found.testable).sum()) - apart
    if few:
        notes.append(
            f"Not tested, with fewer than {config.least} cells to compare in a condition: {few}."
        )
    waiting = int((found.testable & np.isnan(found.p)).sum())
    if waiting:
        notes.append(f"Stopped before these had their turn: {waiting}.")
    return notes
