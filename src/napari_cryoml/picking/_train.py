"""The job that makes a picker from images and labels."""

from __future__ import annotations

from collections.abc import Container, Generator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from napari_cryoml import __version__
from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, ImageSource
from napari_cryoml.io import save_or_rescue
from napari_cryoml.jobs import Command, Event, Job
from napari_cryoml.models import Decoder
from napari_cryoml.objectives import class_prior
from napari_cryoml.picking._beside import Beside, learn_beside
from napari_cryoml.picking._config import PickerConfig
from napari_cryoml.picking._events import ImagePicked
from napari_cryoml.picking._loss import DetectionLoss, Trainee
from napari_cryoml.picking._picker import Picker
from napari_cryoml.picking._scoring import picks_from_map
from napari_cryoml.picking._validation import LEAST_LABELS, HeldOut, Validator, hold_out
from napari_cryoml.picking._workspace import Workspace
from napari_cryoml.picking.live._config import LiveConfig
from napari_cryoml.picking.live._teaching import with_positives
from napari_cryoml.preprocess import Preprocessor
from napari_cryoml.training import (
    DenseCrops,
    PatchSampler,
    Sampler,
    TrainingEvent,
    TrainingState,
    choose_device,
    fit,
    leads,
)

LEAST_POSITIVES = 2


def train_picker(
    images: Sequence[ImageSource],
    labels: Mapping[str, Annotations],
    config: PickerConfig,
    *,
    out: str | Path,
    start: str | Path | None = None,
    preview: ImageSource | None = None,
    live: LiveConfig | None = None,
    folder: Path | None = None,
) -> Job[Path]:
    """Train a picker and write it to a file.

    With `live`, or if `config` asks for its labels, the live picker is fitted beside: to the labels
    that the network is trained on, and to no other. Both are measured on the same held-out labels,
    and the picker's summary says which does better.

    Parameters
    ----------
    images : sequence of ImageSource
        Labelled images and others; those without labels count as unlabelled background.
    labels : mapping of str to Annotations
        By the name of the image, in pixels of the image.
    config : PickerConfig
    out : path
        The safetensors file to write; an older one is replaced once the new one is complete.
    start : path, optional
        A picker to go on from. It must be of the same network and diameter.
    preview : ImageSource, optional
        An image to pick at every validation, so that its heat map can be watched.
    live : LiveConfig, optional
        The live picker to measure beside the network.
    folder : Path, optional
        Where features of the live picker are kept on disk.

    Yields
    ------
    Event
        While images are read; `TrainingEvent` with loss and validation AP while it trains, and
        `ImagePicked` for the preview; `PickersCompared` at the end, if the live picker takes part.

    Returns
    -------
    Path
        `out`. A stopped run keeps what it has reached.

    Raises
    ------
    InputError
        If there are too few labels, none inside its image, or the options do not fit.
    """
    labels = check_labels(images, labels)
    device = choose_device(config.device)
    config.detector_config()  # before any image is read: a wrong name is a user's mistake
    config.objective_config()
    previous = _load_start(start, config)
    chosen = _choose_images(images, labels, config)
    fitted = previous.preprocessor if previous else None
    workspace = yield from _prepare(chosen, labels, config, fitted)
    held = hold_out(labels, config.training.validation_share, config.training.seed)
    beside = yield from learn_beside(chosen, workspace, held, config, live, folder)
    run = _Run(workspace, labels, held, config, previous, device, beside)
    state = yield from run.train(preview)
    if leads():
        save_or_rescue(run.picker(state).save, out)
    if beside.asked:
        yield beside.compared(state.validation)
    return Path(out)


def check_labels(
    images: Sequence[ImageSource], labels: Mapping[str, Annotations]
) -> dict[str, Annotations]:
    """Return the labels that lie inside their images.

    Raises
    ------
    InputError
        If fewer than two labelled particles are left, in a sentence that says why.
    """
    if not images:
        raise InputError("Training needs at least one image, and none was given: open some first.")
    shapes = {image.name: image.shape for image in images}
    given = sum(len(entry.positives) for entry in labels.values())
    kept = {
        image: _inside(entry, shapes[image])
        for image, entry in labels.items()
        if image in shapes and len(entry)
    }
    n_positives = sum(len(entry.positives) for entry in kept.values())
    if given == 0:
        raise InputError("Training needs labelled particles, and there are none: click about ten.")
    if n_positives == 0:
        raise InputError(
            f"All {given} labels lie outside the images: check that they belong to these images "
            "and are in pixels of them (see napari-cryoml convert --scale and --flip-y)."
        )
    if n_positives < LEAST_POSITIVES:
        raise InputError(
            f"Training needs at least {LEAST_POSITIVES} labelled particles, and {n_positives} was "
            "given: click a few more, ten make a good start."
        )
    return kept


