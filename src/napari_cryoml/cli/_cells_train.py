"""napari-cryoml cells train: from labelled cells to a classifier of localisations or proteins."""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import typer

from napari_cryoml._errors import InputError
from napari_cryoml.classification import (
    CropClassifier,
    LabelledCrops,
    NetworkSystem,
    SystemConfig,
    Watch,
    systems,
)
from napari_cryoml.cli._cells_inputs import CELLS, CHANNELS, FOLDERS, TABLE, read_given_cells
from napari_cryoml.cli._devices import DEVICES, NODES, devices_of, is_first, train_on_devices
from napari_cryoml.cli._options import DEVICE, JSON, SEED, check_output, field_help, with_settings
from napari_cryoml.cli._output import report, say
from napari_cryoml.cli._training import (
    AUGMENTATION,
    BATCH,
    EPOCHS,
    LEARNING_RATE,
    MINUTES,
    MODEL_OUT,
    NETWORK,
    SETTINGS,
    check_network,
    described,
    save_model,
    system_of,
)
from napari_cryoml.data import ArrayCrops, CellSplit, split_cells

_USUAL, _PROTEIN, _CLASS = "deeploc", "protein", "class"


def train(
    cells: CELLS,
    out: MODEL_OUT,
    table: TABLE = None,
    channels: CHANNELS = None,
    folders: FOLDERS = "folder",
    label_column: Annotated[
        str | None,
        typer.Option(
            help="Column with what is to be learnt: class by default, and protein for pifia. Cells "
            "of no label are left out."
        ),
    ] = None,
    system: Annotated[
        str | None,
        typer.Option(help=f"What learns: {_USUAL} by default. One of {', '.join(systems)}."),
    ] = None,
    network: NETWORK = None,
    use: Annotated[
        str | None, typer.Option(help="Channels that are looked at, as protein; all by default.")
    ] = None,
    normalisation: Annotated[
        str | None, typer.Option(help=field_help(NetworkSystem, "normalisation"))
    ] = None,
    start_from: Annotated[
        Path | None,
        typer.Option(
            help="A trained model that goes on with these classes: as Kraus et al. 2017 do, unless "
            "a system is named."
        ),
    ] = None,
    epochs: EPOCHS = None,
    minutes: MINUTES = None,
    batch: BATCH = None,
    learning_rate: LEARNING_RATE = None,
    learning_rates: Annotated[
        str | None, typer.Option(help="Step sizes that are tried in turn, as 1e-3,3e-4,1e-4.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(help=field_help(NetworkSystem, "seeds"))] = None,
    of_seeds: Annotated[
        str | None, typer.Option(help=f"best or ensemble: {field_help(NetworkSystem, 'of_seeds')}")
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(help=f"last, accuracy, loss, watched: {field_help(NetworkSystem, 'keep')}"),
    ] = None,
    augmentation: AUGMENTATION = None,
    shares: Annotated[
        str,
        typer.Option(
            help="Shares of the cells of each protein that are trained on, choose the epoch and "
            "measure the result; without a column protein, of each class."
        ),
    ] = "0.8,0.1,0.1",
    hold_out: Annotated[
        float | None,
        typer.Option(help="Measure on this share of the proteins, which training never sees."),
    ] = None,
    parts_out: Annotated[
        Path | None,
        typer.Option(
            help="Table (.csv) to write: id and part (train, validation, test) of each cell, which "
            "embed takes as --table."
        ),
    ] = None,
    standard: Annotated[
        list[str] | None,
        typer.Option(
            help="What is known of proteins: their vectors are measured by it after every epoch. "
            "As for evaluate; may be given several times."
        ),
    ] = None,
    seed: Annotated[int | None, SEED] = None,
    device: Annotated[str | None, DEVICE] = None,
    devices: DEVICES = "1",
    nodes: NODES = 1,
    settings: SETTINGS = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Train a classifier of cells: by where their proteins are, or by which protein it is."""
    check_output(out)
    flags: dict[str, Any] = {
        "network": network,
        "channels": None if use is None else tuple(word.strip() for word in use.split(",")),
        "normalisation": normalisation,
        "epochs": epochs,
        "minutes": minutes,
        "batch": batch,
        "learning_rate": learning_rate,
        "learning_rates": None
        if learning_rates is None
        else _numbers(learning_rates, "learning-rates"),
        "seeds": seeds,
        "of_seeds": of_seeds,
        "keep": keep,
        "augmentation": augmentation,
        "seed": seed,
        "device": device,
    }
    crops = read_given_cells(cells, table, channels, folders)
    name = system if system is not None or start_from is not None else _USUAL
    column = label_column or _label_column(crops, name)
    split = _split(crops, column, _numbers(shares, "shares"), seed or 0, hold_out)
    data = LabelledCrops.of(crops, column, split=split)
    config = _system(name, start_from, data, flags, settings or [])
    watch = _watch(crops, standard or [], config)
    if parts_out is not None and is_first():
        _write_parts(crops, split, check_output(parts_out))
    began = time.monotonic()
    where = devices_of(devices, nodes, device)
    check_network(config, where)
    given = (data, watch) if isinstance(config, NetworkSystem) else (data,)
    classifier = train_on_devices(where, config.name, config.fit, *given)
    save_model(classifier, out)
    figures = described(classifier, data, out, time.monotonic() - began, "cells")
    report(figures | _runs(classifier) | _parts(split), as_json=as_json)


def _numbers(text: str, flag: str) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in text.split(","))
    except ValueError:
        raise InputError(f"--{flag} takes numbers with commas; {text!r} was given.") from None


def _label_column(crops: ArrayCrops, system: str | None) -> str:
    """Return the column that a system usually learns from."""
    known: str = getattr(systems[system], "label_column", "") if system else ""
    wanted = known or _CLASS
    if wanted not in crops.columns:
        there = ", ".join(crops.columns) or "none"
        raise InputError(
            f"The cells have no column {wanted!r} to learn from; there are {there}: give "
            "--label-column NAME, or --table FILE with one."
        )
    return wanted


def _split(
    crops: ArrayCrops,
    column: str,
    shares: Sequence[float],
    seed: int,
    hold_out: float | None,
) -> CellSplit:
    """Return which cells are trained on, within each protein or else each class."""
    if len(shares) != 3:
        raise InputError(f"--shares takes three numbers, as 0.8,0.1,0.1; {shares} was given.")
    if hold_out is not None and _PROTEIN not in crops.columns:
        raise InputError("--hold-out is of proteins, but the cells have no column 'protein'.")
    by = _PROTEIN if _PROTEIN in crops.columns else column
    if by not in crops.columns:
        raise InputError(f"The cells have no column {by!r}; there are {', '.join(crops.columns)}.")
    train_share, validation, test = shares
    return split_cells(_words(crops.columns[by]), (train_share, validation, test), seed, hold_out)


def _write_parts(crops: ArrayCrops, split: CellSplit, path: Path) -> None:
    """Write which part each cell is in."""
    parts = np.full(len(crops), "", "<U10")
    for name, rows in _named_parts(split).items():
        parts[rows] = name
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("id", "part"))
        table.writerows(zip(crops.ids, parts, strict=True))


def _named_parts(split: CellSplit) -> dict[str, npt.NDArray[np.intp]]:
    return {"train": split.train, "validation": split.validation, "test": split.test}


def _words(values: npt.NDArray[Any]) -> npt.NDArray[np.str_]:
    """Return a column as text; what is missing becomes ""."""
    words = np.asarray(values).astype(np.str_)
    return np.where(np.isin(words, ("nan", "None")), "", words)


def _system(
    name: str | None,
    start_from: Path | None,
    data: LabelledCrops,
    flags: dict[str, Any],
    settings: list[str],
) -> SystemConfig:
    if start_from is None or name is not None:
        return system_of(name, start_from, data, flags, settings)
    from napari_cryoml.classification import transfer

    given = {key: value for key, value in flags.items() if value is not None}
    return with_settings(transfer(start_from, data, **given), settings)


def _watch(crops: ArrayCrops, standards: Sequence[str], config: SystemConfig) -> Watch | None:
    """Return what measures the proteins after every epoch."""
    if not standards:
        return None
    if not isinstance(config, NetworkSystem):
        raise InputError(
            f"--standard is watched while a network is trained; {config.name} has none."
        )
    if _PROTEIN not in crops.columns:
        raise InputError("--standard is about proteins, but the cells have no column 'protein'.")
    from napari_cryoml.classification import FunctionalWatch
    from napari_cryoml.cli._cells_standards import read_standards

    known = tuple(read_standards(standards))
    part: Literal["test", "validation"] = "validation" if config.keep == "watched" else "test"
    say(f"After every epoch the vectors of the {part} part are measured by what is known.")
    return FunctionalWatch(_words(crops.columns[_PROTEIN]), known, part=part)


def _runs(classifier: CropClassifier) -> dict[str, Any]:
    runs = [asdict(run) for run in classifier.runs]
    return {"runs": runs} if runs else {}


def _parts(split: CellSplit) -> dict[str, Any]:
    told = {name: len(rows) for name, rows in _named_parts(split).items()}
    return {"parts": told} | ({"held_out_proteins": list(split.held_out)} if split.held_out else {})
