"""What a trained objective makes of crops, batch after batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_cryoml.objectives import CropBatch, CropObjective
from napari_cryoml.training import (
    ChosenPrecision,
    CropStore,
    Normalisation,
    autocast,
    autocast_dtype,
    lay_out,
    normalised,
)

Images = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]

_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class Scorer:
    """An objective, where and in which numbers it computes.

    Parameters
    ----------
    objective : CropObjective
        Put into evaluation mode when it is asked.
    device : torch.device
    precision : {"auto", "float32", "bfloat16"}
    normalisation : {"channel", "joint", "min_max", "percentile"}
        Of crops that are given as they were read; see `training.normalised`.
    """

    objective: CropObjective
    device: torch.device
    precision: ChosenPrecision = "auto"
    normalisation: Normalisation = "channel"

    def __post_init__(self) -> None:
        lay_out(self.objective, autocast_dtype(self.precision, self.device), self.device)

    def map(self, function: Callable[[Tensor], Tensor], images: Images) -> Images:
        """Return what a function makes of crops (k, C, *shape), in their order."""
        parts = (images[at : at + _AT_ONCE] for at in range(0, len(images), _AT_ONCE))
        return self._joined(function, (normalised(part, self.normalisation) for part in parts))

    def of_rows(
        self, store: CropStore, rows: Rows, function: Callable[[Tensor], Tensor] | None = None
    ) -> Images:
        """Return the scores of stored crops, or what another function makes of them."""
        parts = (store.read(rows[at : at + _AT_ONCE]) for at in range(0, len(rows), _AT_ONCE))
        return self._joined(function or self.objective.logits, parts)

    def vectors(self, crops: Tensor) -> Tensor:
        """Return what the last layer of the network classifies, of normalised crops."""
        network = self.objective.network
        return network.vectors(network.feature_map(crops))

    def loss(self, store: CropStore, rows: Rows, labels: npt.NDArray[np.intp]) -> float:
        """Return the mean loss of labelled crops."""
        total = 0.0
        self.objective.eval()
        for at in range(0, len(rows), _AT_ONCE):
            part = rows[at : at + _AT_ONCE]
            images = torch.from_numpy(store.read(part))
            truth = torch.from_numpy(labels[part].astype(np.int64))
            views = (images,) * self.objective.n_views
            batch = CropBatch(views, truth, torch.from_numpy(part)).to(self.device)
            with torch.inference_mode(), autocast(self.precision, self.device):
                total += float(self.objective(batch).total) * len(part)
        return total / max(len(rows), 1)

    def _joined(self, function: Callable[[Tensor], Tensor], parts: Iterator[Images]) -> Images:
        self.objective.eval()
        found = []
        with torch.inference_mode(), autocast(self.precision, self.device):
            for images in parts:
                given = torch.from_numpy(np.ascontiguousarray(images)).to(self.device)
                found.append(function(given).float().cpu().numpy())
        return np.concatenate(found) if found else np.empty((0, 0), np.float32)
