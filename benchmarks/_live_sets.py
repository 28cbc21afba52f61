"""Simulated sets of the live benchmarks, from faint and small to crowded with ice and carbon."""

from __future__ import annotations

from functools import cache

import numpy as np

from _data import PickingSet, available_sets, load_set
from napari_cryoml.data import ArrayImage
from napari_cryoml.simulate import MicrographConfig, simulate_micrograph

_N_IMAGES = 10
_FIRST_SEED = 1000

CONFIGS = {
    "simulated: faint, small": MicrographConfig(
        shape=(640, 640), diameter=24, pixel_size=5.0, n_particles=220, snr=0.05, symmetry="C1",
        structure=11, coloured_noise=0.15, min_distance=0.8,
    ),
    "simulated: faint, carbon": MicrographConfig(
        shape=(640, 640), diameter=20, pixel_size=5.0, n_particles=250, snr=0.04, symmetry="C2",
        structure=12, coloured_noise=0.1, carbon=0.3, ice=3, fragments=30,
    ),
    "simulated: fragments": MicrographConfig(
        shape=(768, 768), diameter=40, pixel_size=4.0, n_particles=120, snr=0.08, symmetry="D2",
        structure=13, fragments=30, aggregates=3,
    ),
    "simulated: ice, carbon, gold": MicrographConfig(
        shape=(768, 768), diameter=40, pixel_size=4.0, n_particles=80, snr=0.12, symmetry="C4",
        structure=14, carbon=0.5, ice=5, gold=3, aggregates=4, fragments=40,
    ),
}  # fmt: skip


def live_sets() -> list[str]:
    """Return the names of the sets that can be had here."""
    return [name for name in available_sets() if name != "simulated"] + list(CONFIGS)


@cache
def load_live_set(name: str) -> PickingSet:
    """Return a set by its name; the first half of its images trains, the second half tests."""
    return simulated_set(name, CONFIGS[name]) if name in CONFIGS else load_set(name)


def simulated_set(
    name: str, config: MicrographConfig, n_images: int = _N_IMAGES, first_seed: int = _FIRST_SEED
) -> PickingSet:
    """Return a set of micrographs of one structure, made now."""
    images, truth = [], {}
    for number in range(n_images):
        micrograph = simulate_micrograph(config, first_seed + number, name=f"{name} {number}")
        image = ArrayImage(micrograph.image, f"{name} {number}", config.pixel_size)
        images.append(image)
        truth[image.name] = np.asarray(micrograph.picks.positions)
    return PickingSet(name, images, truth, config.diameter)
