"""detector: what a trained network makes of a pick before it classifies it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_cryoml._errors import InputError
from napari_cryoml.data import Crops, ImageSource
from napari_cryoml.embedding._encoder import CropEncoderConfig, encoders
from napari_cryoml.embedding._model_digest import model_digest
from napari_cryoml.embedding._sources import check_sources, over_images
from napari_cryoml.preprocess import Rescaling, mirrored_region

if TYPE_CHECKING:
    import torch

    from napari_cryoml.picking import Picker

Floats = npt.NDArray[np.float32]

_PIXELS_AT_ONCE = 2_000_000


@encoders.register("detector")
class DetectorEncoderConfig(CropEncoderConfig):
    """The last hidden layer of a trained picker at a pick."""

    picker: Path = Field(description="Model file of a trained picker.")
    device: str = Field("auto", description="Where the network runs: auto, cpu, cuda, mps.")

    def state(self) -> str:
        """Return a digest of the model file.

        Raises
        ------
        InputError
            If there is no such file.
        """
        return model_digest(self.picker, "picker")

    def check(self, crops: Crops) -> None:
        """Refuse crops without images."""
        check_sources(crops, self.name)

    def build(self) -> DetectorEncoder:
        """Return the encoder, with its network.

        Raises
        ------
        InputError
            If the file is no picker, or the device is not there.
        """
        from napari_cryoml.picking import Picker
        from napari_cryoml.training import choose_device

        return DetectorEncoder(Picker.load(self.picker), choose_device(self.device))


class DetectorEncoder:
    """The features that a picker's network classifies, at the working pixel next to a pick.

    Parameters
    ----------
    picker : Picker
        Its preprocessing is applied to each image as in picking.
    device : torch.device
    """

    def __init__(self, picker: Picker, device: torch.device) -> None:
        self._picker, self._device = picker, device
        self._shown: tuple[ImageSource, Floats, Rescaling] | None = None

    @cached_property
    def _network(self) -> torch.nn.Module:
        return self._picker.detector.to(self._device).eval()

    def encode(self, crops: Crops, rows: npt.ArrayLike) -> Floats:
        """Return the vectors of some crops; see `CropEncoder.encode`."""
        positions = crops.positions

        def encode(image: ImageSource, rows: npt.NDArray[np.intp]) -> Floats:
            if positions is None:
                raise TypeError("crops without positions were let through")
            return self._at_picks(image, positions[rows])

        return over_images(crops, rows, encode)

    def _at_picks(self, image: ImageSource, positions: npt.NDArray[np.float64]) -> Floats:
        import torch

        working, step = self._working(image)
        size = self._picker.detector.receptive_field
        last = np.asarray(working.shape) - 1
        starts = np.clip(np.rint(step.forward(positions)), 0, last).astype(np.intp) - size // 2
        at_once = max(_PIXELS_AT_ONCE // size**working.ndim, 1)
        parts = []
        with torch.inference_mode():
            for first in range(0, len(starts), at_once):
                pixels = np.stack(
                    [
                        mirrored_region(working, start, [size] * working.ndim)
                        for start in starts[first : first + at_once]
                    ]
                )
                batch = torch.from_numpy(pixels[:, None]).to(self._device)
                features = self._picker.detector.features(batch)
                parts.append(features.flatten(1).float().cpu().numpy())
        return np.concatenate(parts)

    def _working(self, image: ImageSource) -> tuple[Floats, Rescaling]:
        """Return the working image, kept for the next batch of the same image."""
        if self._shown is None or self._shown[0] is not image:
            self._check_axes(image)
            self._shown = (image, *self._picker.preprocessor.apply(image))
        return self._shown[1:]

    def _check_axes(self, image: ImageSource) -> None:
        ndim = self._picker.config.ndim
        if len(image.shape) != ndim:
            raise InputError(
                f"This picker was trained on {ndim}-D images, but {image.name!r} has "
                f"{len(image.shape)} axes: choose one that was trained on such images."
            )
