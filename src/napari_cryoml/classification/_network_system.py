"""Systems that are a network, what it learns from all crops, and what it learns from labels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from napari_cryoml._errors import InputError
from napari_cryoml._registry import Config
from napari_cryoml.classification._labelled_crops import LabelledCrops
from napari_cryoml.classification._shortcuts import merged, spread
from napari_cryoml.classification._system import CropClassifier, SystemConfig
from napari_cryoml.classification._watch import Watch
from napari_cryoml.jobs import Job
from napari_cryoml.models import ClassifierConfig, classifiers
from napari_cryoml.objectives import CropObjectiveConfig, crop_objectives
from napari_cryoml.training import CropTrainingConfig, Normalisation

if TYPE_CHECKING:
    from torch import Tensor


Rate = Annotated[float, Field(gt=0)]
Keep = Literal["last", "accuracy", "loss", "watched"]

_LEAST_STEPS = (
    "Train for this many steps at least: of few crops, more epochs than asked for; 0 for none."
)


class PretrainingConfig(Config):
    """What a network learns from all crops before it sees a label."""

    objective: str | None = Field(
        None, description="What pretraining minimises on all crops; none to begin with labels."
    )
    objective_options: dict[str, Any] = Field(
        default_factory=dict, description="Options of this objective that differ from the usual."
    )
    least_steps: int = Field(0, ge=0, description=_LEAST_STEPS)
    training: CropTrainingConfig = CropTrainingConfig()

    @property
    def is_wanted(self) -> bool:
        """Whether there is any."""
        return self.objective is not None

    def objective_config(self) -> CropObjectiveConfig:
        """Return the Config of the objective.

        Raises
        ------
        InputError
            If there is none, or no such objective or option.
        """
        if self.objective is None:
            raise InputError("There is no pretraining: choose what to learn from all crops.")
        return crop_objectives.create(self.objective, **self.objective_options)


class NetworkSystem(SystemConfig):
    """A network that learns from all crops first, if asked to, and then from labels.

    Any network goes with any objective. Given to `systems.create`, some words reach options
    further in: `epochs`, `learning_rate` and `augmentation` those of training with labels, and
    `batch`, `minutes`, `precision` and `seed` those of pretraining too. A group of options may
    be given in part; the rest stays as the system has it. A `learning_rate` stands for
    `learning_rates` too.
    """

    label_column: ClassVar[str] = ""
    """Column of crops that it learns from, where that is always the same one."""

    network: str = Field("compact", description="Network from a crop to one score a class.")
    network_options: dict[str, Any] = Field(
        default_factory=dict, description="Options of this network that differ from the usual."
    )
    objective: str = Field(
        "supervised", description="What training minimises on labelled and other crops."
    )
    objective_options: dict[str, Any] = Field(
        default_factory=dict, description="Options of this objective that differ from the usual."
    )
    channels: tuple[str, ...] = Field(
        (), description="Channels that are looked at, by their names; all by default."
    )
    normalisation: Normalisation = Field(
        "channel",
        description="How the values of a crop are brought to one scale, in training and in "
        "prediction. channel: each channel to mean 0 and deviation 1; joint: each channel from 0 "
        "to 1, then all together to mean 0 and deviation 1; min_max: each channel from 0 to 1; "
        "percentile: each channel clipped to its percentiles 0.1 and 99.9, shifted to 0 and "
        "divided by its range where that is above 1.",
    )
    keep: Keep = Field(
        "last",
        description="Which weights are kept: those of the last epoch, those of the best accuracy "
        "or the least loss on the validation share of the labels, or those of the best watched "
        "figure, as a functional score of the vectors.",
    )
    watched: str = Field(
        "", description="Figure that keep = watched goes by; the first one by default."
    )
    held_out_share: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="Share of the labels of each class that no stage ever sees: on them the "
        "accuracy is measured and confidence is calibrated.",
    )
    least_steps: int = Field(0, ge=0, description=_LEAST_STEPS)
    learning_rates: tuple[Rate, ...] = Field(
        (),
        description="Step sizes of training with labels that are tried in turn; the best one on "
        "the validation share is taken. None for that of the optimiser.",
    )
    trial_epochs: int | None = Field(
        None,
        ge=1,
        description="Epochs that each of them is tried for; none for a whole training each.",
    )
    seeds: int = Field(
        1, ge=1, le=100, description="Runs of training, each from other first weights."
    )
    last_layer: Literal["trained", "fitted"] = Field(
        "trained",
        description="The last layer as training leaves it; or fitted at the end, as that of "
        "few_shot: each class a Gaussian, all of one covariance, with the help of crops without "
        "a label.",
    )
    of_seeds: Literal["best", "ensemble"] = Field(
        "best",
        description="What is made of several runs: the best on the validation share, or all of "
        "them, whose probabilities are averaged.",
    )
    start_from: Path | None = Field(
        None,
        description="File of a pretrained encoder or a classifier whose weights are taken over, "
        "in place of pretraining.",
    )
    device: str = Field("auto", description="Where to compute: auto, cpu, cuda, mps.")
    memory_gb: float = Field(
        2.0,
        gt=0,
        le=1024,
        description="Memory for crops that are read from files, gigabytes; as many as fit are kept "
        "and read once.",
    )
    pretraining: PretrainingConfig = PretrainingConfig()
    training: CropTrainingConfig = CropTrainingConfig()

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: Any) -> Any:
        """Lay what is given over what the system has, so that a part of a group is enough."""
        if not isinstance(values, Mapping):
            return values
        usual = {name: field.get_default(call_default_factory=True) for name, field in _of(cls)}
        return merged(usual, spread(values, pretrains=_pretrains(usual, values)))

    def network_config(self) -> ClassifierConfig:
        """Return the Config of the network.

        Raises
        ------
        InputError
            If there is no such network or option.
        """
        return classifiers.create(self.network, **self.network_options)

    def objective_config(self) -> CropObjectiveConfig:
        """Return the Config of the objective that learns from labels.

        Raises
        ------
        InputError
            If there is no such objective or option, or it passes labels over.
        """
        config = crop_objectives.create(self.objective, **self.objective_options)
        if not config.uses_labels:
            raise InputError(
                f"The objective {self.objective} learns nothing from labels: choose it for "
                "pretraining (pretraining.objective), and supervised to learn from labels."
            )
        return config

    def spelled_out(self) -> NetworkSystem:
        """Return the same system with all options of its network and objectives written out.

        Raises
        ------
        InputError
            If there is no such network, objective or option.
        """
        first = self.pretraining
        return self.model_copy(
            update={
                "network_options": self.network_config().model_dump(mode="json"),
                "objective_options": self.objective_config().model_dump(mode="json"),
                "pretraining": first.model_copy(
                    update={"objective_options": first.objective_config().model_dump(mode="json")}
                )
                if first.is_wanted
                else first,
            }
        )

    def fit(self, data: LabelledCrops, watch: Watch | None = None) -> Job[CropClassifier]:
        """Return the job that trains a classifier.

        Its events are `TrainingEvent`. Stopped while it pretrains, it teaches the last layer the
        labels at once; stopped later, it keeps what it has.

        Parameters
        ----------
        data : LabelledCrops
        watch : callable, optional
            Looks at the vectors of crops before the first step and after every epoch; what it
            returns is among the `figures` of these events. See `Watch`.

        Raises
        ------
        InputError
            If the options do not fit each other or these crops.
        """
        from napari_cryoml.classification._network_training import train_network

        return train_network(data, self, watch)

    def restore(self, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> CropClassifier:
        """Return the classifier that was written with these tensors."""
        from napari_cryoml.classification._network_classifier import NetworkClassifier

        return NetworkClassifier.of(tensors, about)


def _of(cls: type[Config]) -> Any:
    return cls.model_fields.items()


def _pretrains(usual: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Return whether there will be pretraining, before anything is checked."""
    if values.get("start_from") is not None:
        return False
    given = values.get("pretraining", {})
    if isinstance(given, PretrainingConfig):
        return given.is_wanted
    if isinstance(given, Mapping) and "objective" in given:
        return given["objective"] is not None
    usually: PretrainingConfig = usual["pretraining"]
    return usually.is_wanted
