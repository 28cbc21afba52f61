"""harmonic: what shells of a crop hold of each spherical harmonic, whichever way it is turned."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from napari_cryoml.models._classifier_config import ClassifierConfig, classifiers

if TYPE_CHECKING:
    from napari_cryoml.models._crop_blocks import Start
    from napari_cryoml.models._harmonic_classifier import HarmonicClassifier


@classifiers.register("harmonic")
class Harmonic(ClassifierConfig):
    """Products of spherical harmonics on shells: it need not learn what a turn is; our own.

    Kernels that look the same from all sides give a feature map, shells around the middle of the
    crop its coefficients of each spherical harmonic (on rings, of each circular harmonic, in 2-D).
    Of each degree, learnt mixtures of the shells are multiplied with each other and summed over
    the harmonics of the degree. A turn about the middle leaves these sums as they are.
    """

    published_start: ClassVar[Start] = "torch"

    stem: int = Field(
        0,
        ge=0,
        le=64,
        description="Isotropic kernels of 5 pixels before the harmonics; 0 takes the harmonics of "
        "the crop itself.",
    )
    rings: int = Field(
        12,
        ge=2,
        le=64,
        description="Shells (rings in 2-D) around the middle of the crop; no more than its radius "
        "has pixels.",
    )
    degree: int = Field(
        8, ge=0, le=24, description="Highest degree (angular order in 2-D) of the harmonics."
    )
    reach: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Radius of the outermost shell, as a share of the largest that fits into the "
        "crop; pixels beyond it do not count.",
    )
    mixtures: int = Field(
        16, ge=1, le=128, description="Learnt mixtures of the shells, of each degree."
    )
    hidden: int = Field(256, ge=1, le=8192, description="Length of the vector that is classified.")
    dropout: float = Field(
        0.5, ge=0, lt=1, description="Share of the features silenced in each training step."
    )

    def _network(
        self, shape: tuple[int, ...], n_classes: int, n_channels: int
    ) -> HarmonicClassifier:
        from napari_cryoml.models._harmonic_classifier import HarmonicClassifier

        return HarmonicClassifier(shape, n_classes, n_channels, self)
