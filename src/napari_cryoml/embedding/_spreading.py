"""Classes that spread from labelled rows to their neighbours, and how often that is right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_cryoml._registry import Config
from napari_cryoml.embedding._confidence import Confidence
from napari_cryoml.embedding._finite import on_rows_set_aside
from napari_cryoml.embedding._labelled import labelled_rows
from napari_cryoml.embedding._neighbour_graph import neighbour_graph

Floats: TypeAlias = npt.NDArray[np.float32]

_TOLERANCE = 1e-3
_MOST_ROUNDS = 100
_BINS = 5


class SpreadConfig(Config):
    """How classes spread along the graph of nearest neighbours."""

    neighbours: int = Field(15, ge=1, description="Nearest neighbours that a row is linked to.")
    reach: float = Field(
        0.9,
        gt=0,
        lt=1,
        description="Share of what a row hears from its neighbours that it passes on; higher to "
        "spread further.",
    )
    least_confidence: float = Field(
        0.5, ge=0, le=1, description="Rows that are less sure stay without a class."
    )
    folds: int = Field(
        5, ge=2, le=20, description="Parts of the labelled rows that are held out in turn."
    )
    seed: int = Field(0, ge=0, description="Seed of the draw of these parts.")


@dataclass(frozen=True, slots=True)
class Reliability:
    """What rows that say they are so sure are worth.

    Parameters
    ----------
    confidence : float
        Mean confidence of held-out rows.
    right : float
        Share of them that are right.
    count : int
    """

    confidence: float
    right: float
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """The classes of all rows, as far as labels reach.

    Parameters
    ----------
    classes : array of shape (n,), str
        Labelled rows keep theirs; "" for those that are less sure than asked for, and for rows
        whose vector is not finite.
    guesses : array of shape (n,), str
        The likeliest class, however unsure; "" where no label reaches.
    confidence : array of shape (n,), float32
        Probability that the guess is right; 1 for labelled rows, 0 where no label reaches.
    accuracy : float
        Share of held-out labelled rows that are guessed right; NaN if none could be held out.
    reliability : tuple of Reliability
        Held-out rows by rising confidence, which was found without them.
    notes : tuple of str
        Sentences for the user.
    """

    classes: npt.NDArray[np.str_]
    guesses: npt.NDArray[np.str_]
    confidence: Floats
    accuracy: float
    reliability: tuple[Reliability, ...]
    notes: tuple[str, ...] = ()


def spread_labels(
    vectors: npt.ArrayLike, classes: npt.ArrayLike, config: SpreadConfig | None = None
) -> Spread:
    """Spread the classes of labelled rows along the graph of nearest neighbours.

    With the normalised graph S of nearest neighbours and labels Y, F = (1 - a) (I - a S)^-1 Y
    (Zhou et al. 2004, NeurIPS 16, 321), solved by conjugate gradients; the labels of each class
    weigh as much as those of any other. The share of the winner in a row of F becomes a
    probability by holding labelled rows out. Labels that were set in groups that lie together make
    it too high for rows that lie apart from them.

    Parameters
    ----------
    vectors : array of shape (n, d)
    classes : array of shape (n,), str
        "" for rows without a label.
    config : SpreadConfig, optional

    Raises
    ------
    InputError
        If no row with a finite vector is labelled.
    """
    config = config or SpreadConfig()
    table, names, finite = labelled_rows(vectors, classes)
    graph = _normalised(neighbour_graph(table[finite].astype(np.float32), config.neighbours))
    within = names[finite]
    kinds, number = np.unique(within[within != ""], return_inverse=True)
    labels = np.full(len(within), -1)
    labels[within != ""] = number
    held_out = _held_out(graph, labels, len(kinds), config)
    confidence = Confidence.fitted(held_out.raw, held_out.right, len(kinds))
    winner, raw = _winners(_spread(graph, labels, len(kinds), config.reach))
    sure = np.where(winner >= 0, confidence(raw), 0)
    is_labelled = labels >= 0
    winner, sure = np.where(is_labelled, labels, winner), np.where(is_labelled, 1, sure)
    guesses = np.append(kinds, "")[winner]
    return Spread(
        _whole(np.where(sure >= config.least_confidence, guesses, ""), finite, ""),
        _whole(guesses, finite, ""),
        _whole(sure.astype(np.float32), finite, 0),
        held_out.accuracy,
        held_out.reliability(len(kinds)),
        _notes(finite, held_out, winner),
    )


def _normalised(graph: Any) -> Any:
    from scipy import sparse

    degree = np.asarray(graph.sum(axis=1)).ravel()
    root = sparse.diags_array(1 / np.sqrt(np.maximum(degree, 1e-12)).astype(np.float32))
    return sparse.csr_matrix(root @ graph @ root)


def _spread(graph: Any, labels: npt.NDArray[np.intp], n_classes: int, reach: float) -> Floats:
    """Return how strongly each class reaches each row, shape (n, n_classes)."""
    target = np.zeros((len(labels), n_classes), np.float32)
    rows = np.flatnonzero(labels >= 0)
    target[rows, labels[rows]] = 1
    target /= np.maximum(target.sum(axis=0), 1)
    return _solved(graph, target, reach)


def _solved(graph: Any, target: Floats, reach: float) -> Floats:
    """Solve (I - reach S) F = Y for all columns at once, by conjugate gradients."""
    solution = np.zeros_like(target)
    rest, direction = target.copy(), target.copy()
    square = (rest**2).sum(axis=0)
    goal = _TOLERANCE**2 * square
    for _ in range(_MOST_ROUNDS):
        if (square <= goal).all():
            break
        product = direction - np.float32(reach) * (graph @ direction)
        step = square / np.maximum((direction * product).sum(axis=0), 1e-30)
        solution += step * direction
        rest -= step * product
        before, square = square, (rest**2).sum(axis=0)
        direction = rest + square / np.maximum(before, 1e-30) * direction
    return np.maximum(solution, 0)


def _winners(reached: Floats) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Return the class that reaches each row most (-1 where none does), and its share."""
    total = reached.sum(axis=1, dtype=float)
    winner = reached.argmax(axis=1)
    share = reached[np.arange(len(winner)), winner] / np.where(total > 0, total, 1)
    return np.where(total > 0, winner, -1), share


