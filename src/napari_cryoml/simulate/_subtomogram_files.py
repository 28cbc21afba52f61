"""Folders of simulated subtomograms and tomograms, with the truth beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_cryoml import __version__
from napari_cryoml._registry import Config
from napari_cryoml.data import PicksTable
from napari_cryoml.io import write_crops, write_mrc, write_picks
from napari_cryoml.simulate._data_sets import RECORD_NAME, make_folder
from napari_cryoml.simulate._subtomograms import SimulatedSubtomograms
from napari_cryoml.simulate._tomograms import SimulatedTomogram

STACK_NAME = "subtomograms.mrcs"
PICKS_NAME = "picks.star"


def write_subtomograms(
    out: str | Path,
    made: SimulatedSubtomograms,
    config: Config,
    seed: int,
    measured: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Write simulated subtomograms into a folder.

    It holds ``subtomograms.mrcs``; beside it ``subtomograms.star`` with class, orientation
    (``rlnAngle...``) and place in the box (``rlnOrigin...Angst``, RELION's sign) of each; and
    ``simulation.json`` with seed, options and version. Files of these names are replaced.

    Parameters
    ----------
    out : path
        Made if it does not exist.
    made : SimulatedSubtomograms
    config : Config
        What it was made with.
    seed : int
        What it was made with.
    measured : mapping, optional
        What else the record is to tell.

    Returns
    -------
    list of Path
        The stack, its list, and the record.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    folder = make_folder(Path(out))
    crops = made.crops
    angstrom = -made.shifts * (crops.pixel_size or 1.0)
    origins = {f"rlnOrigin{axis}Angst": angstrom[:, 2 - i] for i, axis in enumerate("XYZ")}
    posed = replace(crops, rotations=made.rotations)
    written = write_crops(folder / STACK_NAME, posed, columns=origins)
    return [*written, _write_record(folder, config, seed, measured)]


def write_tomogram(
    out: str | Path,
    made: SimulatedTomogram,
    config: Config,
    seed: int,
    measured: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Write a simulated tomogram into a folder.

    It holds the tomogram under the name that its picks have (``tomogram.mrc``); ``picks.star``
    with place, orientation and class of every particle; and ``simulation.json``. Files of these
    names are replaced.

    Parameters
    ----------
    out : path
        Made if it does not exist.
    made : SimulatedTomogram
    config : Config
        What it was made with.
    seed : int
        What it was made with.
    measured : mapping, optional
        What else the record is to tell.

    Returns
    -------
    list of Path
        The tomogram, its particles, and the record.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    folder = make_folder(Path(out))
    image = write_mrc(folder / made.picks.image, made.image, made.pixel_size)
    shapes = {made.picks.image: made.image.shape}
    picks = write_picks(PicksTable.of([made.picks]), folder / PICKS_NAME, shapes=shapes)
    return [image, *picks, _write_record(folder, config, seed, measured)]


def _write_record(
    folder: Path, config: Config, seed: int, measured: Mapping[str, Any] | None
) -> Path:
    record = {"version": __version__, "seed": seed, "config": config.model_dump(mode="json")}
    path = folder / RECORD_NAME
    path.write_text(json.dumps({**record, **(measured or {})}, indent=1) + "\n", encoding="utf-8")
    return path
