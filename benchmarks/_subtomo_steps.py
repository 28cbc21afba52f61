"""Why networks need many crops: accuracy by how many there are, and by how often they come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from _cells import Wanted, measured
from _record import table
from _sections import Row
from _subtomo_accuracy import fitted_accuracy
from _subtomo_data import parts, subtomograms
from napari_cryoml.classification import systems

SECTION = "subtomo-steps"
_SNR, _TILT, _SEED = 0.1, 60, 0
_PER_CLASS, _TEST_SHARE = 250, 0.2
_PLAN = ((12, 20), (50, 20), (50, 80), (200, 20))
"""Training crops a class, and epochs."""
_NETWORK, _FEATURES = "inception3d", "rif_svm"
_BATCH = systems.create(_NETWORK).training.batch


def steps(*, fresh: bool = False, wanted: Wanted = None) -> Iterable[Row]:
    """Train one network on more crops, and on the same crops for longer; and the baseline."""
    plans = [(_FEATURES, train, None) for train in sorted({train for train, _ in _PLAN})]
    plans += [(_NETWORK, train, epochs) for train, epochs in _PLAN]
    cells = [
        {"system": name, "train_per_class": train, "epochs": epochs}
        for name, train, epochs in plans
    ]
    return measured(SECTION, cells, _one, fresh=fresh, wanted=wanted)


def _one(system: str, train_per_class: int, epochs: int | None) -> Row:
    data = subtomograms(_SNR, _TILT, _PER_CLASS, _SEED).binned()
    pool, test = parts(data.labels, (1 - _TEST_SHARE, _TEST_SHARE), _SEED)
    labels = data.labels[pool]
    train = np.concatenate([pool[labels == one][:train_per_class] for one in np.unique(labels)])
    options = {} if epochs is None else {"epochs": epochs, "held_out_share": 0.0}
    return fitted_accuracy(systems.create(system, seed=_SEED, **options), data, train, test)


def steps_table(rows: Sequence[Row]) -> str:
    """Return accuracies by crops and steps."""
    lines = []
    for row in rows:
        epochs = row["epochs"]
        n_steps = "" if epochs is None else epochs * -(-row["n_train"] // _BATCH)
        lines.append(
            [
                f"`{row['system']}`",
                row["n_train"],
                "" if epochs is None else epochs,
                n_steps,
                f"{row['accuracy']:.3f}",
            ]
        )
    return table(["system", "crops to train on", "epochs", "steps", "accuracy"], lines)
