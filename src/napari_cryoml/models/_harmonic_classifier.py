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
        n_maps = config.stem or n_channels
        stem: list[nn.Module] = [InBall(shape, config.reach)]
        if config.stem:
            stem += [IsotropicConvolution(len(shape), n_channels, config.stem), nn.GELU()]
        self.stem = nn.Sequential(*stem)
        self.map_shape = (n_maps, *shape)
        self.coefficients = RingCoefficients(shape, config.rings, config.degree, config.reach)
        self.invariants = GramInvariants(n_maps * config.rings, config.degree, config.mixtures)
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

    def feature_map(self, crops: Tensor) -> Tensor:
        """Return the feature map; see `Classifier.feature_map`."""
        features: Tensor = self.stem(crops)
        return features

    def vectors(self, feature_map: Tensor) -> Tensor:
        """Return what is classified; see `Classifier.vectors`."""
        vectors: Tensor = self.dense(self.invariants(self.coefficients(feature_map)))
        return vectors
