"""Where a project file is kept."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from napari_cryoml._errors import InputError
from napari_cryoml.project import PROJECT_SUFFIX, Project


def project_place(folder: Path, name: str, what: Path | None = None) -> tuple[Path, str]:
    """Return where a project file is kept, and a remark if that is elsewhere.

    Parameters
    ----------
    folder : Path
        Where it belongs.
    name : str
        How it is called there.
    what : Path, optional
        What the project is about: names the file where the folder cannot be written to. The
        folder by default.

    Raises
    ------
    InputError
        If neither the folder nor the user's own can be written to.
    """
    inside = folder / name
    if os.access(inside if inside.exists() else folder, os.W_OK) and os.access(folder, os.W_OK):
        return inside, ""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", str(what or folder)).strip("-")
    for root in (Path.home() / "napari-cryoml", Path(tempfile.gettempdir()) / "napari-cryoml"):
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(root, os.W_OK):
            place = root / f"{slug[-80:]}{PROJECT_SUFFIX}"
            return place, f"{folder} cannot be written to, so the project is kept in {place}."
    raise InputError(
        f"The project file can be written neither to {folder} nor to your home folder: give write "
        "permission to one of them."
    )


def own_project(path: Path) -> tuple[Project, str]:
    """Open or make the project that belongs to a file, and return it with a remark as above.

    Raises
    ------
    InputError
        If it cannot be opened or made.
    """
    place, remark = project_place(path.parent, f"{path.name}{PROJECT_SUFFIX}", path)
    return (Project.open if place.exists() else Project.create)(place), remark
