"""napari-cryoml cells embed: vectors of cells."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_cryoml.cli._cells_inputs import CELLS, CHANNELS, FOLDERS, TABLE, read_given_cells
from napari_cryoml.cli._cluster import SCHEDULER, WORKERS, workers_of
from napari_cryoml.cli._embed_files import check_embedding_output
from napari_cryoml.cli._embedding_crops import (
    LAYER,
    MODEL,
    SETTINGS,
    embed_crops,
    encoder_of,
    encoders_without_model,
)
from napari_cryoml.cli._options import JSON, with_settings
from napari_cryoml.cli._output import report

_USUAL = "rings"


def embed(
    cells: CELLS,
    out: Annotated[Path, typer.Option(help="The embedding to write: .parquet, .h5ad or .csv.")],
    table: TABLE = None,
    channels: CHANNELS = None,
    folders: FOLDERS = "folder",
    model: MODEL = None,
    layer: LAYER = "vectors",
    encoder: Annotated[
        str | None,
        typer.Option(
            help=f"What makes vectors without a model, {_USUAL} by default: one of "
            f"{', '.join(encoders_without_model())}."
        ),
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Cells that are embedded at a time.")] = 256,
    settings: SETTINGS = None,
    scheduler: Annotated[str | None, SCHEDULER] = None,
    workers: Annotated[int, WORKERS] = 0,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Make a vector of each cell: the last hidden layer of a model, or what an encoder says."""
    check_embedding_output(out)
    wanted = None if model is None else layer
    config = with_settings(encoder_of(model, wanted, encoder, _USUAL), settings or [])
    crops = read_given_cells(cells, table, channels, folders)
    with workers_of(scheduler, workers) as pool:
        figures = embed_crops(crops, config, batch, out, "cells", pool)
    report(figures | {"channels": list(crops.channels or ())}, as_json=as_json)
