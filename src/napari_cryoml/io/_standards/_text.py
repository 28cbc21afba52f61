"""Text files of unknown origin, plain or packed by gzip."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from napari_cryoml._errors import InputError
from napari_cryoml.io._formats._files import unreadable

MOST_BYTES = 2_000_000_000
"""Larger files are refused: a packed file of a few kilobytes may unfold without an end."""

_HEAD = 50
_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class TextFile:
    """The text of a file.

    Parameters
    ----------
    path : Path
    text : str
        Without a byte order mark; lines end in a line feed.
    """

    path: Path
    text: str

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield the lines that are not blank, with their numbers from 1."""
        begin, number, size = 0, 0, len(self.text)
        while begin < size:
            end = self.text.find("\n", begin)
            end = size if end < 0 else end
            number += 1
            line = self.text[begin:end]
            begin = end + 1
            if line.strip():
                yield number, line

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the cells of each line between tabs, with the number of the line."""
        for number, line in self.lines():
            yield number, [cell.strip() for cell in line.split("\t")]

    @property
    def head(self) -> list[str]:
        """The first lines that are not blank."""
        return [line for _, line in islice(self.lines(), _HEAD)]

    @property
    def suffix(self) -> str:
        """Ending of the name, lower case, without that of gzip."""
        return Path(self.path.name.lower().removesuffix(".gz")).suffix


def open_text(path: str | Path) -> TextFile:
    """Read a text file, plain or packed by gzip.

    Raises
    ------
    InputError
        If it is not there, may not be read, is damaged, too large, empty or no text.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        raise InputError(f"{path} is a folder; a file with terms and proteins was expected.")
    content = _content(path)
    if len(content) > MOST_BYTES:
        raise InputError(
            f"{path.name} holds more than {MOST_BYTES / 1e9:g} GB of text, which no table of terms "
            "and proteins does: check that it is the right file."
        )
    if b"\0" in content:
        raise InputError(f"{path.name} is no text file: a table of terms and proteins is needed.")
    text = _decoded(content).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise InputError(f"{path.name} is empty: terms and proteins were expected.")
    return TextFile(path, text)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _MAGIC
            file.seek(0)
            if not packed:
                return file.read(MOST_BYTES + 1)
            with gzip.GzipFile(fileobj=file) as unpacked:
                return unpacked.read(MOST_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(
            f"{path.name} is a damaged gzip file: copy or download it again."
        ) from None
    except OSError as error:
        raise unreadable(path, error) from None


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")  # as spreadsheets write it
