"""Simulated data that demos, tests and benchmarks run on."""

from napari_cryoml.simulate._contaminants import Contaminant
from napari_cryoml.simulate._data_sets import simulate_micrographs, write_micrographs
from napari_cryoml.simulate._density import Complex, random_complex, random_rotations
from napari_cryoml.simulate._micrographs import (
    MicrographConfig,
    SimulatedMicrograph,
    simulate_micrograph,
)
from napari_cryoml.simulate._optics import ctf

__all__ = [
    "Complex",
    "Contaminant",
    "MicrographConfig",
    "SimulatedMicrograph",
    "ctf",
    "random_complex",
    "random_rotations",
    "simulate_micrograph",
    "simulate_micrographs",
    "write_micrographs",
]
