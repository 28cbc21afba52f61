"""Classifiers of one set of crops, in a process of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.classification._classifier_file import load_classifier
from napari_cryoml.classification._default import default_system, usual_system
from napari_cryoml.classification._described_crops import DescribedCrops
from napari_cryoml.classification._feature_system import FeatureSystem
from napari_cryoml.classification._fitting_crops import fitting_crops
from napari_cryoml.classification._label_errors import LabelErrors, find_label_errors
from napari_cryoml.classification._labelled_crops import LabelledCrops
from napari_cryoml.classification._messages import (
    Attention,
    AttentionRequest,
    ClassifyRequest,
    DoubtRequest,
    FitRequest,
    FittedReply,
    LoadRequest,
    PretrainRequest,
    Reconstructions,
    ReconstructRequest,
    SaveRequest,
    SuggestRequest,
)
from napari_cryoml.classification._next_cells import NextCells, next_to_label
from napari_cryoml.classification._predictions import Predictions, classify
from napari_cryoml.classification._system import CropClassifier
from napari_cryoml.classification._systems import systems
from napari_cryoml.data import Crops, MissingWedge
from napari_cryoml.jobs import Job

_KEPT = 4
"""Classifiers that are held, so that a look back at the last one costs nothing."""


class ClassifyService:
    """Trains classifiers of some crops and answers with them; see `jobs.ChildService`.

    Parameters
    ----------
    crops : Crops
    wedge : MissingWedge, optional
        What the crops say of it by default.
    usual : str, optional
        Name of the system for which crops are described while nothing is asked; the one that
        suits such crops by default.

    Examples
    --------
    Each click replaces the fit that still waits, and what came of the one in hand is shown:

    >>> service = ChildService.start(ClassifyService, crops)  # doctest: +SKIP
    >>> service.ask(FitRequest(labels, ("ribosome", "other")), replaces="fit")  # doctest: +SKIP
    """

    def __init__(
        self, crops: Crops, wedge: MissingWedge | None = None, usual: str | None = None
    ) -> None:
        self._crops = crops
        self._usual = usual or usual_system(crops)
        self._wedge = getattr(crops, "wedge", None) if wedge is None else wedge
        self._held: dict[int, CropClassifier] = {}
        self._next_token = 0
        self._described = DescribedCrops(crops)

    def answer(self, request: ClassifyRequest) -> Any:
        """Return the job, or the reply, that a request asks for; see `_messages`."""
        answers: dict[type, Callable[[Any], Any]] = {
            FitRequest: self._fit,
            LoadRequest: self._load,
            SaveRequest: self._save,
            PretrainRequest: self._pretrain,
            AttentionRequest: self._attention,
            ReconstructRequest: self._reconstruct,
            SuggestRequest: self._suggest,
            DoubtRequest: self._doubt,
        }
        return answers[type(request)](request)

    def idle(self) -> bool:
        """Describe the next crops for the usual system, so that the first label is quick too."""
        system = systems.create(self._usual)
        return isinstance(system, FeatureSystem) and self._described.advance(system)

    def _fit(self, request: FitRequest) -> Job[FittedReply]:
        data = _labelled(self._crops, request, self._wedge)
        system = request.system or default_system(data, request.encoder)
        if isinstance(system, FeatureSystem):
            return (yield from self._fit_features(data, system))
        from napari_cryoml.classification._network_system import NetworkSystem

        watched = isinstance(system, NetworkSystem) and request.watch is not None
        classifier = yield from (
            system.fit(data, request.watch) if watched else system.fit(data)  # type: ignore[call-arg]
        )
        predictions = yield from self._predicted(classifier)
        return self._hold(classifier, predictions)

    def _fit_features(self, data: LabelledCrops, system: FeatureSystem) -> Job[FittedReply]:
        """Fit a head to features that are kept, so that the next label is answered at once."""
        features = yield from self._described.of(system, data.labelled)
        classifier = system.fit_features(features, data)
        chances = classifier.predict_features(features)
        return self._hold(classifier, Predictions(self._crops.ids, chances, data.classes))

    def _load(self, request: LoadRequest) -> Job[FittedReply]:
        classifier = load_classifier(request.path)
        return self._hold(classifier, (yield from self._predicted(classifier)))

    def _save(self, request: SaveRequest) -> Path:
        self._classifier(request.token).save(request.path)
        return request.path

    def _pretrain(self, request: PretrainRequest) -> Job[Path]:
        from napari_cryoml.classification._network_training import pretrain

        encoder = yield from pretrain(self._crops, request.system, self._wedge)
        encoder.save(request.path)
        return request.path

    def _attention(self, request: AttentionRequest) -> Attention:
        classifier = self._classifier(request.token)
        images = self._read(classifier, [request.row])
        label = request.label
        if label is None:
            label = int(classifier.predict(images)[0].argmax())
        shown = classifier.attention(images, [label])[0]
        return Attention(request.row, label, classifier.classes[label], images[0, 0], shown)

    def _reconstruct(self, request: ReconstructRequest) -> Reconstructions:
        from napari_cryoml.training import standardised

        classifier, rows = self._classifier(request.token), np.asarray(request.rows, np.intp)
        given = standardised(self._read(classifier, rows))
        drawn = classifier.reconstruct(given)
        errors = np.square(given - drawn).reshape(len(rows), -1).mean(axis=1)
        return Reconstructions(rows, given[:, 0], drawn[:, 0], errors)

    def _suggest(self, request: SuggestRequest) -> Job[NextCells]:
        labels = np.asarray(request.labels, np.intp)
        features = yield from self._described.of(request.system, np.flatnonzero(labels >= 0))
        return next_to_label(features, labels, request.probabilities, request.n)

    def _doubt(self, request: DoubtRequest) -> Job[LabelErrors]:
        data = _labelled(self._crops, request, self._wedge)
        features = yield from self._described.of(request.system, data.labelled)
        return (yield from find_label_errors(features, data, request.system))

    def _hold(self, classifier: CropClassifier, predictions: Predictions) -> FittedReply:
        """Hold a classifier, and say what it is."""
        token, self._next_token = self._next_token, self._next_token + 1
        self._held[token] = classifier
        while len(self._held) > _KEPT:
            del self._held[min(self._held)]
        return FittedReply(
            token,
            classifier.system,
            classifier.classes,
            predictions,
            classifier.report,
            classifier.temperature,
            classifier.notes,
            classifier.held_out,
        )

    def _predicted(self, classifier: CropClassifier) -> Job[Predictions]:
        found = yield from classify(self._crops, classifier)
        table = np.full((len(self._crops), len(classifier.classes)), np.nan, np.float32)
        place = {name: row for row, name in enumerate(self._crops.ids.tolist())}
        rows = [place[name] for name in found.ids.tolist()]
        table[rows] = found.probabilities
        return Predictions(self._crops.ids, table, classifier.classes)

    def _classifier(self, token: int) -> CropClassifier:
        if token not in self._held:
            raise InputError("This classifier is no longer held: train it or open it again.")
        return self._held[token]

    def _read(self, classifier: CropClassifier, rows: npt.ArrayLike) -> npt.NDArray[np.float32]:
        return fitting_crops(self._crops, classifier).read(rows)


def _labelled(
    crops: Crops, request: FitRequest | DoubtRequest, wedge: MissingWedge | None
) -> LabelledCrops:
    """Return the labelled crops of a request, without classes that have no label."""
    labels = np.asarray(request.labels, np.intp)
    counts = np.bincount(labels[labels >= 0], minlength=len(request.classes))
    used = np.flatnonzero(counts[: len(request.classes)])
    numbers = np.full(len(request.classes) + 1, -1, np.intp)  # the last place is that of -1
    numbers[used] = np.arange(len(used))
    if labels.max(initial=-1) >= len(request.classes):
        raise InputError(
            f"Classes are numbered from 0 to {len(request.classes) - 1}; {labels.max()} was given."
        )
    names = tuple(request.classes[number] for number in used)
    return LabelledCrops(crops, names, numbers[labels], wedge)
