"""Many images at once: files, folders and patterns."""

from __future__ import annotations

import glob
import re
import warnings
from collections.abc import Iterable
from pathlib import Path

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.io._foreign_formats import FOREIGN_SUFFIXES
from napari_cryoml.io._image_files import (
    READABLE,
    FileImage,
    image_suffix,
    inspect_image,
    is_image,
    open_image,
    sources_of,
)
from napari_cryoml.io._image_lists import LIST_SUFFIXES, listed_images
from napari_cryoml.io._zarr import is_zarr

_SHOWN = 3


def open_images(paths: Iterable[str | Path] | str | Path) -> list[FileImage]:
    """Open images without reading their pixels.

    Parameters
    ----------
    paths : paths
        Files, folders (their images, not those of folders in them; hidden files are left out),
        patterns (`"*.mrc"`, `"**/*.mrc"`), and lists (.txt with a path a line, .star with a column
        of micrographs or tomograms). Of a folder or pattern, files come in natural order:
        2 before 10. A stack (.mrcs, .st) gives one image a slice, `stack.mrcs#0` first.

    Returns
    -------
    list of FileImage
        In the order given, each file once.

    Raises
    ------
    InputError
        If a file that was named cannot be opened, a folder or pattern gives no image, or two
        images of different folders have one name.

    Warns
    -----
    InputWarning
        If a file of a folder was left out because it cannot be read, or something odd was mended.
    """
    opened = _Opened()
    for path in [paths] if isinstance(paths, str | Path) else paths:
        _open(Path(path).expanduser(), opened)
    opened.warn()
    _check_names(opened.images)
    return opened.images


class _Opened:
    """Images opened so far, and what was odd about them."""

    def __init__(self) -> None:
        self.images: list[FileImage] = []
        self._seen: set[tuple[Path, int | None]] = set()
        self._remarks: dict[str, list[str]] = {}

    def file(self, path: Path) -> None:
        """Add the images of a file, once.

        Raises
        ------
        InputError
            If it cannot be opened.
        """
        info = inspect_image(path)
        for remark in info.remarks:
            self._remarks.setdefault(remark, []).append(path.name)
        for image in sources_of(path, info):
            self.add(image)

    def add(self, image: FileImage) -> None:
        """Add an image unless it is there."""
        key = (image.path.resolve(), image.index)
        if key not in self._seen:
            self._seen.add(key)
            self.images.append(image)

    def warn(self) -> None:
        """Issue one warning a kind of oddity, however many files share it."""
        for remark, names in self._remarks.items():
            warnings.warn(f"{_some(names)} {remark}.", InputWarning, stacklevel=3)


def _some(names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    more = ", ..." if len(names) > _SHOWN else ""
    return f"Each of {len(names)} files ({', '.join(names[:_SHOWN])}{more})"


def _open(path: Path, opened: _Opened) -> None:
    if path.is_dir() and not is_zarr(path) and image_suffix(path) != ".zarr":
        _open_each(images_in(path), opened, f"The folder {path}")
    elif not path.exists() and glob.has_magic(str(path)):
        # Unlike Path.glob, glob leaves out hidden folders.
        matches = (Path(match) for match in glob.glob(str(path), recursive=True))  # noqa: PTH207
        _open_each(_candidates(matches), opened, f"The pattern {path}")
    elif path.suffix.lower() in LIST_SUFFIXES and path.is_file():
        for listed in listed_images(path):
            _open_listed(listed, path, opened)
    elif path.exists():
        opened.file(path)
    else:
        opened.add(open_image(path))


def _open_listed(path: Path, origin: Path, opened: _Opened) -> None:
    if path.suffix.lower() in LIST_SUFFIXES:
        raise InputError(f"{origin} names another list, {path.name}: give it by itself.")
    _open(path, opened)


def images_in(folder: Path) -> list[Path]:
    """Return the paths of a folder that look like images, in natural order, without opening them.

    Raises
    ------
    InputError
        If the folder cannot be listed.
    """
    try:
        return _candidates(folder.iterdir())
    except OSError as error:
        raise InputError(
            f"The folder {folder} cannot be listed ({error.strerror}): ask for read permission."
        ) from error


def _candidates(paths: Iterable[Path]) -> list[Path]:
    """Return those that look like images, foreign ones included, in natural order."""
    return sorted((path for path in paths if is_image(path) or _is_foreign(path)), key=_natural)


def _is_foreign(path: Path) -> bool:
    hidden_or_folder = path.name.startswith(".") or path.is_dir()
    return image_suffix(path) in FOREIGN_SUFFIXES and not hidden_or_folder


def _natural(path: Path) -> list[tuple[int, str]]:
    """Return a key that sorts numbers by value, and case only where nothing else differs."""
    parts = re.split(r"(\d+)", str(path).lower())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts] + [
        (-1, str(path))
    ]


def _open_each(paths: list[Path], opened: _Opened, origin: str) -> None:
    """Open what can be opened of a folder or pattern."""
    problems: dict[str, list[str]] = {}
    n_opened = 0
    for path in paths:
        try:
            opened.file(path)
            n_opened += 1
        except InputError as error:
            problems.setdefault(image_suffix(path), []).append(str(error))
    if not n_opened:
        first = next((messages[0] for messages in problems.values()), "")
        raise InputError(
            f"{origin} gives no image that can be read. {first}"
            if first
            else f"{origin} gives no image: {READABLE} were expected."
        )
    for messages in problems.values():
        rest = f" ({len(messages) - 1} more like it.)" if len(messages) > 1 else ""
        warnings.warn(f"Left out: {messages[0]}{rest}", InputWarning, stacklevel=4)


def _check_names(images: list[FileImage]) -> None:
    first: dict[str, FileImage] = {}
    for image in images:
        other = first.setdefault(image.name, image)
        if other is not image:
            raise InputError(
                f"Two images are named {image.name}: {other.path} and {image.path}; picks could "
                "not tell them apart: rename one, or open them in separate projects."
            )
