"""From what the user opened to images and a place for the project file."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from napari_cryoml import io
from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml._widgets.frame import project_place
from napari_cryoml.data import ImageSource
from napari_cryoml.project import PROJECT_SUFFIX, Project, image_called

PROJECT_NAME = f"picker{PROJECT_SUFFIX}"


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """Images ready to be put into a project.

    Parameters
    ----------
    sources : list of ImageSource
    project : Path or None
        The project file they belong to; None to keep to the one in use.
    remarks : list of str
        Sentences about what was odd or left out.
    """

    sources: list[ImageSource]
    project: Path | None = None
    remarks: list[str] = field(default_factory=list)


def open_paths(paths: Sequence[Path], current: Path | None) -> Opened:
    """Open image files and folders without reading their pixels.

    Parameters
    ----------
    paths : sequence of Path
    current : Path or None
        The project file in use: images go there, unless a folder has a project of its own.

    Raises
    ------
    InputError
        If nothing can be read, or two images have one name.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InputWarning)
        sources: list[ImageSource] = list(io.open_images(paths))
    remarks = [str(entry.message) for entry in caught if issubclass(entry.category, InputWarning)]
    if len({len(source.shape) for source in sources}) > 1:
        raise InputError(
            "Micrographs (2-D) and tomograms (3-D) came together: open them in separate projects."
        )
    folder = _folder_of(sources)
    own = folder / PROJECT_NAME
    if current is not None and not own.exists():
        return Opened(sources, None, remarks)
    place, remark = project_place(folder, PROJECT_NAME)
    return Opened(sources, place, remarks + ([remark] if remark else []))


def sources_by_name(places: Mapping[str, Path]) -> dict[str, ImageSource]:
    """Open the files of a project's images again; one that cannot be read is left out."""
    opened: dict[Path, list[ImageSource]] = {}
    found: dict[str, ImageSource] = {}
    for name, path in places.items():
        if path not in opened:
            try:
                opened[path] = list(io.open_images([path]))
            except InputError:
                opened[path] = []
        source = image_called(opened[path], name) if opened[path] else None
        if source is not None:
            found[name] = source
    return found


def find_again(
    project: Project, folder: Path, shapes: Mapping[str, tuple[int, ...]]
) -> tuple[dict[str, ImageSource], set[str]]:
    """Find images whose files are gone in a folder: by content, the others by name and shape.

    Returns
    -------
    found : dict of str to ImageSource
        By their names in the project.
    by_name : set of str
        Those of the same name and shape, of whose content nothing is known or which hold another.

    Raises
    ------
    InputError
        If the folder holds no image that can be read, or the project cannot be written.
    """
    found = sources_by_name(project.relink(folder))
    others = {name: shape for name, shape in shapes.items() if name not in found}
    try:
        named = find_images(folder, others) if others else {}
    except InputError:
        if not found:
            raise
        named = {}
    return named | found, set(named)


def find_images(folder: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, ImageSource]:
    """Return the images of a folder that have one of the names, and its shape.

    Raises
    ------
    InputError
        If the folder holds no image that can be read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        sources = {source.name: source for source in io.open_images([folder])}
    return {
        name: sources[name]
        for name, shape in shapes.items()
        if name in sources and tuple(sources[name].shape) == shape
    }


def paths_of_layers(layers: Iterable[Any], folder: Path) -> list[Path]:
    """Return the files behind image layers; a layer that has none is written to `folder`.

    Raises
    ------
    InputError
        If there is no image layer.
    """
    paths = []
    for layer in layers:
        path = layer.source.path
        if path and Path(path).suffix.lower() in io.IMAGE_SUFFIXES:
            paths.append(Path(path))
            continue
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', layer.name)}.mrc"
        io.write_mrc(target, np.asarray(layer.data, np.float32), pixel_size_of(layer))
        paths.append(target)
    if not paths:
        raise InputError("No image is open in napari: open one, or choose a folder of images.")
    return paths


def pixel_size_of(layer: Any) -> float | None:
    """Return the angstrom per pixel of a layer, if its units say so."""
    unit = str(layer.units[-1])
    factor = {"angstrom": 1.0, "nanometer": 10.0, "picometer": 0.01}.get(unit)
    return None if factor is None else float(layer.scale[-1]) * factor


def _folder_of(sources: Sequence[ImageSource]) -> Path:
    paths = [str(source.path.parent) for source in sources if source.path is not None]
    return Path(os.path.commonpath(paths))
