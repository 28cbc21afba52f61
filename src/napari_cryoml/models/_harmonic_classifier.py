"""The network of `harmonic`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor, nn

from napari_cryoml.models._classifier import Classifier
from napari_cryoml.models._crop_blocks import VectorNorm, initialise
from napari_cryoml.models._harmonic_layers import (
    GramInvariants,
    InBall,
    IsotropicConvolution,
    RingCoefficients,
)

if TYPE_CHECKING:
    from napari_cryoml.models._harmonic import Harmonic


class HarmonicClassifier(Classifier):
    """Isotropic kernels, harmonics on rings, their invariants, and dense layers.

    Parameters
    ----------
    shape : sequence of int
        Shape (z)yx of the crops.
    n_classes, n_channels : int
    config : Harmonic
        The options.

    References
    ----------
    Kazhdan, Funkhouser and Rusinkiewicz 2003 (Symp. Geometry Processing 156), section 3, for the
    powers of each degree; Kam 1977 (Macromolecules 10:927) for the products of two shells.
    """

    def __init__(
        self, shape: Sequence[int], n_classes: int, n_channels: int, config: Harmonic
    ) -> None:
        super().__init__(shape, n_classes, n_channels)
        self.has_stem = config.stem > 0
        n_maps = config.stem or n_channels
        stem: list[nn.Module] = [InBall(shape, config.reach)]
        if config.stem:
            stem += [IsotropicConvolution(len(shape), n_channels, config.stem), nn.GELU()]
        self.stem = nn.Sequential(*stem)
        self.map_shape = (n_maps, *shape)
        n_rings = min(config.rings, max((min(shape) - 1) // 2, 1))
        self.coefficients = RingCoefficients(shape, n_rings, config.degree, config.reach)
        self.invariants = GramInvariants(n_maps * n_rings, self.coefficients.sizes, config.mixtures)
        self.dense = nn.Sequential(
            VectorNorm(self.invariants.length, affine=False),
            nn.Dropout(config.dropout),
            nn.Linear(self.invariants.length, config.hidden),
            nn.GELU(),
            nn.Dropout(config.dropout),
        )
        self.latent = config.hidden
        self.head = nn.Linear(self.latent, n_classes)
        initialise(self, config.start)

    def described(self, crops: Tensor) -> Tensor:
        """Return the coefficients of crops, shape (b, shells, harmonics), if there is no stem."""
        if self.has_stem:
            return crops
        coefficients: Tensor = self.coefficients(self.stem(crops))
        return coefficients

    def feature_map(self, crops: Tensor) -> Tensor:
        """Return the feature map; of what `described` gave, that itself."""
        if _are_coefficients(crops):
            return crops
        features: Tensor = self.stem(crops)
        return features

    def vectors(self, feature_map: Tensor) -> Tensor:
        """Return what is classified; see `Classifier.vectors`."""
        known = _are_coefficients(feature_map)
        coefficients = feature_map if known else self.coefficients(feature_map)
        vectors: Tensor = self.dense(self.invariants(coefficients))
        return vectors


def _are_coefficients(values: Tensor) -> bool:
    """Return whether these are (b, shells, harmonics) and not crops, which have 4 or 5 axes."""
    return values.ndim == 3
