"""A trained network that classifies crops."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from napari_cryoml._errors import InputError
from napari_cryoml.classification._calibration import softmax
from napari_cryoml.classification._classifier_file import save_classifier
from napari_cryoml.classification._fitting_crops import channels_in_words
from napari_cryoml.classification._network_system import NetworkSystem
from napari_cryoml.classification._scoring import Images, Scorer
from napari_cryoml.classification._system import CropClassifier
from napari_cryoml.models import grad_cam
from napari_cryoml.objectives import CropObjective
from napari_cryoml.training import choose_device, normalised

_WITHOUT_MAP = ("flat",)
_OTHERS = "others."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NetworkClassifier(CropClassifier):
    """What a system of a network gives.

    Parameters
    ----------
    objective : CropObjective
        The network with whatever was trained beside it, such as a decoder.
    others : tuple of CropObjective
        Those of other runs, with whose probabilities its own are averaged.
    """

    system: NetworkSystem
    objective: CropObjective
    others: tuple[CropObjective, ...] = ()

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> Self:
        """Return the classifier that `save` has written.

        Raises
        ------
        InputError
            If the tensors are not those of this network and objective.
        """
        first = {name: value for name, value in tensors.items() if not name.startswith(_OTHERS)}
        n_others = sum(name.startswith(_OTHERS) for name in tensors) // max(len(first), 1)
        parts = [first, *(_under(f"{_OTHERS}{n}.", tensors) for n in range(n_others))]
        one, *others = (_restored(part, about) for part in parts)
        return cls(objective=one, others=tuple(others), **about)

    def features(self, images: Images) -> Images:
        """Return the scores before the softmax, shape (k, n_classes), of crops (k, C, *shape).

        They are the structural features of Xu et al. 2017, section 2.3.1; of several runs, the
        logarithm of their mean probabilities.
        """
        return joint_scores([self._map(one.logits, images, one) for one in self._all])

    def vectors(self, images: Images) -> Images:
        """Return what the last layer classifies, shape (k, d), of crops (k, C, *shape).

        Of several runs, those of the best.
        """
        return self._map(self._scorer(self.objective).vectors, images, self.objective)

    def predict(self, images: Images) -> Images:
        """Return the probability of each class, shape (k, n_classes), of crops (k, C, *shape)."""
        return softmax(self.features(images), self.temperature)

    def attention(self, images: Images, labels: Sequence[int]) -> Images:
        """Return by how much each place spoke for a class (Grad-CAM), shape (k, *shape), 0 to 1."""
        if self.system.network in _WITHOUT_MAP:
            raise InputError(
                f"A {self.system.network} network has no feature map to show where it looks: "
                "train another network."
            )
        numbers = np.asarray(labels, np.int64)
        if numbers.shape != (len(images),) or not np.isin(numbers, range(len(self.classes))).all():
            raise InputError(
                f"{len(images)} crops need a class each, numbered from 0 to "
                f"{len(self.classes) - 1}; {list(labels)} was given."
            )
        self._check(images)
        device = self._scorer(self.objective).device
        crops = torch.from_numpy(normalised(images, self.system.normalisation)).to(device)
        given = torch.from_numpy(numbers).to(device)
        return grad_cam(self.objective.network, crops, given).cpu().numpy()

    def reconstruct(self, images: Images) -> Images:
        """Return crops (k, C, *shape) as the decoder draws them, normalised."""

        def drawn(crops: Tensor) -> Tensor:
            found = self.objective.reconstruct(crops)
            if found is None:
                raise InputError(
                    f"The system {self.system.name} has no decoder to draw crops with: train "
                    "autoencoding or m2 to see reconstructions."
                )
            return found

        return self._map(drawn, images, self.objective)

    def save(self, path: str | Path) -> None:
        """Write one safetensors file; see `load_classifier`."""
        tensors = dict(self.objective.state_dict())
        for number, one in enumerate(self.others):
            prefix = f"{_OTHERS}{number}."
            tensors |= {prefix + name: value for name, value in one.state_dict().items()}
        save_classifier(path, self, tensors)

    @property
    def _all(self) -> tuple[CropObjective, ...]:
        return (self.objective, *self.others)

    def _scorer(self, objective: CropObjective) -> Scorer:
        device = next(objective.parameters()).device
        system = self.system
        return Scorer(objective, device, system.training.precision, system.normalisation)

    def _map(
        self, function: Callable[[Tensor], Tensor], images: Images, objective: CropObjective
    ) -> Images:
        self._check(images)
        return self._scorer(objective).map(function, images)

    def _check(self, images: Images) -> None:
        if images.shape[1:] != (self.n_channels, *self.shape):
            sides = " x ".join(map(str, self.shape))
            raise InputError(
                f"This classifier takes crops of {channels_in_words(self.n_channels)} and {sides} "
                f"pixels; an array of shape {images.shape} was given."
            )


def joint_scores(of_each: Sequence[Images]) -> Images:
    """Return the scores of several runs as one: the logarithm of their mean probabilities."""
    if len(of_each) == 1:
        return of_each[0]
    chances = np.mean([softmax(scores) for scores in of_each], axis=0)
    return np.log(np.maximum(chances, np.finfo(np.float32).tiny)).astype(np.float32)


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def _restored(tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> CropObjective:
    """Return the objective of these weights, where it is asked.

    Raises
    ------
    InputError
        If they are of another network or objective.
    """
    system: NetworkSystem = about["system"]
    shape, n_classes = about["shape"], len(about["classes"])
    network = system.network_config().build(shape, n_classes, about["n_channels"])
    objective = system.objective_config().build(network)
    try:
        objective.load_state_dict(dict(tensors))
    except RuntimeError as error:
        raise InputError(
            f"The weights in this file are not those of a {system.network} network trained "
            f"by {system.objective}: the file is damaged, choose another."
        ) from error
    return objective.to(_device(system.device)).eval()


def _device(name: str) -> torch.device:
    """Return the device that was asked for in training, or the best there is here."""
    try:
        return choose_device(name)
    except InputError:
        return choose_device("auto")
