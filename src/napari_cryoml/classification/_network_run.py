"""What the stages of training a network share: the crops, their store, the device."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_cryoml._errors import InputError
from napari_cryoml.classification._calibration import softmax
from napari_cryoml.classification._epoch_look import EpochLook
from napari_cryoml.classification._fitting_crops import with_channels
from napari_cryoml.classification._hold_out import Rows
from napari_cryoml.classification._label_split import Split
from napari_cryoml.classification._labelled_crops import UNKNOWN
from napari_cryoml.classification._network_system import NetworkSystem
from napari_cryoml.classification._pretrained_encoder import PretrainedEncoder
from napari_cryoml.classification._scoring import Scorer
from napari_cryoml.classification._stages import Stage
from napari_cryoml.classification._watch import Watch
from napari_cryoml.data import Crops, MissingWedge
from napari_cryoml.jobs import Command, Event, relay
from napari_cryoml.training import (
    CropPairs,
    CropSampler,
    CropStore,
    CropTrainingConfig,
    TrainingEvent,
    choose_device,
    fit,
)

if TYPE_CHECKING:
    from napari_cryoml.models import Classifier
    from napari_cryoml.objectives import CropObjective, CropObjectiveConfig

LabelSource = Callable[[int], "npt.ArrayLike | Tensor | None"]


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a stage with labels came to.

    Parameters
    ----------
    epoch : float
        That the weights are of.
    validation : float or None
        What they were chosen by, larger is better; None for the last ones.
    figures : mapping of str to float
        What was measured in that epoch.
    stopped : bool
    """

    epoch: float
    validation: float | None
    figures: Mapping[str, float]
    stopped: bool


class NetworkRun:
    """What the stages of training a network share.

    Parameters
    ----------
    crops : Crops
    wedge : MissingWedge or None
    system : NetworkSystem

    Attributes
    ----------
    notes : list of str
        What the user should know of the crops, each sentence once.
    """

    def __init__(self, crops: Crops, wedge: MissingWedge | None, system: NetworkSystem) -> None:
        crops = with_channels(crops, system.channels)
        self.crops, self.wedge, self.system = crops, wedge, system
        self.device = choose_device(system.device)
        memory_bytes = int(system.memory_gb * 2**30)
        self.store = CropStore(crops, memory_bytes, system.normalisation)
        self.notes: list[str] = []

    @cached_property
    def start(self) -> PretrainedEncoder | None:
        """What the network starts from."""
        path = self.system.start_from
        return None if path is None else PretrainedEncoder.load(path)

    @property
    def pretrains(self) -> bool:
        """Whether the network learns from all crops before it sees a label."""
        return self.start is None and self.system.pretraining.is_wanted

    def network(self, n_classes: int, seed: int) -> Classifier:
        """Return the network before the first stage."""
        torch.manual_seed(seed)
        crops = self.crops
        network = self.system.network_config().build(crops.shape, n_classes, crops.n_channels)
        if self.start is not None:
            self._check_start(self.start)
            self.start.put_into(network)
        return network

    def _check_start(self, start: PretrainedEncoder) -> None:
        wanted, kind = start.normalisation, self.system.normalisation
        if kind != wanted:
            raise InputError(
                f"The network to start from has seen crops normalised by {wanted!r}, and these "
                f"are to be normalised by {kind!r}: set normalisation to {wanted}."
            )

    def scorer(self, objective: CropObjective) -> Scorer:
        """Return what asks an objective about crops."""
        system = self.system
        return Scorer(objective, self.device, system.training.precision, system.normalisation)

    def pretraining(self, n_crops: int) -> CropTrainingConfig:
        """Return how a network learns from so many crops without labels."""
        config = self.system.pretraining
        return _long_enough(config.training, config.least_steps, n_crops)

    def training(self, n_crops: int) -> CropTrainingConfig:
        """Return how a network learns from labels, where so many crops are drawn."""
        return _long_enough(self.system.training, self.system.least_steps, n_crops)

    def pretrain(
        self,
        network: Classifier,
        rows: Rows,
        training: CropTrainingConfig,
        start: float,
        share: float,
    ) -> Generator[Event, Command | None, bool]:
        """Train a network in place on crops without labels; return whether it was stopped."""
        config = self.system.pretraining
        objective_config = config.objective_config()
        objective = objective_config.build(network).to(self.device)
        sampler = self.sampler(objective, objective_config, None, rows, training)
        name = f"Pretraining ({config.objective})"
        stage = Stage(name, start, share, training.epochs, sampler.steps_per_epoch)
        job = fit(objective, objective, sampler, training, device=self.device, select=False)
        _, stopped = yield from relay(job, stage.tell)
        return stopped

    def learn(
        self,
        objective: CropObjective,
        config: CropObjectiveConfig,
        split: Split,
        training: CropTrainingConfig,
        watch: Watch | None,
        name: str,
        start: float,
        share: float,
    ) -> Generator[Event, Command | None, Learnt]:
        """Train an objective in place on labelled and, if it uses them, other crops."""
        rows = split.all_rows if config.uses_unlabelled else split.labelled
        source = self.pseudo_labels(objective, split)
        sampler = self.sampler(objective, config, split.labels, rows, training, source)
        stage = Stage(name, start, share, training.epochs, sampler.steps_per_epoch)
        scorer = self.scorer(objective)
        look = EpochLook(scorer, self.store, split, self.system, watch, lambda: sampler.epoch)
        seen: dict[int, dict[str, float]] = {}

        def tell(event: TrainingEvent) -> TrainingEvent:
            if event.figures:
                seen[event.step] = event.figures
            return stage.tell(event)

        job = fit(
            objective,
            objective,
            sampler,
            training,
            device=self.device,
            validate=look if look.is_wanted else None,
            select=look.chooses,
            from_start=watch is not None,
        )
        state, stopped = yield from relay(job, tell)
        epoch = state.step / sampler.steps_per_epoch
        return Learnt(epoch, state.validation, seen.get(state.step, {}), stopped)

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
            describe=objective.described,
            pairs=pairs,
        )

    def pairs(self, config: CropObjectiveConfig, rows: Rows) -> CropPairs | None:
        """Return which crops an objective is shown together; None if each comes alone."""
        if not config.paired_by:
            return None
        pairs = CropPairs.of(_known_columns(self.crops, config.paired_by), rows)
        alone = len(rows) - len(pairs.paired(rows))
        note = (
            f"Left out, as the only ones of their {config.paired_by[0]}: {alone} of {len(rows)} "
            "crops."
        )
        if alone and note not in self.notes:
            self.notes.append(note)
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
