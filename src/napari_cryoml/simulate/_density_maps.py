"""Density maps of complexes on one grid: the models that tomograms are simulated from."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import fft

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.io import open_image
from napari_cryoml.simulate._density import random_complex
from napari_cryoml.simulate._structures import (
    is_structure,
    read_atoms,
    splat,
)

Floats = npt.NDArray[np.float64]

_BODY = 0.1
"""What is denser than this share of the largest value belongs to the complex."""
_MOST_CUT = 0.01
_MOST_PADDING = 64
_SYMMETRIES = ("C1", "D7", "C3", "D2", "C6", "C2", "D4", "C8", "D3", "C5", "C4", "D5")


@dataclass(frozen=True, slots=True, eq=False)
class DensityMap:
    """The density of one complex: bright, on ground 0, its centre of mass on voxel ``n // 2``.

    Parameters
    ----------
    array : array of shape (z, y, x), float32
        Of root mean square 1 as `read_map` and `procedural_maps` make it, so that maps of any
        scale are alike.
    pixel_size : float
        Angstrom per voxel.
    name : str
        What the class is called.
    """

    array: npt.NDArray[np.float32]
    pixel_size: float
    name: str

    def __post_init__(self) -> None:
        array = np.asarray(self.array, np.float32)
        if array.ndim != 3 or not np.isfinite(array).all() or not array.any():
            raise InputError(
                f"The map {self.name!r} must be a volume of finite numbers that are not all 0; "
                f"{_fault(array)} was given: mask it, or choose another."
            )
        if not (np.isfinite(self.pixel_size) and self.pixel_size > 0):
            raise InputError(
                f"The map {self.name!r} needs the size of its voxels in angstrom; "
                f"{self.pixel_size} was given."
            )
        object.__setattr__(self, "array", array)

    @property
    def radius(self) -> float:
        """Voxels from the centre to the outermost voxel of the body, half a voxel more."""
        body = self.array > _BODY * self.array.max()
        offsets = np.argwhere(body) - np.asarray(self.array.shape) // 2
        return float(np.linalg.norm(offsets, axis=1).max()) + 0.5

    def fitted(self, pixel_size: float, box: int | None = None) -> DensityMap:
        """Return the map on another grid, centred and scaled.

        The ground (the median of the faces of the box) becomes 0, the spectrum is cut or
        continued with zeros to the new grid, and the centre of mass of what is denser than a
        tenth of the largest value falls on voxel ``box // 2``.

        Parameters
        ----------
        pixel_size : float
            Angstrom per voxel.
        box : int, optional
            Voxels a side; by default the complex and a quarter more.

        Raises
        ------
        InputError
            If the map is 0 within the box.

        Warns
        -----
        InputWarning
            If more than a hundredth of the density (its squares) does not fit into the box.
        """
        values = self.array - _ground(self.array)
        moved = _resampled(values, self.pixel_size / pixel_size, _centre_of_mass(values))
        fine = DensityMap(moved, pixel_size, self.name)
        size = 2 * int(np.ceil(1.25 * fine.radius)) if box is None else box
        cut = boxed(moved, size)
        _check_cut(fine, cut, size)
        scale = np.sqrt(np.mean(np.square(cut, dtype=np.float64)))
        return replace(fine, array=cut / np.float32(scale))


def _fault(array: npt.NDArray[np.float32]) -> str:
    """Return what an array is that is no map."""
    if array.ndim != 3:
        return f"an array of shape {array.shape}"
    n_odd = int((~np.isfinite(array)).sum())
    return f"one with {n_odd} others" if n_odd else "one that is the same everywhere"


def read_map(
    path: str | Path,
    pixel_size: float | None = None,
    box: int | None = None,
    *,
    resolution: float | None = None,
) -> DensityMap:
    """Read the density of a complex from a map or from an atomic structure.

    Of a structure, the first biological assembly is built where the file lists one; waters are
    left out. Each atom is a Gaussian whose integral is the atom's scattering of electrons.

    Parameters
    ----------
    path : path
        MRC or CCP4 (.mrc, .map, .ccp4), PDB (.pdb, .ent) or mmCIF (.cif), also as .gz.
    pixel_size : float, optional
        Angstrom per voxel wanted; by default that of the map, or 10 for a structure.
    box : int, optional
        Voxels a side; by default the complex and a quarter more.
    resolution : float, optional
        Angstrom, for a structure: a Gaussian of deviation ``resolution / (pi sqrt 2)`` stands
        for an atom. By default two voxels, the finest that the grid can hold.

    Returns
    -------
    DensityMap
        Named after the file; see `DensityMap.fitted` for what is done to it.

    Raises
    ------
    InputError
        If the file cannot be read, holds no volume or no atoms, or says no voxel size.

    Warns
    -----
    InputWarning
        If the complex does not fit into the box.
    """
    source = Path(path).expanduser()
    name = source.name.removesuffix(".gz").rpartition(".")[0] or source.name
    if is_structure(source):
        fine = 10.0 if pixel_size is None else pixel_size
        atoms, weights = read_atoms(source)
        sigma = (resolution or 2 * fine) / (np.pi * np.sqrt(2)) / fine
        return DensityMap(splat(atoms / fine, weights, sigma), fine, name).fitted(fine, box)
    given = _read_volume(source, name)
    return given.fitted(given.pixel_size if pixel_size is None else pixel_size, box)


def procedural_maps(n: int, box: int, pixel_size: float, seed: int = 0) -> list[DensityMap]:
    """Make up `n` complexes that differ in size, symmetry and shape.

    Parameters
    ----------
    n : int
        How many.
    box : int
        Voxels a side. The complexes are 0.35 to 0.65 of it wide, so that they fit when they are
        shifted by a few voxels.
    pixel_size : float
        Angstrom per voxel.
    seed : int
        The same seed gives the same complexes.

    Returns
    -------
    list of DensityMap
        Named ``complex_01`` and so on.
    """
    if n < 1 or box < 8:
        raise InputError(
            f"Made-up complexes need a number of 1 or more and a box of 8 voxels or more; "
            f"{n} and {box} were given."
        )
    rng = np.random.default_rng([seed, 17])
    diameters = rng.permutation(np.linspace(0.35, 0.65, n)) * box
    return [
        _made_up(f"complex_{number + 1:02d}", number, float(diameter), box, pixel_size, rng)
        for number, diameter in enumerate(diameters)
    ]


def _made_up(
    name: str, number: int, diameter: float, box: int, pixel_size: float, rng: np.random.Generator
) -> DensityMap:
    """Return one complex, squeezed along its axis or across it so that outlines differ too."""
    symmetry = _SYMMETRIES[number % len(_SYMMETRIES)]
    body = random_complex(diameter, symmetry, int(rng.integers(2**31)))
    along, across = (1.0, rng.uniform(0.5, 1.0))[:: rng.choice((-1, 1))]
    squeezed = replace(
        body, centres=body.centres * (along, across, across), sigma=max(body.sigma, 0.6)
    )
    density = squeezed.density((box,) * 3, np.full(3, box // 2))
    return DensityMap(density.astype(np.float32), pixel_size, name).fitted(pixel_size, box)


def boxed(array: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
    """Return a volume cut or padded with 0 to `size` voxels a side, centre on centre (n // 2)."""
    out = np.zeros((size,) * 3, np.float32)
    pairs = [_overlap(length, size) for length in array.shape]
    out[tuple(to for _, to in pairs)] = array[tuple(source for source, _ in pairs)]
    return out


def _overlap(old: int, new: int) -> tuple[slice, slice]:
    """Return what of an axis is taken, and where it goes, if centres fall on each other."""
    start = old // 2 - new // 2
    first, last = max(start, 0), min(start + new, old)
    return slice(first, last), slice(first - start, last - start)


def _read_volume(path: Path, name: str) -> DensityMap:
    image = open_image(path)
    if len(image.shape) != 3:
        shape = " x ".join(map(str, image.shape))
        raise InputError(
            f"{path.name} holds an image of {shape} pixels: a density map has three axes."
        )
    if not image.pixel_size:
        raise InputError(
            f"{path.name} says no voxel size: write it into the header, in angstrom per voxel."
        )
    return DensityMap(np.asarray(image.read(), np.float32), image.pixel_size, name)


def _ground(array: npt.NDArray[np.float32]) -> np.float32:
    faces = [np.take(array, side, axis).ravel() for axis in range(3) for side in (0, -1)]
    return np.float32(np.median(np.concatenate(faces)))


def _centre_of_mass(values: npt.NDArray[np.float32]) -> Floats:
    body = np.where(values > _BODY * values.max(), values, 0).astype(np.float64)
    total = body.sum()
    if total <= 0:
        return np.asarray([length // 2 for length in values.shape], np.float64)
    profiles = [body.sum(axis=tuple({0, 1, 2} - {axis})) for axis in range(3)]
    return np.asarray([profile @ np.arange(len(profile)) for profile in profiles]) / total


def _resampled(
    values: npt.NDArray[np.float32], ratio: float, centre: Floats
) -> npt.NDArray[np.float32]:
    """Return `values` with `ratio` new voxels for an old one, `centre` on the middle voxel."""
    size, new = _grids(max(values.shape) + 2, ratio)
    padded = np.zeros((size,) * 3, np.float32)
    padded[tuple(slice(0, length) for length in values.shape)] = values
    spectrum = fft.fftn(padded)
    for axis in range(3):
        # The centre goes to voxel 0, where it stays while the spectrum is cut.
        phase = np.exp(2j * np.pi * fft.fftfreq(size) * centre[axis])
        spectrum *= np.expand_dims(phase, tuple({0, 1, 2} - {axis}))
    kept = np.zeros((new,) * 3, np.complex64)
    half = (min(size, new) - 1) // 2
    low = np.r_[0 : half + 1, -half:0]
    kept[np.ix_(low, low, low)] = spectrum[np.ix_(low, low, low)]
    moved = fft.ifftn(kept).real * (new / size) ** 3
    return np.asarray(fft.fftshift(moved), np.float32)


def _grids(least: int, ratio: float) -> tuple[int, int]:
    """Return lengths of the old and the new grid, `least` or more, whose quotient is `ratio`."""
    lengths = np.arange(least, least + _MOST_PADDING)
    wanted = np.round(lengths * ratio)
    error = np.abs(wanted / lengths / ratio - 1)
    best = int(np.argmax(error <= max(error.min(), 1e-4)))
    return int(lengths[best]), max(int(wanted[best]), 4)


def _check_cut(whole: DensityMap, cut: npt.NDArray[np.float32], box: int) -> None:
    energy = float(np.sum(np.square(cut, dtype=np.float64)))
    lost = 1 - energy / float(np.sum(np.square(whole.array, dtype=np.float64)))
    if energy <= 0:
        raise InputError(f"Nothing of {whole.name!r} lies within a box of {box} voxels.")
    if lost > _MOST_CUT:
        warnings.warn(
            f"{whole.name} does not fit into a box of {box} voxels of {whole.pixel_size:g} "
            f"angstrom: {lost:.0%} of it is cut away; a box of {2 * int(np.ceil(whole.radius))} "
            "would hold it.",
            InputWarning,
            stacklevel=4,
        )
