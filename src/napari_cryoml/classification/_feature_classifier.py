"""A classifier of crops by features that need no training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.classification._calibration import softmax
from napari_cryoml.classification._system import CropClassifier, Images, SystemConfig


class Head(Protocol):
    """What makes scores of features."""

    def scores(self, features: Images) -> Images:
        """Return one score a class, shape (n, L), of finite features (n, d)."""
        ...

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what it is made of, for a file."""
        ...


class Featured(Protocol):
    """A system that describes crops by features."""

    def features_of(self, images: Images) -> Images:
        """Return the features of crops (k, C, *shape), shape (k, d); NaN where there are none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FeatureClassifier(CropClassifier):
    """Features of a crop, and a head that scores them.

    Parameters
    ----------
    head : Head
    """

    head: Head

    def features(self, images: Images) -> Images:
        """Return the features of crops (k, C, *shape), shape (k, d), float32."""
        return featured(self.system).features_of(images)

    def predict(self, images: Images) -> Images:
        """Return the probability of each class of crops (k, C, *shape), shape (k, n_classes)."""
        return self.predict_features(self.features(images))

    def predict_features(self, features: Images) -> Images:
        """Return the probability of each class of features (k, d); NaN where they are not finite.

        For crops whose features are kept: a service that refits at each label asks this.
        """
        chances = np.full((len(features), len(self.classes)), np.nan, np.float32)
        finite = np.isfinite(features).all(axis=1)
        if finite.any():
            chances[finite] = softmax(self.head.scores(features[finite]), self.temperature)
        return chances

    def attention(self, images: Images, labels: Sequence[int]) -> Images:
        """Refuse: rotation-invariant features have no place in the crop.

        Raises
        ------
        InputError
        """
        raise InputError(
            f"The system {self.system.name!r} has no feature map to look at: train a network, as "
            "dsrf3d, to see what it looks at."
        )

    def reconstruct(self, images: Images) -> Images:
        """Refuse: features cannot be turned back into a crop.

        Raises
        ------
        InputError
        """
        raise InputError(
            f"The system {self.system.name!r} has no decoder: train the system autoencoding to "
            "see reconstructions."
        )

    def save(self, path: str | Path) -> None:
        """Write one safetensors file; see `load_classifier`."""
        import torch

        from napari_cryoml.classification._classifier_file import save_classifier

        arrays = self.head.arrays()
        tensors = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
        save_classifier(path, self, tensors)


def featured(system: SystemConfig) -> Featured:
    """Return a system as one that describes crops by features."""
    if not hasattr(system, "features_of"):
        raise TypeError(f"{type(system).__name__} has no features.")
    return system
