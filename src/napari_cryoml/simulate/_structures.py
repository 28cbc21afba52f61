"""Atomic structures as densities."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError

Floats = npt.NDArray[np.float64]

STRUCTURE_SUFFIXES = (".pdb", ".ent", ".cif", ".mmcif")
_REACH = 4.0
"""Deviations beyond which a Gaussian is nothing."""


def is_structure(path: Path) -> bool:
    """Say whether a file is an atomic structure by its name; .gz is looked through."""
    return path.name.lower().removesuffix(".gz").endswith(STRUCTURE_SUFFIXES)


def read_atoms(path: Path) -> tuple[Floats, Floats]:
    """Return where the atoms of a structure are, and how strongly they scatter electrons.

    Parameters
    ----------
    path : Path
        PDB or mmCIF, also as .gz. The first model is read, as its first biological assembly
        where the file lists one. Waters are left out.

    Returns
    -------
    positions : array of shape (n, 3)
        Angstrom zyx.
    weights : array of shape (n,)
        Scattering factors at frequency 0 (Peng 1996; gemmi's table), times the occupancies.

    Raises
    ------
    InputError
        If the file cannot be read or holds no atoms.
    """
    model = _model(path)
    atoms = [
        (atom.pos.z, atom.pos.y, atom.pos.x, atom.occ * sum(atom.element.c4322.a))
        for chain in model
        for residue in chain
        if not residue.is_water()
        for atom in residue
    ]
    table = np.asarray(atoms, np.float64).reshape(-1, 4)
    table = table[np.isfinite(table).all(axis=1) & (table[:, 3] > 0)]
    if not len(table):
        raise InputError(f"{path.name} holds no atoms: choose a file of a structure's coordinates.")
    return table[:, :3], table[:, 3]


def _model(path: Path) -> Any:
    import gemmi

    if not path.is_file():
        raise InputError(f"{path} was not found: check the path.")
    try:
        structure = gemmi.read_structure(str(path))
    except (RuntimeError, ValueError, OSError) as error:
        raise InputError(
            f"{path.name} cannot be read as PDB or mmCIF ({error}): save it again from the "
            "Protein Data Bank."
        ) from error
    if not len(structure):
        raise InputError(f"{path.name} holds no atoms: choose a file of a structure's coordinates.")
    if not structure.assemblies:
        return structure[0]
    how = gemmi.HowToNameCopiedChain.AddNumber
    return gemmi.make_assembly(structure.assemblies[0], structure[0], how)


def splat(positions: Floats, weights: Floats, sigma: float) -> npt.NDArray[np.float32]:
    """Return a sum of Gaussians on a grid that holds them all.

    Parameters
    ----------
    positions : array of shape (n, 3)
        Voxels zyx; only differences count: the grid begins where the first Gaussian does.
    weights : array of shape (n,)
        Integrals.
    sigma : float
        Deviation, voxels.

    Returns
    -------
    array of shape (z, y, x)
        What lies at ``positions.min(axis=0)`` falls on voxel ``ceil(4 sigma) + 1`` of each axis.
    """
    reach = int(np.ceil(_REACH * sigma))
    placed = positions - positions.min(axis=0) + reach + 1
    shape = tuple(int(length) for length in np.ceil(placed.max(axis=0)).astype(int) + reach + 2)
    nearest = np.rint(placed).astype(np.intp)
    steps = np.arange(-reach, reach + 1)
    # One factor an axis: the Gaussian of every atom on the voxels around its own.
    away = (nearest - placed)[:, :, None] + steps
    factors = np.exp(-np.square(away / sigma) / 2)
    factors /= factors.sum(axis=2, keepdims=True)
    out = np.zeros(int(np.prod(shape)))
    for z, y, x in product(range(len(steps)), repeat=3):
        value = weights * factors[:, 0, z] * factors[:, 1, y] * factors[:, 2, x]
        index = np.ravel_multi_index((nearest + steps[[z, y, x]]).T, shape)
        out += np.bincount(index, value, minlength=len(out))
    return out.reshape(shape).astype(np.float32)
