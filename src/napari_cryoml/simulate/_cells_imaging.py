"""How cells come to lie in an image: neighbours, blur, bleed-through, plates and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml.simulate._cells_anatomy import Anatomy, Images, Numbers
from napari_cryoml.simulate._cells_options import CellsSimulationConfig

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

_OFFSET = 100.0
"""Counts of a camera that sees nothing."""

_MOST_NEIGHBOURS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Plates:
    """How the plates of a simulation were imaged, one number a plate.

    Parameters
    ----------
    gain : array of shape (n, 2)
        Factor on the counts of protein and marker.
    background : array of shape (n, 2)
        Counts outside the cells.
    blur : array of shape (n,)
        Deviation, pixels.
    bleed : array of shape (n,)
        Share of the marker in the protein channel.
    """

    gain: Floats
    background: Floats
    blur: Floats
    bleed: Floats


def draw_plates(config: CellsSimulationConfig, seed: int) -> Plates:
    """Draw how each plate was imaged."""
    rng = np.random.default_rng([seed, 1])
    n, spread = config.plates, config.plate_spread
    return Plates(
        np.exp(rng.normal(0, spread, (n, 2))),
        config.background * np.exp(rng.normal(0, spread, (n, 2))),
        config.blur * np.exp(rng.normal(0, 0.5 * spread, n)),
        config.bleed_through * np.exp(rng.normal(0, spread, n)),
    )


def with_neighbours(
    images: Images, anatomy: Anatomy, crowding: float, rng: np.random.Generator
) -> Images:
    """Return crops into whose border other cells of the same block reach.

    Parameters
    ----------
    images : array of shape (n, C, size, size)
        Light of single cells.
    anatomy : Anatomy
    crowding : float
        Expected number of neighbours.
    rng : Generator
    """
    n = len(images)
    wanted = np.minimum(rng.poisson(crowding, n), _MOST_NEIGHBOURS)
    begin = rng.uniform(0, 2 * np.pi, n)
    # What is outside of all images is dark.
    padded = np.pad(images, ((0, 0), (0, 0), (0, 1), (0, 1)))
    free = (anatomy.body <= 0)[:, None]
    result = images.copy()
    for number in range(int(wanted.max(initial=0))):
        turn = begin + number * 2 * np.pi / _MOST_NEIGHBOURS + rng.uniform(-0.4, 0.4, n)
        ahead = np.stack([np.sin(turn), np.cos(turn)], axis=-1).astype(np.float32)
        others = rng.integers(0, n, n)
        apart = anatomy.reach(ahead) + anatomy.reach(-ahead)[others] + rng.uniform(-1, 3, n)
        shifts = np.rint(apart[:, None] * ahead).astype(np.intp)
        rows = np.flatnonzero(wanted > number)
        result[rows] += _shifted(padded, others[rows], shifts[rows]) * free[rows]
    return result


def _shifted(padded: Images, sources: Rows, shifts: Rows) -> Images:
    """Return images moved by whole pixels, with what is beyond the border of the padding."""
    size = padded.shape[-1] - 1
    index = np.arange(size) - shifts[..., None]
    index = np.where((index < 0) | (index >= size), size, index)
    return padded[
        sources[:, None, None, None],
        np.arange(padded.shape[1])[:, None, None],
        index[:, None, 0, :, None],
        index[:, None, 1, None, :],
    ]


def imaged(
    light: Images,
    rows: Rows,
    plates: Plates,
    config: CellsSimulationConfig,
    rng: np.random.Generator,
) -> Images:
    """Return what the camera makes of the light of cells.

    Parameters
    ----------
    light : array of shape (n, 2, Y, X)
        Counts of protein and marker, sharp, without background.
    rows : array of shape (n,)
        Plate of each.
    plates : Plates
    config : CellsSimulationConfig
    rng : Generator
    """
    light[:, 0] += plates.bleed[rows, None, None].astype(np.float32) * light[:, 1]
    blur = plates.blur[rows] * np.exp(rng.normal(0, config.focus_spread, len(rows)))
    seen = _blurred(light, blur)
    seen *= _illumination(light.shape, rng)
    gain = plates.gain[rows, :, None, None].astype(np.float32)
    seen *= gain
    seen += plates.background[rows, :, None, None].astype(np.float32)
    np.maximum(seen, 0, out=seen)
    noise = rng.standard_normal(seen.shape, np.float32)
    noise *= np.sqrt(seen + np.float32(config.read_noise**2))
    seen += noise
    seen += np.float32(_OFFSET)
    return seen


def as_counts(images: Images) -> npt.NDArray[np.uint16]:
    """Return images as a camera of 16 bits stores them."""
    return np.clip(np.rint(images), 0, 65535).astype(np.uint16)


def _blurred(images: Images, widths: Floats) -> Images:
    """Blur each image by a Gaussian of its own: two products with a band matrix."""
    rows, columns = (_kernel(widths, side)[:, None] for side in images.shape[-2:])
    return np.matmul(np.matmul(rows, images), columns.transpose(0, 1, 3, 2))


def _kernel(widths: Floats, side: int) -> Numbers:
    """Return matrices (n, side, side) that blur along an axis; the border is repeated."""
    grid = np.arange(side, dtype=np.float32)
    wide = np.maximum(widths, 0.05).astype(np.float32)[:, None, None]
    kernel = np.exp(-0.5 * ((grid[:, None] - grid) / wide) ** 2)
    return kernel / kernel.sum(axis=-1, keepdims=True)


def _illumination(shape: tuple[int, ...], rng: np.random.Generator) -> Images:
    """Return a slope of a few percent across each crop, alike in both channels."""
    n, _, height, width = shape
    slopes = rng.normal(0, 0.05, (n, 2)).astype(np.float32)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)
    tilted = 1 + slopes[:, :1, None] * y + slopes[:, 1:, None] * x
    return tilted[:, None]
