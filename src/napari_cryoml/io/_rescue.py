"""A second place for results that the first one refuses."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from napari_cryoml._errors import InputError

ResultT = TypeVar("ResultT")


def save_or_rescue(save: Callable[[Path], ResultT], path: str | Path) -> ResultT:
    """Save the result of long work; where that fails, keep it among the temporary files.

    Parameters
    ----------
    save : callable
        Writes to the path it is given, or raises InputError.
    path : path
        Where the user wants it.

    Returns
    -------
    object
        What `save` returns.

    Raises
    ------
    InputError
        If `save` failed; the sentence tells where the result is instead, if anywhere.
    """
    path = Path(path)
    try:
        return save(path)
    except InputError as error:
        try:
            refuge = Path(tempfile.mkdtemp(prefix="napari-cryoml-")) / path.name
            save(refuge)
        except (InputError, OSError):
            raise error from None
        reason = str(error).rstrip(".")
        raise InputError(
            f"{reason}; the result is kept in {refuge}: move it from there."
        ) from error
