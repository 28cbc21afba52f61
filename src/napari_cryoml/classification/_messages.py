"""What passes between the service of classes and who asks it; importing it needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from napari_cryoml.classification._predictions import Predictions
from napari_cryoml.classification._system import SystemConfig

if TYPE_CHECKING:
    from napari_cryoml.classification._feature_system import FeatureSystem
    from napari_cryoml.classification._network_system import NetworkSystem
    from napari_cryoml.classification._watch import Watch
    from napari_cryoml.evaluation import ClassificationReport

Images = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class FitRequest:
    """Asks for a classifier; answered with a `FittedReply`, after the events of training.

    Parameters
    ----------
    labels : array of shape (n,), intp
        Number of the class of each crop of the service; -1 for none.
    classes : tuple of str
        Names of the classes, by number; those without a label are left out of the answer.
    system : SystemConfig, optional
        None for the one that suits these labels, see `default_system`.
    encoder : Path, optional
        A pretrained network that the default may use.
    watch : Watch, optional
        What looks at the vectors of crops while a network is trained.
    """

    labels: npt.NDArray[np.intp]
    classes: tuple[str, ...]
    system: SystemConfig | None = None
    encoder: Path | None = None
    watch: Watch | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FittedReply:
    """A classifier that the service holds, and what it says of all crops.

    Parameters
    ----------
    token : int
        Its number, by which later requests name it; the service keeps the latest few.
    system : SystemConfig
        What it came from.
    classes : tuple of str
        Of those that it knows.
    predictions : Predictions
        Of all crops of the service; NaN for those that were not reached before a stop.
    report : ClassificationReport or None
        On labels that were held out; None if there were too few.
    temperature : float
        By which scores were divided.
    notes : tuple of str
        Sentences for the user.
    held_out : array of shape (n,), intp, or None
        Number of the class that each crop was given while its label was held out; -1 for others.
    """

    token: int
    system: SystemConfig
    classes: tuple[str, ...]
    predictions: Predictions
    report: ClassificationReport | None = None
    temperature: float = 1.0
    notes: tuple[str, ...] = ()
    held_out: npt.NDArray[np.intp] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LoadRequest:
    """Asks for a classifier in a file; answered with a `FittedReply`."""

    path: Path


@dataclass(frozen=True, slots=True, eq=False)
class SaveRequest:
    """Asks to write a classifier; answered with the path."""

    token: int
    path: Path


@dataclass(frozen=True, slots=True, eq=False)
class PretrainRequest:
    """Asks for a network that learns from all crops without labels; answered with the path.

    Parameters
    ----------
    system : NetworkSystem
        Whose first stage is carried out.
    path : Path
        Where the network is written.
    """

    system: NetworkSystem
    path: Path


@dataclass(frozen=True, slots=True, eq=False)
class AttentionRequest:
    """Asks where a classifier looks; answered with an `Attention`.

    Parameters
    ----------
    token : int
    row : int
    label : int, optional
        Number of the class to explain; the predicted one by default.
    """

    token: int
    row: int
    label: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Attention:
    """By how much each place of a crop spoke for a class.

    Parameters
    ----------
    row : int
    label : int
        Number of the class.
    name : str
        Name of it.
    crop : array of shape (z)yx, float32
        As it was read; of several channels the first.
    attention : array of the same shape, float32
        0 to 1.
    """

    row: int
    label: int
    name: str
    crop: Images
    attention: Images


@dataclass(frozen=True, slots=True, eq=False)
class ReconstructRequest:
    """Asks how a decoder draws crops; answered with `Reconstructions`."""

    token: int
    rows: npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Reconstructions:
    """Crops, and how a decoder draws them.

    Parameters
    ----------
    rows : array of shape (k,), intp
    given, drawn : array of shape (k, (z)yx), float32
        Both normalised as the classifier does; of several channels the first.
    errors : array of shape (k,), float32
        Mean squared difference of the two, of all channels.
    """

    rows: npt.NDArray[np.intp]
    given: Images
    drawn: Images
    errors: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class SuggestRequest:
    """Asks which crops are worth a label next; answered with `NextCells`.

    Parameters
    ----------
    labels : array of shape (n,), intp
        Number of the class of each crop of the service; -1 for none.
    system : FeatureSystem
        Whose features tell which crops are alike.
    n : int
        Crops to propose.
    probabilities : array of shape (n, L), optional
        What a classifier says of them.
    """

    labels: npt.NDArray[np.intp]
    system: FeatureSystem
    n: int = 20
    probabilities: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DoubtRequest:
    """Asks which labels are likely wrong; answered with `LabelErrors`.

    Parameters
    ----------
    labels : array of shape (n,), intp
        Number of the class of each crop of the service; -1 for none.
    classes : tuple of str
        Names of the classes, by number; each has labels.
    system : FeatureSystem
        What is fitted to a part of the labels to judge the others.
    """

    labels: npt.NDArray[np.intp]
    classes: tuple[str, ...]
    system: FeatureSystem


ClassifyRequest: TypeAlias = (
    FitRequest
    | LoadRequest
    | SaveRequest
    | PretrainRequest
    | AttentionRequest
    | ReconstructRequest
    | SuggestRequest
    | DoubtRequest
)
