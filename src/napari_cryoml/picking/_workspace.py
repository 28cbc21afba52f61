"""The images of a training run on the grid the network sees."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import Annotations, ImageSource
from napari_cryoml.preprocess import Preprocessor, Rescaling
from napari_cryoml.training import LabelledImage, paint_labels


class Workspace:
    """Images on their working grid, and labels carried over to it.

    Parameters
    ----------
    preprocessor : Preprocessor
    """

    def __init__(self, preprocessor: Preprocessor) -> None:
        self.preprocessor = preprocessor
        self.pixels: dict[str, npt.NDArray[np.float32]] = {}
        self._diameters: dict[str, float] = {}
        self.rescalings: dict[str, Rescaling] = {}

    def add(self, source: ImageSource) -> None:
        """Read and normalise an image."""
        self.pixels[source.name], self.rescalings[source.name] = self.preprocessor.apply(source)
        self._diameters[source.name] = self.preprocessor.diameter_in(source)

    def diameter_in(self, name: str) -> float:
        """Return the particle diameter in pixels of an image."""
        return self._diameters[name]

    def paint(self, name: str, entry: Annotations, radius: float) -> LabelledImage:
        """Return an image with its labels painted, `radius` in working pixels."""
        rescaling, pixels = self.rescalings[name], self.pixels[name]
        positives, negatives = (rescaling.forward(p) for p in (entry.positives, entry.negatives))
        return LabelledImage(pixels, paint_labels(pixels.shape, positives, negatives, radius))
