"""Text in, files out: whole files or none, and complaints in one sentence."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from napari_cryoml._errors import InputError


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises
    ------
    InputError
        If the file is not there, may not be read, or is not text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(
            f"{path} is not a text file, as its name says: copy it again, or give its format."
        ) from None
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, error: OSError) -> InputError:
    """Return the sentence for a file that the system does not hand out."""
    if not path.exists():
        return InputError(f"There is no file {path}.")
    return InputError(f"{path} cannot be read: {error.strerror or error}.")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` that takes its place when all went well.

    The temporary name keeps the suffix, because some writers look at it. The folder is made if
    it is missing.

    Raises
    ------
    InputError
        If the disk is full, or the folder cannot be written to.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        to_disk(temporary)
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def to_disk(path: Path) -> None:
    """Wait until what a file holds is on the disk: else a power cut may leave its name alone.

    Raises
    ------
    OSError
        If it cannot get there.
    """
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as a whole, or leave what was there."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _unwritable(path: Path, error: OSError) -> InputError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InputError(
            f"{path} was not written: the disk is full; free some space and try again."
        )
    return InputError(f"{path} was not written ({error.strerror or error}): choose another folder.")
