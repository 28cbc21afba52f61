"""What every image format tells: shape, pixel size, oddities, and an array to slice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_cryoml._errors import InputError

_ANGSTROM_PER_UNIT = {
    "angstrom": 1.0,
    "ångström": 1.0,
    "å": 1.0,
    "a": 1.0,
    "pm": 0.01,
    "picometer": 0.01,
    "nm": 10.0,
    "nanometer": 10.0,
    "nanometre": 10.0,
    "um": 1e4,
    "µm": 1e4,
    "μm": 1e4,
    "micron": 1e4,
    "microns": 1e4,
    "micrometer": 1e4,
    "micrometre": 1e4,
}


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What a file says about its image without decoding the pixels.

    Parameters
    ----------
    shape : tuple of int
        (y, x) or (z, y, x); of a stack (n, y, x).
    pixel_size : float, optional
        Angstrom per pixel.
    is_stack : bool
        Whether the first axis counts separate images.
    remarks : tuple of str
        Oddities that were mended, each the rest of a sentence that starts with the file's name.
    """

    shape: tuple[int, ...]
    pixel_size: float | None = None
    is_stack: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageFormat:
    """A family of files.

    Parameters
    ----------
    label : str
        Name of the format in messages.
    suffixes : tuple of str
        Lower case, with the dot.
    inspect : callable
        Path -> `ImageInfo`, without decoding the pixels.
    load : callable
        Path -> anything that is sliced like an array and has the shape of the info; memory-mapped
        where the format allows it.
    """

    label: str
    suffixes: tuple[str, ...]
    inspect: Callable[[Path], ImageInfo]
    load: Callable[[Path], Any]


def angstrom_per(unit: str) -> float | None:
    """Return the angstrom in one `unit`, or None if it is no unit of microscopy."""
    return _ANGSTROM_PER_UNIT.get(unit.strip().lower())


@contextmanager
def reading(path: Path, label: str) -> Iterator[None]:
    """Turn whatever a decoder raises about `path` into one sentence.

    Raises
    ------
    InputError
        If the file is missing, may not be read, or is no whole file of this format.
    """
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"There is no file {path}: check the path, or mount its disk.") from None
    except PermissionError:
        raise InputError(
            f"{path} may not be read: ask its owner for read permission, or copy it."
        ) from None
    except MemoryError:
        raise InputError(
            f"{path.name} does not fit into memory: bin it, or save it as an uncompressed MRC, "
            "which is read piece by piece."
        ) from None
    except Exception as error:  # decoders raise anything on damaged files
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{path.name} cannot be read as {label} ({reason}): "
            "check that it opens elsewhere, and copy it again."
        ) from error
