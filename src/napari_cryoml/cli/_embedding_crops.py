"""What the commands share that make a vector of each crop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from napari_cryoml._errors import InputError
from napari_cryoml.cli._embed_files import write_result
from napari_cryoml.cli._options import field_help
from napari_cryoml.cli._output import run_job, say
from napari_cryoml.data import Crops
from napari_cryoml.embedding import CropEncoderConfig, encoders
from napari_cryoml.jobs import Pool

MODEL: TypeAlias = Annotated[
    Path | None, typer.Option(help=field_help(encoders["classifier"], "model"))
]
LAYER: TypeAlias = Annotated[
    str | None, typer.Option(help=field_help(encoders["classifier"], "layer"))
]
SETTINGS: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", help="Any other option of the encoder, as shells=12."),
]


def encoders_without_model() -> list[str]:
    """Return the names of encoders of crops that need no file of a model."""
    return [name for name in encoders if name not in ("classifier", "detector")]


def encoder_of(
    model: Path | None, layer: str | None, name: str | None, usual: str
) -> CropEncoderConfig:
    """Return the encoder that a user described.

    Raises
    ------
    InputError
        If options exclude each other, or there is no such encoder.
    """
    if model is None:
        if layer is not None:
            raise InputError("--layer is of a model: give --model FILE too, or leave it out.")
        if name == "classifier":
            raise InputError("The encoder classifier needs a model: give --model FILE.")
        return encoders.create(name or usual)
    if name not in (None, "classifier"):
        raise InputError(f"--model and --encoder {name} exclude each other: give one of them.")
    return encoders.create("classifier", model=model, **({"layer": layer} if layer else {}))


def embed_crops(
    crops: Crops, config: CropEncoderConfig, batch: int, out: Path, words: str, pool: Pool
) -> dict[str, Any]:
    """Make the vectors, write them, and return what is to be told.

    Parameters
    ----------
    crops : Crops
    config : CropEncoderConfig
    batch : int
        Crops at a time.
    out : Path
    words : str
        What the crops are, in the plural.
    pool : Pool
        Workers that the work is spread over, or none.

    Raises
    ------
    InputError
        If none was embedded before a stop.
    """
    from napari_cryoml.embedding import extract

    embedding = run_job(extract(crops, config, batch=batch, pool=pool), "Embedding")
    if not len(embedding):
        raise InputError(f"Stopped before any of the {words} was embedded: nothing was written.")
    write_result(embedding, out)
    notes = list(embedding.provenance.get("notes", ()))
    if len(embedding) < len(crops):
        notes.append(f"Stopped after {len(embedding)} of {len(crops)} {words}.")
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
    return figures | ({"notes": notes} if notes else {})
