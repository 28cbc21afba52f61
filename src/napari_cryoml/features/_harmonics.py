"""Rotation-invariant features: what rings around each place hold of each angular order."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_cryoml._registry import Config
from napari_cryoml.features._angular import angular_harmonics, radial_transform
from napari_cryoml.features._band import Band

if TYPE_CHECKING:
    import torch

FEATURES_VERSION = 2
"""Counted up when features change, so that cached ones are made again."""

_REACH = 3.0
"""Margin around the image in particle radii: the outermost ring and its width."""
_TABLE = 1024
_SAMPLES = 400
_WINDOW = 1.0
"""Standard deviation of the window of the local deviation, in particle radii."""
_FLAT = 0.05
"""Least local deviation that a response is divided by, as a share of that of the image."""


class HarmonicsConfig(Config):
    """Which rings and angular orders are measured."""

    ndim: Literal[2, 3] = Field(2, description="2 for micrographs, 3 for tomograms.")
    radii: tuple[float, ...] = Field(
        (0.0, 0.35, 0.7, 1.05, 1.4, 2.0),
        min_length=1,
        description="Radii of the rings in particle radii; 0 is a blob in the middle.",
    )
    width: float = Field(
        0.23, gt=0, le=1, description="Standard deviation of a ring's profile in particle radii."
    )
    orders: tuple[int, ...] = Field(
        (0, 1, 2, 3, 4, 6), min_length=1, description="Angular orders (2-D) or degrees (3-D)."
    )
    stride: int = Field(2, ge=1, le=4, description="Working pixels per grid point.")

    @property
    def kernels(self) -> list[tuple[float, int]]:
        """Radius and order of each kernel; a blob in the middle has order 0 alone."""
        return [(r, m) for m in self.orders for r in self.radii if r > 0 or m == 0]

    @property
    def n_channels(self) -> int:
        """Number of features of a grid point."""
        return 2 * len(self.kernels) + 1


def harmonic_features(
    working: npt.NDArray[np.float32],
    radius_px: float,
    config: HarmonicsConfig,
    *,
    device: torch.device | str = "cpu",
) -> npt.NDArray[np.float32]:
    """Return the responses of an image to ring-weighted angular harmonics.

    For each ring ``g(r) = exp(-(r - r_j)^2 / 2 w^2)``, scaled to integral 1, and each order, the
    image is correlated with g times the harmonics of that order (cosine and sine in 2-D, the
    spherical harmonics of one degree in 3-D). The norm over them does not change when the image
    is turned; order 0 keeps its sign. All of them are given twice: as they are, and divided by
    the local standard deviation of the image, which makes them blind to a change of contrast.
    The last channel is the logarithm of that deviation.

    Parameters
    ----------
    working : array of shape (y, x) or (z, y, x)
        Normalised image; mirrored beyond its borders.
    radius_px : float
        Particle radius in pixels of `working`.
    config : HarmonicsConfig
    device : torch.device or str, default "cpu"

    Returns
    -------
    array of shape (config.n_channels, gy, gx) or (config.n_channels, gz, gy, gx), float32
        Grid point i lies at pixel ``stride * i``; the grid has ``ceil(size / stride)`` points.

    References
    ----------
    2-D: circular-harmonic filters (Hsu and Arsenault 1982, Appl. Opt. 21, 4016). 3-D: the power
    per degree of Xu et al. 2009 (rotation-invariant features), at every voxel.
    """
    grid = tuple(-(-size // config.stride) for size in working.shape)
    features = np.empty((config.n_channels, *grid), np.float32)
    for channel, values in harmonic_channels(working, radius_px, config, device=device):
        features[channel] = values.cpu().numpy()
    return features


def harmonic_channels(
    working: npt.NDArray[np.float32],
    radius_px: float,
    config: HarmonicsConfig,
    *,
    device: torch.device | str = "cpu",
) -> Iterator[tuple[int, torch.Tensor]]:
    """Yield the channels of `harmonic_features` one by one: those of a volume fill the memory.

    Parameters
    ----------
    working, radius_px, config, device
        As for `harmonic_features`.

    Yields
    ------
    int
        Number of the channel; they do not come in order.
    Tensor of shape (gy, gx) or (gz, gy, gx), float32
    """
    import torch

    band = Band.of(working.shape, config.stride, _REACH * radius_px)
    image = torch.from_numpy(band.pad(np.asarray(working, np.float32))).to(torch.device(device))
    spectrum = band.crop(torch.fft.rfftn(image))
    deviation = _local_deviation(image, spectrum, band, radius_px)
    del image
    n_kernels = len(config.kernels)
    for kernel, plain in enumerate(_responses(spectrum, band, radius_px, config)):
        yield kernel, plain
        yield n_kernels + kernel, plain / deviation
    yield 2 * n_kernels, torch.log(deviation)


def _responses(
    spectrum: torch.Tensor, band: Band, radius_px: float, config: HarmonicsConfig
) -> Iterator[torch.Tensor]:
    """Yield one channel for each kernel, in the order of `HarmonicsConfig.kernels`."""
    import torch

    bins = band.bins(_TABLE).to(spectrum.device)
    for order in config.orders:
        basis = [
            torch.from_numpy(part.astype(np.float32)).to(spectrum.device) * spectrum
            for part in angular_harmonics(band.directions(), order)
        ]
        for radius in config.radii:
            if radius == 0 and order > 0:
                continue
            table = _radial_table(radius * radius_px, config.width * radius_px, order, config.ndim)
            gain = torch.from_numpy(table).to(spectrum.device)[bins]
            # (-i)^order makes the response to an odd harmonic real.
            parts = (band.inverse(part * gain * (-1j) ** order) for part in basis)
            yield next(parts) if order == 0 else _norm(parts)


def _norm(parts: Iterator[torch.Tensor]) -> torch.Tensor:
    """Return the root of the sum of the squares of some responses."""
    total = next(parts).square()
    for part in parts:
        total.addcmul_(part, part)
    return total.sqrt_()


@functools.lru_cache(maxsize=256)
def _radial_table(
    radius_px: float, width_px: float, order: int, ndim: int
) -> npt.NDArray[np.float32]:
    """Return the transform of a ring of integral 1 at `_TABLE` frequencies from 0 to 1."""
    distance = np.linspace(0, radius_px + 5 * width_px, _SAMPLES)
    profile = np.exp(-np.square(distance - radius_px) / (2 * width_px**2))
    shell = 2 * (ndim - 1) * np.pi * distance ** (ndim - 1) * distance[1]
    profile /= profile @ shell
    frequency = np.arange(_TABLE) / _TABLE
    return radial_transform(profile, distance, frequency, order, ndim).astype(np.float32)


def _local_deviation(
    image: torch.Tensor, spectrum: torch.Tensor, band: Band, radius_px: float
) -> torch.Tensor:
    """Return the standard deviation of the image about each grid point, under a Gaussian."""
    import torch

    length = torch.from_numpy(band.length.astype(np.float32)).to(image.device)
    window = torch.exp(-2 * (np.pi * _WINDOW * radius_px * length) ** 2)
    mean = band.inverse(spectrum * window)
    square = band.inverse(band.crop(torch.fft.rfftn(image**2)) * window)
    least = (_FLAT * float(image.std())) ** 2
    return (square - mean**2).clamp_(min=max(least, 1e-12)).sqrt_()
