"""How well picks agree with true particles, image by image and over all."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.evaluation._matching import match
from napari_cryoml.evaluation._precision_recall import PrecisionRecall

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Agreement of picks with true particles.

    Parameters
    ----------
    pooled : PrecisionRecall
        All picks of all images ranked together.
    per_image : mapping of str to PrecisionRecall
        One curve an image, in the order of the truth.
    radius : float
        Matching radius, pixels.
    """

    pooled: PrecisionRecall
    per_image: Mapping[str, PrecisionRecall]
    radius: float

    def to_json(self) -> dict[str, Any]:
        """Return the pooled figures, the radius, and under ``per_image`` those of each image."""
        each = {image: curve.to_json() for image, curve in self.per_image.items()}
        return self.pooled.to_json() | {"radius": self.radius, "per_image": each}


@dataclass(frozen=True, slots=True, eq=False)
class _Ranked:
    """What remains of the picks of one image after the assignment."""

    scores: Floats
    matched: npt.NDArray[np.bool_]
    n_truth: int

    def curve(self) -> PrecisionRecall:
        return PrecisionRecall.of(self.scores, self.matched, self.n_truth)


def evaluate_picks(
    picks: PicksTable | Iterable[Picks], truth: PicksTable | Iterable[Picks], radius: float
) -> Evaluation:
    """Compare picks with true particles by one-to-one assignment within a radius.

    All picks of an image, whatever their score, are assigned at once by `match`; the thresholds
    are then run over that one assignment (Bepler et al. 2018, results). Images are joined by
    name. An image of the truth without picks has all its particles missed; an image that the
    truth does not name is left out, and an entry without positions says that there is nothing in
    it.

    Parameters
    ----------
    picks : PicksTable or iterable of Picks
        Found particles. Without scores all of them rank alike.
    truth : PicksTable or iterable of Picks
        True particles; their scores are not read.
    radius : float
        Largest distance of a pick from its particle, inclusive, in pixels.

    Returns
    -------
    Evaluation

    Raises
    ------
    InputError
        If a score is NaN, only some images have scores, picks and truth have no image in common,
        or the positions or the radius cannot be used.

    Warns
    -----
    InputWarning
        If picks of images that the truth does not name are left out.
    """
    found, true = _by_image(picks), _by_image(truth)
    _check_names(found, true)
    _check_scores(found)
    ranked = {image: _rank(found.get(image, []), true[image], radius) for image in true}
    per_image = {image: one.curve() for image, one in ranked.items()}
    return Evaluation(_pool(list(ranked.values())).curve(), per_image, float(radius))


def _by_image(table: Iterable[Picks]) -> dict[str, list[Picks]]:
    images: dict[str, list[Picks]] = {}
    for picks in table:
        images.setdefault(picks.image, []).append(picks)
    return images


def _check_names(found: Mapping[str, object], true: Mapping[str, object]) -> None:
    extra = [image for image in found if image not in true]
    if not extra:
        return
    if len(extra) == len(found) and true:
        raise InputError(
            f"Picks and true particles have no image in common (one has {extra[0]!r}, the other "
            f"{next(iter(true))!r}): give both the same image names."
        )
    warnings.warn(
        f"{len(extra)} images with picks, {extra[0]!r} first, are left out: the true particles "
        "do not name them (an entry without positions says that an image is empty).",
        InputWarning,
        stacklevel=3,
    )


def _check_scores(found: Mapping[str, list[Picks]]) -> None:
    parts = [part for image in found.values() for part in image if len(part)]
    without = [part.image for part in parts if part.scores is None]
    if without and len(without) < len(parts):
        raise InputError(
            f"The picks of {without[0]!r} have no scores while others have: give scores for all "
            "images or for none."
        )


def _rank(found: list[Picks], true: list[Picks], radius: float) -> _Ranked:
    targets = _stack([part.positions for part in true])
    positions = _stack([part.positions for part in found])
    assigned = match(positions, targets, radius)
    scores = [
        np.zeros(len(part)) if part.scores is None else np.asarray(part.scores, np.float64)
        for part in found
    ]
    return _Ranked(np.concatenate([np.empty(0), *scores]), assigned >= 0, len(targets))


def _stack(tables: list[Floats]) -> Floats:
    """Return the rows of all tables that have rows, as one table."""
    filled = [table for table in tables if len(table)]
    if len({table.shape[1] for table in filled}) > 1:
        raise InputError("Positions of one image have 2 axes in one place and 3 in another.")
    return np.concatenate(filled) if filled else np.empty((0, 2))


def _pool(images: list[_Ranked]) -> _Ranked:
    return _Ranked(
        np.concatenate([np.empty(0), *(image.scores for image in images)]),
        np.concatenate([np.empty(0, bool), *(image.matched for image in images)]),
        sum(image.n_truth for image in images),
    )
