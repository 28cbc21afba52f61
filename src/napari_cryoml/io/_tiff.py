"""TIFF: memory-mapped where it is one plain block, decoded once where it is not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from napari_cryoml._errors import InputError
from napari_cryoml.io._decoded import DECODED
from napari_cryoml.io._image_format import ImageFormat, ImageInfo, angstrom_per
from napari_cryoml.io._luminance import REMARK, luminance

_ANGSTROM_PER_CENTIMETRE = 1e8
_LARGEST_EM_PIXEL_ANGSTROM = 100.0
_DEPTH_AXES = "ZIQ"


@dataclass(frozen=True, slots=True)
class _Layout:
    """Axes of a series: which one is colour, and what is left without it."""

    colour: int | None
    shape: tuple[int, ...]


def _inspect(path: Path) -> ImageInfo:
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        layout = _layout(series, path.name)
        remarks: tuple[str, ...] = () if layout.colour is None else (REMARK,)
        if len(file.series) > 1:
            remarks += (f"holds {len(file.series)} images of different kinds; the first is used",)
        pixel_size = _pixel_size(file)
        if _is_mappable(series, layout):
            tifffile.memmap(path, mode="r", series=0)  # complains at once about a truncated file
    return ImageInfo(layout.shape, pixel_size, remarks=remarks)


def _load(path: Path) -> npt.NDArray[Any]:
    with tifffile.TiffFile(path) as file:
        layout = _layout(file.series[0], path.name)
        if _is_mappable(file.series[0], layout):
            return tifffile.memmap(path, mode="r", series=0).reshape(layout.shape)
    return DECODED.get(path, _decode)


TIFF = ImageFormat("TIFF", (".tif", ".tiff"), _inspect, _load)


def _is_mappable(series: Any, layout: _Layout) -> bool:
    return layout.colour is None and series.dataoffset is not None


def _decode(path: Path) -> npt.NDArray[Any]:
    with tifffile.TiffFile(path) as file:
        layout = _layout(file.series[0], path.name)
        pixels = file.series[0].asarray()
    if layout.colour is not None:
        pixels = luminance(np.moveaxis(pixels, layout.colour, -1))
    return pixels.reshape(layout.shape)


def _layout(series: Any, name: str) -> _Layout:
    axes = list(zip(series.axes, series.shape, strict=True))
    colour = next((i for i, (axis, n) in enumerate(axes) if axis == "S" and n > 1), None)
    kept = [(axis, n) for i, (axis, n) in enumerate(axes) if i != colour]
    while len(kept) > 2 and kept[0][1] == 1:
        kept = kept[1:]
    if len(kept) == 2 or (len(kept) == 3 and kept[0][0] in _DEPTH_AXES):
        return _Layout(colour, tuple(int(n) for _, n in kept))
    found = ", ".join(f"{axis}={n}" for axis, n in kept)
    raise InputError(
        f"{name} should hold one image (Y, X) or one volume (Z, Y, X); {found} was found: "
        "save one channel or time point, for instance with Image > Duplicate in Fiji."
    )


def _pixel_size(file: tifffile.TiffFile) -> float | None:
    """Return angstrom per pixel from OME, ImageJ or, where it can be an EM pixel, plain tags."""
    size = _ome_pixel_size(file.ome_metadata) if file.ome_metadata else _tag_pixel_size(file)
    return size if size and isfinite(size) and size > 0 else None


def _ome_pixel_size(xml: str) -> float | None:
    size = re.search(r'\bPhysicalSizeX="([0-9.eE+-]+)"', xml)
    unit = re.search(r'\bPhysicalSizeXUnit="([^"]+)"', xml)
    angstrom = angstrom_per(unit.group(1) if unit else "µm")
    try:
        return float(size.group(1)) * angstrom if size and angstrom else None
    except ValueError:
        return None


def _tag_pixel_size(file: tifffile.TiffFile) -> float | None:
    tag = file.pages[0].tags.get("XResolution")
    numerator, denominator = tag.value if tag else (0, 1)
    if not numerator or not denominator:
        return None
    units_per_pixel = denominator / numerator
    if file.imagej_metadata and "unit" in file.imagej_metadata:
        angstrom = angstrom_per(_unescape(str(file.imagej_metadata["unit"])))
        return units_per_pixel * angstrom if angstrom else None
    return _em_pixel_size(file, units_per_pixel)


def _unescape(unit: str) -> str:
    """Return a unit with the escapes undone in which ImageJ writes letters beyond ASCII."""
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code.group(1), 16)), unit)


def _em_pixel_size(file: tifffile.TiffFile, units_per_pixel: float) -> float | None:
    """Return a resolution per centimetre as angstrom, unless it is one of a printer or camera."""
    unit = file.pages[0].tags.get("ResolutionUnit")
    if unit is None or int(unit.value) != 3:
        return None
    angstrom = units_per_pixel * _ANGSTROM_PER_CENTIMETRE
    return angstrom if angstrom <= _LARGEST_EM_PIXEL_ANGSTROM else None
