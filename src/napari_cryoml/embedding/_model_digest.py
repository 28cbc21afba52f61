"""Which network a file holds, in few letters."""

from __future__ import annotations

import hashlib
from pathlib import Path

from napari_cryoml._errors import InputError


def model_digest(path: Path, what: str) -> str:
    """Return a digest of a model file.

    Parameters
    ----------
    path : Path
    what : str
        What it should be, as "model".

    Raises
    ------
    InputError
        If there is no such file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"The {what} {path} cannot be read ({error.strerror}): choose the file that training "
            "wrote."
        ) from error
    return hashlib.blake2b(content, digest_size=16).hexdigest()
