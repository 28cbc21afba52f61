"""Paths in recipes."""

from __future__ import annotations

import os
from pathlib import Path


def seen_from(folder: Path, path: str | Path) -> str:
    """Return a path as a recipe in `folder` tells it, which the two together can be moved with.

    Parameters
    ----------
    folder : Path
        Where the recipe lies.
    path : str or Path
    """
    absolute = Path(path).expanduser().absolute()
    try:
        return Path(os.path.relpath(absolute, folder.absolute())).as_posix()
    except ValueError:  # another drive of Windows
        return str(absolute)
