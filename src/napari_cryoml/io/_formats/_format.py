"""What a coordinate format is: a reader, a writer, and where they apply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from napari_cryoml._errors import InputError
from napari_cryoml.data import PicksTable
from napari_cryoml.io._names import match_images


@dataclass(frozen=True, slots=True)
class Hints:
    """What the caller knows and a file may not say.

    Parameters
    ----------
    image : str, optional
        Name of the image, for files that hold the picks of one image without naming it.
    pixel_size : float, optional
        Angstrom per pixel of the image that positions are wanted in (or are in, on writing).
    shapes : mapping of str to tuple of int
        Shapes in pixels, (y, x) or (z, y, x), by image name.
    box_size : float, optional
        Edge of the box around each particle in pixels, for formats that write boxes.
    """

    image: str | None = None
    pixel_size: float | None = None
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    box_size: float | None = None

    def shape_of(self, image: str) -> tuple[int, ...] | None:
        """Return the shape of `image`, or None if no shape was given for it."""
        names = match_images([image], list(self.shapes))
        return tuple(self.shapes[names[image]]) if image in names else None

    def required_shape(self, image: str, ndim: int, why: str) -> tuple[int, ...]:
        """Return the shape of `image`; `why` completes the complaint where there is none."""
        shape = self.shape_of(image)
        if shape is None or len(shape) != ndim:
            axes = "(z, y, x)" if ndim == 3 else "(y, x)"
            raise InputError(
                f"{why}: give the shape {axes} of {image!r} in pixels "
                f"(shapes={{{image!r}: {axes}}}), or the image itself (--images in the shell)."
            )
        return shape


Reader = Callable[[Path, Hints], PicksTable]
Writer = Callable[[PicksTable, Path, Hints], list[Path]]


@dataclass(frozen=True, slots=True)
class Format:
    """One coordinate format.

    Parameters
    ----------
    name : str
        Name that the user gives to choose it.
    title : str
        Name for people, and the convention of the positions, in one line.
    suffixes : tuple of str
        File name endings it is chosen by, lower case. A format without any is chosen by name.
    read, write : callable, optional
        None where the format goes one way only.
    per_image : bool
        A file holds the picks of one image; several images are several files.
    folder : bool
        The writer wants a folder, not a file.
    ndims : tuple of int
        Numbers of image axes that can be written.
    recognises : callable, optional
        Tells files of this format from others with the same suffix.
    lengths : frozenset of str
        Columns in pixels, which are scaled with the positions.
    directions : frozenset of str
        Columns that a mirror image would change, and that cannot be mirrored here.
    poses : bool
        Orientations are written.
    named : bool
        Written only where the user names the format, not by its suffix.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    read: Reader | None = None
    write: Writer | None = None
    per_image: bool = False
    folder: bool = False
    ndims: tuple[int, ...] = (2, 3)
    recognises: Callable[[Path], bool] | None = None
    lengths: frozenset[str] = frozenset()
    directions: frozenset[str] = frozenset()
    poses: bool = False
    named: bool = False
