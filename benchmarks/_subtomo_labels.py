"""Few labels: contrastive pretraining, and the semi-supervised columns of 2019."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

from _cells import measured
from _record import table
from _sections import Row
from _subtomo_accuracy import fitted_accuracy, mean_and_spread
from _subtomo_data import parts, subtomograms
from napari_cryoml.classification import systems

CONTRASTIVE, SEMI = "subtomo-contrastive", "subtomo-semi"

_PRETRAINED = ("rb3d", "simclr", "swav", "moco", "contrastive", "few_shot")
_SNR = 0.05
_CONTRASTIVE_PAPER = {  # Gupta et al. 2022, table 1, SNR 0.05: 10 classes, 300 a class to train on
    "rb3d": {0.25: 0.129, 1.0: 0.479},
    "simclr": {0.25: 0.339, 1.0: 0.631},
    "swav": {0.25: 0.348, 1.0: 0.658},
    "moco": {0.25: 0.275, 1.0: 0.673},
}

_COLUMNS = ("supervised3d", "self_training", "cascade", "m2", "autoencoding", "contrastive")
_SEMI_SNR = 0.03
_SEMI_PAPER = {  # the simulated set of the 3-D autoencoding classifier, 2019, table 2
    "supervised3d": {0.05: 0.178, 0.1: 0.289, 0.2: 0.336},
    "self_training": {0.05: 0.174, 0.1: 0.256, 0.2: 0.322},
    "cascade": {0.05: 0.380, 0.1: 0.592, 0.2: 0.752},
    "m2": {0.05: 0.167, 0.1: 0.180, 0.2: 0.172},
    "autoencoding": {0.05: 0.503, 0.1: 0.714, 0.2: 0.779},
}


def contrastive(n_seeds: int, per_class: int, *, fresh: bool = False) -> Iterable[Row]:
    """Pretrain on all training crops, and train on 25 or 100 % of their labels."""
    cells = [
        {"system": name, "share": share, "seed": seed, "per_class": per_class}
        for seed, share, name in product(range(n_seeds), (0.25, 1.0), _PRETRAINED)
    ]
    return measured(CONTRASTIVE, cells, _contrastive, fresh=fresh)


def _contrastive(system: str, share: float, seed: int, per_class: int) -> Row:
    return _with_share(system, _SNR, share, seed, per_class)


def semi_supervised(n_seeds: int, per_class: int, *, fresh: bool = False) -> Iterable[Row]:
    """Train on all crops of which 5, 10 or 20 % have a label."""
    cells = [
        {"system": name, "share": share, "seed": seed, "per_class": per_class}
        for seed, share, name in product(range(n_seeds), (0.05, 0.1, 0.2), _COLUMNS)
    ]
    return measured(SEMI, cells, _semi, fresh=fresh)


def _semi(system: str, share: float, seed: int, per_class: int) -> Row:
    return _with_share(system, _SEMI_SNR, share, seed, per_class)


def _with_share(system: str, snr: float, share: float, seed: int, per_class: int) -> Row:
    data = subtomograms(snr, 60, per_class, seed)
    train, _, test = parts(data.labels, (0.6, 0.2, 0.2), seed)
    hide = _hidden(data.labels, train, share, seed)
    return fitted_accuracy(systems.create(system, seed=seed), data, train, test, hide)


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
    return _table(rows, _PRETRAINED, (0.25, 1.0), _CONTRASTIVE_PAPER)


def semi_table(rows: Sequence[Row]) -> str:
    """Return ours and the paper's side by side."""
    return _table(rows, _COLUMNS, (0.05, 0.1, 0.2), _SEMI_PAPER)


def _table(
    rows: Sequence[Row],
    names: Sequence[str],
    shares: Sequence[float],
    paper: dict[str, dict[float, float]],
) -> str:
    lines = []
    for name in names:
        cells = []
        for share in shares:
            ours = [
                row["accuracy"] for row in rows if (row["system"], row["share"]) == (name, share)
            ]
            known = paper.get(name, {}).get(share)
            cells.append(mean_and_spread(ours) + (f" ({known:.3f})" if known else ""))
        minutes = [row["seconds"] / 60 for row in rows if row["system"] == name]
        lines.append([f"`{name}`", *cells, f"{np.mean(minutes):.1f}" if minutes else ""])
    return table(["system", *(f"{share:.0%} of labels" for share in shares), "minutes"], lines)
