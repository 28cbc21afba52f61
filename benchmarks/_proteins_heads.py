"""What answers from a few labels: a head on measurements or on other numbers, and a network."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import numpy.typing as npt

from _proteins_training import WIDTH
from napari_cryoml.classification import (
    FeatureSystem,
    LabelledCrops,
    SystemConfig,
    systems,
    train,
)
from napari_cryoml.data import ArrayCrops
from napari_cryoml.jobs import run_inline

Rows = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float32]

ALL = 0
"""Number of labels that stands for all there are."""

QUICK = "measurements"


def drawn(
    truth: Rows, test_share: float, labels: int, draw: int, *, same_test: bool = False
) -> tuple[Rows, Rows]:
    """Return the rows that test, and those whose labels are given, as many of each class."""
    rng, own = np.random.default_rng(0 if same_test else draw), np.random.default_rng([1, draw])
    test, given = [], []
    for label in np.unique(truth):
        rows = rng.permutation(np.flatnonzero(truth == label))
        n_test = round(test_share * len(rows))
        test.append(rows[:n_test])
        rows[n_test:] = own.permutation(rows[n_test:])
        given.append(rows[n_test : len(rows) if labels == ALL else n_test + labels])
    return np.concatenate(test), np.concatenate(given)


def deeploc(seed: int, epochs: int) -> SystemConfig:
    """Return the system of 2022, a quarter as wide, at one learning rate."""
    return systems.create(
        "deeploc",
        network_options={"width": WIDTH},
        epochs=epochs,
        batch=32,
        learning_rate=1e-3,
        seeds=1,
        seed=seed,
        held_out_share=0,
    )


def labelled(
    crops: ArrayCrops, classes: tuple[str, ...], truth: Rows, given: Rows
) -> LabelledCrops:
    """Return crops of which some have a label."""
    labels = np.full(len(truth), -1)
    labels[given] = truth[given]
    return LabelledCrops(crops, classes, labels, least=1)


def network_answers(
    system: SystemConfig,
    crops: ArrayCrops,
    classes: tuple[str, ...],
    truth: Rows,
    given: Rows,
    test: Rows,
) -> Rows:
    """Return what a system says that was trained on the labels."""
    made = run_inline(train(labelled(crops, classes, truth, given), system))
    return made.predict(crops.read(test)).argmax(axis=1)


_described: dict[Hashable, Floats] = {}


def quick_answers(
    crops: ArrayCrops,
    classes: tuple[str, ...],
    truth: Rows,
    given: Rows,
    test: Rows,
    **options: Any,
) -> Rows:
    """Return what the quick head says; what it looks at is made once for all cells.

    Parameters
    ----------
    crops : ArrayCrops
    classes : tuple of str
    truth : array of shape (n,)
    given, test : array of shape (k,)
        Rows whose labels are given, and that are asked about.
    **options
        Of the system; `start_from` takes the vectors of a network in place of measurements.
    """
    system = systems.create(QUICK, **options)
    if not isinstance(system, FeatureSystem):
        raise TypeError("the quick system has no features")
    key = id(crops), system.description()
    if key not in _described:
        found = [system.features_of(crops.read(rows)) for rows in crops.batches(64)]
        _described[key] = np.concatenate(found)
    features = _described[key]
    data = labelled(crops, classes, truth, given)
    return system.fit_features(features, data).predict_features(features[test]).argmax(axis=1)


def logistic_answers(features: Floats, truth: Rows, given: Rows, test: Rows) -> Rows:
    """Return what a logistic head says."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    head = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    return np.asarray(head.fit(features[given], truth[given]).predict(features[test]))
