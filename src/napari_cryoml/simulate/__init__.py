"""Simulated data that demos, tests and benchmarks run on."""

from napari_cryoml.simulate._cell_fields import (
    CellFieldsConfig,
    SimulatedCellField,
    SimulatedCellFields,
    cell_fields_job,
    simulate_cell_fields,
)
from napari_cryoml.simulate._cell_files import write_cell_field, write_cell_fields, write_cells
from napari_cryoml.simulate._cells import (
    DrawnCells,
    SimulatedCells,
    cells_job,
    simulate_cells,
)
from napari_cryoml.simulate._cells_options import CellsSimulationConfig
from napari_cryoml.simulate._cells_proteome import Proteome
from napari_cryoml.simulate._contaminants import Contaminant
from napari_cryoml.simulate._data_sets import simulate_micrographs, write_micrographs
from napari_cryoml.simulate._density import Complex, random_complex, random_rotations
from napari_cryoml.simulate._density_maps import DensityMap, procedural_maps, read_map
from napari_cryoml.simulate._micrographs import (
    MicrographConfig,
    SimulatedMicrograph,
    simulate_micrograph,
)
from napari_cryoml.simulate._optics import ctf
from napari_cryoml.simulate._subtomogram_files import write_subtomograms, write_tomogram
from napari_cryoml.simulate._subtomograms import (
    EMPTY,
    SimulatedSubtomograms,
    SubtomogramConfig,
    simulate_subtomograms,
)
from napari_cryoml.simulate._tomograms import (
    SimulatedTomogram,
    TomogramConfig,
    simulate_tomogram,
    tomogram_job,
)

__all__ = [
    "EMPTY",
    "CellFieldsConfig",
    "CellsSimulationConfig",
    "Complex",
    "Contaminant",
    "DensityMap",
    "DrawnCells",
    "MicrographConfig",
    "Proteome",
    "SimulatedCellField",
    "SimulatedCellFields",
    "SimulatedCells",
    "SimulatedMicrograph",
    "SimulatedSubtomograms",
    "SimulatedTomogram",
    "SubtomogramConfig",
    "TomogramConfig",
    "cell_fields_job",
    "cells_job",
    "ctf",
    "procedural_maps",
    "random_complex",
    "random_rotations",
    "read_map",
    "simulate_cell_fields",
    "simulate_cells",
    "simulate_micrograph",
    "simulate_micrographs",
    "simulate_subtomograms",
    "simulate_tomogram",
    "tomogram_job",
    "write_cell_field",
    "write_cell_fields",
    "write_cells",
    "write_micrographs",
    "write_subtomograms",
    "write_tomogram",
]