@dataclass(frozen=True, slots=True, eq=False)
class _HeldOut:
    fold: npt.NDArray[np.intp]
    raw: npt.NDArray[np.float64]
    right: npt.NDArray[np.bool_]

    @property
    def accuracy(self) -> float:
        return float(self.right.mean()) if len(self.right) else float("nan")

    def reliability(self, n_classes: int) -> tuple[Reliability, ...]:
        if not len(self.raw):
            return ()
        sure = np.empty(len(self.raw))
        for each in np.unique(self.fold):
            out = self.fold == each
            sure[out] = Confidence.fitted(self.raw[~out], self.right[~out], n_classes)(
                self.raw[out]
            )
        parts = np.array_split(np.argsort(sure, kind="stable"), min(_BINS, len(sure)))
        return tuple(
            Reliability(float(sure[part].mean()), float(self.right[part].mean()), len(part))
            for part in parts
        )


def _held_out(
    graph: Any, labels: npt.NDArray[np.intp], n_classes: int, config: SpreadConfig
) -> _HeldOut:
    """Hold out each part of the labelled rows in turn; a class keeps a row at least."""
    rng = np.random.default_rng(config.seed)
    fold = np.full(len(labels), -1)
    for each in range(n_classes):
        rows = rng.permutation(np.flatnonzero(labels == each))
        if len(rows) > 1:
            fold[rows] = (np.arange(len(rows)) + rng.integers(config.folds)) % config.folds
    parts = [np.flatnonzero(fold == each) for each in range(config.folds)]
    raw, right = np.zeros(len(labels)), np.zeros(len(labels), bool)
    for rows in parts:
        if len(rows):
            kept = labels.copy()
            kept[rows] = -1
            winner, share = _winners(_spread(graph, kept, n_classes, config.reach)[rows])
            raw[rows], right[rows] = share, winner == labels[rows]
    rows = np.flatnonzero(fold >= 0)
    return _HeldOut(fold[rows], raw[rows], right[rows])


def _whole(values: npt.NDArray[Any], finite: npt.NDArray[np.bool_], blank: Any) -> Any:
    whole = np.full(len(finite), blank, values.dtype)
    whole[finite] = values
    return whole


def _notes(
    finite: npt.NDArray[np.bool_], held_out: _HeldOut, winner: npt.NDArray[np.intp]
) -> tuple[str, ...]:
    notes = [*on_rows_set_aside(finite)]
    if not len(held_out.raw):
        notes.append(
            "No class has two labelled rows, so none could be held out: the confidence is not "
            "calibrated."
        )
    unreached = int((winner < 0).sum())
    if unreached:
        notes.append(f"No label reaches {unreached} rows: label one among them.")
    return tuple(notes)
