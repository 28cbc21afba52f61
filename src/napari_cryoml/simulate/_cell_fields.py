"""Whole images of cells, with the cells as labels and the truth about each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from napari_cryoml.jobs import Command, Event, Job, run_inline
from napari_cryoml.simulate._cells_anatomy import Images
from napari_cryoml.simulate._cells_imaging import as_counts, imaged
from napari_cryoml.simulate._cells_options import CellsSimulationConfig
from napari_cryoml.simulate._cells_proteome import Proteome
from napari_cryoml.simulate._cells_scene import CellScene, SingleCells

Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

_TRIES = 40
"""Places that are tried for a cell before it is left out."""


class CellFieldsConfig(CellsSimulationConfig):
    """What whole images of simulated cells show; how many cells there are is told by image."""

    n_fields: int = Field(4, ge=1, description="Number of images.")
    shape: tuple[int, int] = Field((512, 512), description="Height and width in pixels.")
    cells_per_field: int = Field(
        80, ge=1, description="Cells of an image; fewer where there is no room for them."
    )
    proteins_per_field: int = Field(
        8, ge=1, description="Proteins whose cells are in one image; 1 as in a screen."
    )

    @model_validator(mode="after")
    def _check_shape(self) -> CellFieldsConfig:
        if min(self.shape) < self.size:
            raise ValueError("shape must be no smaller than size, the side of a cell's crop")
        return self


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedCellField:
    """An image of cells and the truth about them.

    Parameters
    ----------
    name : str
    image : array of shape (2, Y, X), uint16
        Counts of protein and marker.
    labels : array of shape (Y, X), int32
        The number of the cell that each pixel belongs to, from 1; 0 outside.
    positions : array of shape (n, 2)
        Centroid of each cell, pixel yx, in the order of their numbers.
    columns : mapping of str to array of shape (n,)
        label, protein, class, condition, dead.
    plate : str
        All cells of an image are on one plate.
    """

    name: str
    image: npt.NDArray[np.uint16]
    labels: npt.NDArray[np.int32]
    positions: npt.NDArray[np.float64]
    columns: dict[str, npt.NDArray[np.generic]]
    plate: str

    def __len__(self) -> int:
        return len(self.positions)


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedCellFields:
    """Images of cells, and the proteins that are in them.

    Parameters
    ----------
    fields : list of SimulatedCellField
    proteome : Proteome
    """

    fields: list[SimulatedCellField]
    proteome: Proteome


def simulate_cell_fields(
    config: CellFieldsConfig | None = None, seed: int = 0
) -> SimulatedCellFields:
    """Simulate whole images of cells; see `cell_fields_job`, which tells of its progress."""
    return run_inline(cell_fields_job(config, seed))


def cell_fields_job(
    config: CellFieldsConfig | None = None, seed: int = 0
) -> Job[SimulatedCellFields]:
    """Simulate whole images of cells as `cells_job` draws them: a job with an event an image.

    The second half of the images is of the second condition, if there are two. Options that say
    how many cells of each protein are cropped have no meaning here.

    Parameters
    ----------
    config : CellFieldsConfig, optional
    seed : int
        0 or more. Every image has a seed of its own that follows from it.

    Yields
    ------
    Event
        After each image. `Command.STOP` keeps those that are done.

    Returns
    -------
    SimulatedCellFields

    Raises
    ------
    InputError
        If the seed is below 0.
    """
    config = CellFieldsConfig() if config is None else config
    scene = CellScene(config, seed)
    fields: list[SimulatedCellField] = []
    for number in range(config.n_fields):
        fields.append(_field(scene, config, number))
        message = f"{fields[-1].name}: {len(fields[-1])} cells"
        event = Event(done=number + 1, total=config.n_fields, message=message)
        if (yield event) is Command.STOP:
            break
    return SimulatedCellFields(fields, scene.proteome)


def _field(scene: CellScene, config: CellFieldsConfig, number: int) -> SimulatedCellField:
    rng = np.random.default_rng([scene.seed, 4, number])
    condition = number * config.conditions // config.n_fields
    canvas = _Canvas(config, rng)
    proteins, dead = [], []
    for protein, cells, gone in _cells(scene, config, condition, rng):
        for row in range(len(gone)):
            if canvas.put(cells, row):
                proteins.append(protein)
                dead.append(bool(gone[row]))
    plate = int(rng.integers(config.plates))
    counts = as_counts(imaged(canvas.light[None], np.array([plate]), scene.plates, config, rng)[0])
    labels = [scene.label(protein, condition) for protein in proteins]
    columns: dict[str, npt.NDArray[np.generic]] = {
        "label": np.arange(len(proteins)) + 1,
        "protein": scene.proteome.names[np.array(proteins, np.intp)],
        "class": np.array(config.classes)[labels],
        "condition": np.full(len(proteins), condition),
        "dead": np.array(dead, np.bool_),
    }
    name = f"field_{number:03d}"
    return SimulatedCellField(
        name, counts, canvas.labels, canvas.centroids(), columns, f"plate {plate + 1}"
    )


def _cells(
    scene: CellScene, config: CellFieldsConfig, condition: int, rng: np.random.Generator
) -> Iterator[tuple[int, SingleCells, Flags]]:
    """Yield the proteins of an image with their cells, and which of these are dead."""
    several = min(config.proteins_per_field, len(scene.proteome))
    chosen = rng.choice(len(scene.proteome), several, replace=False)
    each = np.bincount(np.arange(config.cells_per_field) % several, minlength=several)
    for protein, n in zip(chosen.tolist(), each.tolist(), strict=True):
        dead = rng.random(n) < config.dead
        yield protein, scene.alone(protein, condition, dead, rng), dead


class _Canvas:
    """An image that cells are put into, where there is room."""

    def __init__(self, config: CellFieldsConfig, rng: np.random.Generator) -> None:
        self.rng = rng
        self.shape = config.shape
        self.margin = config.size
        # Cells may lie across the border, of which the middle is kept.
        padded = tuple(side + 2 * config.size for side in config.shape)
        self._light = np.zeros((2, *padded), np.float32)
        self._labels = np.zeros(padded, np.int32)
        self._corners: list[tuple[int, int]] = []
        self._chance = config.crowding / (1 + config.crowding)
        self._apart = 2.2 * config.radius
        self._ends = np.array(config.shape) + config.size

    @property
    def light(self) -> Images:
        """The light of all cells, (2, Y, X)."""
        return self._light[:, *self._middle].copy()

    @property
    def labels(self) -> npt.NDArray[np.int32]:
        """The cells by number, (Y, X)."""
        return self._labels[self._middle].copy()

    @property
    def _middle(self) -> tuple[slice, slice]:
        y, x = (slice(self.margin, self.margin + side) for side in self.shape)
        return y, x

    def put(self, cells: SingleCells, row: int) -> bool:
        """Put one cell in, and tell whether there was room for it."""
        mask, light = cells.anatomy.inside[row], cells.light[row]
        for _ in range(_TRIES):
            y, x = self._corner()
            window = slice(y, y + len(mask)), slice(x, x + len(mask))
            number = len(self._corners) + 1
            seen = mask & self._inside(y, x, len(mask))
            if 2 * seen.sum() >= mask.sum() and not self._labels[window][mask].any():
                self._labels[window][mask] = number
                self._light[:, *window] += light
                self._corners.append((y, x))
                return True
        return False

    def centroids(self) -> npt.NDArray[np.float64]:
        """Return the middle of what is seen of each cell, pixel yx."""
        labels = self.labels
        y, x = np.nonzero(labels)
        owners = labels[y, x]
        areas = np.bincount(owners, minlength=len(self._corners) + 1)[1:]
        sums = [np.bincount(owners, axis, len(self._corners) + 1)[1:] for axis in (y, x)]
        return np.stack(sums, axis=-1) / areas[:, None]

    def _corner(self) -> tuple[int, int]:
        """Return the corner of a crop: next to a cell that is there, or anywhere."""
        if self._corners and self.rng.random() < self._chance:
            beside = np.array(self._corners[self.rng.integers(len(self._corners))])
            turn = self.rng.uniform(0, 2 * np.pi)
            far = self._apart * self.rng.uniform(1, 1.3)
            place = beside + far * np.array([np.sin(turn), np.cos(turn)])
        else:
            place = self.rng.uniform(0, self._ends)
        y, x = np.clip(place, 0, self._ends).astype(int).tolist()
        return y, x

    def _inside(self, y: int, x: int, size: int) -> Flags:
        """Tell which pixels of a crop are in the image."""
        rows, columns = (
            (np.arange(start, start + size) >= self.margin)
            & (np.arange(start, start + size) < self.margin + side)
            for start, side in zip((y, x), self.shape, strict=True)
        )
        return rows[:, None] & columns
