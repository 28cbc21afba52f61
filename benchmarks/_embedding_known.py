"""Vectors of rows whose classes are known: digits, and simulated picks of three species."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import ArrayImage, Picks, PicksTable
from napari_cryoml.embedding import encoders, extract
from napari_cryoml.jobs import run_inline
from napari_cryoml.preprocess import PickCrops
from napari_cryoml.simulate import (
    Complex,
    MicrographConfig,
    random_complex,
    simulate_micrograph,
)

MIXTURES = {
    "species of one size, SNR 0.15": ((40.0, 40.0, 40.0), 0.15),
    "species of three sizes, SNR 0.15": ((40.0, 32.0, 25.0), 0.15),
    "species of three sizes, SNR 0.5": ((40.0, 32.0, 25.0), 0.5),
}
"""Diameters in pixels of the species that lie in the same micrographs, and the SNR of the first."""

_SYMMETRIES = ("C1", "D2", "C4")
_N_IMAGES = 6
# Fragments and heaps are bits of a species: those of three would lie at one place.
_CONFIG = MicrographConfig(
    shape=(768, 768), diameter=40, n_particles=120, min_distance=1.2, fragments=0, aggregates=0
)
_JITTER = 0.04
_K = 10


@dataclass(frozen=True, slots=True, eq=False)
class KnownSet:
    """Vectors, and the class of each.

    Parameters
    ----------
    name : str
        Draws of the same kind of set share it.
    vectors : array of shape (n, d)
    kinds : array of shape (n,), str
    """

    name: str
    vectors: npt.NDArray[np.floating]
    kinds: npt.NDArray[np.str_]

    @property
    def names(self) -> list[str]:
        """The classes."""
        return [str(name) for name in np.unique(self.kinds)]

    def draw(self, name: str, count: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
        """Return rows of a class at random."""
        return rng.choice(np.flatnonzero(self.kinds == name), count, replace=False)

    def purity(self) -> float:
        """Return which share of the ten nearest neighbours of a row is of its class."""
        from sklearn.neighbors import NearestNeighbors

        table = self.vectors.astype(np.float32)
        nearest = NearestNeighbors(n_neighbors=_K).fit(table).kneighbors(return_distance=False)
        return float((self.kinds[nearest] == self.kinds[:, None]).mean())


def known_sets(seeds: int) -> list[KnownSet]:
    """Return the digits, and of each mixture as many sets as there are seeds."""
    return [digits(), *(mixture(name, seed) for name in MIXTURES for seed in range(seeds))]


def by_name(sets: Iterable[KnownSet]) -> Iterator[tuple[str, list[KnownSet]]]:
    """Yield the sets of one name together."""
    every = list(sets)
    for name in dict.fromkeys(each.name for each in every):
        yield name, [each for each in every if each.name == name]


@cache
def digits() -> KnownSet:
    """Return 1797 digits of 8 x 8 pixels."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return KnownSet("digits", found.data.astype(np.float32), found.target.astype(str))


@cache
def mixture(name: str, seed: int) -> KnownSet:
    """Return the vectors of simulated picks of three species, as the explorer makes them."""
    diameters, snr = MIXTURES[name]
    species = [
        random_complex(diameter, symmetry, len(_SYMMETRIES) * seed + number)
        for number, (diameter, symmetry) in enumerate(zip(diameters, _SYMMETRIES, strict=True))
    ]
    # Small ones are as strong a pixel as large ones.
    strengths = [snr * (diameter / _CONFIG.diameter) ** 2 for diameter in diameters]
    rng = np.random.default_rng(seed)
    made = [
        _mixed(species, strengths, 1000 * (seed + 1) + number, rng) for number in range(_N_IMAGES)
    ]
    images, tables = zip(*made, strict=True)
    crops = PickCrops(images, PicksTable.of(tables), round(1.5 * _CONFIG.diameter))
    found = run_inline(extract(crops, encoders.create("live", keep=False), columns=crops.columns))
    return KnownSet(name, found.vectors, np.asarray(found.table["species"]).astype(str))


def _mixed(
    species: Sequence[Complex], snrs: Sequence[float], seed: int, rng: np.random.Generator
) -> tuple[ArrayImage, Picks]:
    """Return a micrograph in which each particle is of one species or another.

    Micrographs of one seed have the same places, turns, lens, ice and noise; each pixel is that of
    the species of the nearest particle.
    """
    from scipy.spatial import KDTree

    ones = [
        simulate_micrograph(_CONFIG.model_copy(update={"snr": snr}), seed, species=each)
        for each, snr in zip(species, snrs, strict=True)
    ]
    truth = ones[0].picks.positions
    kind = rng.integers(len(species), size=len(truth))
    _, nearest = KDTree(truth).query(np.moveaxis(np.indices(_CONFIG.shape), 0, -1))
    pixels = np.choose(kind[nearest], [each.image for each in ones])
    places = truth + rng.normal(0, _JITTER * _CONFIG.diameter, truth.shape)
    picks = Picks(
        f"micrograph {seed}",
        places.clip(0, np.array(_CONFIG.shape) - 1),
        columns={"species": np.array(_SYMMETRIES)[kind]},
        diameter=_CONFIG.diameter,
    )
    return ArrayImage(pixels, picks.image, _CONFIG.pixel_size), picks
