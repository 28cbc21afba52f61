"""A trained network on another screen, from a handful of labels: the protocol of Kraus et al."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np

from _cells import measured
from _data import SCRATCH
from _proteins_data import class_numbers, screen
from _proteins_heads import (
    QUICK,
    Rows,
    deeploc,
    drawn,
    labelled,
    network_answers,
    quick_answers,
)
from _record import table
from _sections import Row
from napari_cryoml.classification import (
    LabelledCrops,
    train,
    transfer,
)
from napari_cryoml.data import ArrayCrops
from napari_cryoml.jobs import run_inline
from napari_cryoml.simulate import CellsSimulationConfig, simulate_cells

TRANSFER = "proteins-transfer"

_LABELS = (1, 3, 5, 10, 25, 50, 100)
_DRAWS = 5
_EPOCHS = {1: 20, 3: 20, 5: 20, 10: 15, 25: 8, 50: 5, 100: 3}
"""The published 500, 200, 150 and 100, cut to what two cores can do."""

_SOURCE_EPOCHS = 5
_TEST_SHARE = 0.25
_CLASSES = (
    "actin",
    "cell periphery",
    "cytoplasm",
    "ER",
    "Golgi",
    "mitochondrion",
    "nuclear periphery",
    "nucleolus",
    "nucleus",
    "spindle pole",
    "vacuolar membrane",
)
"""Eleven, as many as the smaller of the sets that Kraus et al. carried their network over to."""

_TITLES = {
    QUICK: "quick head on measurements",
    "vectors": "quick head on the network's vectors",
    "transferred": "network, trained further",
}


def carry_over(*, fresh: bool = False) -> Iterable[Row]:
    """Classify a new screen from 1 to 100 labels a class."""
    cells = [
        {"method": method, "labels": labels, "draw": draw}
        for method, labels, draw in product(_TITLES, _LABELS, range(_DRAWS))
    ]
    return measured(TRANSFER, cells, _carried_over, fresh=fresh)


def _carried_over(method: str, labels: int, draw: int) -> Row:
    crops, classes, truth = _new_screen()
    test, given = drawn(truth, _TEST_SHARE, labels, draw, same_test=True)
    started = time.process_time()
    if method == QUICK:
        found = quick_answers(crops, classes, truth, given, test)
    elif method == "vectors":
        found = quick_answers(crops, classes, truth, given, test, start_from=_source())
    else:
        data = labelled(crops, classes, truth, given)
        options = {"epochs": _EPOCHS[labels], "batch": 32, "seed": draw, "held_out_share": 0}
        system = transfer(_source(), data, "deeploc", keep="last", **options)
        found = network_answers(system, crops, classes, truth, given, test)
    seconds = time.process_time() - started
    return {"accuracy": float((found == truth[test]).mean()), "core_seconds": seconds}


@cache
def _new_screen() -> tuple[ArrayCrops, tuple[str, ...], Rows]:
    """Return other proteins, dimmer and less sharp, on plates that differ more."""
    config = CellsSimulationConfig(
        n_proteins=88,
        cells_per_protein=28,
        classes=_CLASSES,
        photons=25,
        blur=1.4,
        plate_spread=0.4,
    )
    made = simulate_cells(config, seed=100)
    names = np.array([made.classes.index(name) for name in made.crops.columns["class"].tolist()])
    return made.crops, made.classes, names


def _source() -> Path:
    """Return the network that learnt the seventeen compartments of another screen."""
    path = SCRATCH / "proteins" / "source.safetensors"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = screen(0)
        data = LabelledCrops(made.crops, made.classes, class_numbers(made))
        run_inline(train(data, deeploc(0, _SOURCE_EPOCHS))).save(path)
    return path


def transfer_table(rows: Sequence[Row]) -> str:
    """Return accuracies by method and labels a class, mean and spread over the draws."""
    lines = []
    for method, title in _TITLES.items():
        cells = []
        for labels in _LABELS:
            these = [r["accuracy"] for r in rows if (r["method"], r["labels"]) == (method, labels)]
            spread = f" ± {np.std(these, ddof=1):.3f}" if len(these) > 1 else ""
            cells.append(f"{np.mean(these):.3f}{spread}" if these else "")
        seconds = [row["core_seconds"] for row in rows if row["method"] == method]
        lines.append([title, *cells, f"{np.median(seconds):.1f}" if seconds else ""])
    heads = [f"{n} a class" for n in _LABELS]
    return table(["accuracy", *heads, "seconds of a core"], lines)
