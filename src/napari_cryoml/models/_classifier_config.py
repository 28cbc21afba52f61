"""What the options of all networks that classify whole crops share, and their registry."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from napari_cryoml._errors import InputError
from napari_cryoml._registry import Config, Registry

if TYPE_CHECKING:
    from napari_cryoml.models._classifier import Classifier
    from napari_cryoml.models._crop_blocks import Start


class ClassifierConfig(Config):
    """The options of a network that classifies crops; crops of 2 and 3 axes go the same way."""

    published_start: ClassVar[Start] = "torch"

    initial_weights: Literal["published", "glorot", "kaiming", "torch"] = Field(
        "published",
        description="How the weights are drawn: as the network's authors did, by Glorot's rule, "
        "by Kaiming's with small dense layers, or by torch's own.",
    )

    @property
    def name(self) -> str:
        """The name this network is registered under."""
        return next(name for name in classifiers if classifiers[name] is type(self))

    @property
    def least_side(self) -> int:
        """The smallest side of a crop, in pixels, that the network can be built for."""
        return 8

    @property
    def start(self) -> Start:
        """The rule that the initial weights follow."""
        return self.published_start if self.initial_weights == "published" else self.initial_weights

    def build(self, shape: Sequence[int], n_classes: int, n_channels: int = 1) -> Classifier:
        """Return a new network with random weights (from torch's global generator).

        Parameters
        ----------
        shape : sequence of int
            Shape (z)yx of the crops.
        n_classes : int
            At least 1.
        n_channels : int, default 1
            Channels of the crops.

        Raises
        ------
        InputError
            If the crops have other axes or are too small for the network.
        """
        sides = tuple(int(side) for side in shape)
        came = " x ".join(map(str, sides))
        if len(sides) not in (2, 3):
            raise InputError(f"A {self.name} network takes crops of 2 or 3 axes; {came} px came.")
        if min(sides) < self.least_side:
            raise InputError(
                f"A {self.name} network needs crops of {self.least_side} px or more along each "
                f"axis; {came} px came: cut larger crops, or choose another network."
            )
        if n_classes < 1:
            raise InputError(f"A network needs one class or more; {n_classes} came.")
        if n_channels < 1:
            raise InputError(f"A network needs crops of one channel or more; {n_channels} came.")
        return self._network(sides, n_classes, n_channels)

    @abstractmethod
    def _network(self, shape: tuple[int, ...], n_classes: int, n_channels: int) -> Classifier:
        """Return the network for crops that are large enough; torch is imported in here."""


classifiers: Registry[ClassifierConfig] = Registry("network")
