"""Lists of images in files, for data sets that no command line would hold."""

from __future__ import annotations

from pathlib import Path

from napari_cryoml._errors import InputError
from napari_cryoml.io._formats._files import read_text
from napari_cryoml.io._formats._star_blocks import loop_of, read_blocks

LIST_SUFFIXES = (".txt", ".lst", ".star")
"""Files that name images, one a line or in a column of a STAR file."""

_COLUMNS = ("rlnMicrographName", "rlnTomoReconstructedTomogram", "rlnTomoName")
_LEVELS_UP = 4  # of a RELION job's folder, below the project that its paths start from


def listed_images(path: Path) -> list[Path]:
    """Return the images that a file names.

    Parameters
    ----------
    path : Path
        Lines of paths, where empty ones and those that begin with ``#`` do not count; or a STAR
        file with a column of micrographs or tomograms. A path may start from the folder of the
        list or one above it, as in RELION projects, or from the working directory.

    Raises
    ------
    InputError
        If the file names no image, or cannot be read.
    """
    names = _star_names(path) if path.suffix.lower() == ".star" else _line_names(path)
    names = list(dict.fromkeys(names))
    if not names:
        raise InputError(
            f"{path} names no image: a path a line was expected, or a STAR file with a column "
            f"{' or '.join(_COLUMNS)}."
        )
    bases = _bases(path)
    first = next((base for base in bases if (base / names[0]).exists()), bases[0])
    return [_placed(name, [first, *bases]) for name in names]


def _line_names(path: Path) -> list[str]:
    lines = (line.strip() for line in read_text(path).splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _star_names(path: Path) -> list[str]:
    for block in read_blocks(path).values():
        table = loop_of(block)
        for column in _COLUMNS:
            if column in table:
                return [str(name) for name in table[column]]
    return []


def _bases(path: Path) -> list[Path]:
    folder = path.resolve().parent
    return [folder, *list(folder.parents)[:_LEVELS_UP], Path.cwd()]


def _placed(name: str, bases: list[Path]) -> Path:
    """Return where an image lies; its place beside the list if it lies nowhere."""
    given = Path(name).expanduser()
    if given.is_absolute():
        return given
    found = (base / given for base in bases)
    return next((place for place in found if place.exists()), bases[0] / given)
