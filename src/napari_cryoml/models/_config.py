"""What all detectors share of their options, and the registry of detectors."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from napari_cryoml._registry import Config, Registry
from napari_cryoml.models._layers import Layer, receptive_field, total_stride

if TYPE_CHECKING:
    from napari_cryoml.models._detector import Detector


class NetworkOptions(Config):
    """The options that all detectors have."""

    units: int = Field(
        32,
        ge=1,
        le=512,
        description="Feature channels of the first layer; more of them learn finer differences "
        "and cost time with their square.",
    )
    batch_norm: bool = Field(
        True, description="Normalise the features over each batch, which steadies the training."
    )
    dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of the features silenced in each training step; some help against "
        "overfitting when there are few labels.",
    )


class DetectorConfig(NetworkOptions):
    """The options of a network that scores "a particle is centred here".

    A subclass says in `layers` what the network is made of; all else follows from that.
    """

    activation: ClassVar[Literal["relu", "prelu"]] = "relu"

    ndim: Literal[2, 3] = Field(2, description="2 for micrographs, 3 for tomograms.")

    @abstractmethod
    def layers(self) -> tuple[Layer, ...]:
        """Return the layers before the linear classifier, first to last."""

    @property
    def name(self) -> str:
        """The name this network is registered under."""
        return next(name for name in detectors if detectors[name] is type(self))

    @property
    def receptive_field(self) -> int:
        """The edge of the crop that one score sees, px; always odd."""
        return receptive_field(self.layers())

    @property
    def stride(self) -> int:
        """The pixels between neighbouring scores."""
        return total_stride(self.layers())

    @property
    def latent(self) -> int:
        """The length of the feature vector that is classified."""
        return self.layers()[-1].channels

    def build(self) -> Detector:
        """Return a new network with random weights (from torch's global generator)."""
        from napari_cryoml.models._detector import Detector

        return Detector(self)


detectors: Registry[DetectorConfig] = Registry("network")
