"""One image in a file, opened by its name and read when it is needed."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.io._foreign_formats import how_to_convert
from napari_cryoml.io._image_format import ImageFormat, ImageInfo, reading
from napari_cryoml.io._mrc import MRC
from napari_cryoml.io._raster import RASTER
from napari_cryoml.io._tiff import TIFF
from napari_cryoml.io._zarr import ZARR, is_zarr

IMAGE_FORMATS = (MRC, TIFF, RASTER, ZARR)
IMAGE_SUFFIXES = frozenset(suffix for known in IMAGE_FORMATS for suffix in known.suffixes)
"""Lower-case endings of the names of images that can be opened, with the dot."""

READABLE = "MRC (.mrc .mrcs .rec .st .map .ccp4, also .gz or .bz2), TIFF, PNG, JPEG or Zarr images"
_SLICE = re.compile(r"#(\d+)$")


@dataclass(frozen=True, slots=True)
class FileImage:
    """An image on disk; the pixels are read when they are asked for.

    Only these fields are pickled, never pixels. `open_image(path.with_name(name))` gives the same
    image again.

    Parameters
    ----------
    path : Path
        The file, or the folder of a Zarr store.
    name : str
        File name; of one image in a stack, `stack.mrcs#0` for the first.
    shape : tuple of int
        (y, x) or (z, y, x).
    pixel_size : float, optional
        Angstrom per pixel.
    index : int, optional
        Which image of a stack.
    """

    path: Path
    name: str
    shape: tuple[int, ...]
    pixel_size: float | None = None
    index: int | None = None

    def lazy_array(self) -> Any:
        """Return the pixels as the file holds them: memory-mapped, or read chunk by chunk.

        Returns
        -------
        array-like
            Of this image's shape and the stored data type; what slicing returns is an array.

        Raises
        ------
        InputError
            If the file has gone, has changed or cannot be read.
        """
        format_ = format_of(self.path)
        with reading(self.path, format_.label):
            array = format_.load(self.path)
        image = array if self.index is None else self._slice(array)
        if tuple(image.shape) != self.shape:
            raise InputError(
                f"{self.path} has changed since it was opened: shape {self.shape} was expected, "
                f"{tuple(image.shape)} was found; open it again."
            )
        return image

    def _slice(self, stack: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if self.index is None or not self.index < len(stack):
            raise InputError(f"{self.path} has no image {self.index} any more; open it again.")
        return stack[self.index]

    def read(self, region: tuple[slice, ...] | None = None) -> npt.NDArray[np.float32]:
        """Return the pixels of `region` (all by default) as a new float32 array.

        Of MRC, uncompressed TIFF and Zarr, only the region is read. Complex pixels give their
        modulus.

        Parameters
        ----------
        region : tuple of slice, optional
            One slice an axis.

        Raises
        ------
        InputError
            If the file has gone, has changed or cannot be read.
        """
        array = self.lazy_array()
        with reading(self.path, format_of(self.path).label):
            part = np.asarray(array[region if region is not None else ...])
        if part.dtype.kind == "c":
            part = np.abs(part)
        return np.array(part, dtype=np.float32, order="C")


def open_image(path: str | Path) -> FileImage:
    """Open one image without reading its pixels.

    MRC family (.mrc .mrcs .rec .st .map .ccp4, also .gz and .bz2), TIFF, PNG, JPEG, Zarr and
    OME-Zarr
    (finest level). Row 0 of the file is row 0 of the array for all formats. Colour images give
    their luminance. A TIFF or Zarr file with a depth axis is a volume.

    Parameters
    ----------
    path : path
        A file, the folder of a Zarr store, or one image of a stack: `stack.mrcs#0` is the first.

    Returns
    -------
    FileImage
        Picklable; reads lazily.

    Raises
    ------
    InputError
        If the path is no readable image, or is a stack of several.

    Warns
    -----
    InputWarning
        If something odd in the file was mended.
    """
    place, index = _split_slice(Path(path).expanduser())
    info = inspect_image(place)
    for remark in info.remarks:
        warnings.warn(f"{place.name} {remark}.", InputWarning, stacklevel=2)
    return _only(sources_of(place, info), place, index)


def _split_slice(path: Path) -> tuple[Path, int | None]:
    match = _SLICE.search(path.name)
    if match is None or path.exists():
        return path, None
    return path.with_name(path.name[: match.start()]), int(match.group(1))


def _only(sources: list[FileImage], path: Path, index: int | None) -> FileImage:
    if index is None and len(sources) == 1:
        return sources[0]
    if index is None:
        raise InputError(
            f"{path.name} holds {len(sources)} images; one was expected: "
            f"name it, as in {path.name}#0, or open them all with open_images."
        )
    if sources[0].index is None or index >= len(sources):
        raise InputError(f"{path.name} holds {len(sources)} image(s) and none of number {index}.")
    return sources[index]


def inspect_image(path: Path) -> ImageInfo:
    """Return what the file says about its image, remarks not yet turned into warnings.

    Raises
    ------
    InputError
        If it cannot be opened.
    """
    format_ = format_of(path)
    with reading(path, format_.label):
        return format_.inspect(path)


def sources_of(path: Path, info: ImageInfo) -> list[FileImage]:
    """Return the images of a file: one, or one for each slice of a stack."""
    # Headers hold 32-bit floats: the digits beyond the seventh are noise.
    pixel_size = None if info.pixel_size is None else float(f"{info.pixel_size:.7g}")
    if not info.is_stack:
        return [FileImage(path, path.name, info.shape, pixel_size)]
    return [
        FileImage(path, f"{path.name}#{index}", info.shape[1:], pixel_size, index)
        for index in range(info.shape[0])
    ]


def is_image(path: str | Path) -> bool:
    """Tell by its name whether a file is one that `open_image` reads; by content for Zarr folders.

    Hidden files are not.
    """
    place = Path(path)
    if place.name.startswith("."):
        return False
    return is_zarr(place) if place.is_dir() else image_suffix(place) in IMAGE_SUFFIXES


def image_suffix(path: Path) -> str:
    """Return the lower-case ending of a name; with what is packed in .gz and .bz2 (".mrc.gz")."""
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() + suffix if suffix in (".gz", ".bz2") else suffix


def format_of(path: Path) -> ImageFormat:
    """Return the format of a file by its name.

    Raises
    ------
    InputError
        If nothing here reads such files; the message names what converts them.
    """
    if path.is_dir():
        return _format_of_folder(path)
    suffix = image_suffix(path)
    for format_ in IMAGE_FORMATS:
        if suffix in format_.suffixes:
            return format_
    if not path.exists():
        raise InputError(f"There is no file {path}: check the path, or mount its disk.")
    raise InputError(
        f"{path.name} is not of a format that is read here; {READABLE} were expected: "
        f"{how_to_convert(suffix)}."
    )


def _format_of_folder(path: Path) -> ImageFormat:
    if is_zarr(path) or path.suffix.lower() in ZARR.suffixes:
        return ZARR
    raise InputError(f"{path} is a folder; one image was expected: name a file in it.")
