"""Networks trained on simulated cells, with the vectors of test cells after every epoch."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from _data import SCRATCH
from _proteins_data import class_numbers, screen, split
from napari_cryoml.jobs import run_inline
from napari_cryoml.models import Classifier, classifiers
from napari_cryoml.objectives import CropObjective, crop_objectives
from napari_cryoml.training import (
    CropAugmentationConfig,
    CropPairs,
    CropSampler,
    CropStore,
    CropTrainingConfig,
    Normalisation,
    OptimizerConfig,
    fit,
)

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]

WIDTH, BATCH = 0.25, 32
_AT_ONCE = 256


@dataclass(frozen=True)
class Method:
    """A network, what it learns, and how.

    Parameters
    ----------
    network, objective : str
    normalisation : str
    learning_rate : float
    augmentation : CropAugmentationConfig
    epochs : int
    width : float
        Channels, as a multiple of those published.
    """

    network: str
    objective: str
    normalisation: Normalisation
    learning_rate: float
    augmentation: CropAugmentationConfig
    epochs: int
    width: float = WIDTH


METHODS = {
    "deeploc": Method(
        "deeploc",
        "supervised",
        "channel",
        1e-3,
        CropAugmentationConfig(kind="cells", shift=0.05),
        epochs=10,
    ),
    # At the width of DeepLoc here an epoch takes six times as long as one of it. The step size is
    # ten times the published one, for a run that is a thousandth as long.
    "paired_inpainting": Method(
        "paired_inpainting",
        "inpainting",
        "min_max",
        1e-3,
        CropAugmentationConfig(kind="cells", turns="none", shift=0.0),
        epochs=4,
        width=WIDTH / 2,
    ),
}


@dataclass(frozen=True)
class TrainedVectors:
    """What a network says of the test cells.

    Parameters
    ----------
    rows : array of shape (n,)
        The test cells.
    vectors : array of shape (epochs + 1, n, d)
        Before training, and after each epoch.
    losses : array of shape (epochs + 1,)
        On the validation cells.
    seconds : float
        Of a core, that training took.
    """

    rows: Rows
    vectors: Floats
    losses: Floats
    seconds: float

    @property
    def best(self) -> int:
        """The epoch of the least validation loss."""
        return int(self.losses.argmin())


def trained_vectors(method: str, seed: int) -> TrainedVectors:
    """Return what a network says of the test cells of a screen; kept on disk once it is known."""
    path = SCRATCH / "proteins" / f"{method}_{seed}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = _trained(METHODS[method], seed)
        fields = {"rows": made.rows, "vectors": made.vectors, "losses": made.losses}
        np.savez(path, **fields, seconds=made.seconds)
    with np.load(path, allow_pickle=False) as kept:
        return TrainedVectors(kept["rows"], kept["vectors"], kept["losses"], float(kept["seconds"]))


def _trained(method: Method, seed: int) -> TrainedVectors:
    torch.manual_seed(seed)
    made, started = screen(seed), time.process_time()
    parts, labels = split(made, seed), class_numbers(made)
    store = CropStore(made.crops, normalisation=method.normalisation)
    network = classifiers.create(method.network, width=method.width).build(
        made.crops.shape, len(made.classes), made.crops.n_channels
    )
    objective = crop_objectives.create(method.objective).build(network)

    def sampler(rows: Rows, *, learns: bool) -> CropSampler:
        paired = method.objective == "inpainting"
        by = [made.crops.columns[name] for name in ("protein", "plate")]
        return CropSampler(
            store,
            labels,
            rows,
            BATCH,
            objective.n_views,
            method.augmentation if learns else CropAugmentationConfig(kind="none"),
            seed=seed,
            shuffle=learns,
            pairs=CropPairs.of(by, rows) if paired else None,
        )

    vectors, losses = [], []

    def look() -> float:
        vectors.append(cell_vectors(network, store, parts.test))
        losses.append(_loss(objective, sampler(parts.validation, learns=False)))
        return -losses[-1]

    optimizer = OptimizerConfig(
        kind="adam", learning_rate=method.learning_rate, weight_decay=0, schedule="cosine"
    )
    training = CropTrainingConfig(epochs=method.epochs, batch=BATCH, optimizer=optimizer, seed=seed)
    draws = sampler(parts.train, learns=True)
    job = fit(
        objective,
        objective,
        draws,
        training,
        device=torch.device("cpu"),
        validate=look,
        select=False,
        from_start=True,
    )
    run_inline(job)
    seconds = time.process_time() - started
    return TrainedVectors(parts.test, np.stack(vectors), np.array(losses, np.float32), seconds)


def cell_vectors(network: Classifier, store: CropStore, rows: Rows) -> Floats:
    """Return the vectors of some cells, (k, d), of a network in evaluation mode."""
    parts = []
    with torch.inference_mode():
        for start in range(0, len(rows), _AT_ONCE):
            crops = torch.from_numpy(store.read(rows[start : start + _AT_ONCE]))
            parts.append(network.vectors(network.feature_map(crops)).numpy())
    return np.concatenate(parts)


def _loss(objective: CropObjective | nn.Module, draws: CropSampler) -> float:
    """Return the mean loss of one pass."""
    with torch.inference_mode():
        found = [float(objective(draws.draw()).total) for _ in range(draws.steps_per_epoch)]
    return float(np.mean(found))
