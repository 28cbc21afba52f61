"""What the options of all objectives that train a classifier of crops share, and the registry."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from napari_cryoml._registry import Config, Registry

if TYPE_CHECKING:
    from napari_cryoml.models import Classifier
    from napari_cryoml.objectives._crop_objective import CropObjective


class CropObjectiveConfig(Config):
    """The options of an objective that trains a classifier of crops."""

    uses_labels: ClassVar[bool] = True
    """Whether labels change what is learnt; False for the self-supervised ones."""
    uses_unlabelled: ClassVar[bool] = True
    """Whether crops without a label change what is learnt."""
    draws_unlabelled: ClassVar[bool] = True
    """Whether a crop that has no label, not even one by `CropObjective.begin_epoch`, has a place
    in a batch; where not, it changes nothing there and only takes the place of another."""

    @property
    def name(self) -> str:
        """The name this objective is registered under."""
        return next(name for name in crop_objectives if crop_objectives[name] is type(self))

    @property
    def paired_by(self) -> tuple[str, ...]:
        """Columns in which the crops that a batch shows together agree, the first always.

        With any, views after the first show another crop; without, the same one.
        """
        return ()

    def check(self, batch_size: int, n_crops: int) -> None:
        """Refuse batches that the objective cannot be trained with.

        Parameters
        ----------
        batch_size : int
        n_crops : int
            Crops to train on.

        Raises
        ------
        InputError
            In a sentence that says what to change.
        """

    @abstractmethod
    def build(self, network: Classifier) -> CropObjective:
        """Return the objective around a network; new weights come from torch's global generator."""


crop_objectives: Registry[CropObjectiveConfig] = Registry("objective")
