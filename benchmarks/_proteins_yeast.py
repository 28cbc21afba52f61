"""Five real proteins of yeast from a few labels."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np

from _cells import measured
from _data import DATA
from _proteins_heads import (
    ALL,
    QUICK,
    Floats,
    Rows,
    deeploc,
    drawn,
    logistic_answers,
    network_answers,
    quick_answers,
)
from _record import table
from _sections import Row
from napari_cryoml.data import ArrayCrops

YEAST = "proteins-yeast"

_TEST_SHARE = 0.2
_BASELINES = ("brightness", "spectrum")
_EPOCHS = 12


def yeast(*, fresh: bool = False) -> Iterable[Row]:
    """Classify 1,642 real cells of five proteins from 5, 10, 50 and all labels of each."""
    if not (DATA / "cells" / "yeast").is_dir():
        return []
    cells = [
        {"method": method, "labels": labels, "draw": draw}
        for method, labels, draws in (
            *((name, ALL, 10) for name in _BASELINES),
            *((QUICK, labels, 10) for labels in (5, 10, 50, ALL)),
            ("network", ALL, 3),
        )
        for draw in range(draws)
    ]
    return measured(YEAST, cells, _measured, fresh=fresh)


@cache
def _cells() -> tuple[ArrayCrops, tuple[str, ...], Rows]:
    with np.load(DATA / "cells" / "yeast" / "yeast_crops_64.npz", allow_pickle=False) as kept:
        images, proteins = kept["images"], kept["protein"]
    classes, labels = np.unique(proteins, return_inverse=True)
    crops = ArrayCrops.of(images, columns={"protein": proteins}, channels=("protein", "marker"))
    return crops, tuple(classes.tolist()), labels


def _measured(method: str, labels: int, draw: int) -> Row:
    crops, classes, truth = _cells()
    test, given = drawn(truth, _TEST_SHARE, labels, draw)
    started = time.process_time()
    if method == QUICK:
        found = quick_answers(crops, classes, truth, given, test)
    elif method == "network":
        found = network_answers(deeploc(draw, _EPOCHS), crops, classes, truth, given, test)
    else:
        found = logistic_answers(_FEATURES[method](crops.array), truth, given, test)
    seconds = time.process_time() - started
    return {"accuracy": float((found == truth[test]).mean()), "core_seconds": seconds}


def _brightness(images: Floats) -> Floats:
    protein = images[:, 0].reshape(len(images), -1)
    return np.stack([protein.mean(1), protein.std(1), protein.max(1)], axis=1)


def _spectrum(images: Floats) -> Floats:
    """Return 40 principal components of the logarithm of Fourier amplitudes, both channels."""
    from sklearn.decomposition import PCA

    power = np.log(np.abs(np.fft.rfft2(images)) + 1e-3).reshape(len(images), -1)
    return np.asarray(PCA(40, random_state=0).fit_transform(power), np.float32)


_FEATURES = {"brightness": _brightness, "spectrum": _spectrum}


def yeast_table(rows: Sequence[Row]) -> str:
    """Return accuracies by method and labels."""
    titles = {
        "brightness": "brightness alone",
        "spectrum": "Fourier amplitudes, PCA",
        QUICK: "quick head on measurements",
        "network": "DeepLoc, a quarter as wide, 12 epochs",
    }
    numbers = (5, 10, 50, ALL)
    lines = []
    for method, title in titles.items():
        cells = [_accuracy(rows, method, labels) for labels in numbers]
        seconds = [row["core_seconds"] for row in rows if row["method"] == method]
        lines.append([title, *cells, f"{np.median(seconds):.1f}" if seconds else ""])
    heads = [f"{n} labels" if n else "all labels" for n in numbers]
    return table(["accuracy", *heads, "seconds of a core"], lines)


def _accuracy(rows: Sequence[Row], method: str, labels: int) -> str:
    these = [r["accuracy"] for r in rows if (r["method"], r["labels"]) == (method, labels)]
    if not these:
        return ""
    return f"{np.mean(these):.3f}" + (f" ± {np.std(these, ddof=1):.3f}" if len(these) > 1 else "")
