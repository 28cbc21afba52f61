"""Folders of simulated cells, with the truth beside them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from napari_cryoml import __version__
from napari_cryoml._errors import InputError
from napari_cryoml._registry import Config
from napari_cryoml.data import Standard
from napari_cryoml.io import stream_crops
from napari_cryoml.jobs import Event, Job, relay
from napari_cryoml.simulate._cell_fields import (
    CellFieldsConfig,
    SimulatedCellField,
    SimulatedCellFields,
    cell_fields_job,
)
from napari_cryoml.simulate._cells import CHANNELS, DrawnCells
from napari_cryoml.simulate._cells_options import CellsSimulationConfig
from napari_cryoml.simulate._cells_proteome import Proteome
from napari_cryoml.simulate._data_sets import RECORD_NAME, make_folder

CROPS_NAME = "cells.zarr"
CELLS_NAME = "cells.csv"
PROTEINS_NAME = "proteins.csv"
STANDARDS_FOLDER = "standards"

_BATCH = 256


def write_cells(
    out: str | Path, config: CellsSimulationConfig | None = None, seed: int = 0
) -> Job[list[Path]]:
    """Simulate cells into a folder: a job with an event every few cells.

    The folder holds ``cells.zarr`` with crops, masks and columns; ``cells.csv`` with the same
    columns; ``proteins.csv`` with what is true of each protein; ``standards`` with one GMT file a
    standard; and ``simulation.json`` with seed, options and version. Files of these names are
    replaced. Cells go to the disk as they are drawn.

    Parameters
    ----------
    out : path
        Made if it does not exist.
    config : CellsSimulationConfig, optional
    seed : int
        0 or more.

    Yields
    ------
    Event
        After each few cells. `Command.STOP` keeps those that are done.

    Returns
    -------
    list of Path
        Crops, table of cells, table of proteins, standards, record.

    Raises
    ------
    InputError
        If the seed is below 0, or the folder cannot be written.
    """
    cells = DrawnCells(config, seed)
    folder = make_folder(Path(out))
    done = 0

    def tell(event: Event) -> Event:
        nonlocal done
        done = event.done
        return Event(done=done, total=event.total, message=f"{done} of {event.total} cells")

    yield from relay(stream_crops(folder / CROPS_NAME, cells, batch=_BATCH), tell)
    columns = {"id": cells.ids, **cells.columns}
    listing = _write_table(folder / CELLS_NAME, {k: v[:done] for k, v in columns.items()})
    truth = _write_truth(folder, cells.proteome)
    record = _write_record(folder, cells.config, seed, cells.proteome)
    return [folder / CROPS_NAME, listing, *truth, record]


def write_cell_fields(
    out: str | Path, config: CellFieldsConfig | None = None, seed: int = 0
) -> Job[list[Path]]:
    """Simulate whole images of cells into a folder: a job with an event an image.

    The folder holds ``field_000.tif`` (protein and marker, 16 bits) and ``field_000_labels.tif``,
    and so on; ``cells.csv`` with image, label, place, protein and class of each cell;
    and, as `write_cells` does, ``proteins.csv``, ``standards`` and ``simulation.json``.

    Parameters
    ----------
    out : path
        Made if it does not exist.
    config : CellFieldsConfig, optional
    seed : int
        0 or more.

    Yields
    ------
    Event
        After each image. `Command.STOP` keeps those that are done.

    Returns
    -------
    list of Path
        The images, their labels, table of cells, table of proteins, standards, record.

    Raises
    ------
    InputError
        If the seed is below 0, or the folder cannot be written.
    """
    config = CellFieldsConfig() if config is None else config
    folder = make_folder(Path(out))
    made: SimulatedCellFields = yield from cell_fields_job(config, seed)
    written = [write_cell_field(folder, field) for field in made.fields]
    images, labels = zip(*written, strict=True)
    listing = _write_table(folder / CELLS_NAME, _cells_of(made.fields))
    truth = _write_truth(folder, made.proteome)
    record = _write_record(folder, config, seed, made.proteome)
    return [*images, *labels, listing, *truth, record]


def _cells_of(fields: Sequence[SimulatedCellField]) -> dict[str, npt.NDArray[Any]]:
    """Return the table of the cells of all images."""
    n = [len(field) for field in fields]
    positions = np.concatenate([field.positions for field in fields]).round(2)
    return {
        "image": np.repeat([f"{field.name}.tif" for field in fields], n),
        "y": positions[:, 0],
        "x": positions[:, 1],
        **{
            name: np.concatenate([field.columns[name] for field in fields])
            for name in fields[0].columns
        },
        "plate": np.repeat([field.plate for field in fields], n),
    }


def write_cell_field(folder: Path, field: SimulatedCellField) -> tuple[Path, Path]:
    """Write an image of cells, ``NAME.tif``, and its labels, ``NAME_labels.tif``; return both."""
    image, labels = folder / f"{field.name}.tif", folder / f"{field.name}_labels.tif"
    named = {"axes": "CYX", "Labels": list(CHANNELS)}
    try:
        tifffile.imwrite(image, field.image, imagej=True, metadata=named)
        tifffile.imwrite(labels, field.labels, metadata={"axes": "YX"})
    except OSError as error:
        raise InputError(f"{image} cannot be written: {error.strerror or error}.") from error
    return image, labels


def _write_truth(folder: Path, proteome: Proteome) -> list[Path]:
    """Write what is true of the proteins, and the standards that list them."""
    classes = np.array(proteome.classes)
    table = {
        "protein": proteome.names,
        "class": classes[proteome.labels],
        "class_after": classes[proteome.moved],
        **{name: rows + 1 for name, rows in proteome.groups.items()},
        "brightness": proteome.brightness.round(4),
    }
    standards = make_folder(folder / STANDARDS_FOLDER)
    return [
        _write_table(folder / PROTEINS_NAME, table),
        *(_write_gmt(standards / f"{name}.gmt", one) for name, one in proteome.standards.items()),
    ]


def _write_gmt(path: Path, standard: Standard) -> Path:
    rows = ([term, "", *sorted(members)] for term, members in standard.terms.items())
    return _write_rows(path, rows, "\t")


def _write_table(path: Path, columns: Mapping[str, npt.NDArray[Any]]) -> Path:
    values = zip(*(column.tolist() for column in columns.values()), strict=True)
    return _write_rows(path, (list(columns), *values), ",")


def _write_rows(path: Path, rows: Iterable[Sequence[Any]], delimiter: str) -> Path:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}.") from error
    return path


def _write_record(folder: Path, config: Config, seed: int, proteome: Proteome) -> Path:
    moves = {name: list(places) for name, places in proteome.moves.items()}
    record = {"version": __version__, "seed": seed, "config": config.model_dump(mode="json")}
    path = folder / RECORD_NAME
    text = json.dumps({**record, "moves": moves}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
    return path
