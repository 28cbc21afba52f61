"""PNG and JPEG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.io._decoded import DECODED
from napari_cryoml.io._image_format import ImageFormat, ImageInfo
from napari_cryoml.io._luminance import REMARK, luminance


def _inspect(path: Path) -> ImageInfo:
    shape = tuple(iio.improps(path, plugin="pillow", index=0).shape)
    if len(shape) == 2:
        return ImageInfo(shape)
    if len(shape) != 3:
        raise InputError(
            f"{path.name} should be one grey or colour image; shape {shape} was found."
        )
    return ImageInfo(shape[:2], remarks=() if shape[-1] == 2 else (REMARK,))


def _load(path: Path) -> npt.NDArray[Any]:
    return DECODED.get(path, _decode)


def _decode(path: Path) -> npt.NDArray[Any]:
    image = iio.imread(path, plugin="pillow", index=0)
    return image if image.ndim == 2 else luminance(image)


RASTER = ImageFormat("PNG or JPEG", (".png", ".jpg", ".jpeg"), _inspect, _load)
