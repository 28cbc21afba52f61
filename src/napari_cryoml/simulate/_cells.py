"""Cells of known proteins: crops with planted localisations, complexes and nuisance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import ArrayCrops, Standard
from napari_cryoml.jobs import Command, Event, Job, run_inline
from napari_cryoml.simulate._cells_anatomy import Anatomy, Images, draw_anatomy
from napari_cryoml.simulate._cells_imaging import (
    Plates,
    as_counts,
    draw_plates,
    imaged,
    with_neighbours,
)
from napari_cryoml.simulate._cells_options import CellsSimulationConfig
from napari_cryoml.simulate._cells_patterns import PATTERNS, marker
from napari_cryoml.simulate._cells_proteome import (
    N_TRAITS,
    Proteome,
    draw_proteome,
    shares_of,
    traits_of,
)

Array = npt.NDArray[np.generic]
Rows = npt.NDArray[np.intp]

CHANNELS = ("protein", "marker")
"""What the two channels of simulated cells show."""

_BLOCK = 64
"""Cells of one protein that are drawn at a time."""

_NAMES = tuple(PATTERNS)
_DEAD_BRIGHTNESS = 2.5


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
    def moved(self) -> dict[str, tuple[str, str]]:
        """Compartments before and after of the proteins that move in the second condition."""
        return moved_proteins(self.proteome)


@dataclass(frozen=True, slots=True, eq=False)
class CellBlock:
    """Cells of one protein in one condition, as they are drawn at a time.

    Parameters
    ----------
    images : array of shape (n, 2, size, size)
    masks : bool array of shape (n, size, size)
    ids : list of str
    columns : mapping of str to array of shape (n,)
    """

    images: Array
    masks: npt.NDArray[np.bool_]
    ids: list[str]
    columns: Mapping[str, npt.NDArray[np.generic]]


def simulate_cells(config: CellsSimulationConfig | None = None, seed: int = 0) -> SimulatedCells:
    """Simulate crops of cells of known proteins; see `cells_job`, which tells of its progress."""
    return run_inline(cells_job(config, seed))


def cells_job(config: CellsSimulationConfig | None = None, seed: int = 0) -> Job[SimulatedCells]:
    """Simulate crops of cells of known proteins: a job with an event every block of cells.

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
        After each block. `Command.STOP` keeps the cells that are done.

    Returns
    -------
    SimulatedCells

    Raises
    ------
    InputError
        If the seed is below 0.
    """
    config = CellsSimulationConfig() if config is None else config
    scene = CellScene(config, seed)
    total = scene.n_cells
    kind = np.uint16 if config.camera else np.float32
    array = np.empty((total, 2, config.size, config.size), kind)
    masks = np.empty((total, config.size, config.size), bool)
    blocks: list[CellBlock] = []
    done = 0
    for block in scene.blocks():
        array[done : done + len(block.ids)] = block.images
        masks[done : done + len(block.ids)] = block.masks
        blocks.append(replace(block, images=array[:0], masks=masks[:0]))
        done += len(block.ids)
        if (yield Event(done=done, total=total)) is Command.STOP:
            break
    names = blocks[0].columns
    columns = {name: np.concatenate([block.columns[name] for block in blocks]) for name in names}
    ids = [name for block in blocks for name in block.ids]
    crops = ArrayCrops.of(array[:done], ids, columns, channels=CHANNELS, masks=masks[:done])
    return SimulatedCells(crops, scene.proteome)


def moved_proteins(proteome: Proteome) -> dict[str, tuple[str, str]]:
    """Return before and after, by protein, of those that move."""
    rows = np.flatnonzero(proteome.moved != proteome.labels)
    classes = proteome.classes
    return {
        str(proteome.names[row]): (classes[proteome.labels[row]], classes[proteome.moved[row]])
        for row in rows
    }


class CellScene:
    """What the cells of one simulation show.

    Parameters
    ----------
    config : CellsSimulationConfig
    seed : int

    Raises
    ------
    InputError
        If the seed is below 0.
    """

    def __init__(self, config: CellsSimulationConfig, seed: int) -> None:
        if seed < 0:
            raise InputError(f"A simulation needs a seed of 0 or more; {seed} was given.")
        self.config, self.seed = config, seed
        self.proteome = draw_proteome(config, seed)
        self.plates: Plates = draw_plates(config, seed)

    @property
    def n_cells(self) -> int:
        """Cells of all proteins and conditions."""
        return self.config.n_proteins * self.config.cells_per_protein * self.config.conditions

    def blocks(self) -> Iterator[CellBlock]:
        """Yield the cells, a protein after the other, one condition after the other."""
        per_protein = self.config.cells_per_protein
        for condition in range(self.config.conditions):
            for protein in range(len(self.proteome)):
                for start in range(0, per_protein, _BLOCK):
                    numbers = np.arange(start, min(start + _BLOCK, per_protein))
                    yield self.block(protein, condition, numbers)

    def block(self, protein: int, condition: int, numbers: Rows) -> CellBlock:
        """Return some cells of a protein in a condition."""
        config, n = self.config, len(numbers)
        rng = np.random.default_rng([self.seed, 2, condition, protein, int(numbers[0])])
        anatomy, light, dead = self.cells(protein, condition, n, rng)
        light = with_neighbours(light, anatomy, config.crowding, rng)
        plates = self.proteome.plates[protein][numbers % config.replicates]
        images = imaged(light, plates, self.plates, config, rng)
        name = str(self.proteome.names[protein])
        ids = [f"{name}_{'abcd'[condition]}{number:05d}" for number in numbers]
        columns: dict[str, npt.NDArray[np.generic]] = {
            "protein": np.full(n, name),
            "plate": np.array([f"plate {row + 1}" for row in plates]),
            "class": np.full(n, self.proteome.classes[self._label(protein, condition)]),
            "condition": np.full(n, condition),
            "dead": dead,
        }
        found = as_counts(images) if config.camera else images
        return CellBlock(found, anatomy.inside, ids, columns)

    def cells(
        self, protein: int, condition: int, n: int, rng: np.random.Generator
    ) -> tuple[Anatomy, Images, npt.NDArray[np.bool_]]:
        """Return cells one by one: what they are made of, their light, and which are dead."""
        config = self.config
        radius = config.radius * (1 - config.response * condition)
        budding = config.kind == "yeast"
        anatomy = draw_anatomy(n, config.size, radius, rng, budding=budding)
        shade = marker(anatomy)
        light = np.empty((n, 2, config.size, config.size), np.float32)
        light[:, 0] = self._protein(anatomy, protein, self._label(protein, condition), rng)
        light[:, 0] += config.autofluorescence * config.photons * shade
        expression = np.exp(rng.normal(0, config.expression_spread, n)).astype(np.float32)
        light[:, 1] = config.photons * expression[:, None, None] * shade
        dead = rng.random(n) < config.dead
        glow = _DEAD_BRIGHTNESS * config.photons * np.clip(anatomy.body / anatomy.unit, 0, 1)
        light[dead] = glow[dead, None]
        return anatomy, light, dead

    def _label(self, protein: int, condition: int) -> int:
        labels = self.proteome.moved if condition else self.proteome.labels
        return int(labels[protein])

    def _protein(
        self, anatomy: Anatomy, protein: int, label: int, rng: np.random.Generator
    ) -> Images:
        """Return the light of a protein: two compartments and a haze in the cytoplasm."""
        config, n = self.config, len(anatomy)
        spread = rng.normal(0, config.cell_spread, (n, N_TRAITS))
        deviates = self.proteome.traits[protein] + spread
        traits, share = traits_of(deviates), shares_of(deviates)
        first, second = self.proteome.classes[label], _NAMES[self.proteome.seconds[protein]]
        if first == "bud neck":
            share = np.where(anatomy.bud_radii > 0, share, 0.4 * share)
        weights = {first: share}
        for name, part in ((second, 0.65), ("cytoplasm", 0.35)):
            weights[name] = weights.get(name, 0) + part * (1 - share)
        found = np.zeros_like(anatomy.body)
        for name, weight in weights.items():
            pattern = np.maximum(PATTERNS[name](anatomy, traits, rng), 0)
            total = np.maximum(pattern.sum(axis=(1, 2)), 1e-6)
            found += pattern * (weight / total).astype(np.float32)[:, None, None]
        expression = np.exp(rng.normal(0, config.expression_spread, n))
        molecules = config.photons * np.pi * config.radius**2 * self.proteome.brightness[protein]
        return found * (molecules * expression).astype(np.float32)[:, None, None]
