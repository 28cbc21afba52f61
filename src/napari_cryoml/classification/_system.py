"""A system: all that it takes to turn labelled crops into a classifier of crops."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from napari_cryoml._registry import Config, Registry
from napari_cryoml.classification._labelled_crops import UNKNOWN, LabelledCrops
from napari_cryoml.classification._training_run import TrainingRun
from napari_cryoml.data import MissingWedge
from napari_cryoml.jobs import Job

if TYPE_CHECKING:
    from torch import Tensor

    from napari_cryoml.evaluation import ClassificationReport

__all__ = [
    "UNKNOWN",
    "CropClassifier",
    "Images",
    "LabelledCrops",
    "SystemConfig",
    "systems",
    "train",
]

Images = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CropClassifier(ABC):
    """What a system gives: an answer for any crop of the same shape and sampling.

    Parameters
    ----------
    classes : tuple of str
    system : SystemConfig
        What it came from.
    shape : tuple of int
        Shape (z)yx of the crops.
    n_channels : int, default 1
        Channels of the crops.
    channels : tuple of str or None
        Their names, if they had some.
    pixel_size : float or None
        Angstrom per pixel of the crops.
    wedge : MissingWedge or None
    temperature : float
        By which scores are divided before the softmax, fitted on crops held out.
    report : ClassificationReport or None
        On crops held out; None if there were too few labels to hold any out.
    notes : tuple of str
        Sentences for the user.
    held_out : array of shape (n,), intp, or None
        Number of the class that each crop was given while its label was held out, -1 for those
        that were not; of the crops it was fitted to, and not kept in files.
    runs : tuple of TrainingRun
        What each run of training came to; empty where there are none.
    """

    classes: tuple[str, ...]
    system: SystemConfig
    shape: tuple[int, ...]
    n_channels: int = 1
    channels: tuple[str, ...] | None = None
    pixel_size: float | None = None
    wedge: MissingWedge | None = None
    temperature: float = 1.0
    report: ClassificationReport | None = None
    notes: tuple[str, ...] = field(default=())
    held_out: npt.NDArray[np.intp] | None = None
    runs: tuple[TrainingRun, ...] = ()

    @abstractmethod
    def features(self, images: Images) -> Images:
        """Return the structural features of crops (k, C, *shape), shape (k, d), float32."""

    @abstractmethod
    def predict(self, images: Images) -> Images:
        """Return the probability of each class of crops (k, C, *shape), shape (k, n_classes)."""

    @abstractmethod
    def attention(self, images: Images, labels: Sequence[int]) -> Images:
        """Return by how much each place spoke for a class (Grad-CAM), shape (k, *shape), 0 to 1.

        Raises
        ------
        InputError
            If the system has no feature map.
        """

    @abstractmethod
    def reconstruct(self, images: Images) -> Images:
        """Return crops (k, C, *shape) as the system's decoder sees them.

        Raises
        ------
        InputError
            If the system has no decoder.
        """

    @abstractmethod
    def save(self, path: str | Path) -> None:
        """Write one safetensors file; see `load_classifier`."""


class SystemConfig(Config):
    """The options of a system."""

    published: ClassVar[str] = ""
    """Where it was published; empty for our own."""

    @property
    def name(self) -> str:
        """The name this system is registered under."""
        return next(name for name in systems if systems[name] is type(self))

    @abstractmethod
    def fit(self, data: LabelledCrops) -> Job[CropClassifier]:
        """Return the job that trains a classifier.

        Raises
        ------
        InputError
            If the system cannot be trained on these crops.
        """

    @abstractmethod
    def restore(self, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> CropClassifier:
        """Return the classifier that was written with these tensors.

        Parameters
        ----------
        tensors : mapping of str to tensor
            As they were given to `save_classifier`.
        about : mapping
            The fields of `CropClassifier` by their names, this system among them.

        Raises
        ------
        InputError
            If the tensors are not those of this system.
        """


systems: Registry[SystemConfig] = Registry(
    "system",
    order=(
        "inception3d",
        "dsrf3d",
        "dsrf3d_v2",
        "rb3d",
        "cb3d",
        "moco",
        "simclr",
        "swav",
        "autoencoding",
        "supervised3d",
        "self_training",
        "cascade",
        "m2",
        "contrastive",
        "few_shot",
        "measurements",
        "rif_svm",
    ),
)


def train(data: LabelledCrops, system: SystemConfig) -> Job[CropClassifier]:
    """Return the job that trains a system on labelled crops, as `SystemConfig.fit` does.

    Raises
    ------
    InputError
        If the system cannot be trained on these crops.
    """
    return system.fit(data)
