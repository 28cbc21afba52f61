"""Few labels: contrastive pretraining, and the semi-supervised columns of 2019.

The published runs have hundreds of epochs of thousands of crops. Here all crops are binned to half
their sides, and all published systems take the short settings below, the same for each, so that two
cores are done in an hour or two.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from _cells import Wanted, measured
from _record import table
from _sections import Row
from _subtomo_accuracy import Fitted, fitted, mean_and_spread
from _subtomo_data import Subtomograms, parts, subtomograms
from napari_cryoml.classification import pretrain, systems
from napari_cryoml.jobs import run_inline
from napari_cryoml.training import standardised

CONTRASTIVE, SEMI = "subtomo-contrastive", "subtomo-semi"
_SNR, _TILT = 0.5, 60
_ALL_LABELS: dict[str, Any] = {"held_out_share": 0.0}
"""The test crops measure; no label need be held out for it."""

# ---- contrastive pretraining ----

_OURS, _OURS_WITHOUT = "contrastive", "contrastive, not pretrained"
_PRETRAINED = ("rb3d", "simclr", "swav", "moco", _OURS_WITHOUT, _OURS, "few_shot")
_SHARES_2022 = (0.25, 1.0)
_PAPER_2022 = {  # Gupta et al. 2022, table 1, SNR 0.05: 10 classes, 300 a class to train on
    "rb3d": {0.25: 0.129, 1.0: 0.479},
    "simclr": {0.25: 0.339, 1.0: 0.631},
    "swav": {0.25: 0.348, 1.0: 0.658},
    "moco": {0.25: 0.275, 1.0: 0.673},
}
_ADAM = {"kind": "adam", "learning_rate": 1e-3, "schedule": "cosine", "warm_up": 10}
_SHORT_IN_WORDS = (
    "Crops binned to 16³. Of the published systems: 10 epochs of pretraining in batches of 32, 400 "
    "steps of 16 crops with labels, Adam; semi-supervised 760 steps of 16, Adam at 0.0005."
)
_SHORT_2022: dict[str, Any] = {
    "least_steps": 400,
    "training": {"epochs": 1, "batch": 16, "optimizer": _ADAM | {"learning_rate": 5e-4}},
}
_SHORT_PRETRAINING: dict[str, Any] = {
    "training": {"epochs": 10, "batch": 32, "optimizer": _ADAM},
}

# ---- semi-supervised columns ----

_COLUMNS = ("supervised3d", "self_training", "cascade", "m2", "autoencoding", _OURS)
_ALONE = "autoencoder_alone"
_SHARES_2019 = (0.05, 0.1, 0.2)
_PAPER_2019 = {  # the simulated set of the 3-D autoencoding classifier, 2019, table 2
    "supervised3d": {0.05: 0.178, 0.1: 0.289, 0.2: 0.336},
    "self_training": {0.05: 0.174, 0.1: 0.256, 0.2: 0.322},
    "cascade": {0.05: 0.380, 0.1: 0.592, 0.2: 0.752},
    "m2": {0.05: 0.167, 0.1: 0.180, 0.2: 0.172},
    "autoencoding": {0.05: 0.503, 0.1: 0.714, 0.2: 0.779},
}
_SHORT_2019: dict[str, Any] = {
    "least_steps": 760,
    "training": {"epochs": 20, "batch": 16, "optimizer": {"learning_rate": 5e-4}},
}


def contrastive(
    n_seeds: int, per_class: int, *, fresh: bool = False, wanted: Wanted = None
) -> Iterable[Row]:
    """Pretrain on all training crops once, and train on 25 and on 100 % of their labels."""
    _say_what_is_short()
    cells = [
        {"system": name, "snr": _SNR, "seed": seed, "per_class": per_class}
        for seed, name in product(range(n_seeds), _PRETRAINED)
    ]
    return measured(CONTRASTIVE, cells, _contrastive, fresh=fresh, wanted=wanted)


def _say_what_is_short() -> None:
    sys.stdout.write(f"{_SHORT_IN_WORDS}\n")
    sys.stdout.flush()


def _contrastive(system: str, snr: float, seed: int, per_class: int) -> Row:
    data = subtomograms(snr, _TILT, per_class, seed).binned()
    train, test = _train_and_test(data, seed)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        options = _options_2022(system, seed, data.take(train), Path(folder))
        seconds = {"pretraining_seconds": time.perf_counter() - start}
        found = {}
        for share in _SHARES_2022:
            config = systems.create("contrastive" if system == _OURS_WITHOUT else system, **options)
            hide = _hidden(data.labels, train, share, seed)
            one = fitted(config, data, train, test, hide)
            found[f"{share:g}"] = one.accuracy
            seconds[f"{share:g}_seconds"] = one.seconds
    return {"accuracy": found, **seconds}


def _options_2022(system: str, seed: int, data: Subtomograms, folder: Path) -> dict[str, Any]:
    """Return the options of a system; the published ones are pretrained here."""
    if system == "few_shot":
        return {"seed": seed}
    options: dict[str, Any] = {"seed": seed} | _ALL_LABELS
    if system == _OURS:
        return options
    if system == _OURS_WITHOUT:
        return options | {"pretraining": {"objective": None}}
    options |= _SHORT_2022
    if system == "rb3d":
        return options
    config = systems.create(system, seed=seed, pretraining=_SHORT_PRETRAINING)
    path = folder / "encoder.safetensors"
    run_inline(pretrain(data.crops, config, data.wedge)).save(path)
    return options | {"start_from": path}


def semi_supervised(
    n_seeds: int, per_class: int, *, fresh: bool = False, wanted: Wanted = None
) -> Iterable[Row]:
    """Train on all crops of which 5, 10 or 20 % have a label; and an autoencoder on none."""
    _say_what_is_short()
    cells = [
        {"system": name, "share": share, "snr": _SNR, "seed": seed, "per_class": per_class}
        for seed in range(n_seeds)
        for name, share in [*product(_COLUMNS, _SHARES_2019), (_ALONE, 0.0)]
    ]
    return measured(SEMI, cells, _semi, fresh=fresh, wanted=wanted)


def _semi(system: str, share: float, snr: float, seed: int, per_class: int) -> Row:
    data = subtomograms(snr, _TILT, per_class, seed).binned()
    train, test = _train_and_test(data, seed)
    options = {"seed": seed} | _ALL_LABELS | (_SHORT_2019 if system != _OURS else {})
    name = system
    if system == "cascade":
        options["pretraining"] = {"training": _SHORT_2019["training"]}
    if system == _ALONE:
        # The same network and decoder; labels choose nothing, and their loss has no weight.
        name, share = "autoencoding", max(_SHARES_2019)
        options |= {"objective_options": {"beta": 0.0}, "keep": "last"}
    hide = _hidden(data.labels, train, share, seed)
    one = fitted(systems.create(name, **options), data, train, test, hide)
    found: Row = {"accuracy": one.accuracy, "seconds": one.seconds}
    if name == "autoencoding":
        found["reconstruction"] = _reconstruction_error(one, data, test)
    if system == _ALONE:
        del found["accuracy"]
    return found


def _reconstruction_error(found: Fitted, data: Subtomograms, rows: npt.NDArray[np.intp]) -> float:
    """Return the mean squared error a voxel of crops of deviation 1."""
    images = np.asarray(data.crops.array[rows], np.float32)
    drawn = found.classifier.reconstruct(images)
    return float(np.mean((drawn - standardised(images)) ** 2))


def _train_and_test(data: Subtomograms, seed: int) -> tuple[npt.NDArray[np.intp], ...]:
    train, _, test = parts(data.labels, (0.6, 0.2, 0.2), seed)
    return train, test


def _hidden(
    labels: npt.NDArray[np.intp], train: npt.NDArray[np.intp], share: float, seed: int
) -> npt.NDArray[np.intp]:
    """Return the training rows whose labels are not told; each class keeps 2 at least."""
    rng = np.random.default_rng(seed)
    hidden = []
    for label in np.unique(labels[train]):
        rows = rng.permutation(train[labels[train] == label])
        hidden.append(rows[max(round(share * len(rows)), 2) :])
    return np.concatenate(hidden)


def contrastive_table(rows: Sequence[Row]) -> str:
    """Return ours and the paper's side by side."""
    lines = []
    for name in _PRETRAINED:
        these = [row for row in rows if row["system"] == name]
        cells = [
            mean_and_spread([row["accuracy"][f"{share:g}"] for row in these])
            + _published(_PAPER_2022, name, share)
            for share in _SHARES_2022
        ]
        minutes = [
            f"{np.mean([row[key] for row in these]) / 60:.1f}" if these else ""
            for key in ("pretraining_seconds", "1_seconds")
        ]
        lines.append([_in_code(name), len(these), *cells, *minutes])
    labels = [f"{share:.0%} of labels" for share in _SHARES_2022]
    return table(["system", "draws", *labels, "minutes without labels", "with all"], lines)