def _inside(entry: Annotations, shape: tuple[int, ...]) -> Annotations:
    if entry.positions.shape[1] != len(shape):
        raise InputError(
            f"The labels have {entry.positions.shape[1]} coordinates and the images {len(shape)} "
            "axes: use labels made on these images."
        )
    inside = ((entry.positions >= -0.5) & (entry.positions <= np.array(shape) - 0.5)).all(axis=1)
    return Annotations(entry.positions[inside], entry.labels[inside])


def _load_start(start: str | Path | None, config: PickerConfig) -> Picker | None:
    if start is None:
        return None
    picker = Picker.load(start)
    before, now = _shape_of(picker.config), _shape_of(config)
    if before != now:
        raise InputError(
            f"{start} holds a {before}, but a {now} is to be trained: choose the same network, or "
            "start afresh."
        )
    if abs(picker.config.diameter - config.diameter) > 0.1 * config.diameter:
        raise InputError(
            f"{start} was trained for particles of {picker.config.diameter:g} px, but the "
            f"diameter is {config.diameter:g} px now: set it back, or start afresh."
        )
    return picker


def _shape_of(config: PickerConfig) -> str:
    """Return in words what weights have to fit: the network and its size."""
    norm = "with" if config.network.batch_norm else "without"
    units = config.network.units
    return f"{config.ndim}-D {config.model} of {units} units {norm} batch norm"


def _fitting(state: TrainingState | None, trainee: Trainee) -> TrainingState | None:
    """Return a state for a trainee that may have got a decoder since, or lost it."""
    own = trainee.state_dict()
    if state is None or state.weights.keys() == own.keys():
        return state
    known = {name: value for name, value in state.weights.items() if name in own}
    # What the optimiser remembers goes by the order of the parameters, which is another one now.
    return TrainingState({**own, **known}, {}, state.step)


def _choose_images(
    images: Sequence[ImageSource], labels: Mapping[str, Annotations], config: PickerConfig
) -> list[ImageSource]:
    """Return the labelled images and a random choice of the others."""
    labelled = [image for image in images if image.name in labels]
    others = [image for image in images if image.name not in labels]
    rng = np.random.default_rng(config.training.seed)
    order = rng.permutation(len(others))[: config.background_images]
    return labelled + [others[index] for index in sorted(order)]


def _prepare(
    images: Sequence[ImageSource],
    labelled: Container[str],
    config: PickerConfig,
    fitted: Preprocessor | None,
) -> Generator[Event, Command | None, Workspace]:
    """Read and normalise the images; one event each. An empty one without labels is left out."""
    yield Event(done=0, total=0, message="Learning the grey values of the images.")
    preprocessor = fitted or Preprocessor.fit(
        images, config.diameter, config.preprocess_config(), seed=config.training.seed
    )
    workspace = Workspace(preprocessor)
    for index, image in enumerate(images):
        message = f"Read {image.name}."
        try:
            workspace.add(image)
        except InputError as error:
            if image.name in labelled:
                raise
            message = f"Left out: {error}"
        yield Event(done=index + 1, total=len(images), message=message)
    return workspace


