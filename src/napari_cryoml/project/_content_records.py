"""What the files of images hold, so that they are found again wherever they went."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from napari_cryoml._errors import InputError
from napari_cryoml.project._entries import ImageEntry
from napari_cryoml.project._image_contents import Content, content_of, same_contents
from napari_cryoml.project._image_records import ImageRecords, absolute

_A_COMMIT = 100


class ContentRecords(ImageRecords):
    """Size and digest of the file of each image."""

    def note_contents(self) -> int:
        """Note what tells the files of images from others; return of how many that was new.

        Half a megabyte a file is read; from any thread. A file that is gone is left out.

        Raises
        ------
        InputError
            If the project cannot be written.
        """
        known = {number for (number,) in self._store.rows("SELECT image FROM image_contents")}
        missing = [entry for entry in self.images() if entry.id not in known]
        noted = 0
        for some in _parts(missing):
            rows = list(self._contents(some))
            self._store.write_all("INSERT OR REPLACE INTO image_contents VALUES (?, ?, ?)", rows)
            noted += len(rows)
        return noted

    def _contents(self, entries: list[ImageEntry]) -> Iterator[tuple[int, int, str]]:
        known: dict[Path, Content] = {}
        for entry in entries:
            try:
                place = self.locate(entry)
                if place not in known:
                    known[place] = content_of(place)
            except (InputError, OSError):
                continue
            yield entry.id, known[place].size, known[place].digest

    def missing_images(self) -> list[ImageEntry]:
        """Return the images whose files are no longer where they were."""
        gone = []
        for entry in self.images():
            try:
                self.locate(entry)
            except InputError:
                gone.append(entry)
        return gone

    def relink(self, folder: str | os.PathLike[str]) -> dict[str, Path]:
        """Find the files of images that are gone by their content, also under other names.

        Labels, picks and all else stay with the images.

        Parameters
        ----------
        folder : path
            Looked through with all folders below it.

        Returns
        -------
        dict of str to Path
            Where each image that was found is now, by its name in the project.

        Raises
        ------
        InputError
            If there is no such folder, or the project cannot be written.
        """
        place = absolute(folder)
        if not place.is_dir():
            raise InputError(f"There is no folder {place}: choose the one the images are in now.")
        wanted = self._wanted()
        suffixes = {path.suffix.lower() for path in wanted}
        files = {path: content for path, (content, _) in wanted.items()}
        found = same_contents(place, files, suffixes)
        moved = {entry.name: found[path] for path in found for entry in wanted[path][1]}
        with self._store.transaction():
            for name, path in moved.items():
                self._move(self.image(name), path)
        return moved

    def _wanted(self) -> dict[Path, tuple[Content, list[ImageEntry]]]:
        """Return the former places of files that are gone, their content and their images."""
        rows = self._store.rows("SELECT image, size, digest FROM image_contents")
        known = {number: Content(int(size), str(digest)) for number, size, digest in rows}
        wanted: dict[Path, tuple[Content, list[ImageEntry]]] = {}
        for entry in self.missing_images():
            if entry.id in known:
                wanted.setdefault(entry.path, (known[entry.id], []))[1].append(entry)
        return wanted


def _parts(entries: list[ImageEntry]) -> Iterator[list[ImageEntry]]:
    for start in range(0, len(entries), _A_COMMIT):
        yield entries[start : start + _A_COMMIT]
