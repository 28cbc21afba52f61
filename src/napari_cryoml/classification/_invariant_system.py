"""Systems on rotation-invariant features of crops."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
from pydantic import Field

from napari_cryoml.classification._feature_system import FeatureSystem
from napari_cryoml.classification._system import Images
from napari_cryoml.features import rotation_invariant
from napari_cryoml.training import standardised


class InvariantSystem(FeatureSystem):
    """Rotation-invariant features, and a head that learns the classes from them."""

    n_shells: int = Field(
        10,
        ge=1,
        le=64,
        description="Shells around the middle of a crop; no more than its radius has pixels.",
    )
    degree: int = Field(
        8, ge=0, le=32, description="Highest degree of the spherical harmonics on a shell."
    )
    across: int = Field(
        2,
        ge=0,
        le=64,
        description="With how many shells further out each shell is compared: noise cancels in "
        "that, and structure does not.",
    )

    def features_of(self, images: Images) -> Images:
        """Return the features of crops (k, C, *shape), shape (k, C * d), float32.

        See `features.rotation_invariant`; those of a crop's channels come one after the other. A
        channel is brought to mean 0 and deviation 1; gaps in it take its mean. A crop without a
        finite pixel gets NaN.
        """
        channels = standardised(images).reshape(-1, *images.shape[2:])
        radius = max((min(channels.shape[1:]) - 1) // 2, 1)
        n_shells = min(self.n_shells, radius)
        found = rotation_invariant(channels, n_shells, self.degree, self.across)
        features = found.reshape(len(images), images.shape[1] * found.shape[1])
        features[~np.isfinite(images).any(axis=tuple(range(1, images.ndim)))] = np.nan
        return features

    def description(self) -> Hashable:
        """Return what the features depend on."""
        return self.name, self.n_shells, self.degree, self.across
