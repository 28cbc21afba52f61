"""What the cells of one simulation show: the light of single cells, and what a camera sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.simulate._cells_anatomy import Anatomy, Images, draw_anatomy
from napari_cryoml.simulate._cells_imaging import as_counts, draw_plates, imaged, with_neighbours
from napari_cryoml.simulate._cells_options import CellsSimulationConfig
from napari_cryoml.simulate._cells_patterns import PATTERNS, marker
from napari_cryoml.simulate._cells_proteome import (
    N_TRAITS,
    draw_proteome,
    shares_of,
    traits_of,
)

Rows = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

_NAMES = tuple(PATTERNS)
_DEAD_BRIGHTNESS = 2.5


@dataclass(frozen=True, slots=True, eq=False)
class SingleCells:
    """Cells of one protein, each in the middle of an empty image.

    Parameters
    ----------
    anatomy : Anatomy
    light : array of shape (n, 2, size, size)
        Counts of protein and marker, sharp and without background.
    """

    anatomy: Anatomy
    light: Images


class CellScene:
    """Draws the cells of a simulation.

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
        self.plates = draw_plates(config, seed)

    def label(self, protein: int, condition: int) -> int:
        """Return the compartment of a protein in a condition, a row of the classes."""
        labels = self.proteome.moved if condition else self.proteome.labels
        return int(labels[protein])

    def plates_of(self, protein: int) -> Rows:
        """Return the plate of each cell of a protein: they take turns."""
        numbers = np.arange(self.config.cells_per_protein)
        return self.proteome.plates[protein][numbers % self.config.replicates]

    def dead(self, protein: int, condition: int) -> Flags:
        """Tell which cells of a protein are dead."""
        rng = np.random.default_rng([self.seed, 3, condition, protein])
        return rng.random(self.config.cells_per_protein) < self.config.dead

    def seen(self, protein: int, condition: int, rows: slice) -> tuple[Images, Flags]:
        """Return crops of some cells of a protein, (n, 2, size, size), and their masks."""
        config = self.config
        rng = np.random.default_rng([self.seed, 2, condition, protein, rows.start])
        dead = self.dead(protein, condition)[rows]
        cells = self.alone(protein, condition, dead, rng)
        light = with_neighbours(cells.light, cells.anatomy, config.crowding, rng)
        images = imaged(light, self.plates_of(protein)[rows], self.plates, config, rng)
        counts = as_counts(images).astype(np.float32) if config.camera else images
        return counts, cells.anatomy.inside

    def alone(
        self, protein: int, condition: int, dead: Flags, rng: np.random.Generator
    ) -> SingleCells:
        """Return new cells of a protein, one by one, as many as `dead` has values."""
        config, n = self.config, len(dead)
        radius = config.radius * (1 - config.response * condition)
        budding = config.kind == "yeast"
        anatomy = draw_anatomy(n, config.size, radius, rng, budding=budding)
        shade = marker(anatomy)
        light = np.empty((n, 2, config.size, config.size), np.float32)
        light[:, 0] = self._protein(anatomy, protein, self.label(protein, condition), rng)
        light[:, 0] += config.autofluorescence * config.photons * shade
        expression = np.exp(rng.normal(0, config.expression_spread, n)).astype(np.float32)
        light[:, 1] = config.photons * expression[:, None, None] * shade
        glow = _DEAD_BRIGHTNESS * config.photons * np.clip(anatomy.body / anatomy.unit, 0, 1)
        light[dead] = glow[dead, None]
        return SingleCells(anatomy, light)

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
