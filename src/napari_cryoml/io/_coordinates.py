"""Read and write picks in any coordinate format."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io._formats import FORMATS, Format, Hints
from napari_cryoml.io._formats._rows import ndim_of
from napari_cryoml.io._names import stem


def read_picks(
    path: str | Path,
    *,
    format: str | None = None,
    image: str | None = None,
    pixel_size: float | None = None,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> PicksTable:
    """Read the picks in a coordinate file, or in all those of a folder.

    Positions become pixel (z)yx of the image, 0-based with the centre of the first pixel at 0;
    each format's own convention is in ``FORMATS[name].title``. Columns that are not understood
    stay with the picks, and what a file holds beside them (optics groups, headers) stays in
    ``extra``, so that writing the same format gives them back. Nothing in a file is executed.

    Parameters
    ----------
    path : str or Path
        A file, or a folder of files of one image each.
    format : str, optional
        A name in `FORMATS`; chosen by suffix and content by default.
    image : str, optional
        Name of the image, for files of a single image; by default what the file says, or else
        the stem of its name.
    pixel_size : float, optional
        Angstrom per pixel of the image, for formats in angstrom and where a file does not say.
    shapes : mapping of str to tuple of int, optional
        Shapes of the images in pixels, (y, x) or (z, y, x), by name, for coordinates that count
        from the centre of a tomogram.

    Returns
    -------
    PicksTable
        One entry an image.

    Raises
    ------
    InputError
        If the file is missing, damaged, of no known format, or lacks what its format needs.

    Warns
    -----
    InputWarning
        If the file holds no picks.
    """
    path = Path(path).expanduser()
    hints = Hints(image, pixel_size, dict(shapes or {}))
    read = _read_folder if path.is_dir() else _read_file
    table = read(path, format, hints)
    if table.n_picks == 0:
        warnings.warn(f"{path} holds no picks.", InputWarning, stacklevel=2)
    return table


def write_picks(
    table: PicksTable,
    path: str | Path,
    *,
    format: str | None = None,
    box_size: float | None = None,
    pixel_size: float | None = None,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> list[Path]:
    """Write picks to a coordinate file, or to one file an image.

    Formats that hold the picks of one image (``FORMATS[name].per_image``) make one file an image,
    named after its stem, if `path` is a folder or the table has several images; a `path` with a
    suffix and several images stands for the folder of that name without the suffix. Files are
    replaced as a whole, so that a full disk leaves what was there.

    Parameters
    ----------
    table : PicksTable
    path : str or Path
        A file, or a folder (then `format` is needed).
    format : str, optional
        A name in `FORMATS`; chosen by suffix by default.
    box_size : float, optional
        Edge of the boxes in pixels, for formats that write boxes; by default that of the source,
        or else the diameter.
    pixel_size : float, optional
        Angstrom per pixel of images whose picks do not say.
    shapes : mapping of str to tuple of int, optional
        Shapes of the images in pixels by name; needed for fractions and centred coordinates.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    InputError
        If the format cannot hold these picks, something it needs is not known, or the disk is
        full.
    """
    path = Path(path).expanduser()
    chosen = _format_to_write(table, path, format)
    hints = Hints(None, pixel_size, dict(shapes or {}), box_size)
    _check_ndim(table, chosen)
    _warn_of_poses(table, chosen)
    write = chosen.write
    if write is None:
        raise InputError(f"The format {chosen.name!r} can be read and not written.")
    if not chosen.per_image:
        return write(table, _whole_path(path, chosen), hints)
    if len(table) == 1 and not _is_folder(path):
        return write(table, path, hints)
    files = _files_by_image(table, path, chosen)
    return [
        written
        for picks, file in zip(table, files, strict=True)
        for written in write(PicksTable((picks,), table.extra), file, hints)
    ]


def _read_file(path: Path, name: str | None, hints: Hints) -> PicksTable:
    if not path.exists():
        raise InputError(f"There is no file {path}.")
    chosen = _named(name) if name is not None else _recognised(path)
    if chosen.read is None:
        raise InputError(
            f"The format {name!r} is for writing: read such files without naming a format."
        )
    return chosen.read(path, hints)


def _read_folder(folder: Path, name: str | None, hints: Hints) -> PicksTable:
    suffixes = _named(name).suffixes if name is not None else _all_suffixes()
    paths = sorted(p for p in folder.iterdir() if p.is_file() and p.suffix.lower() in suffixes)
    if not paths:
        raise InputError(f"{folder} holds no coordinate files ({', '.join(sorted(suffixes))}).")
    index = [path for path in paths if path.suffix.lower() == ".star" and _is_index(path)]
    return _joined(_read_file(path, name, hints) for path in (index or paths))


def _is_index(path: Path) -> bool:
    recognises = FORMATS["relion-files"].recognises
    return recognises is not None and recognises(path)


def _joined(tables: Iterable[PicksTable]) -> PicksTable:
    """Return several tables as one; of what they hold beside the picks, all that is by image."""
    picks: list[Picks] = []
    extra: dict[str, Any] = {}
    for table in tables:
        picks.extend(table)
        for key, value in table.extra.items():
            known = extra.setdefault(key, value)
            if isinstance(known, dict) and isinstance(value, dict) and key != "dynamo":
                extra[key] = {**known, **value}
    return PicksTable(_merged(picks), extra)


def _merged(picks: list[Picks]) -> tuple[Picks, ...]:
    by_image: dict[str, Picks] = {}
    for one in picks:
        if one.image in by_image and len(one) and len(by_image[one.image]):
            raise InputError(
                f"The folder holds two files with picks of {one.image!r}: read one of them."
            )
        if one.image not in by_image or len(one):
            by_image[one.image] = one
    return tuple(by_image.values())


def _recognised(path: Path) -> Format:
    suffix = path.suffix.lower()
    candidates = [f for f in FORMATS.values() if suffix in f.suffixes and f.read is not None]
    if not candidates:
        raise InputError(
            f"{path} has a suffix of no known coordinate format "
            f"({', '.join(sorted(_all_suffixes()))}): give its format."
        )
    for candidate in candidates:
        sure = candidate.recognises is None or len(candidates) == 1
        if sure or (candidate.recognises is not None and candidate.recognises(path)):
            return candidate
    names = " nor ".join(candidate.name for candidate in candidates)
    raise InputError(f"{path} is neither {names}: give its format, or mend its header.")


def _format_to_write(table: PicksTable, path: Path, name: str | None) -> Format:
    if name is not None:
        return _named(name)
    suffix = path.suffix.lower()
    fitting = [
        f
        for f in FORMATS.values()
        if suffix in f.suffixes and f.write is not None and not (f.folder or f.named)
    ]
    if not fitting:
        raise InputError(
            f"{path} does not tell the format to write: give a format ({', '.join(FORMATS)}) or a "
            f"suffix ({', '.join(sorted(_all_suffixes()))})."
        )
    return next((f for f in fitting if ndim_of(table) in f.ndims), fitting[0])


def _named(name: str) -> Format:
    if name not in FORMATS:
        raise InputError(
            f"There is no coordinate format named {name!r}: choose one of {', '.join(FORMATS)}."
        )
    return FORMATS[name]


def _all_suffixes() -> set[str]:
    return {suffix for entry in FORMATS.values() for suffix in entry.suffixes}


def _check_ndim(table: PicksTable, chosen: Format) -> None:
    found = {picks.ndim for picks in table if len(picks)}
    if len(found) > 1 and not chosen.per_image:
        raise InputError("The picks are 2-D for some images and 3-D for others: write them apart.")
    if found - set(chosen.ndims):
        fitting = [
            f.name for f in FORMATS.values() if f.write is not None and found <= set(f.ndims)
        ]
        raise InputError(
            f"The format {chosen.name!r} does not hold {max(found)}-D picks: choose one of "
            f"{', '.join(fitting)}."
        )


def _warn_of_poses(table: PicksTable, chosen: Format) -> None:
    turned = [p.rotations for p in table if p.rotations is not None]
    n = sum(np.isfinite(rotations).all(axis=(1, 2)).sum() for rotations in turned)
    if n and not chosen.poses:
        fitting = ", ".join(f.name for f in FORMATS.values() if f.poses)
        warnings.warn(
            f"The format {chosen.name!r} holds no orientations: those of {n} particles were left "
            f"out ({fitting} hold them).",
            InputWarning,
            stacklevel=3,
        )


def _is_folder(path: Path) -> bool:
    return path.is_dir() or path.suffix == ""


def _whole_path(path: Path, chosen: Format) -> Path:
    if chosen.folder:
        return path if _is_folder(path) else path.with_suffix("")
    if not _is_folder(path):
        return path
    suffix = chosen.suffixes[0] if chosen.suffixes else ".star"
    return path / f"particles{suffix}" if path.is_dir() else path.with_name(path.name + suffix)


def _files_by_image(table: PicksTable, path: Path, chosen: Format) -> list[Path]:
    folder = path if _is_folder(path) else path.with_suffix("")
    files: dict[str, str] = {}
    for image in table.images:
        # A slice of a stack is named stack.mrcs#3; its file is stack_3.
        name = stem(image).replace("#", "_") + chosen.suffixes[0]
        if name in files:
            raise InputError(
                f"{files[name]!r} and {image!r} would both be written to {folder / name}: rename "
                "one of them, or choose a format that holds all images in one file."
            )
        files[name] = image
    return [folder / name for name in files]
