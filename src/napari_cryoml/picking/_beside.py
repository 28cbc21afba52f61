"""The live picker beside a network in training: what it teaches, and what it reaches."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import ImageSource
from napari_cryoml.jobs import Command, Event
from napari_cryoml.picking._config import PickerConfig
from napari_cryoml.picking._events import PickersCompared
from napari_cryoml.picking._validation import Examination, HeldOut
from napari_cryoml.picking._workspace import Workspace
from napari_cryoml.picking.live._config import LiveConfig
from napari_cryoml.picking.live._teaching import LiveTeacher, learn_live


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """What the live picker has to do with a training run: nothing, by default.

    Parameters
    ----------
    labels : mapping of str to array of shape (n, ndim)
        Its confident picks, by image, that are labels too.
    average_precision : float, optional
        What it reaches on the held-out labels; None if there are none.
    n_held_out : int
        How many these are.
    asked : bool
        Whether it takes part at all.
    """

    labels: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    average_precision: float | None = None
    n_held_out: int = 0
    asked: bool = False

    @property
    def n_labels(self) -> int:
        """How many of its picks are labels."""
        return sum(map(len, self.labels.values()))

    def compared(self, network: float | None) -> PickersCompared:
        """Return which does better; a network has to do better than what is at hand.

        Parameters
        ----------
        network : float or None
            Validation AP of the network.
        """
        live = self.average_precision
        better: Literal["network", "live"] | None = None
        if live is not None and network is not None:
            better = "network" if network > live else "live"
        return PickersCompared(
            done=1,
            total=1,
            network=network,
            live=live,
            better=better,
            n_held_out=self.n_held_out,
            message=_in_words(network, live, self.n_held_out),
        )

    def summary(self, network: float | None) -> dict[str, Any]:
        """Return what a picker's summary says of it."""
        if not self.asked:
            return {}
        return {
            "live_validation_ap": self.average_precision,
            "live_labels": self.n_labels,
            "better": self.compared(network).better,
        }

    def describe(self) -> str:
        """Return in words what the network is up against; nothing if it takes no part."""
        reached = self.average_precision
        parts = [] if reached is None else [f"The live picker reaches {reached:.2f} on them."]
        if self.labels:
            parts.append(f"{self.n_labels} confident picks of the live picker are labels too.")
        return " ".join(parts)


def _in_words(network: float | None, live: float | None, n_held_out: int) -> str:
    if live is None:
        return "There are too few labels to tell whether the network or the live picker is better."
    if network is None:
        return f"The network was stopped before it was measured; live: AP {live:.2f}."
    return f"Network: AP {network:.2f}, live: {live:.2f}, on {n_held_out} held-out labels."


def learn_beside(
    images: Sequence[ImageSource],
    workspace: Workspace,
    held: HeldOut,
    config: PickerConfig,
    live: LiveConfig | None,
    folder: Path | None = None,
) -> Generator[Event, Command | None, Beside]:
    """Fit the live picker to what a network is trained on, and ask of it what it is wanted for.

    Parameters
    ----------
    images : sequence of ImageSource
    workspace : Workspace
        Those of the images that the network is trained on.
    held : HeldOut
        Labels that it is not fitted to, and of which none becomes a label by a detour.
    config : PickerConfig
    live : LiveConfig, optional
        The live picker to measure; without it, and if `config` wants none of its labels, nothing
        is done.
    folder : Path, optional
        Where features are kept on disk.

    Yields
    ------
    Event
        One for each labelled image.

    Raises
    ------
    InputError
        If the live picker's labels are wanted, and it cannot be fitted. If it is to be measured
        only, it takes no part then, and an event says why.
    """
    if live is None and not config.live_labels:
        return Beside()
    options = live_config(config, workspace.preprocessor.pixel_size, live)
    usable = [image for image in images if image.name in workspace.pixels]
    try:
        teacher = yield from learn_live(usable, held, options, folder)
        return _asked(teacher, workspace, config)
    except InputError as error:
        if config.live_labels:
            raise
        message = f"The live picker could not be measured: {error}"
    yield Event(done=0, total=0, message=message)
    return Beside()


def _asked(teacher: LiveTeacher, workspace: Workspace, config: PickerConfig) -> Beside:
    """Return what is wanted of the live picker: labels, and its figure."""
    held, labels = teacher.held, {}
    if config.live_labels:
        labels = teacher.labels(list(workspace.pixels), config.training.seed)
    if not held.independent:
        return Beside(labels, asked=True)
    reached = Examination.of(held, config, workspace).curve(teacher.pick).average_precision
    return Beside(labels, reached, held.n_positives, asked=True)


def live_config(
    config: PickerConfig, pixel_size: float | None = None, live: LiveConfig | None = None
) -> LiveConfig:
    """Return the options of the live picker beside a network, for the same particles.

    Parameters
    ----------
    config : PickerConfig
        Says diameter, axes and separation.
    pixel_size : float, optional
        Angstrom, that the diameter is given in.
    live : LiveConfig, optional
        Says all else.
    """
    if live is None:
        live = LiveConfig(
            diameter=config.diameter,
            particles_per_image=config.particles_per_image,
            device=config.device,
            seed=config.training.seed,
        )
    same = {
        "diameter": config.diameter,
        "ndim": config.ndim,
        "separation": config.separation,
        "pixel_size": pixel_size,
    }
    return live.model_copy(update=same)
