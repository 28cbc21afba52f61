"""The images of a project, and where their files are."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from napari_cryoml._errors import InputError
from napari_cryoml.data import ImageSource
from napari_cryoml.project._entries import ImageEntry
from napari_cryoml.project._packing import checked, dump, load_shape
from napari_cryoml.project._store import Row, Store

_NUMBER = re.compile(r"#\d+$")
_COLUMNS = "SELECT id, name, path, shape, pixel_size FROM images"


class ImageRecords:
    """Images by name; their pixels stay in their own files."""

    _store: Store

    def add_images(self, sources: Iterable[ImageSource]) -> list[ImageEntry]:
        """Add images to the project, all or none.

        Parameters
        ----------
        sources : iterable of ImageSource
            Images with a file each. Those that are in the project already are passed over.

        Returns
        -------
        list of ImageEntry
            The newly added ones, in their order.

        Raises
        ------
        InputError
            If an image has no file, or two files have one name.
        """
        known = {entry.name: self._places(entry) for entry in self.images()}
        added = []
        with self._store.transaction():
            for source in sources:
                path = _path_of(source)
                if source.name in known:
                    _check_same(source.name, known[source.name], path)
                    continue
                self._add(source, path)
                known[source.name] = [path]
                added.append(source.name)
        return [self.image(name) for name in added]

    def _add(self, source: ImageSource, path: Path) -> None:
        self._store.write(
            "INSERT INTO images (name, path, relative, shape, pixel_size) VALUES (?, ?, ?, ?, ?)",
            source.name,
            str(path),
            self._relative(path),
            dump([int(n) for n in source.shape]),
            None if source.pixel_size is None else float(source.pixel_size),
        )

    def images(self) -> list[ImageEntry]:
        """Return all images in the order they were added."""
        return [self._entry(row) for row in self._store.rows(f"{_COLUMNS} ORDER BY id")]

    def image(self, name: str) -> ImageEntry:
        """Return the image called `name`.

        Raises
        ------
        InputError
            If there is none.
        """
        row = self._store.row(f"{_COLUMNS} WHERE name = ?", name)
        if row is None:
            raise InputError(f"There is no image {name!r} in the project: add it first.")
        return self._entry(row)

    def locate(self, image: ImageEntry | str) -> Path:
        """Return where the file of an image is now.

        The place relative to the project file comes first, so that a folder that was moved or
        copied with everything in it stands for itself; then the place where it was added.

        Raises
        ------
        InputError
            If the file is at neither place.
        """
        entry = self.image(image) if isinstance(image, str) else image
        for place in self._places(entry):
            if place.exists():
                return place
        raise InputError(
            f"The file of image {entry.name!r} is no longer at {entry.path}: put it back, or tell "
            f"the project where it is now."
        )

    def source(self, image: ImageEntry | str) -> ImageSource:
        """Return an image, ready to be read.

        Raises
        ------
        InputError
            If its file is missing, unreadable, or has another shape than it had.
        """
        entry = self.image(image) if isinstance(image, str) else image
        source = _read_from(self.locate(entry), entry.name)
        if tuple(source.shape) != entry.shape:
            raise InputError(
                f"Image {entry.name!r} had shape {entry.shape} when it was added and has "
                f"{tuple(source.shape)} now: put the former file back at {self.locate(entry)}."
            )
        return source

    def relocate(self, image: ImageEntry | str, path: str | os.PathLike[str]) -> ImageEntry:
        """Note that the file of an image is at `path` now, whatever it holds.

        Raises
        ------
        InputError
            If nothing is there.
        """
        entry = self.image(image) if isinstance(image, str) else image
        place = absolute(path)
        if not place.exists():
            raise InputError(f"There is no file {place}: choose the file of {entry.name!r}.")
        with self._store.transaction():
            self._store.write("DELETE FROM image_contents WHERE image = ?", entry.id)
            self._move(entry, place)
        return self.image(entry.name)

    def _move(self, entry: ImageEntry, place: Path) -> None:
        self._store.write(
            "UPDATE images SET path = ?, relative = ? WHERE id = ?",
            str(place),
            self._relative(place),
            entry.id,
        )

    def _places(self, entry: ImageEntry) -> list[Path]:
        row = self._store.row("SELECT relative FROM images WHERE id = ?", entry.id)
        if row is None or row[0] is None:
            return [entry.path]
        return [absolute(self._store.path.parent / str(row[0])), entry.path]

    def _relative(self, path: Path) -> str | None:
        try:
            relative = os.path.relpath(path, self._store.path.parent)
        except ValueError:  # another drive of Windows
            return None
        return PurePath(relative).as_posix()

    def _entry(self, row: Row) -> ImageEntry:
        with checked("The list of images", self._store.path):
            number, name, path, shape, pixel_size = row
            size = None if pixel_size is None else float(pixel_size)
            return ImageEntry(number, name, Path(path), load_shape(shape), size)


def absolute(path: str | os.PathLike[str]) -> Path:
    """Return a path from the root and without "..", with its links as they are.

    Names of images are those of the links, where a folder holds links to the files.
    """
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() follows links


def _path_of(source: ImageSource) -> Path:
    if source.path is None:
        raise InputError(
            f"Image {source.name!r} lies in memory only: save it to a file and open that, so that "
            f"the project can find it again."
        )
    if len(source.shape) not in (2, 3):
        raise InputError(
            f"Image {source.name!r} has {len(source.shape)} axes; a micrograph has 2 and a "
            f"tomogram 3."
        )
    return absolute(source.path)


def _check_same(name: str, places: list[Path], path: Path) -> None:
    if path.resolve() not in [place.resolve() for place in places]:
        raise InputError(
            f"Two images are called {name!r}: {places[-1]} and {path}; names must differ within "
            f"a project, so rename one of the files."
        )


def _read_from(path: Path, name: str) -> ImageSource:
    from napari_cryoml.io import open_images

    found = image_called(open_images([path]), name)
    if found is None:
        raise InputError(f"There is no image {name!r} in {path}: put the former file back.")
    return found


def image_called(sources: Sequence[ImageSource], name: str) -> ImageSource | None:
    """Return the image of a file that a project calls `name`, under this name; None without one.

    The file may have been called otherwise when the image was added: of a stack, the image of the
    same number is taken.
    """
    from napari_cryoml.io import FileImage

    number = _NUMBER.search(name)
    named = [source for source in sources if source.name == name]
    if not named and number is not None:
        named = [source for source in sources if source.name.endswith(number.group())]
    if not named and len(sources) > 1:
        return None
    found = (named or list(sources))[0]
    if found.name != name and isinstance(found, FileImage):
        found = replace(found, name=name)
    return found
