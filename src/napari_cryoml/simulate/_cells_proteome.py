"""Made-up proteins: where each is, how it fills its place, and what it works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import Standard
from napari_cryoml.simulate._cells_options import CellsSimulationConfig
from napari_cryoml.simulate._cells_patterns import PATTERNS, Traits

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

N_TRAITS = 6
"""Share of the dominant pattern, and the five of `Traits`."""

_LEVELS = {"bioprocess": 0.8, "pathway": 0.6, "complex": 0.5}
"""How far groups of one level differ within the one above, where the strength is 1."""

_NAMES = tuple(PATTERNS)

_PARTNERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "actin": ("cell periphery", "bud neck", "endosome"),
        "bud neck": ("cell periphery", "actin"),
        "cell periphery": ("vacuole", "ER", "actin", "bud neck"),
        "cytoplasm": ("nucleus", "ER", "vacuolar membrane", "mitochondrion"),
        "endosome": ("Golgi", "vacuolar membrane", "vacuole"),
        "ER": ("nuclear periphery", "Golgi", "cell periphery"),
        "Golgi": ("endosome", "ER", "vacuole"),
        "lipid particle": ("ER", "peroxisome"),
        "microtubule": ("spindle pole", "nucleus"),
        "mitochondrion": ("ER", "nucleus", "peroxisome"),
        "nuclear periphery": ("nucleus", "ER", "spindle pole"),
        "nucleolus": ("nucleus", "nuclear periphery"),
        "nucleus": ("nucleolus", "nuclear periphery", "spindle pole"),
        "peroxisome": ("ER", "lipid particle", "mitochondrion"),
        "spindle pole": ("microtubule", "nucleus", "bud neck"),
        "vacuolar membrane": ("vacuole", "endosome", "cell periphery"),
        "vacuole": ("vacuolar membrane", "Golgi", "ER"),
    }
)

_ABUNDANCE: Mapping[str, float] = MappingProxyType(
    {
        "actin": 0.35,
        "bud neck": 0.2,
        "endosome": 0.25,
        "Golgi": 0.3,
        "lipid particle": 0.2,
        "microtubule": 0.25,
        "nuclear periphery": 0.35,
        "nucleolus": 0.4,
        "nucleus": 0.4,
        "peroxisome": 0.15,
        "spindle pole": 0.1,
        "vacuolar membrane": 0.5,
        "vacuole": 0.5,
    }
)
"""Molecules of a usual protein of a small compartment, over those of one of the cytoplasm."""

_WEIGHTS = {"cytoplasm": 2.5, "nucleus": 2.0, "mitochondrion": 2.0, "ER": 1.5}
"""How often compartments are met, over the usual."""


@dataclass(frozen=True, slots=True, eq=False)
class Proteome:
    """Proteins, one a row, and the terms they are listed under.

    Parameters
    ----------
    names : array of shape (n,)
    classes : tuple of str
    labels : array of shape (n,)
        Dominant compartment of each, a row of `classes`.
    seconds : array of shape (n,)
        The compartment that holds most of the rest, a row of the names of the patterns.
    traits : array of shape (n, 6)
        How each fills its compartment, as normal deviates.
    brightness : array of shape (n,)
        Molecules over those of a usual protein of the cytoplasm.
    plates : array of shape (n, replicates)
        Rows of the plates it is on.
    moved : array of shape (n,)
        Dominant compartment in the second condition.
    groups : mapping of str to array of shape (n,)
        The bioprocess, pathway and complex each protein truly has.
    standards : mapping of str to Standard
        compartment, bioprocess, pathway and complex; all but the first with gaps and mistakes.
    """

    names: npt.NDArray[np.str_]
    classes: tuple[str, ...]
    labels: Rows
    seconds: Rows
    traits: Floats
    brightness: Floats
    plates: Rows
    moved: Rows
    groups: Mapping[str, Rows]
    standards: Mapping[str, Standard]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def moves(self) -> dict[str, tuple[str, str]]:
        """Compartments before and after of the proteins that move in the second condition."""
        rows = np.flatnonzero(self.moved != self.labels)
        return {
            str(self.names[row]): (self.classes[self.labels[row]], self.classes[self.moved[row]])
            for row in rows
        }


def draw_proteome(config: CellsSimulationConfig, seed: int) -> Proteome:
    """Draw proteins, their groups within groups, and the standards that list them.

    A bioprocess lies within a compartment, a pathway within a bioprocess and a complex within a
    pathway; the proteins of a complex fill their compartment nearly alike.
    """
    rng = np.random.default_rng([seed, 0])
    n = config.n_proteins
    labels = _labels(config, rng)
    groups = _groups(config, labels)
    traits = _traits(config, groups, rng)
    names = np.array([f"P{row + 1:0{len(str(n))}d}" for row in range(n)], np.str_)
    abundance = np.array([_ABUNDANCE.get(name, 1.0) for name in config.classes])
    brightness = abundance[labels] * np.exp(rng.normal(0, config.brightness_spread, n))
    return Proteome(
        names,
        config.classes,
        labels,
        _seconds(config, labels, groups["bioprocess"], rng),
        traits,
        brightness,
        np.stack([rng.choice(config.plates, config.replicates, replace=False) for _ in range(n)]),
        _moved(config, labels, rng),
        groups,
        _standards(config, names, labels, groups, rng),
    )


def _labels(config: CellsSimulationConfig, rng: np.random.Generator) -> Rows:
    """Return a class for each protein: each at least once where there are enough proteins."""
    n, k = config.n_proteins, len(config.classes)
    weights = np.array([_WEIGHTS.get(name, 1.0) for name in config.classes])
    rest = rng.choice(k, max(n - k, 0), p=weights / weights.sum())
    return np.sort(np.concatenate([np.arange(min(n, k)), rest]))


def _groups(config: CellsSimulationConfig, labels: Rows) -> dict[str, Rows]:
    """Split each class into bioprocesses, those into pathways, those into complexes."""
    sizes = (config.bioprocess_size, config.pathway_size, config.complex_size)
    above, groups = labels, {}
    for level, size in zip(_LEVELS, sizes, strict=True):
        above = groups[level] = _split(above, size)
    return groups


def _split(above: Rows, size: float) -> Rows:
    """Cut the rows of each value into parts of about a size, and number the parts."""
    found = np.empty_like(above)
    begin = 0
    for value in np.unique(above):
        rows = np.flatnonzero(above == value)
        parts = max(round(len(rows) / size), 1)
        found[rows] = begin + np.arange(len(rows)) * parts // len(rows)
        begin += parts
    return found


def _traits(
    config: CellsSimulationConfig, groups: Mapping[str, Rows], rng: np.random.Generator
) -> Floats:
    traits = rng.normal(0, config.protein_spread, (config.n_proteins, N_TRAITS))
    for level, spread in _LEVELS.items():
        rows = groups[level]
        offsets = rng.normal(0, spread * config.function_strength, (rows.max() + 1, N_TRAITS))
        traits += offsets[rows]
    return traits


def _seconds(
    config: CellsSimulationConfig, labels: Rows, bioprocesses: Rows, rng: np.random.Generator
) -> Rows:
    """Return the second compartment of each protein; proteins of one bioprocess share it."""
    draws = rng.random(bioprocesses.max() + 1)
    found = []
    for label, bioprocess in zip(labels, bioprocesses, strict=True):
        partners = _PARTNERS[config.classes[label]]
        found.append(_NAMES.index(partners[int(draws[bioprocess] * len(partners))]))
    return np.array(found, np.intp)


def _moved(config: CellsSimulationConfig, labels: Rows, rng: np.random.Generator) -> Rows:
    moved = labels.copy()
    k = len(config.classes)
    n_moving = round(config.moving * len(labels)) if config.conditions == 2 else 0
    rows = rng.choice(len(labels), n_moving, replace=False)
    if n_moving:
        moved[rows] = (labels[rows] + rng.integers(1, k, n_moving)) % k
    return moved


def _standards(
    config: CellsSimulationConfig,
    names: npt.NDArray[np.str_],
    labels: Rows,
    groups: Mapping[str, Rows],
    rng: np.random.Generator,
) -> dict[str, Standard]:
    classes = np.array(config.classes)[labels]
    standards = {"compartment": Standard("compartment", _terms(classes, names))}
    for level, rows in groups.items():
        listed = np.where(rng.random(len(rows)) < config.misannotated, rng.permutation(rows), rows)
        kept = rng.random(len(rows)) >= config.unannotated
        width = len(str(rows.max() + 1))
        terms = np.array([f"{level} {row + 1:0{width}d}" for row in listed])
        standards[level] = Standard(level, _terms(terms[kept], names[kept]))
    return standards


def _terms(terms: npt.NDArray[np.str_], names: npt.NDArray[np.str_]) -> dict[str, frozenset[str]]:
    return {str(term): frozenset(names[terms == term].tolist()) for term in np.unique(terms)}


def shares_of(deviates: Floats) -> Floats:
    """Return the share of the dominant pattern for rows of trait deviates, 0.5 to 0.95."""
    return np.asarray(0.5 + 0.45 / (1 + np.exp(-deviates[:, 0] - 0.7)))


def traits_of(deviates: Floats) -> Traits:
    """Return the traits that rows of deviates stand for."""
    _, count, extent, width, polarity, clumping = deviates.T.astype(np.float32)
    return Traits(
        count=np.exp(0.4 * np.clip(count, -3, 3)),
        extent=np.exp(0.25 * np.clip(extent, -3, 3)),
        width=np.exp(0.22 * np.clip(width, -3, 3)),
        polarity=np.tanh(0.8 * polarity),
        clumping=1 / (1 + np.exp(-1.2 * clumping)),
    )
