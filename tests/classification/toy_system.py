"""A classifier by the mean of a crop, which knows two classes: dark and bright."""

from dataclasses import dataclass

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml.classification import CropClassifier, SystemConfig
from napari_cryoml.classification._classifier_file import save_classifier


class ToyConfig(SystemConfig):
    """By the mean."""

    def fit(self, data):
        raise NotImplementedError

    def restore(self, tensors, about):
        return ToyClassifier(gain=float(tensors["gain"]), **about)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ToyClassifier(CropClassifier):
    gain: float = 1.0

    def features(self, images):
        return images.mean(axis=tuple(range(2, images.ndim)))

    def predict(self, images):
        bright = 1 / (1 + np.exp(-self.gain * self.features(images)))
        return np.concatenate([1 - bright, bright], axis=1).astype(np.float32)

    def attention(self, images, labels):
        raise InputError("no feature map")

    def reconstruct(self, images):
        raise InputError("no decoder")

    def save(self, path):
        import torch

        save_classifier(path, self, {"gain": torch.tensor(self.gain)})
