"""napari-cryoml cells simulate: cells of proteins whose places and functions are known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from napari_cryoml.cli._options import JSON, SEED, check_folder, with_settings
from napari_cryoml.cli._output import report, run_job


def simulate(
    out: Annotated[Path, typer.Option(help="The folder to write to.")],
    proteins: Annotated[int, typer.Option(min=1, help="Number of proteins.")] = 170,
    cells: Annotated[int, typer.Option(min=1, help="Cells of each protein.")] = 40,
    size: Annotated[int, typer.Option(min=16, help="Side of a crop, pixels.")] = 64,
    conditions: Annotated[
        int, typer.Option(min=1, max=2, help="2 for a second one in which some proteins move.")
    ] = 1,
    fields: Annotated[
        int | None, typer.Option(min=1, help="Whole images instead of crops, this many.")
    ] = None,
    seed: Annotated[int, SEED] = 0,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other option of the simulation, as crowding=2."),
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Simulate cells: crops as Zarr or whole images as TIFF, with tables and standards."""
    from napari_cryoml.simulate import CellFieldsConfig, CellsSimulationConfig

    common = [
        f"n_proteins={proteins}",
        f"cells_per_protein={cells}",
        f"size={size}",
        f"conditions={conditions}",
    ]
    if fields is None:
        config = with_settings(CellsSimulationConfig(), [*common, *(settings or [])])
        result = _crops(check_folder(out), config, seed)
    else:
        given = [*common, f"n_fields={fields}", *(settings or [])]
        result = _images(check_folder(out), with_settings(CellFieldsConfig(), given), seed)
    report(result, as_json=as_json)


def _crops(out: Path, config: Any, seed: int) -> dict[str, Any]:
    from napari_cryoml.simulate import write_cells

    crops, table, *truth, record = run_job(write_cells(out, config, seed), "Simulating")
    return {"crops": str(crops), **_told(table, truth, record)}


def _images(out: Path, config: Any, seed: int) -> dict[str, Any]:
    from napari_cryoml.simulate import write_cell_fields

    written = run_job(write_cell_fields(out, config, seed), "Simulating")
    images = [path for path in written if path.suffix == ".tif"]
    table, *truth, record = written[len(images) :]
    n = len(images) // 2
    named = {"images": [str(path) for path in images[:n]]}
    return {**named, "labels": [str(path) for path in images[n:]], **_told(table, truth, record)}


def _told(table: Path, truth: list[Path], record: Path) -> dict[str, Any]:
    proteins, *standards = truth
    with table.open(encoding="utf-8") as file:
        n_cells = sum(1 for _ in file) - 1
    return {
        "cells": str(table),
        "n": n_cells,
        "proteins": str(proteins),
        "standards": [str(path) for path in standards],
        "record": str(record),
    }
