"""A small network that has learned a map, and places any number of rows in seconds."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np

from napari_cryoml.embedding._layouts import Layout, Vectors
from napari_cryoml.jobs import Command, Event

if TYPE_CHECKING:
    from torch import nn

_UNITS = 256
_EPOCHS = 20
_BATCH = 256
_LEARNING_RATE = 2e-3
_ROWS_AT_ONCE = 16_384


class DistilledPlacement:
    """Places rows by a perceptron with two hidden layers.

    Parameters
    ----------
    network : Module
        From vectors of unit scale to places of unit scale.
    centre, scale : array of shape (d,), float32
        Of the vectors it learned from.
    layout_centre : array of shape (c,), float32
    layout_scale : float
    """

    def __init__(
        self,
        network: nn.Module,
        centre: Vectors,
        scale: Vectors,
        layout_centre: Layout,
        layout_scale: float,
    ) -> None:
        self._network, self._centre, self._scale = network, centre, scale
        self._layout_centre, self._layout_scale = layout_centre, layout_scale

    def __call__(self, vectors: Vectors) -> Layout:
        """Return the places of rows, shape (n, c), float32."""
        import torch

        parts = [np.empty((0, len(self._layout_centre)), np.float32)]
        with torch.inference_mode():
            for begin in range(0, len(vectors), _ROWS_AT_ONCE):
                rows = (vectors[begin : begin + _ROWS_AT_ONCE] - self._centre) / self._scale
                parts.append(self._network(torch.from_numpy(rows)).numpy())
        return np.concatenate(parts) * np.float32(self._layout_scale) + self._layout_centre


def distil(
    vectors: Vectors, layout: Layout, seed: int, n_epochs: int = _EPOCHS
) -> Generator[Event, Command | None, DistilledPlacement]:
    """Teach a network the map of some rows.

    Parameters
    ----------
    vectors : array of shape (n, d), float32
    layout : array of shape (n, c), float32
    seed : int
    n_epochs : int

    Yields
    ------
    Event
        One an epoch.

    Returns
    -------
    DistilledPlacement
    """
    import torch

    centre, scale = vectors.mean(axis=0), vectors.std(axis=0)
    # One scale for all: what varies little shall not count as much as what varies much.
    scale = np.full_like(scale, scale.mean() if scale.any() else 1)
    layout_centre, layout_scale = layout.mean(axis=0), float(layout.std()) or 1.0
    inputs = torch.from_numpy((vectors - centre) / scale)
    targets = torch.from_numpy((layout - layout_centre) / np.float32(layout_scale))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _network(inputs.shape[1], targets.shape[1])
        placement = DistilledPlacement(network, centre, scale, layout_centre, layout_scale)
        steps = n_epochs * -(-len(inputs) // _BATCH)
        optimizer = torch.optim.Adam(network.parameters(), lr=_LEARNING_RATE)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LEARNING_RATE, steps)
        order = torch.Generator().manual_seed(seed)
        for epoch in range(n_epochs):
            for rows in torch.randperm(len(inputs), generator=order).split(_BATCH):
                optimizer.zero_grad(set_to_none=True)
                loss = torch.nn.functional.smooth_l1_loss(
                    network(inputs[rows]), targets[rows], beta=0.1
                )
                loss.backward()
                optimizer.step()
                schedule.step()
            if (yield Event(done=epoch + 1, total=n_epochs)) is Command.STOP:
                break
    return placement


def _network(n_in: int, n_out: int) -> nn.Module:
    from torch import nn

    return nn.Sequential(
        nn.Linear(n_in, _UNITS),
        nn.GELU(),
        nn.Linear(_UNITS, _UNITS),
        nn.GELU(),
        nn.Linear(_UNITS, n_out),
    )
