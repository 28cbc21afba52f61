"""Accuracy of the networks of 2017 and of rotation-invariant features, by noise and tilt."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from _cells import Wanted, measured
from _record import table
from _sections import Row
from _subtomo_data import Subtomograms, halves, subtomograms
from napari_cryoml.classification import UNKNOWN, LabelledCrops, classify, systems
from napari_cryoml.jobs import run_inline

SECTION = "subtomo-accuracy"
_SYSTEMS = ("inception3d", "dsrf3d", "rif_svm", "few_shot", "contrastive")
_PAPER = {  # Xu et al. 2017, table 1: 23 classes, 500 a class to train on
    ("inception3d", 60): {0.5: 0.975, 0.1: 0.851, 0.05: 0.757},
    ("dsrf3d", 60): {0.5: 0.972, 0.1: 0.891, 0.05: 0.767},
    ("rif_svm", 60): {0.5: 0.929, 0.1: 0.762, 0.05: 0.592},
    ("inception3d", 40): {0.5: 0.931, 0.1: 0.809, 0.05: 0.637},
    ("dsrf3d", 40): {0.5: 0.951, 0.1: 0.866, 0.05: 0.684},
    ("rif_svm", 40): {0.5: 0.857, 0.1: 0.649, 0.05: 0.468},
}
_QUICK = ("few_shot", "rif_svm")
_SNRS, _TILTS = (0.5, 0.1, 0.05), (60, 40)


def accuracy(
    n_seeds: int, per_class: int, *, fresh: bool = False, wanted: Wanted = None
) -> Iterable[Row]:
    """Train and test each system on each setting; half of the crops trains.

    The quick systems come first, then all settings of one seed before those of the next.
    """
    networks = [name for name in reversed(_SYSTEMS) if name not in _QUICK]
    cells = [
        {"system": name, "snr": snr, "tilt": tilt, "seed": seed, "per_class": per_class}
        for names in (_QUICK, networks)
        for seed, name, tilt, snr in product(range(n_seeds), names, _TILTS, _SNRS)
    ]
    return measured(SECTION, cells, _one, fresh=fresh, wanted=wanted)


def _one(system: str, snr: float, tilt: int, seed: int, per_class: int) -> Row:
    data = subtomograms(snr, tilt, per_class, seed)
    train, test = halves(data.labels, seed)
    return fitted_accuracy(systems.create(system, seed=seed), data, train, test)


@dataclass(frozen=True)
class Fitted:
    """A classifier, its accuracy on crops it has not seen, and how long the training took."""

    classifier: Any
    accuracy: float
    seconds: float


def fitted(
    system: Any, data: Subtomograms, train: np.ndarray, test: np.ndarray, hide: Sequence[int] = ()
) -> Fitted:
    """Return a system that was trained on `train` and measured on `test`.

    Parameters
    ----------
    system : SystemConfig
    data : Subtomograms
    train, test : arrays of row numbers
    hide : sequence of int
        Rows of `train` whose labels are not told.
    """
    labels = data.labels.copy()
    labels[np.asarray(hide, np.intp)] = UNKNOWN
    told = LabelledCrops(data.take(train).crops, data.classes, labels[train], data.wedge)
    start = time.perf_counter()
    classifier = run_inline(system.fit(told))
    seconds = time.perf_counter() - start
    given = run_inline(classify(data.take(test).crops, classifier))
    return Fitted(classifier, float(np.mean(given.labels == data.labels[test])), seconds)


def fitted_accuracy(
    system: Any, data: Subtomograms, train: np.ndarray, test: np.ndarray, hide: Sequence[int] = ()
) -> Row:
    """Return accuracy, seconds of training and number of crops; see `fitted`."""
    found = fitted(system, data, train, test, hide)
    return {"accuracy": found.accuracy, "seconds": found.seconds, "n_train": len(train)}


def mean_and_spread(values: Sequence[float]) -> str:
    """Return mean and standard deviation, and how many values, in a cell of a table."""
    if not values:
        return ""
    spread = f" ± {np.std(values):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"


def accuracy_table(rows: Sequence[Row]) -> str:
    """Return ours and the paper's side by side."""
    lines = []
    for name, tilt in product(_SYSTEMS, _TILTS):
        cells = []
        for snr in _SNRS:
            ours = [
                row["accuracy"]
                for row in rows
                if (row["system"], row["tilt"], row["snr"]) == (name, tilt, snr)
            ]
            paper = _PAPER.get((name, tilt), {}).get(snr)
            cells.append(mean_and_spread(ours) + (f" ({paper:.3f})" if paper else ""))
        lines.append([f"`{name}`", f"±{tilt}°", *cells])
    return table(["system", "tilts", *(f"SNR {snr}" for snr in _SNRS)], lines)
