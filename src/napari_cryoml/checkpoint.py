"""Checkpoints: one safetensors file with a JSON header; never a pickle."""

from __future__ import annotations

import errno
import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cryoml import __version__
from napari_cryoml._errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["VERSION", "load", "read_header", "save"]

VERSION = 1
"""Of the layout of the header. A file of a higher one is refused, with the advice to update."""

_KEY = "napari_cryoml"
_HEADER_LENGTH_BYTES = 8
_LARGEST_HEADER_BYTES = 100_000_000


def save(path: str | Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Write tensors and a header to one file, whole or not at all.

    Parameters
    ----------
    path : str or Path
        The file, by custom ``.safetensors``; replaced if it is there.
    tensors : mapping of str to tensor
        Of any device and layout.
    header : mapping
        What JSON can hold: the configuration, pixel size, seed and so on.

    Raises
    ------
    InputError
        If the file cannot be written: no such folder, no permission, no space left.
    """
    from safetensors.torch import save as to_bytes

    path = Path(path)
    about = {"version": VERSION, "written_by": __version__, "header": dict(header)}
    metadata = {"format": "pt", _KEY: json.dumps(about, allow_nan=False)}
    content = to_bytes(
        # a clone of each: safetensors refuses views and shared memory
        {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()},
        metadata=metadata,
    )
    try:
        _replace(path, content)
    except OSError as error:
        raise InputError(_why_not_written(path, error)) from error


def load(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the tensors and the header of a checkpoint; nothing in the file is executed.

    Parameters
    ----------
    path : str or Path
        A file written by `save`.

    Returns
    -------
    tensors : dict of str to tensor
        On the CPU.
    header : dict
        As it was given to `save`.

    Raises
    ------
    InputError
        If there is no such file, or it is no checkpoint of ours, damaged, or of a newer version.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load as from_bytes

    path = Path(path)
    header = read_header(path)
    try:
        return from_bytes(path.read_bytes()), header
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (SafetensorError, ValueError, KeyError) as error:
        raise InputError(_damaged(path, str(error))) from error


def read_header(path: str | Path) -> dict[str, Any]:
    """Return the header of a checkpoint without reading its tensors.

    Parameters
    ----------
    path : str or Path
        A file written by `save`.

    Returns
    -------
    dict
        As it was given to `save`.

    Raises
    ------
    InputError
        As for `load`.
    """
    path = Path(path)
    metadata = _metadata(path)
    if _KEY not in metadata:
        raise InputError(
            f"{path.name} is a safetensors file of another program: choose a checkpoint that "
            "napari-cryoml wrote."
        )
    try:
        about = json.loads(metadata[_KEY])
        version, header = about["version"], about["header"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(_damaged(path, "its header has lost a part")) from error
    if not isinstance(version, int) or not isinstance(header, dict):
        raise InputError(_damaged(path, "its header has changed"))
    if version > VERSION:
        raise InputError(
            f"{path.name} was written by napari-cryoml {about.get('written_by', '(newer)')} in "
            f"layout {version}; this one reads up to layout {VERSION}: update napari-cryoml."
        )
    return header


def _metadata(path: Path) -> dict[str, Any]:
    """Return the metadata of a safetensors file, after a look at what else it might be."""
    try:
        with path.open("rb") as file:
            start = file.read(_HEADER_LENGTH_BYTES + 1)
            _refuse_other_kinds(path, start)
            length = int.from_bytes(start[:_HEADER_LENGTH_BYTES], "little")
            text = start[_HEADER_LENGTH_BYTES:] + file.read(length - 1)
    except FileNotFoundError:
        raise InputError(f"There is no checkpoint {path}: check its name.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; a checkpoint file was expected.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        metadata = json.loads(text).get("__metadata__", {})
    except (ValueError, AttributeError, RecursionError) as error:
        raise InputError(_damaged(path, "its header is incomplete")) from error
    return metadata if isinstance(metadata, dict) else {}


def _refuse_other_kinds(path: Path, start: bytes) -> None:
    """Raise InputError unless the first bytes are those of a safetensors file."""
    length = int.from_bytes(start[:_HEADER_LENGTH_BYTES], "little")
    if start[_HEADER_LENGTH_BYTES:] == b"{" and 2 <= length <= _LARGEST_HEADER_BYTES:
        return
    if path.suffix.lower() == ".sav":
        raise InputError(
            f"{path.name} looks like a model of Topaz: import it with napari-cryoml pick "
            "import-topaz --trust."
        )
    if start[:1] == b"\x80" or start[:4] == b"PK\x03\x04":
        raise InputError(
            f"{path.name} is a pickle or a zip of pickles, which can run any code when it is "
            "read: choose a checkpoint that napari-cryoml wrote (a model of Topaz can be imported "
            "with napari-cryoml pick import-topaz --trust)."
        )
    raise InputError(
        f"{path.name} is not a checkpoint: choose a .safetensors file that napari-cryoml wrote."
    )


def _replace(path: Path, content: bytes) -> None:
    """Write next to the file and rename, so that a crash leaves the old file or the new one."""
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _why_not_written(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"There is no space left to write {path}: free some, or choose another folder."
    if isinstance(error, FileNotFoundError):
        return f"{path} cannot be written: there is no folder {path.parent}."
    return f"{path} cannot be written: {error.strerror or error}; choose another folder."


def _damaged(path: Path, reason: str) -> str:
    return f"{path.name} is damaged ({reason}): copy it again, or choose another checkpoint."
