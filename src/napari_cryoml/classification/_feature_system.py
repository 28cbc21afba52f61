"""Systems that describe crops by features that need no training, and fit a head at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_cryoml._errors import InputError
from napari_cryoml.classification._calibration import LEAST_ITEMS, fit_temperature
from napari_cryoml.classification._feature_classifier import FeatureClassifier, Head
from napari_cryoml.classification._fitting_crops import channel_names
from napari_cryoml.classification._out_of_fold import out_of_fold
from napari_cryoml.classification._system import (
    UNKNOWN,
    CropClassifier,
    Images,
    LabelledCrops,
    SystemConfig,
)
from napari_cryoml.evaluation import ClassificationReport
from napari_cryoml.jobs import Command, Event, Job, run_inline

if TYPE_CHECKING:
    from torch import Tensor

Rows = npt.NDArray[np.intp]

_BATCH = 64


class FeatureSystem(SystemConfig):
    """Features of crops that need no training, and a head that learns the classes from them.

    The two steps can be had apart: `features_of` describes crops, once, and `fit_features` fits
    the head to as many labels as there are by then, which takes no time to speak of.
    """

    uses_unlabelled: ClassVar[bool] = True
    """Whether crops without a label change what is learnt."""

    folds: int = Field(
        5,
        ge=2,
        description="Parts of the labels, each of which is held out once to measure the accuracy; "
        "fewer where a class has fewer labels.",
    )
    seed: int = Field(0, ge=0, description="Seed of everything random in the run.")

    @abstractmethod
    def features_of(self, images: Images) -> Images:
        """Return the features of crops (k, C, *shape), shape (k, d), float32.

        Those of a crop that has none are NaN.
        """

    @abstractmethod
    def description(self) -> Hashable:
        """Return what the features depend on: systems that agree in it share them."""

    @abstractmethod
    def fit_head(self, features: Images, labels: Rows, n_classes: int) -> Head:
        """Return the head fitted to finite features (n, d) and labels (n,), -1 for none."""

    @abstractmethod
    def restore_head(self, arrays: Mapping[str, npt.NDArray[Any]]) -> Head:
        """Return the head that gave these arrays.

        Raises
        ------
        KeyError
            If one is missing.
        """

    def fit(self, data: LabelledCrops) -> Job[CropClassifier]:
        """Return the job that describes the crops, labelled ones first, and fits the head.

        `Command.STOP` leaves out the unlabelled crops that are not described yet.

        Raises
        ------
        InputError
            If the crops cannot be read.
        """
        features = yield from self._described(data)
        return self.fit_features(features, data)

    def fit_features(self, features: Images, data: LabelledCrops) -> FeatureClassifier:
        """Return the classifier of crops that are described already.

        Parameters
        ----------
        features : array of shape (n, d)
            What `features_of` gave of each crop; NaN for those that count for nothing.
        data : LabelledCrops
            Its crops are not read.

        Raises
        ------
        InputError
            If a class has no label with finite features.
        """
        finite = np.isfinite(features).all(axis=1)
        given, labels, n_classes = features[finite], data.labels[finite], len(data.classes)
        counts = np.bincount(labels[labels != UNKNOWN], minlength=n_classes)
        if not counts.all():
            raise InputError(
                f"The class {data.classes[counts.argmin()]!r} has no labelled crop that could be "
                "described: label another."
            )
        truth, scores = self._held_out(given, labels, n_classes)
        report, held_out = None, np.full(len(data.labels), UNKNOWN, np.intp)
        if len(truth):
            report = ClassificationReport.of(truth, scores.argmax(axis=1), data.classes)
            held_out[finite & (data.labels != UNKNOWN)] = scores.argmax(axis=1)
        return FeatureClassifier(
            classes=data.classes,
            system=self,
            shape=data.crops.shape,
            n_channels=data.crops.n_channels,
            channels=channel_names(data.crops),
            pixel_size=getattr(data.crops, "pixel_size", None),
            wedge=data.wedge,
            temperature=fit_temperature(scores, truth),
            report=report,
            notes=_notes(counts, data.classes, len(truth)),
            held_out=held_out,
            head=self.fit_head(given, labels, n_classes),
        )

    def restore(self, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> CropClassifier:
        """Return the classifier that was written with these tensors.

        Raises
        ------
        InputError
            If the tensors are not those of this system.
        """
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        try:
            return FeatureClassifier(head=self.restore_head(arrays), **about)
        except (KeyError, ValueError) as error:
            raise InputError(
                f"The file holds no head of the system {self.name!r}: train it again."
            ) from error

    def _described(self, data: LabelledCrops) -> Job[Images]:
        """Describe the crops; once it is told to stop, the labelled ones alone."""
        table: Images | None = None
        batches = _labelled_first(data, self.uses_unlabelled)
        total, done, stopped = sum(map(len, batches)), 0, False
        for rows in batches:
            if stopped and (data.labels[rows] == UNKNOWN).all():
                break
            found = self.features_of(data.crops.read(rows))
            if table is None:
                table = np.full((len(data.crops), found.shape[1]), np.nan, np.float32)
            table[rows] = found
            done += len(rows)
            event = Event(done=done, total=total, message="describing crops")
            stopped = (yield event) is Command.STOP or stopped
        return np.empty((0, 0), np.float32) if table is None else table

    def _held_out(self, features: Images, labels: Rows, n_classes: int) -> tuple[Rows, Images]:
        """Return the class of labelled rows, and their scores by a head that has not seen it."""
        fitted = out_of_fold(self.fit_head, features, labels, n_classes, self.folds, self.seed)
        scores = run_inline(fitted)
        known = np.isfinite(scores).all(axis=1)
        return labels[known], scores[known]


def _labelled_first(data: LabelledCrops, with_others: bool) -> list[Rows]:
    """Return rows to read: those that have a label, then the others in an order quick to read."""
    labelled = data.labelled
    batches = [labelled[at : at + _BATCH] for at in range(0, len(labelled), _BATCH)]
    if with_others:
        others = (rows[data.labels[rows] == UNKNOWN] for rows in data.crops.batches(_BATCH))
        batches += [rows for rows in others if len(rows)]
    return batches


def _notes(counts: Rows, classes: tuple[str, ...], n_held_out: int) -> tuple[str, ...]:
    if not n_held_out:
        few = classes[counts.argmin()]
        return (f"No accuracy is known: the class {few!r} has a single label; label another.",)
    if n_held_out < LEAST_ITEMS:
        return (f"The accuracy is of {n_held_out} labels only, and the probabilities are rough.",)
    return ()