class _Run:
    """The network, its loss and its validation for one call of `train_picker`."""

    def __init__(
        self,
        workspace: Workspace,
        labels: Mapping[str, Annotations],
        held: HeldOut,
        config: PickerConfig,
        previous: Picker | None,
        device: torch.device,
        beside: Beside,
    ) -> None:
        torch.manual_seed(config.training.seed)
        self._workspace, self._labels, self._config = workspace, labels, config
        self._device, self._held, self._beside = device, held, beside
        self._taught = with_positives(held.training, beside.labels)
        working = workspace.preprocessor.config.working_diameter
        self._radius = config.training.label_radius * working / 2  # working pixels
        self._prior = self._class_prior()
        self._weight = config.reconstruction_weight(self._n_positives())
        self.trainee = self._build()
        self._training = config.training_for(self._n_positives() + beside.n_labels)
        self._resume = _fitting(previous.state, self.trainee) if previous else None
        self._validator = Validator(self.trainee.detector, workspace, self._held, config, device)

    def train(self, preview: ImageSource | None) -> Generator[Event, Command | None, TrainingState]:
        """Yield the events of the loop, and the preview after each validation."""
        yield Event(done=0, total=0, message=self._describe_validation())
        job = self._fit()
        command = None
        while True:
            try:
                event = job.send(command)
            except StopIteration as end:
                state: TrainingState = end.value
                return state
            command = yield event
            if preview is not None and event.validation is not None:
                command = (yield self._pick(preview, event)) or command

    def _fit(self) -> Generator[TrainingEvent, Command | None, TrainingState]:
        training = self._training
        objective = self._config.objective_config().build(self._prior)
        return fit(
            self.trainee,
            DetectionLoss(self.trainee, objective, self._weight, training.seed),
            self._sampler(),
            training,
            device=self._device,
            validate=self._validator.measure,
            select=self._held.independent,
            resume=self._resume,
        )

    def _pick(self, image: ImageSource, event: TrainingEvent) -> ImagePicked:
        """Return the picks of an image as the network is now."""
        picker = Picker(self._config, self.trainee.detector, self._workspace.preprocessor)
        score_map = picker.score(image, device=self._device)
        picks = picks_from_map(score_map, image, picker.diameter_in(image), self._config.separation)
        return ImagePicked(
            done=event.done,
            total=event.total,
            image=image.name,
            picks=picks,
            score_map=score_map,
            device=event.device,
        )

    def picker(self, state: TrainingState) -> Picker:
        """Return the trained picker with a summary of the run."""
        summary = {
            "images": len(self._workspace.pixels),
            "positives": self._n_positives(),
            "negatives": sum(len(entry.negatives) for entry in self._labels.values()),
            "class_prior": self._prior,
            "validation_ap": state.validation,
            "threshold": self._validator.curve().best_threshold(),
            "validation_on": "held-out labels" if self._held.independent else "training labels",
            "validation_labels": self._held.n_positives,
            **self._beside.summary(state.validation),
            "steps": state.step,
            "sampler": self._training.sampler,
            "seed": self._config.training.seed,
            "version": __version__,
        }
        detector = self.trainee.detector.cpu()
        return Picker(self._config, detector, self._workspace.preprocessor, summary, state)

    def _build(self) -> Trainee:
        detector = self._config.detector_config().build()
        detector.start_from_prior(self._prior)
        return Trainee(detector, Decoder.of(detector) if self._weight > 0 else None)

    def _sampler(self) -> Sampler:
        images = [
            self._workspace.paint(name, self._training_labels(name), self._radius)
            for name in self._workspace.pixels
            if name not in self._held.whole_images
        ]
        detector, training = self.trainee.detector, self._training
        if training.sampler == "patches":
            return PatchSampler(images, detector.receptive_field, training)
        return DenseCrops(images, detector.receptive_field, detector.stride, training)

    def _training_labels(self, name: str) -> Annotations:
        return self._taught.get(name, Annotations.empty(self._config.ndim))

    def _class_prior(self) -> float:
        """Return the share of unlabelled working pixels that are near a particle's centre."""
        expected = sum(
            self._config.expected_particles(rescaling.shape_in, self._n_labelled(name))
            for name, rescaling in self._workspace.rescalings.items()
        )
        shapes = [pixels.shape for pixels in self._workspace.pixels.values()]
        n_labels = sum(len(entry.positives) for entry in self._taught.values())
        # As many labels as the user expects: there is at least one particle left to find.
        particles = max(expected, n_labels + 1)
        return class_prior(particles, self._radius, shapes, n_labels=n_labels)

    def _n_labelled(self, name: str) -> int:
        own = len(self._labels[name].positives) if name in self._labels else 0
        return own + len(self._beside.labels.get(name, ()))

    def _n_positives(self) -> int:
        return sum(len(entry.positives) for entry in self._labels.values())

    def _describe_validation(self) -> str:
        if self._held.independent:
            n = self._held.n_positives
            held_out = f"{n} labels are held out to measure the validation AP."
        else:
            held_out = (
                f"Fewer than {LEAST_LABELS} labels: the AP shown is that of the labels trained on."
            )
        return f"{held_out} {self._beside.describe()}".rstrip()
