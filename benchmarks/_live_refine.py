"""A network trained on the labels of live picking: does it do better, and is it offered then."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from _data import PickingSet
from _live_accuracy import ASSIGNMENT, average_precision
from _live_sets import live_sets, load_live_set
from _record import table
from napari_cryoml.evaluation import evaluate_picks
from napari_cryoml.jobs import run_inline
from napari_cryoml.picking import Picker, PickerConfig, train_picker
from napari_cryoml.picking.live import LiveConfig, LivePicker

LABELS = (10, 100)
_NAMES = {False: "network", True: "network, live labels"}

Row = dict[str, Any]


def refinement(seeds: int, sets: Sequence[str] = (), minutes: float | None = None) -> Iterator[Row]:
    """Train with and without labels of the live picker, and test all three on the second half.

    Parameters
    ----------
    seeds : int
        Draws of labels for each set and number.
    sets : sequence of str
        All that can be had here, by default.
    minutes : float, optional
        Of each training; the default of the Picker.
    """
    for name in sets or live_sets():
        data = load_live_set(name)
        picker = LivePicker.of(data.images)
        for n_labels, seed in itertools.product(LABELS, range(seeds)):
            yield from _rows(data, picker, n_labels, seed, minutes)


def _rows(
    data: PickingSet, picker: LivePicker, n_labels: int, seed: int, minutes: float | None
) -> Iterator[Row]:
    labels = data.draw_labels(n_labels, seed)
    options = LiveConfig(diameter=data.diameter)
    same = {"set": data.name, "labels": n_labels, "seed": seed}
    live = average_precision(data, picker, options, labels)
    summary: Row = {}
    for live_labels in (False, True):
        training = {"seed": seed} | ({} if minutes is None else {"minutes": minutes})
        config = PickerConfig(diameter=data.diameter, training=training, live_labels=live_labels)
        ap, summary, seconds = _trained(data, labels, config, options)
        yield {
            **same,
            "picker": _NAMES[live_labels],
            "ap": ap,
            "validation_ap": summary["validation_ap"] if _is_held_out(summary) else None,
            "live_labels": summary["live_labels"],
            "better": summary["better"],
            "is_better": "network" if ap > live else "live",
            "steps": summary["steps"],
            "seconds": seconds,
        }
    yield {
        **same, "picker": "live", "ap": live, "validation_ap": summary["live_validation_ap"],
    }  # fmt: skip


def _is_held_out(summary: Row) -> bool:
    return bool(summary["validation_on"] == "held-out labels")


def _trained(
    data: PickingSet, labels: Any, config: PickerConfig, live: LiveConfig
) -> tuple[float, Row, float]:
    """Return the AP on the second half, the picker's summary, and the seconds of the training."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        out = Path(folder) / "picker.safetensors"
        path = run_inline(train_picker(data.training, labels, config, out=out, live=live))
        seconds = time.perf_counter() - start
        picker = Picker.load(path)
    picks = [picker.pick(image) for image in data.testing]
    radius = ASSIGNMENT * data.diameter / 2
    found = evaluate_picks(picks, data.test_picks(), radius).pooled.average_precision
    return found, dict(picker.summary), seconds


def refinement_table(rows: Sequence[Row]) -> str:
    """Return true and validation AP, one row a set, number of labels and picker."""
    header = ["set", "labels", "picker", "AP", "validation AP", "offered", "offer is right"]
    body = []
    keys = dict.fromkeys((row["set"], row["labels"], row["picker"]) for row in rows)
    for key in keys:
        chosen = [row for row in rows if (row["set"], row["labels"], row["picker"]) == key]
        told = [row for row in chosen if row.get("better")]
        offered = sum(row["better"] == "network" for row in told)
        right = sum(row["better"] == row["is_better"] for row in told)
        body.append([
            *key,
            _mean([row["ap"] for row in chosen]),
            _mean([row["validation_ap"] for row in chosen]),
            f"{offered} of {len(told)}" if told else "",
            f"{right} of {len(told)}" if told else "",
        ])  # fmt: skip
    return table(header, body)


def _mean(values: Sequence[float | None]) -> str:
    known = np.array([value for value in values if value is not None])
    return f"{known.mean():.3f} ± {known.std():.3f}" if len(known) else "none held out"
