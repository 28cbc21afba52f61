"""What all encoders of crops share, and the registry of encoders."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_cryoml._registry import Config, Registry
from napari_cryoml.data import Crops


class CropEncoder(Protocol):
    """Turns crops into vectors; what becomes of a crop depends on that crop alone."""

    def encode(self, crops: Crops, rows: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return the vectors of some crops.

        Parameters
        ----------
        crops : Crops
        rows : array of shape (k,)
            Numbers of crops.

        Returns
        -------
        array of shape (k, d), float32
            On a scale such that distances between vectors mean something. A row is NaN where its
            crop cannot be encoded.

        Raises
        ------
        InputError
            If an image cannot be read or used.
        """
        ...


class CropEncoderConfig(Config):
    """The options of an encoder; crops of 2 and 3 axes go the same way."""

    @property
    def name(self) -> str:
        """The name this encoder is registered under."""
        return next(name for name in encoders if encoders[name] is type(self))

    @property
    def rotation_invariant(self) -> bool:
        """Whether a crop that is turned about its middle keeps its vector."""
        return False

    def state(self) -> str:
        """Return what vectors depend on beside the options: weights, the version of features."""
        return ""

    def check(self, crops: Crops) -> None:
        """Refuse crops that this encoder cannot be used on.

        Raises
        ------
        InputError
            Saying which encoder to use instead.
        """

    def finished(
        self, vectors: npt.NDArray[np.floating[Any]], crops: Crops
    ) -> tuple[npt.NDArray[np.floating[Any]], tuple[str, ...]]:
        """Return what becomes of the vectors of all crops once they are made.

        Parameters
        ----------
        vectors : array of shape (n, d)
            Of those that were reached; NaN where one could not be encoded.
        crops : Crops
            All of them.

        Returns
        -------
        array of shape (n, k), tuple of str
            And sentences for the user.
        """
        return vectors, ()

    @abstractmethod
    def build(self) -> CropEncoder:
        """Return the encoder.

        Raises
        ------
        InputError
            If a file or a device that it needs is not there.
        """


encoders: Registry[CropEncoderConfig] = Registry(
    "encoder", order=("live", "rings", "spectrum", "detector", "classifier", "rotation_invariant")
)
