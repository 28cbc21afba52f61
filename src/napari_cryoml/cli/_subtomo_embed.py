"""napari-cryoml subtomo embed: vectors of subtomograms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
from napari_cryoml.cli._options import JSON, PIXEL_SIZE, with_settings
from napari_cryoml.cli._output import report
from napari_cryoml.cli._subtomo_inputs import (
    BOX,
    DIAMETER,
    INPUTS,
    PICKS,
    SIZE,
    read_subtomograms,
)

_USUAL = "rotation_invariant"


def embed(
    inputs: INPUTS,
    out: Annotated[Path, typer.Option(help="The embedding to write: .parquet, .h5ad or .csv.")],
    picks: PICKS = None,
    model: MODEL = None,
    layer: LAYER = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            help=f"What makes vectors without a model, {_USUAL} by default: one of "
            f"{', '.join(encoders_without_model())}."
        ),
    ] = None,
    batch: Annotated[
        int, typer.Option(min=1, help="Subtomograms that are embedded at a time.")
    ] = 256,
    box: BOX = None,
    size: SIZE = None,
    diameter: DIAMETER = None,
    pixel_size: Annotated[float | None, PIXEL_SIZE] = None,
    settings: SETTINGS = None,
    scheduler: Annotated[str | None, SCHEDULER] = None,
    workers: Annotated[int, WORKERS] = 0,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Make a vector of each subtomogram."""
    check_embedding_output(out)
    config = with_settings(encoder_of(model, layer, encoder, _USUAL), settings or [])
    crops = read_subtomograms(
        inputs, picks, box=box, size=size, diameter=diameter, pixel_size=pixel_size
    )
    with workers_of(scheduler, workers) as pool:
        figures = embed_crops(crops, config, batch, out, "subtomograms", pool)
    report(figures, as_json=as_json)
