"""live: what the live picker sees at a pick, and the rings of its crop."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_cryoml import __version__
from napari_cryoml._errors import InputError
from napari_cryoml.data import Crops, ImageSource
from napari_cryoml.embedding._encoder import CropEncoderConfig, encoders
from napari_cryoml.embedding._ring_vectors import ring_vectors
from napari_cryoml.embedding._sources import check_sources, over_images
from napari_cryoml.features import (
    FEATURES_VERSION,
    FeatureCache,
    FeatureMap,
    user_cache_folder,
)
from napari_cryoml.picking.live import LiveConfig

Floats = npt.NDArray[np.float32]

_RINGS = 12
_ORDERS = 6
_REACH_IN_RADII = 1.05
_USUAL_RESPONSE = 0.2
"""Deviation of an analytic channel in an image."""
_ANALYTIC_WEIGHT = 0.15


@encoders.register("live")
class LiveEncoderConfig(CropEncoderConfig):
    """For picks: the channels of the live picker at a pick, and the rings of its crop."""

    diameter: float | None = Field(
        None,
        gt=0,
        description="Particle diameter in pixels of the image; none for that of the picks.",
    )
    pixel_size: float | None = Field(
        None,
        gt=0,
        description="Angstrom per pixel that the diameter is given in; images sampled otherwise "
        "are brought to the same scale. None for that of the images, if they agree.",
    )
    learned: bool = Field(
        True, description="Use the learned channels of the live picker (micrographs only)."
    )
    mask_borders: bool = Field(
        True, description="Leave padding and repeated borders out of what is usual in an image."
    )
    rings: float = Field(
        0.3,
        ge=0,
        le=10,
        description="Weight of the rings of the crop beside the channels; 0 leaves them out.",
    )
    keep: bool = Field(
        True, description="Keep features of images on disk, where the live picker finds them."
    )
    device: str = Field("auto", description="Where features are computed: auto, cpu, cuda, mps.")

    @classmethod
    def of(cls, live: LiveConfig) -> LiveEncoderConfig:
        """Return the encoder that sees what a live picker of these options sees."""
        return cls(
            diameter=live.diameter,
            pixel_size=live.pixel_size,
            learned=live.encoder,
            mask_borders=live.mask_borders,
            device=live.device,
        )

    def state(self) -> str:
        """Return the versions of the features and of the package, which holds learned weights."""
        return f"{FEATURES_VERSION} {__version__}"

    def check(self, crops: Crops) -> None:
        """Refuse crops without images, or picks of unknown diameter."""
        check_sources(crops, self.name)
        self.live(crops)

    def live(self, crops: Crops) -> LiveConfig:
        """Return the options of the live picker that sees the same.

        Raises
        ------
        InputError
            If the diameter is neither an option nor known to the crops.
        """
        diameter = self.diameter or getattr(crops, "diameter", None)
        if not diameter:
            raise InputError(
                "The diameter of the particles is not known: give the encoder a diameter, in "
                "pixels of the image."
            )
        return LiveConfig(
            diameter=float(diameter),
            pixel_size=self.pixel_size or _pixel_size(crops),
            ndim=3 if len(crops.shape) == 3 else 2,
            encoder=self.learned,
            mask_borders=self.mask_borders,
            device=self.device,
        )

    def build(self) -> LiveEncoder:
        """Return the encoder."""
        return LiveEncoder(self, FeatureCache(folder=user_cache_folder() if self.keep else None))


@dataclass(frozen=True)
class LiveEncoder:
    """Channels at sub-pixel places of feature maps, then rings of crops.

    The learned channels are used where there are some, else the analytic ones, whose outliers
    are drawn in. Rings see the crop, at the sampling of the image unless crops are reduced, and
    tell apart what looks alike on the working grid.

    Parameters
    ----------
    config : LiveEncoderConfig
    cache : FeatureCache
        Where features are looked for first.
    """

    config: LiveEncoderConfig
    cache: FeatureCache = field(default_factory=FeatureCache)

    def encode(self, crops: Crops, rows: npt.ArrayLike) -> Floats:
        """Return the vectors of some crops; see `CropEncoder.encode`."""
        live = self.config.live(crops)

        def encode(image: ImageSource, rows: npt.NDArray[np.intp]) -> Floats:
            parts = [self._channels(image, live, _positions(crops, rows))]
            if self.config.rings > 0:
                reach = _reach(crops, live.diameter_in(image))
                parts.append(
                    self.config.rings * ring_vectors(crops.read(rows), _RINGS, _ORDERS, reach)
                )
            return np.concatenate(parts, axis=1)

        return over_images(crops, rows, encode)

    def _channels(
        self, image: ImageSource, live: LiveConfig, positions: npt.NDArray[np.float64]
    ) -> Floats:
        from napari_cryoml.picking.live import LivePicker

        features = LivePicker.of([image], self.cache).features(image.name, live)
        n_analytic = live.harmonics().n_channels
        if features.n_channels > n_analytic:
            return interpolated(features, positions, slice(n_analytic, None))
        analytic = interpolated(features, positions, slice(None))
        return np.asarray(_ANALYTIC_WEIGHT * np.arcsinh(analytic / _USUAL_RESPONSE), np.float32)


def interpolated(
    features: FeatureMap, positions: npt.NDArray[np.float64], channels: slice
) -> Floats:
    """Return features at any places of an image, linear between grid points.

    Parameters
    ----------
    features : FeatureMap
    positions : array of shape (n, ndim)
        Image pixel (z)yx; beyond the grid, its border is repeated.
    channels : slice

    Returns
    -------
    array of shape (n, channels), float32
    """
    last = np.asarray(features.grid) - 1
    place = np.clip(features.to_grid(positions), 0, last)
    below = np.minimum(np.floor(place).astype(np.intp), np.maximum(last - 1, 0))
    share = place - below
    values = features.values[channels]
    total = np.zeros((len(place), len(values)), np.float32)
    for corner in itertools.product((0, 1), repeat=len(last)):
        weight = np.where(corner, share, 1 - share).prod(axis=1)
        index = np.minimum(below + corner, last)
        total += weight[:, None].astype(np.float32) * values[(slice(None), *index.T)].T
    return total


def _pixel_size(crops: Crops) -> float | None:
    """Return the pixel size that all images say: with it, the live picker keeps its features."""
    sizes = {source.pixel_size for source in getattr(crops, "sources", ())}
    return sizes.pop() if len(sizes) == 1 else None


def _positions(crops: Crops, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    if crops.positions is None:
        raise TypeError("crops without positions were let through")
    return crops.positions[rows]


def _reach(crops: Crops, diameter_px: float) -> float:
    """Return the share of half the box that a particle takes."""
    half_box_px = getattr(crops, "box", min(crops.shape)) / 2
    return float(np.clip(_REACH_IN_RADII * diameter_px / 2 / half_box_px, 0.2, 1.0))
