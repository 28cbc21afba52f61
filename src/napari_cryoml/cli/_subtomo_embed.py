"""napari-cryoml subtomo embed: vectors of subtomograms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from napari_cryoml._errors import InputError
from napari_cryoml.cli._cluster import SCHEDULER, WORKERS, workers_of
from napari_cryoml.cli._embed_files import check_embedding_output, write_result
from napari_cryoml.cli._options import JSON, PIXEL_SIZE, field_help, with_settings
from napari_cryoml.cli._output import report, run_job, say
from napari_cryoml.cli._subtomo_inputs import (
    BOX,
    DIAMETER,
    INPUTS,
    PICKS,
    SIZE,
    read_subtomograms,
)
from napari_cryoml.embedding import CropEncoderConfig, encoders

_USUAL = "rotation_invariant"


def embed(
    inputs: INPUTS,
    out: Annotated[Path, typer.Option(help="The embedding to write: .parquet, .h5ad or .csv.")],
    picks: PICKS = None,
    model: Annotated[
        Path | None, typer.Option(help=field_help(encoders["classifier"], "model"))
    ] = None,
    layer: Annotated[
        str | None, typer.Option(help=field_help(encoders["classifier"], "layer"))
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            help=f"What makes vectors without a model, {_USUAL} by default: one of "
            f"{', '.join(name for name in encoders if name not in ('classifier', 'detector'))}."
        ),
    ] = None,
    batch: Annotated[
        int, typer.Option(min=1, help="Subtomograms that are embedded at a time.")
    ] = 256,
    box: BOX = None,
    size: SIZE = None,
    diameter: DIAMETER = None,
    pixel_size: Annotated[float | None, PIXEL_SIZE] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other option of the encoder, as shells=12."),
    ] = None,
    scheduler: Annotated[str | None, SCHEDULER] = None,
    workers: Annotated[int, WORKERS] = 0,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Make a vector of each subtomogram."""
    from napari_cryoml.embedding import extract

    check_embedding_output(out)
    config = with_settings(_encoder(model, layer, encoder), settings or [])
    crops = read_subtomograms(
        inputs, picks, box=box, size=size, diameter=diameter, pixel_size=pixel_size
    )
    with workers_of(scheduler, workers) as pool:
        embedding = run_job(extract(crops, config, batch=batch, pool=pool), "Embedding")
    if not len(embedding):
        raise InputError("Stopped before any subtomogram was embedded: nothing was written.")
    write_result(embedding, out)
    notes = list(embedding.provenance.get("notes", ()))
    if len(embedding) < len(crops):
        notes.append(f"Stopped after {len(embedding)} of {len(crops)} subtomograms.")
    for note in notes:
        say(note)
    figures: dict[str, Any] = {
        "embedding": str(out),
        "encoder": config.name,
        "n": len(embedding),
        "n_features": embedding.n_features,
        "n_without_vector": int((~embedding.finite).sum()),
        "shape": list(crops.shape),
    }
    report(figures | ({"notes": notes} if notes else {}), as_json=as_json)


def _encoder(model: Path | None, layer: str | None, name: str | None) -> CropEncoderConfig:
    if model is None:
        if layer is not None:
            raise InputError("--layer is of a model: give --model FILE too, or leave it out.")
        if name == "classifier":
            raise InputError("The encoder classifier needs a model: give --model FILE.")
        return encoders.create(name or _USUAL)
    if name not in (None, "classifier"):
        raise InputError(f"--model and --encoder {name} exclude each other: give one of them.")
    return encoders.create("classifier", model=model, **({"layer": layer} if layer else {}))
