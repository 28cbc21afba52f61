"""The jobs that train a network on crops: without labels, with labels, or both in turn."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_cryoml._errors import InputError
from napari_cryoml.classification._calibration import fit_temperature, softmax
from napari_cryoml.classification._fitting_crops import channel_names
from napari_cryoml.classification._hold_out import Rows
from napari_cryoml.classification._label_split import Split
from napari_cryoml.classification._labelled_crops import UNKNOWN, LabelledCrops
from napari_cryoml.classification._last_layer import teach_last_layer
from napari_cryoml.classification._network_classifier import NetworkClassifier
from napari_cryoml.classification._network_system import NetworkSystem
from napari_cryoml.classification._pretrained_encoder import PretrainedEncoder, encoder_weights
from napari_cryoml.classification._scoring import Scorer
from napari_cryoml.classification._stages import Stage
from napari_cryoml.data import Crops, MissingWedge
from napari_cryoml.evaluation import ClassificationReport
from napari_cryoml.jobs import Command, Event, Job, relay
from napari_cryoml.training import (
    CropPairs,
    CropSampler,
    CropStore,
    CropTrainingConfig,
    choose_device,
    fit,
)

if TYPE_CHECKING:
    from napari_cryoml.models import Classifier
    from napari_cryoml.objectives import CropObjective, CropObjectiveConfig

LabelSource = Callable[[int], "npt.ArrayLike | Tensor | None"]


def train_network(data: LabelledCrops, system: NetworkSystem) -> Job[NetworkClassifier]:
    """Train a system of a network; see `NetworkSystem.fit`.

    Parameters
    ----------
    data : LabelledCrops
    system : NetworkSystem

    Yields
    ------
    TrainingEvent

    Returns
    -------
    NetworkClassifier

    Raises
    ------
    InputError
        If the options do not fit each other or these crops.
    """
    run = _Run(data.crops, data.wedge, system)
    split = Split.of(data, system)
    objective_config = system.objective_config()
    network = run.network(len(data.classes))
    notes, stopped = list(split.notes), False
    first_share = run.pretraining_share(split, objective_config.uses_unlabelled)
    if first_share:
        stopped = yield from run.pretrain(network, split.all_rows, first_share)
    objective = objective_config.build(network).to(run.device)
    if stopped:
        notes.append(teach_last_layer(run.scorer(objective), run.store, split.labels))
    else:
        notes += yield from run.learn(objective, objective_config, split, first_share)
    return run.classifier(objective, data, split, (*notes, *run.notes))


def pretrain(
    crops: Crops, system: NetworkSystem, wedge: MissingWedge | None = None
) -> Job[PretrainedEncoder]:
    """Carry out the first stage of a system: what a network learns from crops without labels.

    Parameters
    ----------
    crops : Crops
        All of a project, for instance.
    system : NetworkSystem
    wedge : MissingWedge, optional
        What the crops say of it by default.

    Yields
    ------
    TrainingEvent

    Returns
    -------
    PretrainedEncoder
        A stopped job keeps what it has learnt.

    Raises
    ------
    InputError
        If the system has no such stage, or its options do not fit these crops.
    """
    if not system.pretraining.is_wanted:
        raise InputError(
            f"The system {system.name} learns from labels alone: choose what to learn from all "
            "crops (pretraining.objective), as moco."
        )
    run = _Run(crops, getattr(crops, "wedge", None) if wedge is None else wedge, system)
    network = run.network(1)
    stopped = yield from run.pretrain(network, np.arange(len(crops)), 1.0)
    notes = (*run.notes, *(["Pretraining was stopped early."] if stopped else []))
    return PretrainedEncoder(
        system.network_config(),
        encoder_weights(network),
        tuple(crops.shape),
        getattr(crops, "pixel_size", None),
        run.wedge,
        system.pretraining.objective or "",
        notes,
        crops.n_channels,
        channel_names(crops),
        system.normalisation,
    )


class _Run:
    """What the stages of one run share."""

    def __init__(self, crops: Crops, wedge: MissingWedge | None, system: NetworkSystem) -> None:
        self.crops, self.wedge, self.system = crops, wedge, system
        self.device = choose_device(system.device)
        self.store = CropStore(crops, normalisation=system.normalisation)
        self.notes: list[str] = []

    @cached_property
    def start(self) -> PretrainedEncoder | None:
        """What the network starts from."""
        path = self.system.start_from
        return None if path is None else PretrainedEncoder.load(path)

    def network(self, n_classes: int) -> Classifier:
        """Return the network before the first stage."""
        torch.manual_seed(self.system.training.seed)
        crops = self.crops
        network = self.system.network_config().build(crops.shape, n_classes, crops.n_channels)
        if self.start is not None:
            self.start.put_into(network)
        return network

    def scorer(self, objective: CropObjective) -> Scorer:
        """Return what asks an objective about crops."""
        system = self.system
        return Scorer(objective, self.device, system.training.precision, system.normalisation)

    def pretraining_share(self, split: Split, uses_unlabelled: bool) -> float:
        """Return which share of the whole run pretraining takes; 0 if there is none."""
        first, second = self.system.pretraining, self.system.training
        if self.start is not None or not first.is_wanted:
            return 0.0
        n_trained = len(split.all_rows if uses_unlabelled else split.labelled)
        before = _long_enough(first.training, first.least_steps, len(split.all_rows))
        after = _long_enough(second, self.system.least_steps, n_trained)
        cost = 2 * before.epochs * len(split.all_rows)
        return cost / (cost + after.epochs * n_trained)

    def pretrain(
        self, network: Classifier, rows: Rows, share: float
    ) -> Generator[Event, Command | None, bool]:
        """Train a network in place on crops without labels; return whether it was stopped."""
        config = self.system.pretraining
        training = _long_enough(config.training, config.least_steps, len(rows))
        objective_config = config.objective_config()
        objective = objective_config.build(network).to(self.device)
        sampler = self.sampler(objective, objective_config, None, rows, training)
        name = f"Pretraining ({config.objective})"
        stage = Stage(name, 0.0, share, training.epochs, sampler.steps_per_epoch)
        job = fit(objective, objective, sampler, training, device=self.device, select=False)
        _, stopped = yield from relay(job, stage.tell)
        return stopped

    def learn(
        self,
        objective: CropObjective,
        objective_config: CropObjectiveConfig,
        split: Split,
        start: float,
    ) -> Generator[Event, Command | None, list[str]]:
        """Train an objective in place on labelled and, if it uses them, other crops."""
        rows = split.all_rows if objective_config.uses_unlabelled else split.labelled
        training = _long_enough(self.system.training, self.system.least_steps, len(rows))
        source = self.pseudo_labels(objective, split)
        sampler = self.sampler(objective, objective_config, split.labels, rows, training, source)
        stage = Stage("Training", start, 1 - start, training.epochs, sampler.steps_per_epoch)
        validate = self.validation(objective, split)
        job = fit(objective, objective, sampler, training, device=self.device, validate=validate)
        state, stopped = yield from relay(job, stage.tell)
        notes = []
        if stopped:
            epoch = state.step / sampler.steps_per_epoch
            notes.append(f"Training was stopped; the weights are of epoch {epoch:.3g}.")
        return notes

    def sampler(
        self,
        objective: CropObjective,
        config: CropObjectiveConfig,
        labels: npt.NDArray[np.intp] | None,
        rows: Rows,
        training: CropTrainingConfig,
        new_labels: LabelSource | None = None,
    ) -> CropSampler:
        """Return what draws batches for an objective, once it agrees to them."""
        pairs = self.pairs(config, rows)
        if pairs is not None:
            rows = pairs.paired(rows)
        batch = _fitting_batch(config, training.batch, len(rows))
        share = training.labelled_share if config.draws_unlabelled else 1.0
        return CropSampler(
            self.store,
            labels,
            rows,
            batch,
            objective.n_views,
            training.augmentation,
            self.wedge,
            training.seed,
            balanced=training.balanced,
            labelled_share=None if labels is None else share,
            new_labels=new_labels,
            device=self.device,
            pairs=pairs,
        )

    def pairs(self, config: CropObjectiveConfig, rows: Rows) -> CropPairs | None:
        """Return which crops an objective is shown together; None if each comes alone."""
        if not config.paired_by:
            return None
        pairs = CropPairs.of(_known_columns(self.crops, config.paired_by), rows)
        alone = len(rows) - len(pairs.paired(rows))
        if alone:
            self.notes.append(
                f"Left out, as the only ones of their {config.paired_by[0]}: {alone} of "
                f"{len(rows)} crops."
            )
        return pairs

    def pseudo_labels(self, objective: CropObjective, split: Split) -> LabelSource:
        """Return what asks an objective for labels of its own; those of the user hold."""
        scorer, known = self.scorer(objective), split.labels != UNKNOWN

        def predict() -> Tensor:
            return torch.from_numpy(softmax(scorer.of_rows(self.store, np.arange(len(known)))))

        def ask(epoch: int) -> Tensor | None:
            objective.eval()
            found = objective.begin_epoch(epoch, predict)
            if found is None:
                return None
            labels = np.where(known, split.labels, found.cpu().numpy())
            return torch.from_numpy(labels.astype(np.int64))

        return ask

    def validation(self, objective: CropObjective, split: Split) -> Callable[[], float] | None:
        """Return what tells how good an epoch is, larger is better; None to keep the last."""
        rows, scorer = split.chosen_on, self.scorer(objective)
        if not len(rows):
            return None
        if self.system.keep == "loss":
            return lambda: -scorer.loss(self.store, rows, split.truth)

        def accuracy() -> float:
            found = scorer.of_rows(self.store, rows).argmax(axis=1)
            return float((found == split.truth[rows]).mean())

        return accuracy

    def classifier(
        self,
        objective: CropObjective,
        data: LabelledCrops,
        split: Split,
        notes: tuple[str, ...],
    ) -> NetworkClassifier:
        """Return the classifier, measured and calibrated on crops it has not seen."""
        rows = split.held if len(split.held) else split.chosen_on
        scores = self.scorer(objective).of_rows(self.store, rows)
        truth = split.truth[rows]
        report, held_out = None, np.full(len(data.labels), UNKNOWN, np.intp)
        if len(split.held):
            report = ClassificationReport.of(truth, scores.argmax(axis=1), data.classes)
            held_out[rows] = scores.argmax(axis=1)
        return NetworkClassifier(
            classes=data.classes,
            system=self.system,
            shape=tuple(self.crops.shape),
            n_channels=self.crops.n_channels,
            channels=channel_names(self.crops),
            pixel_size=getattr(self.crops, "pixel_size", None),
            wedge=self.wedge,
            temperature=fit_temperature(scores, truth),
            report=report,
            notes=notes,
            held_out=held_out,
            objective=objective.eval(),
        )


def _known_columns(crops: Crops, names: tuple[str, ...]) -> list[npt.NDArray[Any]]:
    """Return those of some columns that crops have, the first of which they must have."""
    columns = dict(getattr(crops, "columns", {}))
    if crops.images is not None:
        columns.setdefault("image", crops.images)
    if names[0] not in columns:
        there = ", ".join(columns) or "none"
        raise InputError(
            f"Cells are learnt from in pairs of one {names[0]}, but the crops have no column of "
            f"that name (columns: {there}): add it, or name another (objective_options.same)."
        )
    return [np.asarray(columns[name]) for name in names if name in columns]


def _long_enough(
    training: CropTrainingConfig, least_steps: int, n_crops: int
) -> CropTrainingConfig:
    """Return a training of as many epochs as make so many steps at least."""
    steps_per_epoch = math.ceil(n_crops / training.batch)
    epochs = max(training.epochs, math.ceil(least_steps / max(steps_per_epoch, 1)))
    return training.model_copy(update={"epochs": epochs})


def _fitting_batch(config: CropObjectiveConfig, batch: int, n_crops: int) -> int:
    """Return the batch that was asked for, once the objective agrees to it.

    Of fewer crops than that, the largest batch that it agrees to.
    """
    if batch <= n_crops:
        config.check(batch, n_crops)
        return batch
    for smaller in range(n_crops, 1, -1):
        try:
            config.check(smaller, n_crops)
        except InputError:
            continue
        return smaller
    return n_crops
