"""What is unlike everything that has been labelled, and how far to trust that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_cryoml._errors import InputError
from napari_cryoml._registry import Config
from napari_cryoml.embedding._finite import on_rows_set_aside
from napari_cryoml.embedding._labelled import labelled_rows
from napari_cryoml.embedding._novelty_calibration import Calibration, calibrate
from napari_cryoml.embedding._novelty_methods import (
    LEAST_CLASSES,
    METHODS,
    Classes,
    Floats,
    Vectors,
    neighbours_of_known,
)

Kind: TypeAlias = Literal["neighbours", "mahalanobis", "energy"]

_MOST_KNOWN = 20_000
_MOST_BACKGROUND = 20_000


class NoveltyConfig(Config):
    """How rows are compared with those that are labelled."""

    method: Literal["auto", "neighbours", "mahalanobis", "energy"] = Field(
        "auto",
        description="Distance to the nearest labelled rows, to the classes, or energy of a "
        "classifier; auto takes what best tells each labelled class from the others.",
    )
    false_alarms: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="Share of rows of known classes that the threshold takes for new.",
    )
    share: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="Share of the unlabelled rows that is expected to be new.",
    )
    seed: int = Field(0, ge=0, description="Seed of every draw.")


@dataclass(frozen=True, slots=True, eq=False)
class Novelty:
    """How unlike all labelled rows each row is.

    Parameters
    ----------
    scores : array of shape (n,), float32
        Higher for what is more unlike; NaN for rows whose vector is not finite.
    probability : array of shape (n,), float32
        That a row is of no labelled class, from what labelled classes scored that were left out;
        0 for labelled rows, NaN as above.
    threshold : float
        Score above which the stated share of rows of known classes lies; NaN if no class has three
        labelled rows, which takes no row for new.
    is_new : array of shape (n,), bool
        Unlabelled rows whose score lies above it.
    method : str
        What was used: "neighbours", "mahalanobis" or "energy".
    auroc : mapping of str to float
        How well each class that was left out is told from the others: 1 always, 0.5 by chance.
        Empty if no class could be left out.
    compared : mapping of str to float
        Mean of that for each method that was tried.
    notes : tuple of str
        Sentences for the user.
    """

    scores: npt.NDArray[np.float32]
    probability: npt.NDArray[np.float32]
    threshold: float
    is_new: npt.NDArray[np.bool_]
    method: str
    auroc: Mapping[str, float]
    compared: Mapping[str, float]
    notes: tuple[str, ...] = ()

    @property
    def mean_auroc(self) -> float:
        """Mean over the classes that were left out; NaN if there were none."""
        return float(np.mean(list(self.auroc.values()))) if self.auroc else float("nan")


def novelty(
    vectors: npt.ArrayLike, classes: npt.ArrayLike, config: NoveltyConfig | None = None
) -> Novelty:
    """Score each row by how unlike all labelled rows it is.

    Each class with enough rows is left out in turn: the rows of the class are then new, part of
    the others, left out too, are known. Their scores choose the method, give its quality, the
    threshold and the probabilities.

    Parameters
    ----------
    vectors : array of shape (n, d)
    classes : array of shape (n,), str
        "" for rows without a label.
    config : NoveltyConfig, optional

    Raises
    ------
    InputError
        If no row with a finite vector is labelled.
    """
    config = config or NoveltyConfig()
    table, names, finite = labelled_rows(vectors, classes)
    centred = table[finite].astype(np.float32)
    centred -= centred.mean(axis=0, dtype=np.float64)
    within = names[finite]
    known = np.flatnonzero(within != "")
    rng = np.random.default_rng(config.seed)
    notes: list[str] = []
    if len(known) > _MOST_KNOWN:
        known = np.sort(rng.choice(known, _MOST_KNOWN, replace=False))
        notes.append(f"Of the labelled rows, {_MOST_KNOWN} drawn at random were compared with.")
    background = centred[rng.permutation(len(centred))[:_MOST_BACKGROUND]]
    chosen, compared = _choose(centred[known], within[known], background, config)
    scores = _scores(chosen.method, centred, known, within[known], background)
    probability = chosen.probability(scores)
    probability[within != ""] = 0
    is_new = np.zeros(len(finite), bool)
    is_new[finite] = (scores > chosen.threshold) & (within == "")
    return Novelty(
        _spread(scores, finite),
        _spread(probability, finite),
        chosen.threshold,
        is_new,
        chosen.method,
        chosen.auroc,
        compared,
        (*on_rows_set_aside(finite), *notes, *chosen.notes),
    )


def _choose(
    known: Vectors, classes: Classes, background: Vectors, config: NoveltyConfig
) -> tuple[Calibration, dict[str, float]]:
    """Return the calibration of the method that does best, and what each method does."""
    n_classes = len(np.unique(classes))
    tried = list(METHODS) if config.method == "auto" else [config.method]
    tried = [name for name in tried if n_classes >= LEAST_CLASSES[name]]
    if not tried:
        raise InputError(
            "The energy needs two labelled classes and there is one: label rows of another, or "
            "choose another method."
        )
    all_of = [calibrate(name, known, classes, background, config) for name in tried]
    compared = {each.method: each.mean_auroc for each in all_of if each.auroc}
    best = max(all_of, key=lambda each: each.mean_auroc if each.auroc else 0.0)
    return best, compared


def _scores(
    method: str,
    vectors: Vectors,
    known: npt.NDArray[np.intp],
    classes: Classes,
    background: Vectors,
) -> Floats:
    scores = METHODS[method](vectors[known], classes, background)(vectors)
    if method == "neighbours":
        scores[known] = neighbours_of_known(vectors[known])
    return scores


def _spread(values: Floats, finite: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    spread = np.full(len(finite), np.nan, np.float32)
    spread[finite] = values
    return spread
