"""RELION's picking job: one small STAR file a micrograph, and an index of them.

Each file is a single block of coordinates without optics groups, since RELION reads the first
block of a coordinate file whatever it is called.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pandas as pd

from napari_cryoml._errors import InputError
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io._formats import star
from napari_cryoml.io._formats._format import Format, Hints
from napari_cryoml.io._formats._relion_writing import particle_frame
from napari_cryoml.io._formats._star_blocks import loop_of, read_blocks, write_blocks
from napari_cryoml.io._names import stem

INDEX = "autopick.star"
_BLOCK = "coordinate_files"
_LABELS = (
    ("rlnMicrographName", "rlnMicrographCoordinates"),
    ("rlnTomoName", "rlnTomoImportParticleFile"),
)


def is_index(path: Path) -> bool:
    """Tell whether a STAR file lists coordinate files rather than coordinates."""
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError:
        return False
    return any(column.encode() in start for _, column in _LABELS)


def read(path: Path, hints: Hints) -> PicksTable:
    """Read the picks of all micrographs that an index such as ``autopick.star`` lists."""
    table = _index_of(path)
    extra: dict[str, object] = {}
    picks: list[Picks] = []
    for image, entry in table:
        part = star.read(_found(path, entry), replace(hints, image=image))
        extra = extra or dict(part.extra)
        picks.extend(part)
    return PicksTable(tuple(picks), extra)


def write(table: PicksTable, path: Path, hints: Hints) -> list[Path]:
    """Write ``<micrograph>_autopick.star`` for each image into a folder, and ``autopick.star``.

    The index names the files by `path` as it was given: give it relative to RELION's project
    directory, and start RELION there.
    """
    files = _file_names(table.images)
    for picks in table:
        single = PicksTable((picks,), table.extra)
        frame = particle_frame(single, hints, image_column=None)
        write_blocks(path / files[picks.image], {"": frame})
    name = "rlnTomoName" if any(picks.ndim == 3 for picks in table) else "rlnMicrographName"
    column = dict(_LABELS)[name]
    listed = [(path / files[image]).as_posix() for image in table.images]
    write_blocks(path / INDEX, {_BLOCK: pd.DataFrame({name: table.images, column: listed})})
    return [path / INDEX, *(path / files[image] for image in table.images)]


def _index_of(path: Path) -> list[tuple[str, str]]:
    for block in read_blocks(path).values():
        frame = loop_of(block)
        for names in _LABELS:
            if set(names) <= set(frame.columns):
                rows = frame[list(names)].astype(str).itertuples(index=False, name=None)
                return [(str(image), str(entry)) for image, entry in rows]
    raise InputError(
        f"{path} lists no coordinate files: the labels rlnMicrographName and "
        "rlnMicrographCoordinates are needed."
    )


def _found(index: Path, entry: str) -> Path:
    """Return a listed file: its path counts from RELION's project directory, somewhere above."""
    here = index.resolve()
    candidates = [folder / entry for folder in here.parents] + [here.parent / Path(entry).name]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise InputError(
        f"{index} lists {entry}, which is neither below a folder above the index nor beside it."
    )


def _file_names(images: list[str]) -> dict[str, Path]:
    """Return a file name for each image, in the image's own folders where stems repeat."""
    stems = [stem(image) for image in images]
    repeated = len(set(stems)) < len(stems)
    return {
        image: Path(*(_folders(image) if repeated else []), f"{name}_autopick.star")
        for image, name in zip(images, stems, strict=True)
    }


def _folders(image: str) -> list[str]:
    parts = PurePosixPath(image.replace("\\", "/")).parts[:-1]
    return [part for part in parts if part not in ("/", "..", ".") and ":" not in part]


FORMAT = Format(
    name="relion-files",
    title="RELION picking job: autopick.star and one STAR file an image; pixels, centres, 0-based",
    suffixes=(".star",),
    read=read,
    write=write,
    folder=True,
    recognises=is_index,
    poses=True,
)