def semi_table(rows: Sequence[Row]) -> str:
    """Return ours and the paper's side by side, and how well crops are drawn."""
    lines = []
    for name in _COLUMNS:
        these = [row for row in rows if row["system"] == name]
        cells = [
            mean_and_spread([row["accuracy"] for row in these if row["share"] == share])
            + _published(_PAPER_2019, name, share)
            for share in _SHARES_2019
        ]
        lines.append([_in_code(name), *cells, _minutes(these)])
    for name in ("autoencoding", _ALONE):
        these = [row for row in rows if row["system"] == name]
        shares = _SHARES_2019 if name != _ALONE else (0.0,)
        cells = [
            mean_and_spread([row["reconstruction"] for row in these if row["share"] == share])
            for share in shares
        ]
        cells += [""] * (len(_SHARES_2019) - len(cells))
        named = "no labels, in the first column" if name == _ALONE else _in_code(name)
        lines.append([f"squared error, {named}", *cells, _minutes(these)])
    header = ["system", *(f"{share:.0%} of labels" for share in _SHARES_2019), "minutes"]
    return table(header, lines)


def _published(paper: dict[str, dict[float, float]], name: str, share: float) -> str:
    known = paper.get(name, {}).get(share)
    return f" ({known:.3f})" if known else ""


def _minutes(rows: Sequence[Row]) -> str:
    return f"{np.mean([row['seconds'] for row in rows]) / 60:.1f}" if rows else ""


def _in_code(name: str) -> str:
    """Return a name with its system as code."""
    system, *rest = name.split(maxsplit=1)
    is_system = system.rstrip(",") in systems
    coded = " ".join([f"`{system.rstrip(',')}`{',' * system.endswith(',')}", *rest])
    return coded if is_system else name
