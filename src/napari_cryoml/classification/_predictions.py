"""Classes of many crops, and how they go into tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.classification._system import CropClassifier
from napari_cryoml.data import Crops, Picks, PicksTable
from napari_cryoml.jobs import Command, Event, Job

CLASS, CONFIDENCE, MARGIN = "class", "confidence", "margin"
PROBABILITY = "probability_"


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a classifier says of crops.

    Parameters
    ----------
    ids : array of shape (n,), str
    probabilities : array of shape (n, L), float32
        Of each class; NaN for crops that could not be read, or have no finite pixel.
    classes : tuple of str
    """

    ids: npt.NDArray[np.str_]
    probabilities: npt.NDArray[np.float32]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def known(self) -> npt.NDArray[np.bool_]:
        """Whether a crop has an answer, shape (n,)."""
        return np.asarray(np.isfinite(self.probabilities).all(axis=1))

    @cached_property
    def labels(self) -> npt.NDArray[np.intp]:
        """Number of the most probable class, shape (n,); -1 without an answer."""
        best = np.nan_to_num(self.probabilities, nan=-1.0).argmax(axis=1)
        return np.where(self.known, best, -1).astype(np.intp)

    @cached_property
    def confidence(self) -> npt.NDArray[np.float32]:
        """Probability of that class, shape (n,); NaN without an answer."""
        best = np.nan_to_num(self.probabilities, nan=-1.0).max(axis=1)
        return np.where(self.known, best, np.nan).astype(np.float32)

    @cached_property
    def margin(self) -> npt.NDArray[np.float32]:
        """That probability less the next one, shape (n,): 0 where two classes are as likely."""
        ordered = np.sort(self.probabilities, axis=1)
        second = ordered[:, -2] if ordered.shape[1] > 1 else 0
        return np.where(self.known, self.confidence - second, np.nan).astype(np.float32)

    @property
    def named(self) -> npt.NDArray[np.str_]:
        """Name of that class, shape (n,); "" without an answer."""
        return np.array([*self.classes, ""], np.str_)[self.labels]

    def take(self, index: npt.NDArray[Any]) -> Predictions:
        """Return the predictions at `index` (a mask or row numbers)."""
        return Predictions(self.ids[index], self.probabilities[index], self.classes)

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return columns of a table: class, confidence, margin, and the probability of each class.

        The probability of a class stands under ``probability_NAME``, with underscores for what a
        STAR file could not hold in a name.
        """
        names = _column_names(self.classes)
        columns = {name: self.probabilities[:, i] for i, name in enumerate(names)}
        known = {CLASS: self.named, CONFIDENCE: self.confidence, MARGIN: self.margin}
        return known | columns

    def per_class(self) -> dict[str, npt.NDArray[np.intp]]:
        """Return the rows of each class that has some."""
        rows = {name: np.flatnonzero(self.labels == i) for i, name in enumerate(self.classes)}
        return {name: found for name, found in rows.items() if len(found)}

    def table(self, crops: Crops) -> PicksTable:
        """Return the crops as picks with these columns beside what is known of them.

        Crops without a row here are left out.

        Raises
        ------
        InputError
            If the crops know no positions in images.
        """
        if crops.images is None or crops.positions is None:
            raise InputError(
                "These crops know no positions in images, so they give no picks: write their "
                "classes as .csv instead."
            )
        rows = self._rows_of(crops)
        known = {name: values[rows] for name, values in getattr(crops, "columns", {}).items()}
        columns = {**known, **self.columns()}
        scores = columns.pop("score", None)
        size, diameter = pixel_size_of_images(crops), getattr(crops, "diameter", None)
        rotations, images = getattr(crops, "rotations", None), crops.images[rows]
        table = []
        for image in dict.fromkeys(images.tolist()):
            at = np.flatnonzero(images == image)
            picks = Picks(
                image,
                crops.positions[rows[at]],
                None if scores is None else np.asarray(scores[at], np.float32),
                size,
                diameter,
                {name: np.asarray(values)[at] for name, values in columns.items()},
                None if rotations is None else rotations[rows[at]],
            )
            table.append(picks)
        return PicksTable.of(table)

    def _rows_of(self, crops: Crops) -> npt.NDArray[np.intp]:
        """Return which crop each row is."""
        place = {name: row for row, name in enumerate(crops.ids.tolist())}
        try:
            return np.array([place[name] for name in self.ids.tolist()], np.intp)
        except KeyError:
            raise InputError(
                "These predictions are of other crops: classify these first."
            ) from None


def _column_names(classes: Sequence[str]) -> list[str]:
    """Return a name for each column that no other has."""
    names: list[str] = []
    for name in classes:
        plain = PROBABILITY + re.sub(r"\W+", "_", name)
        same = sum(known == plain or known.startswith(f"{plain}__") for known in names)
        names.append(f"{plain}__{same}" if same else plain)
    return names


def pixel_size_of_images(crops: Crops) -> float | None:
    """Return angstrom per pixel of the images that crops were cut from, where known."""
    size = getattr(crops, "pixel_size", None)
    if size is None:
        return None
    return float(size) * crops.shape[-1] / float(getattr(crops, "box", crops.shape[-1]))


def classify(crops: Crops, classifier: CropClassifier, batch: int = 64) -> Job[Predictions]:
    """Ask a classifier about crops.

    Parameters
    ----------
    crops : Crops
    classifier : CropClassifier
    batch : int, default 64
        Crops that are read and classified at a time.

    Yields
    ------
    Event
        After each batch; with a message for an image whose crops cannot be read.

    Returns
    -------
    Predictions
        In the order of the crops. A stopped job returns the rows that were done.

    Raises
    ------
    InputError
        If the crops are not of the classifier's shape or sampling, or none can be read.
    """
    from napari_cryoml.classification._fitting_crops import fitting_crops

    crops = fitting_crops(crops, classifier)
    table = np.full((len(crops), len(classifier.classes)), np.nan, np.float32)
    done = np.zeros(len(crops), np.bool_)
    refusal: InputError | None = None
    yield Event(done=0, total=len(crops))
    for rows in crops.batches(batch):
        message = ""
        try:
            images = crops.read(rows)
            table[rows] = classifier.predict(images)
            table[rows[~np.isfinite(images).any(axis=tuple(range(1, images.ndim)))]] = np.nan
        except InputError as error:
            message = "" if str(error) == str(refusal) else str(error)
            refusal = error
        done[rows] = True
        if (yield Event(done=int(done.sum()), total=len(crops), message=message)) is Command.STOP:
            break
    if refusal is not None and not np.isfinite(table).any():
        raise refusal
    found = Predictions(crops.ids, table, classifier.classes)
    return found if done.all() else found.take(done)
