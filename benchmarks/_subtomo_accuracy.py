"""Accuracy of the networks of 2017 and of rotation-invariant features, by noise and tilt."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

import numpy as np

from _cells import measured
from _record import table
from _sections import Row
from _subtomo_data import Subtomograms, halves, subtomograms
from napari_cryoml.classification import UNKNOWN, LabelledCrops, classify, systems
from napari_cryoml.jobs import run_inline

SECTION = "subtomo-accuracy"
_SYSTEMS = ("inception3d", "dsrf3d", "rif_svm", "few_shot")
_PAPER = {  # Xu et al. 2017, table 1: 23 classes, 500 a class to train on
    ("inception3d", 60): {0.5: 0.975, 0.1: 0.851, 0.05: 0.757},
    ("dsrf3d", 60): {0.5: 0.972, 0.1: 0.891, 0.05: 0.767},
    ("rif_svm", 60): {0.5: 0.929, 0.1: 0.762, 0.05: 0.592},
    ("inception3d", 40): {0.5: 0.931, 0.1: 0.809, 0.05: 0.637},
    ("dsrf3d", 40): {0.5: 0.951, 0.1: 0.866, 0.05: 0.684},
    ("rif_svm", 40): {0.5: 0.857, 0.1: 0.649, 0.05: 0.468},
}
_QUICK_FIRST = tuple(reversed(_SYSTEMS))
_SNRS, _TILTS = (0.5, 0.1, 0.05), (60, 40)


def accuracy(n_seeds: int, per_class: int, *, fresh: bool = False) -> Iterable[Row]:
    """Train and test each system on each setting; half of the crops trains."""
    cells = [
        {"system": name, "snr": snr, "tilt": tilt, "seed": seed, "per_class": per_class}
        for seed, tilt, snr, name in product(range(n_seeds), _TILTS, _SNRS, _QUICK_FIRST)
    ]
    return measured(SECTION, cells, _one, fresh=fresh)


def _one(system: str, snr: float, tilt: int, seed: int, per_class: int) -> Row:
    data = subtomograms(snr, tilt, per_class, seed)
    train, test = halves(data.labels, seed)
    return fitted_accuracy(systems.create(system, seed=seed), data, train, test)


def fitted_accuracy(
    system: Any, data: Subtomograms, train: np.ndarray, test: np.ndarray, hide: Sequence[int] = ()
) -> Row:
    """Return accuracy on `test` of a system that was trained on `train`, and what it took.

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
    right = float(np.mean(given.labels == data.labels[test]))
    return {"accuracy": right, "seconds": seconds, "n_train": len(train)}


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
