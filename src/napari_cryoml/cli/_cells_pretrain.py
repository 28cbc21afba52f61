"""napari-cryoml cells pretrain: what a network learns from cells without labels."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from napari_cryoml._errors import InputError
from napari_cryoml.classification import NetworkSystem, systems
from napari_cryoml.cli._cells_inputs import CELLS, CHANNELS, FOLDERS, TABLE, read_given_cells
from napari_cryoml.cli._devices import DEVICES, NODES, devices_of, train_on_devices
from napari_cryoml.cli._options import DEVICE, JSON, SEED, check_output, field_help, with_settings
from napari_cryoml.cli._output import report, say
from napari_cryoml.data import ArrayCrops
from napari_cryoml.training import CropTrainingConfig

_USUAL = "paired_inpainting"


def pretrain(
    cells: CELLS,
    out: Annotated[Path, typer.Option(help="The file of the network to write (.safetensors).")],
    table: TABLE = None,
    channels: CHANNELS = None,
    folders: FOLDERS = "folder",
    column: Annotated[
        str | None,
        typer.Option(help="Learn from cells by this column, as part; from all by default."),
    ] = None,
    values: Annotated[
        str | None, typer.Option(help="Its values to learn from, as train,validation.")
    ] = None,
    system: Annotated[
        str, typer.Option(help="A system that learns without labels first, as simclr.")
    ] = _USUAL,
    epochs: Annotated[
        int | None, typer.Option(help=field_help(CropTrainingConfig, "epochs"))
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help=field_help(CropTrainingConfig, "minutes"))
    ] = None,
    batch: Annotated[int | None, typer.Option(help=field_help(CropTrainingConfig, "batch"))] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Step size.")] = None,
    seed: Annotated[int, SEED] = 0,
    device: Annotated[str, DEVICE] = "auto",
    devices: DEVICES = "1",
    nodes: NODES = 1,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other option, as network_options.width=0.25."),
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Pretrain a network on cells without labels, by default by Paired Cell Inpainting."""
    from napari_cryoml.classification import pretrain as pretrained
    from napari_cryoml.io import save_or_rescue

    check_output(out)
    optimizer = _given(learning_rate=learning_rate)
    training = _given(epochs=epochs, minutes=minutes, batch=batch, optimizer=optimizer or None)
    config = with_settings(_system(system, training, seed, device).spelled_out(), settings or [])
    crops = _chosen(read_given_cells(cells, table, channels, folders), column, values)
    began = time.monotonic()
    where = devices_of(devices, nodes, device)
    encoder = train_on_devices(where, config.network, pretrained, crops, config)
    save_or_rescue(encoder.save, out)
    for note in encoder.notes:
        say(note)
    figures: dict[str, Any] = {
        "model": str(out),
        "system": config.name,
        "objective": encoder.objective,
        "network": encoder.network.name,
        "cells": len(crops),
        "shape": list(encoder.shape),
        "seconds": time.monotonic() - began,
    }
    report(figures | _given(notes=list(encoder.notes) or None), as_json=as_json)


def _system(name: str, training: dict[str, Any], seed: int, device: str) -> NetworkSystem:
    given = {"pretraining": {"training": training}} if training else {}
    if not issubclass(systems[name], NetworkSystem):
        raise InputError(
            f"The system {name} has no network to pretrain: choose another, as {_USUAL}."
        )
    system = systems.create(name, seed=seed, device=device, **given)
    if not isinstance(system, NetworkSystem) or not system.pretraining.is_wanted:
        raise InputError(
            f"The system {name} learns from labels alone: choose another, as {_USUAL}."
        )
    return system


def _chosen(crops: ArrayCrops, column: str | None, values: str | None) -> ArrayCrops:
    if column is None and values is None:
        return crops
    if column is None or values is None:
        raise InputError("--column and --values belong together, as --column part --values train.")
    if column not in crops.columns:
        there = ", ".join(crops.columns) or "none"
        raise InputError(f"The cells have no column {column!r}; the columns are {there}.")
    wanted = [word.strip() for word in values.split(",")]
    rows = np.flatnonzero(np.isin(np.asarray(crops.columns[column]).astype(np.str_), wanted))
    if not len(rows):
        raise InputError(f"No cell has {values!r} in the column {column!r}.")
    return crops.take(rows)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
