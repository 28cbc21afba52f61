"""Average precision of the live picker by number of labels, with and without learned channels."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from _data import PickingSet
from _live_sets import live_sets, load_live_set
from _record import table
from napari_cryoml.evaluation import evaluate_picks
from napari_cryoml.picking.live import LiveConfig, LivePicker

ASSIGNMENT = 0.8
"""Matching radius as a share of the particle radius."""

LABELS = (10, 100, 1000)

_TARGETS = {
    "EMPIAR-10017": (0.70, 0.80, 0.83),
    "EMPIAR-10028": (0.70, 0.72, 0.73),
    "EMPIAR-10146": (0.94, 0.97, 0.98),
}
Row = dict[str, Any]


def accuracy(seeds: int) -> Iterator[Row]:
    """Fit to labels drawn from the first half of each set, and test on the second half."""
    for name in live_sets():
        data = load_live_set(name)
        picker = LivePicker.of(data.images)
        for encoder, n_labels in itertools.product((False, True), LABELS):
            config = LiveConfig(diameter=data.diameter, encoder=encoder)
            for seed in range(seeds):
                yield _row(data, picker, config, n_labels, seed)


def average_precision(
    data: PickingSet, picker: LivePicker, config: LiveConfig, labels: Any
) -> float:
    """Return the average precision on the second half of a set."""
    model = picker.fit(labels, config)
    picks = [model.pick(image, picker.features(image.name, config))[1] for image in data.testing]
    radius = ASSIGNMENT * data.diameter / 2
    return evaluate_picks(picks, data.test_picks(), radius).pooled.average_precision


def _row(data: PickingSet, picker: LivePicker, config: LiveConfig, n_labels: int, seed: int) -> Row:
    labels = data.draw_labels(n_labels, seed)
    figure = average_precision(data, picker, config, labels)
    model = picker.fit(labels, config)
    return {
        "set": data.name,
        "labels": n_labels,
        "labels_there": sum(len(entry) for entry in labels.values()),
        "encoder": config.encoder,
        "seed": seed,
        "ap": figure,
        "degree": model.head.degree,
        "strength": model.head.strength,
    }


def accuracy_table(rows: Sequence[Row]) -> str:
    """Return mean and standard deviation over the seeds, one row a set and kind of features."""
    header = ["set", "features", *(f"{n} labels" for n in LABELS), "target"]
    body = []
    for name in dict.fromkeys(row["set"] for row in rows):
        for encoder in (False, True):
            target = " / ".join(f"{figure:.2f}" for figure in _TARGETS.get(name, ()))
            cells = [_cell(rows, name, encoder, n) for n in LABELS]
            features = "analytic and learned" if encoder else "analytic alone"
            body.append([name, features, *cells, target])
    return table(header, body)


def _cell(rows: Sequence[Row], name: str, encoder: bool, n_labels: int) -> str:
    chosen = [r for r in rows if (r["set"], r["encoder"], r["labels"]) == (name, encoder, n_labels)]
    if not chosen:
        return ""
    figures = np.array([row["ap"] for row in chosen])
    fewer = min(row["labels_there"] for row in chosen)
    note = f" ({fewer} there)" if fewer < n_labels else ""
    return f"{figures.mean():.3f} ± {figures.std():.3f}{note}"
