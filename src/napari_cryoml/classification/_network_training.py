"""The jobs that train a network on crops: without labels, with labels, or both in turn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml.classification._attempts import Attempts, Outcome, marked
from napari_cryoml.classification._calibration import fit_temperature
from napari_cryoml.classification._fitting_crops import channel_names
from napari_cryoml.classification._label_split import Split
from napari_cryoml.classification._labelled_crops import UNKNOWN, LabelledCrops
from napari_cryoml.classification._network_classifier import NetworkClassifier, joint_scores
from napari_cryoml.classification._network_run import NetworkRun
from napari_cryoml.classification._network_system import NetworkSystem
from napari_cryoml.classification._pretrained_encoder import PretrainedEncoder, encoder_weights
from napari_cryoml.classification._training_run import spread_of_accuracy
from napari_cryoml.classification._watch import Watch
from napari_cryoml.data import Crops, MissingWedge
from napari_cryoml.evaluation import ClassificationReport
from napari_cryoml.jobs import Job


def train_network(
    data: LabelledCrops, system: NetworkSystem, watch: Watch | None = None
) -> Job[NetworkClassifier]:
    """Train a system of a network; see `NetworkSystem.fit`.

    Parameters
    ----------
    data : LabelledCrops
    system : NetworkSystem
    watch : Watch, optional

    Yields
    ------
    TrainingEvent
        And an `Event` that says which learning rate is taken, where several are tried.

    Returns
    -------
    NetworkClassifier

    Raises
    ------
    InputError
        If the options do not fit each other or these crops.
    """
    run, split = NetworkRun(data.crops, data.wedge, system), Split.of(data, system)
    attempts = Attempts(run, split, len(data.classes), watch)
    outcomes = yield from attempts.all()
    kept = outcomes if system.of_seeds == "ensemble" else outcomes[:1]
    notes = [*split.notes, *run.notes, *attempts.notes]
    notes += [outcome.note for outcome in kept if outcome.note]
    if attempts.stopped and not any(outcome.note for outcome in kept):
        notes.append("Training was stopped; the best of what was trained by then was kept.")
    told = spread_of_accuracy([outcome.run for outcome in outcomes])
    return _classifier(run, data, split, outcomes, kept, [*notes, told] if told else notes)


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
    run = NetworkRun(crops, getattr(crops, "wedge", None) if wedge is None else wedge, system)
    network, rows = run.network(1, system.training.seed), np.arange(len(crops))
    stopped = yield from run.pretrain(network, rows, run.pretraining(len(rows)), 0.0, 1.0)
    notes = (*run.notes, *(["Pretraining was stopped early."] if stopped else []))
    return PretrainedEncoder(
        system.network_config(),
        encoder_weights(network),
        tuple(crops.shape),
        getattr(crops, "pixel_size", None),
        run.wedge,
        system.pretraining.objective or "",
        notes,
        run.crops.n_channels,
        channel_names(run.crops),
        system.normalisation,
    )


def _classifier(
    run: NetworkRun,
    data: LabelledCrops,
    split: Split,
    outcomes: Sequence[Outcome],
    kept: Sequence[Outcome],
    notes: Sequence[str],
) -> NetworkClassifier:
    """Return the classifier, measured and calibrated on crops it has not seen."""
    crops, rows = run.crops, split.held if len(split.held) else split.chosen_on
    of_each = [run.scorer(outcome.objective).of_rows(run.store, rows) for outcome in kept]
    scores, truth = joint_scores(of_each), split.truth[rows]
    report, held_out = None, np.full(len(data.labels), UNKNOWN, np.intp)
    if len(split.held):
        report = ClassificationReport.of(truth, scores.argmax(axis=1), data.classes)
        held_out[rows] = scores.argmax(axis=1)
    return NetworkClassifier(
        classes=data.classes,
        system=run.system,
        shape=tuple(crops.shape),
        n_channels=crops.n_channels,
        channels=channel_names(crops),
        pixel_size=getattr(crops, "pixel_size", None),
        wedge=run.wedge,
        temperature=fit_temperature(scores, truth),
        report=report,
        notes=tuple(notes),
        held_out=held_out,
        runs=marked(outcomes, len(kept)),
        objective=kept[0].objective.eval(),
        others=tuple(outcome.objective.eval() for outcome in kept[1:]),
    )
