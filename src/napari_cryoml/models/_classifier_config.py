"""What the options of all networks that classify whole crops share, and their registry."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_cryoml._registry import Config, Registry

if TYPE_CHECKING:
    from napari_cryoml.models._classifier import Classifier


class ClassifierConfig(Config):
    """The options of a network that classifies crops; crops of 2 and 3 axes go the same way."""

    @property
    def name(self) -> str:
        """The name this network is registered under."""
        return next(name for name in classifiers if classifiers[name] is type(self))

    @property
    def least_side(self) -> int:
        """The smallest side of a crop, in pixels, that the network can be built for."""
        return 8

    @abstractmethod
    def build(self, shape: Sequence[int], n_classes: int) -> Classifier:
        """Return a new network with random weights (from torch's global generator).

        Parameters
        ----------
        shape : sequence of int
            Shape (z)yx of the crops.
        n_classes : int

        Raises
        ------
        InputError
            If the crops are too small for the network.
        """


classifiers: Registry[ClassifierConfig] = Registry("network")
