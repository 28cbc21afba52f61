"""classifier: what a trained network of crops makes of a crop."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_cryoml._errors import InputError
from napari_cryoml.data import Crops
from napari_cryoml.embedding._encoder import CropEncoderConfig, encoders
from napari_cryoml.embedding._model_digest import model_digest

Floats = npt.NDArray[np.float32]


@encoders.register("classifier")
class ClassifierEncoderConfig(CropEncoderConfig):
    """The scores or the last vectors of a classifier, or those of a pretrained network."""

    model: Path = Field(description="Model file of a classifier, or of a pretrained network.")
    layer: Literal["scores", "vectors", "conv1", "conv2", "conv3", "conv4", "conv5"] = Field(
        "scores",
        description="One score a class before the softmax, the structural feature of Xu et al. "
        "2017; the vectors that scores are made of, as always of a network without classes; or, of "
        "a pretrained paired_inpainting network, the maxima of a convolution up to its own.",
    )

    def state(self) -> str:
        """Return a digest of the model file.

        Raises
        ------
        InputError
            If there is no such file.
        """
        return model_digest(self.model, "model")

    def check(self, crops: Crops) -> None:
        """Refuse crops of another shape or sampling than the model was trained on."""
        from napari_cryoml.classification import fitting_crops

        fitting_crops(crops, self.build().model)

    def build(self) -> ClassifierEncoder:
        """Return the encoder, with its network.

        Raises
        ------
        InputError
            If the file holds neither a classifier nor a pretrained network.
        """
        from napari_cryoml import checkpoint
        from napari_cryoml.classification import PretrainedEncoder, load_classifier

        if checkpoint.read_header(self.model).get("kind") == "encoder of crops":
            encoder = PretrainedEncoder.load(self.model)
            if self.layer.startswith("conv"):
                encoder = encoder.with_options(layer=self.layer)
            return ClassifierEncoder(encoder, encoder.vectors)
        if self.layer.startswith("conv"):
            raise InputError(
                f"{self.model.name} holds a classifier, of which there are scores and vectors; the "
                f"layer {self.layer} is one of a pretrained paired_inpainting network."
            )
        classifier = load_classifier(self.model)
        if self.layer == "scores":
            return ClassifierEncoder(classifier, classifier.features)
        vectors = getattr(classifier, "vectors", None)
        if vectors is None:
            raise InputError(
                f"{self.model.name} holds a classifier without a network, which has no vectors: "
                "take its scores."
            )
        return ClassifierEncoder(classifier, vectors)


class _OfCrops(Protocol):
    def __call__(self, images: Floats, /) -> Floats: ...


class _Trained(Protocol):
    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def pixel_size(self) -> float | None: ...

    @property
    def n_channels(self) -> int: ...

    @property
    def channels(self) -> tuple[str, ...] | None: ...


class ClassifierEncoder:
    """Asks a trained model about crops.

    Parameters
    ----------
    model : CropClassifier or PretrainedEncoder
        Says what crops it was trained on.
    ask : callable
        Returns vectors (k, d) of crops (k, C, *shape).
    """

    def __init__(self, model: _Trained, ask: _OfCrops) -> None:
        self.model, self._ask = model, ask

    def encode(self, crops: Crops, rows: npt.ArrayLike) -> Floats:
        """Return the vectors of some crops; see `CropEncoder.encode`."""
        from napari_cryoml.classification import fitting_crops

        images = fitting_crops(crops, self.model).read(rows)
        found = self._ask(images)
        found[~np.isfinite(images).all(axis=tuple(range(1, images.ndim)))] = np.nan
        return found
