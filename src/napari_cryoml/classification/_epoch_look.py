"""What is looked at after every epoch of training with labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml.classification._hold_out import Rows
from napari_cryoml.classification._label_split import Split
from napari_cryoml.classification._network_system import NetworkSystem
from napari_cryoml.classification._scoring import Images, Scorer
from napari_cryoml.classification._watch import Watch
from napari_cryoml.training import CropStore, Measured


@dataclass(frozen=True, slots=True, eq=False)
class _Vectors:
    """See `WatchedVectors`."""

    scorer: Scorer
    store: CropStore
    validation: Rows
    test: Rows

    def __call__(self, rows: Rows) -> Images:
        return self.scorer.of_rows(self.store, np.asarray(rows, np.intp), self.scorer.vectors)


class EpochLook:
    """Measures a network between two epochs; what `training.fit` validates with.

    Parameters
    ----------
    scorer : Scorer
    store : CropStore
    split : Split
    system : NetworkSystem
    watch : Watch or None
    epoch : callable
        Returns the passes made so far.
    """

    def __init__(
        self,
        scorer: Scorer,
        store: CropStore,
        split: Split,
        system: NetworkSystem,
        watch: Watch | None,
        epoch: Callable[[], int],
    ) -> None:
        self._scorer, self._store, self._split = scorer, store, split
        self._system, self._watch, self._epoch = system, watch, epoch

    @property
    def chooses(self) -> bool:
        """Whether it tells which epoch is best."""
        if self._keep == "watched":
            return True
        return self._keep != "last" and len(self._split.chosen_on) > 0

    @property
    def is_wanted(self) -> bool:
        """Whether there is anything to look at."""
        return self.chooses or self._watch is not None

    @property
    def _keep(self) -> str:
        """What the epoch is chosen by; without a watch, the loss stands in for its figure."""
        keep = self._system.keep
        return "loss" if keep == "watched" and self._watch is None else keep

    def __call__(self) -> Measured:
        """Return the figure of merit and all other figures."""
        figures = self._of_labels()
        watched = self._watched()
        merit: float | None = None
        if self.chooses:
            merit = {
                "loss": lambda: -figures["loss"],
                "accuracy": lambda: figures["accuracy"],
                "watched": lambda: self._chosen(watched),
            }[self._keep]()
        return Measured(merit, figures | dict(watched))

    def _of_labels(self) -> dict[str, float]:
        """Return loss and accuracy on the labels that choose the epoch."""
        rows, truth = self._split.chosen_on, self._split.truth
        if not len(rows):
            return {}
        found = self._scorer.of_rows(self._store, rows).argmax(axis=1)
        figures = {"accuracy": float((found == truth[rows]).mean())}
        if self._keep == "loss":
            figures["loss"] = self._scorer.loss(self._store, rows, truth)
        return figures

    def _watched(self) -> Mapping[str, float]:
        if self._watch is None:
            return {}
        split = self._split
        vectors = _Vectors(self._scorer, self._store, split.validation, split.test)
        found = self._watch(self._epoch(), vectors)
        return {str(name): float(value) for name, value in found.items()}

    def _chosen(self, watched: Mapping[str, float]) -> float:
        name = self._system.watched or next(iter(watched), "")
        if name not in watched:
            raise InputError(
                f"The epoch is to be chosen by the figure {name!r}, and what is watched is "
                f"{', '.join(watched) or 'nothing'}: name one of these (watched), or choose by "
                "the loss."
            )
        # A score that is not a number is no reason to keep an epoch.
        return watched[name] if np.isfinite(watched[name]) else -np.inf
