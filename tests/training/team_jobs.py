"""Small training jobs that several processes carry out together."""

import os
import signal
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import psutil
import torch

from napari_cryoml._errors import InputError
from napari_cryoml.models import Decoder, classifiers, detectors
from napari_cryoml.objectives import crop_objectives, objectives
from napari_cryoml.picking._loss import DetectionLoss, Trainee
from napari_cryoml.training import (
    CropAugmentationConfig,
    CropSampler,
    CropTrainingConfig,
    DenseCrops,
    LabelledImage,
    Measured,
    OptimizerConfig,
    TrainingConfig,
    choose_device,
    fit,
    leads,
    paint_labels,
)

CLASSES = 3


@dataclass(frozen=True)
class Learnt:
    weights: dict[str, np.ndarray]
    step: int
    validation: float | None


def _learnt(state) -> Learnt:
    weights = {name: value.numpy() for name, value in state.weights.items()}
    return Learnt(weights, state.step, state.validation)


def detector(objective: str, batch_norm: bool, steps: int, crops: int = 5) -> Generator:
    """Train a detector with a decoder on an image of bright spots."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    pixels = rng.normal(size=(96, 96)).astype(np.float32)
    spots = rng.uniform(20, 76, (12, 2))
    labels = paint_labels(pixels.shape, spots[:8], spots[8:], 3)
    network = detectors.create("conv31", units=4, batch_norm=batch_norm).build()
    trainee = Trainee(network, Decoder.of(network, 4))
    loss = DetectionLoss(trainee, objectives.create(objective).build(0.1), 0.1, 0)
    config = TrainingConfig(steps=steps, minutes=None, crops=crops, crop_size=48)
    batches = DenseCrops(
        [LabelledImage(pixels, labels)], network.receptive_field, network.stride, config
    )
    state = yield from fit(trainee, loss, batches, config, device=choose_device("cpu"))
    return _learnt(state)


def classifier(objective: str, network: str, epochs: int, batch: int = 6) -> Generator:
    """Train a classifier of small crops, and keep the weights of its best epoch."""
    rng = np.random.default_rng(0)
    crops = rng.normal(size=(12, 1, 16, 16)).astype(np.float32)
    torch.manual_seed(0)
    model = classifiers.create(network, dropout=0.0).build((16, 16), CLASSES)
    trained = crop_objectives.create(objective).build(model)
    augmentation = CropAugmentationConfig(kind="full")
    config = CropTrainingConfig(
        epochs=epochs,
        batch=batch,
        precision="float32",
        optimizer=OptimizerConfig(kind="sgd", learning_rate=0.05),
    )
    sampler = CropSampler(
        crops, np.arange(12) % CLASSES, None, batch, trained.n_views, augmentation
    )
    merits = iter([1.0, 3.0, 2.0, *[0.0] * epochs])
    measured = lambda: Measured(next(merits), {"leads": float(leads())})  # noqa: E731
    state = yield from fit(
        trained, trained, sampler, config, device=choose_device("cpu"), validate=measured
    )
    return _learnt(state)


def several() -> Generator:
    """Train a detector and classifiers one after the other, and look who listens where."""
    detected = yield from detector("ge_binomial", batch_norm=True, steps=3)
    compared = yield from classifier("simclr", "compact", epochs=2)
    classified = yield from classifier("supervised", "compact", epochs=2)
    return detected, compared, classified, _listening()


def dying(step: int) -> Generator:
    """Train; the second process is killed at a step."""
    job = detector("pn", batch_norm=True, steps=100_000)
    command, taken = None, 0
    while True:
        try:
            event = job.send(command)
        except StopIteration as end:
            return end.value
        taken += 1
        if taken == step and not leads():
            os.kill(os.getpid(), signal.SIGKILL)
        command = yield event


def doomed() -> Generator:
    """Fail in the second process before anything is trained."""
    if not leads():
        raise InputError("The disk of this toy is full.")
    return (yield from detector("pn", batch_norm=False, steps=3))


def _listening() -> set[str]:
    """Return the addresses that this process and its children listen at."""
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    entries = [entry for process in family for entry in process.net_connections("inet")]
    return {entry.laddr.ip for entry in entries if entry.status == psutil.CONN_LISTEN}
