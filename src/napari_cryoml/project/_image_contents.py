"""What tells the file of an image from others, without reading all of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_BLOCK_BYTES = 2**16
_BLOCKS = 8
_FILES = 8


@dataclass(frozen=True, slots=True)
class Content:
    """Size and digest of a file, or of a folder that stands for an image.

    Parameters
    ----------
    size : int
        Bytes, of a folder those of all files in it.
    digest : str
        Of eight blocks of 64 KiB from the beginning to the end. Of a folder: of names and sizes of
        its files, and the beginnings of eight of them.
    """

    size: int
    digest: str


def content_of(path: Path) -> Content:
    """Return what tells a file or folder from others.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    return _folder(path) if path.is_dir() else _file(path)


def size_of(path: Path) -> int:
    """Return the size that `content_of` would tell.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    if not path.is_dir():
        return path.stat().st_size
    return sum(part.stat().st_size for part in _files_in(path))


def same_contents(
    folder: Path, wanted: Mapping[Path, Content], suffixes: Iterable[str]
) -> dict[Path, Path]:
    """Find files of the same content in a folder and in those below it.

    Of several copies, the one of the same name is taken first, then those that sort first; none
    is taken twice.

    Parameters
    ----------
    folder : Path
    wanted : mapping of Path to Content
        By the place where the file was.
    suffixes : iterable of str
        Lower-case endings of folders that may stand for an image.

    Returns
    -------
    dict of Path to Path
        Where each that was found is now.
    """
    sizes = {content.size for content in wanted.values()}
    copies: dict[Content, list[Path]] = {}
    for place in _places(folder, frozenset(suffixes)):
        try:
            if size_of(place) in sizes:
                copies.setdefault(content_of(place), []).append(place)
        except OSError:
            continue
    found = {}
    for was, content in wanted.items():
        same = [place for place in copies.get(content, []) if place.name == was.name]
        if same:
            found[was] = same[0]
            copies[content].remove(same[0])
    for was, content in wanted.items():
        if was not in found and copies.get(content):
            found[was] = copies[content].pop(0)
    return found


def _places(folder: Path, suffixes: frozenset[str]) -> Iterator[Path]:
    for top, folders, files in os.walk(folder):
        images = [name for name in folders if Path(name).suffix.lower() in suffixes]
        folders[:] = sorted(name for name in folders if name not in images)
        for name in sorted([*images, *files]):
            yield Path(top) / name


def _file(path: Path) -> Content:
    size = path.stat().st_size
    last = max(size - _BLOCK_BYTES, 0)
    starts = sorted({last * number // (_BLOCKS - 1) for number in range(_BLOCKS)})
    made = hashlib.blake2b(str(size).encode(), digest_size=16)
    with path.open("rb") as file:
        for start in starts:
            file.seek(start)
            made.update(file.read(_BLOCK_BYTES))
    return Content(size, made.hexdigest())


def _folder(path: Path) -> Content:
    files = sorted(_files_in(path))
    made, total = hashlib.blake2b(digest_size=16), 0
    for part in files:
        size = part.stat().st_size
        made.update(f"{part.relative_to(path).as_posix()}\0{size}\0".encode())
        total += size
    step = max(len(files) // _FILES, 1)
    for part in files[::step][:_FILES]:
        with part.open("rb") as file:
            made.update(file.read(_BLOCK_BYTES))
    return Content(total, made.hexdigest())


def _files_in(folder: Path) -> list[Path]:
    return [part for part in folder.rglob("*") if part.is_file()]
