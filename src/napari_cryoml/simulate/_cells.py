"""Cells of known proteins: crops with planted localisations, complexes and nuisance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import ArrayCrops, Standard
from napari_cryoml.jobs import Command, Event, Job, run_inline
from napari_cryoml.simulate._cells_options import CellsSimulationConfig
from napari_cryoml.simulate._cells_proteome import Proteome
from napari_cryoml.simulate._cells_scene import CellScene

Columns = dict[str, npt.NDArray[np.generic]]

CHANNELS = ("protein", "marker")
"""What the two channels of simulated cells show."""

_BLOCK = 64
"""Cells of one protein that are drawn at a time."""

_KEPT = 8
"""Blocks that are kept in case more of them is asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedCells:
    """Crops of cells and the truth about them.

    Parameters
    ----------
    crops : ArrayCrops
        Array of shape (n, 2, size, size), protein and marker, in counts; with masks. Columns:
        protein, plate, class (where the protein is, in this condition), condition, dead.
    proteome : Proteome
        Where each protein is, what it works with, and which proteins move.
    """

    crops: ArrayCrops
    proteome: Proteome

    def __len__(self) -> int:
        return len(self.crops)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the compartments."""
        return self.proteome.classes

    @property
    def standards(self) -> Mapping[str, Standard]:
        """What is known of the proteins: compartment, bioprocess, pathway, complex."""
        return self.proteome.standards

    @property
    def moves(self) -> dict[str, tuple[str, str]]:
        """Compartments before and after of the proteins that move in the second condition."""
        return self.proteome.moves


class DrawnCells:
    """Crops of simulated cells that are drawn when they are read; see `data.Crops`.

    A million of them take no more memory than a thousand. Reading is quick in their order: what
    is drawn at a time are cells of one protein.

    Parameters
    ----------
    config : CellsSimulationConfig, optional
    seed : int
        0 or more. Every protein has seeds of its own that follow from it.

    Raises
    ------
    InputError
        If the seed is below 0.
    """

    images = None
    positions = None
    n_channels = 2
    channels = CHANNELS

    def __init__(self, config: CellsSimulationConfig | None = None, seed: int = 0) -> None:
        self.config = CellsSimulationConfig() if config is None else config
        self.scene = CellScene(self.config, seed)
        self.proteome = self.scene.proteome
        self.columns = self._columns()
        self.ids = self._ids()
        self._kept: dict[int, tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]] = {}

    def __len__(self) -> int:
        return self.config.conditions * len(self.proteome) * self.config.cells_per_protein

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of each crop in pixels, (y, x)."""
        return self.config.size, self.config.size

    @property
    def masks(self) -> DrawnMasks:
        """Which pixels belong to the cell, drawn when they are read."""
        return DrawnMasks(self)

    def batches(self, size: int) -> Iterator[npt.NDArray[np.intp]]:
        """Yield all row numbers in order, at most `size` at a time."""
        for start in range(0, len(self), size):
            yield np.arange(start, min(start + size, len(self)))

    def read(self, rows: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return the crops of some rows, in their order, shape (k, 2, size, size)."""
        return self.read_with_masks(rows)[0]

    def read_with_masks(
        self, rows: npt.ArrayLike
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        """Return the crops of some rows, and which of their pixels belong to the cell."""
        wanted = np.asarray(rows, np.intp)
        images = np.empty((len(wanted), 2, *self.shape), np.float32)
        masks = np.empty((len(wanted), *self.shape), np.bool_)
        series, numbers = np.divmod(wanted, self.config.cells_per_protein)
        blocks = numbers // _BLOCK
        for number in np.unique(series * self._blocks_each + blocks):
            here = series * self._blocks_each + blocks == number
            drawn, outlines = self._block(int(number))
            images[here] = drawn[numbers[here] % _BLOCK]
            masks[here] = outlines[numbers[here] % _BLOCK]
        return images, masks

    @property
    def _blocks_each(self) -> int:
        return -(-self.config.cells_per_protein // _BLOCK)

    def _block(self, number: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        """Return a block of cells; the last few are kept."""
        if number not in self._kept:
            series, block = divmod(number, self._blocks_each)
            condition, protein = divmod(series, len(self.proteome))
            end = min((block + 1) * _BLOCK, self.config.cells_per_protein)
            while len(self._kept) >= _KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[number] = self.scene.seen(protein, condition, slice(block * _BLOCK, end))
        return self._kept[number]

    def _series(self) -> Iterator[tuple[int, int]]:
        for condition in range(self.config.conditions):
            for protein in range(len(self.proteome)):
                yield protein, condition

    def _columns(self) -> Columns:
        per_protein, scene = self.config.cells_per_protein, self.scene
        series = np.array(list(self._series()))
        labels = [scene.label(*one) for one in series]
        plates = np.concatenate([scene.plates_of(protein) for protein, _ in series])
        names = np.array([f"plate {row + 1}" for row in range(self.config.plates)])
        return {
            "protein": np.repeat(self.proteome.names[series[:, 0]], per_protein),
            "plate": names[plates],
            "class": np.repeat(np.array(self.proteome.classes)[labels], per_protein),
            "condition": np.repeat(series[:, 1], per_protein),
            "dead": np.concatenate([scene.dead(*one) for one in series]),
        }

    def _ids(self) -> npt.NDArray[np.str_]:
        numbers = np.arange(self.config.cells_per_protein)
        return np.array(
            [
                f"{self.proteome.names[protein]}_{'ab'[condition]}{number:05d}"
                for protein, condition in self._series()
                for number in numbers
            ]
        )


@dataclass(frozen=True, slots=True, eq=False)
class DrawnMasks:
    """Masks of drawn cells: what is indexed like an array of shape (n, size, size)."""

    cells: DrawnCells

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, size, size)."""
        return len(self.cells), *self.cells.shape

    def __getitem__(self, rows: slice | npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        chosen = np.arange(len(self.cells))[rows]
        return self.cells.read_with_masks(chosen)[1]


def simulate_cells(config: CellsSimulationConfig | None = None, seed: int = 0) -> SimulatedCells:
    """Simulate crops of cells of known proteins; see `cells_job`, which tells of its progress."""
    return run_inline(cells_job(config, seed))


def cells_job(config: CellsSimulationConfig | None = None, seed: int = 0) -> Job[SimulatedCells]:
    """Simulate crops of cells of known proteins: a job with an event every few cells.

    Each protein has a compartment, where most of it is, and a second one; how it fills them (how
    many puncta, how long, how wide, how near the bud, how clumped) is nearly alike within a
    complex, less so within a pathway, and less still within a bioprocess. What is in the way does
    not know of function: brightness of the protein and of the cell, the plate's gain, background,
    blur and bleed-through, focus, illumination, neighbours, dead cells and noise.

    Parameters
    ----------
    config : CellsSimulationConfig, optional
    seed : int
        0 or more. Every protein has seeds of its own that follow from it.

    Yields
    ------
    Event
        After each few cells. `Command.STOP` keeps those that are done.

    Returns
    -------
    SimulatedCells

    Raises
    ------
    InputError
        If the seed is below 0.
    """
    drawn = DrawnCells(config, seed)
    kind = np.uint16 if drawn.config.camera else np.float32
    array = np.empty((len(drawn), 2, *drawn.shape), kind)
    masks = np.empty((len(drawn), *drawn.shape), np.bool_)
    done = 0
    for rows in drawn.batches(_BLOCK):
        array[rows], masks[rows] = drawn.read_with_masks(rows)
        done = int(rows[-1]) + 1
        if (yield Event(done=done, total=len(drawn))) is Command.STOP:
            break
    columns = {name: values[:done] for name, values in drawn.columns.items()}
    ids = drawn.ids[:done].tolist()
    crops = ArrayCrops.of(array[:done], ids, columns, channels=CHANNELS, masks=masks[:done])
    return SimulatedCells(crops, drawn.proteome)
