"""The runs of one training: step sizes that are tried, then a run for each seed."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml.classification._label_split import Split
from napari_cryoml.classification._last_layer import fit_last_layer, teach_last_layer
from napari_cryoml.classification._network_run import Learnt, NetworkRun
from napari_cryoml.classification._pretrained_encoder import encoder_weights
from napari_cryoml.classification._training_run import TrainingRun
from napari_cryoml.classification._watch import Watch
from napari_cryoml.jobs import Command, Event
from napari_cryoml.training import CropTrainingConfig

if TYPE_CHECKING:
    from torch import Tensor

    from napari_cryoml.models import Classifier
    from napari_cryoml.objectives import CropObjective, CropObjectiveConfig


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run from the first weights to the last.

    Parameters
    ----------
    name : str
        In a user's words.
    seed : int
    rate : float
        Learning rate.
    epochs : int
        Of training with labels.
    """

    name: str
    seed: int
    rate: float
    epochs: int


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came of an attempt.

    Parameters
    ----------
    objective : CropObjective
    run : TrainingRun
    note : str
        A sentence for the user, or none.
    """

    objective: CropObjective
    run: TrainingRun
    note: str = ""

    @property
    def merit(self) -> float:
        """What outcomes are compared by, larger is better."""
        return -math.inf if self.run.validation is None else self.run.validation


@dataclass(slots=True, eq=False)
class Attempts:
    """Carries out the attempts of a system.

    Parameters
    ----------
    run : NetworkRun
    split : Split
    n_classes : int
    watch : Watch or None

    Attributes
    ----------
    notes : list of str
        Sentences for the user.
    stopped : bool
        Whether the owner said stop: what is done by then is what there is.
    """

    run: NetworkRun
    split: Split
    n_classes: int
    watch: Watch | None
    notes: list[str] = field(default_factory=list)
    stopped: bool = False
    _done: float = 0.0
    _cost: float = 1.0
    _learning_share: float = 1.0
    _pretrained: dict[int, Mapping[str, Tensor]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        system = self.run.system
        if len(system.learning_rates) > 1 and system.keep == "last":
            raise InputError(
                f"{len(system.learning_rates)} learning rates are compared on labels that are "
                "held out for that: choose the epoch by loss or accuracy (keep), or give one rate."
            )

    def all(self) -> Generator[Event, Command | None, list[Outcome]]:
        """Carry out all attempts; return one outcome a seed, the best first."""
        trials, runs = self._trials(), self._runs(self._rates[0])
        n_whole = sum(attempt.epochs == self._training.epochs for attempt in trials[:1])
        learning = sum(map(self._cost_of, [*trials, *runs[n_whole:]]))
        self._learning_share = learning / (learning + self._pretraining_cost * len(runs))
        self._cost = learning / self._learning_share
        tried: list[Outcome] = []
        for attempt in trials:
            tried = _best_first([*tried, (yield from self._attempt(attempt))])[:1]
            if self.stopped:
                return tried
        if tried:
            yield from self._tell_rate(tried[0])
            if self.stopped:
                return tried
            runs = self._runs(tried[0].run.learning_rate)
        whole = tried[:n_whole]
        for attempt in runs[n_whole:]:
            whole.append((yield from self._attempt(attempt)))
            if self.stopped:
                break
        return _best_first(whole)

    @property
    def _rates(self) -> tuple[float, ...]:
        """The learning rates that are tried; one if there is nothing to compare them on."""
        system = self.run.system
        rates = system.learning_rates or (system.training.optimizer.learning_rate,)
        is_watched = system.keep == "watched" and self.watch is not None
        return rates if is_watched or len(self.split.chosen_on) else rates[:1]

    @property
    def _objective(self) -> CropObjectiveConfig:
        return self.run.system.objective_config()

    @property
    def _n_trained(self) -> int:
        split = self.split
        return len(split.all_rows if self._objective.uses_unlabelled else split.labelled)

    @property
    def _training(self) -> CropTrainingConfig:
        return self.run.training(self._n_trained)

    def _trials(self) -> list[Attempt]:
        system, rates = self.run.system, self._rates
        if len(rates) == 1:
            return []
        whole = self._training.epochs
        epochs = min(system.trial_epochs or whole, whole)
        return [
            Attempt(
                f"Learning rate {rate:g} ({n} of {len(rates)})", system.training.seed, rate, epochs
            )
            for n, rate in enumerate(rates, start=1)
        ]

    def _runs(self, rate: float) -> list[Attempt]:
        system, training = self.run.system, self._training
        names = [f"Run {n} of {system.seeds}" for n in range(1, system.seeds + 1)]
        return [
            Attempt(
                name if system.seeds > 1 else "Training",
                system.training.seed + n,
                rate,
                training.epochs,
            )
            for n, name in enumerate(names)
        ]

    @property
    def _pretraining_cost(self) -> float:
        """Return what pretraining costs, in crops drawn in training with labels."""
        if not self.run.pretrains:
            return 0.0
        n = len(self.split.all_rows)
        return 2.0 * self.run.pretraining(n).epochs * n

    def _cost_of(self, attempt: Attempt) -> float:
        return float(attempt.epochs * self._n_trained)

    def _slice(self, cost: float) -> tuple[float, float]:
        """Return where in the whole training a part of it begins, and its share."""
        start = self._done / self._cost
        self._done += cost
        return start, cost / self._cost

    def _attempt(self, attempt: Attempt) -> Generator[Event, Command | None, Outcome]:
        """Train from the first weights on."""
        network = self.run.network(self.n_classes, attempt.seed)
        if self.run.pretrains:
            self.stopped = yield from self._pretrained_into(network, attempt.seed)
        config = self._objective
        objective = config.build(network).to(self.run.device)
        if self.stopped:
            scorer, labels = self.run.scorer(objective), self.split.labels
            note = teach_last_layer(scorer, self.run.store, labels)
            return Outcome(objective, self._described(attempt, objective, None), note)
        start, share = self._slice(self._cost_of(attempt))
        learnt = yield from self.run.learn(
            objective,
            config,
            self.split,
            self._training_of(attempt, share),
            self.watch,
            attempt.name,
            start,
            share,
        )
        self.stopped, note = learnt.stopped, ""
        if learnt.stopped:
            note = f"Training was stopped; the weights are of epoch {learnt.epoch:.3g}."
        if self.run.system.last_layer == "fitted":
            note = " ".join(filter(None, [note, self._fit_last_layer(objective, attempt.seed)]))
        return Outcome(objective.eval(), self._described(attempt, objective, learnt), note)

    def _fit_last_layer(self, objective: CropObjective, seed: int) -> str:
        scorer, split = self.run.scorer(objective.eval()), self.split
        return fit_last_layer(scorer, self.run.store, split.labels, split.all_rows, seed)

    def _pretrained_into(
        self, network: Classifier, seed: int
    ) -> Generator[Event, Command | None, bool]:
        """Give a network what it learns from all crops, once a seed."""
        if seed in self._pretrained:
            network.load_state_dict({**network.state_dict(), **self._pretrained[seed]})
            return False
        rows = self.split.all_rows
        training = self.run.pretraining(len(rows))
        others = seed - self.run.system.training.seed
        minutes = None if training.minutes is None else training.minutes / self.run.system.seeds
        training = training.model_copy(update={"seed": training.seed + others, "minutes": minutes})
        start, share = self._slice(self._pretraining_cost)
        stopped = yield from self.run.pretrain(network, rows, training, start, share)
        self._pretrained[seed] = encoder_weights(network)
        return stopped

    def _training_of(self, attempt: Attempt, share: float) -> CropTrainingConfig:
        """Return how an attempt is trained; the minutes are those of all attempts together."""
        training = self._training
        optimizer = training.optimizer.model_copy(update={"learning_rate": attempt.rate})
        minutes = training.minutes
        if minutes is not None:
            minutes *= share / self._learning_share
        return training.model_copy(
            update={
                "epochs": attempt.epochs,
                "seed": attempt.seed,
                "minutes": minutes,
                "optimizer": optimizer,
            }
        )

    def _described(
        self, attempt: Attempt, objective: CropObjective, learnt: Learnt | None
    ) -> TrainingRun:
        """Return what an attempt came to, measured on labels that were held out."""
        rows, truth = self.split.held, self.split.truth
        accuracy = None
        if len(rows):
            found = self.run.scorer(objective).of_rows(self.run.store, rows).argmax(axis=1)
            accuracy = float((found == truth[rows]).mean())
        if learnt is None:
            return TrainingRun(attempt.seed, attempt.rate, 0.0, None, accuracy)
        merit = learnt.validation
        return TrainingRun(
            attempt.seed,
            attempt.rate,
            learnt.epoch,
            None if merit is None or not math.isfinite(merit) else merit,
            accuracy,
            {name: value for name, value in learnt.figures.items() if np.isfinite(value)},
        )

    def _tell_rate(self, best: Outcome) -> Generator[Event, Command | None, None]:
        """Say which learning rate is taken."""
        rates = ", ".join(f"{rate:g}" for rate in self._rates)
        said = f"The learning rate {best.run.learning_rate:g} was best on validation, of {rates}."
        self.notes.append(said)
        done = round(1000 * self._done / self._cost)
        self.stopped = (yield Event(done=done, total=1000, message=said)) is Command.STOP


def _best_first(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return outcomes, those of the best validation first."""
    return sorted(outcomes, key=lambda outcome: -outcome.merit)


def marked(outcomes: Sequence[Outcome], kept: int) -> tuple[TrainingRun, ...]:
    """Return what the runs came to, by their seeds; the first ones of `outcomes` are kept."""
    runs = [replace(outcome.run, kept=n < kept) for n, outcome in enumerate(outcomes)]
    return tuple(sorted(runs, key=lambda run: run.seed))
