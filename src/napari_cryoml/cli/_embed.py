"""napari-cryoml embed: vectors of crops, maps and clusters of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from napari_cryoml._errors import InputError
from napari_cryoml.cli._cluster import SCHEDULER, WORKERS, workers_of
from napari_cryoml.cli._embed_average import average
from napari_cryoml.cli._embed_classes import novelty, spread
from napari_cryoml.cli._embed_export import export
from napari_cryoml.cli._embed_files import check_embedding_output, given_options, write_result
from napari_cryoml.cli._embed_groups import cluster
from napari_cryoml.cli._embed_maps import plot, project
from napari_cryoml.cli._lengths import parse_length
from napari_cryoml.cli._options import (
    DEVICE,
    JSON,
    PIXEL_SIZE,
    config_of,
    field_help,
    open_inputs,
    pixel_size_of,
    read_needed,
    with_settings,
)
from napari_cryoml.cli._output import report, run_job, say
from napari_cryoml.data import ArrayCrops, Crops, Embedding
from napari_cryoml.embedding import CropEncoderConfig, Extracted, encoders
from napari_cryoml.jobs import Event
from napari_cryoml.preprocess import CropsConfig, PickCrops

app = typer.Typer(no_args_is_help=True, help="Embed picks, map the vectors, and sort them.")

_STORE = ".part"
_WHITENINGS = ("none", "standard", "pca")


@app.command()
def crops(
    out: Annotated[Path, typer.Option(help="The embedding to write: .parquet, .h5ad or .csv.")],
    images: Annotated[
        list[str] | None, typer.Argument(help="Images: files, folders or patterns in quotes.")
    ] = None,
    picks: Annotated[
        Path | None, typer.Option(help="The picks to embed: STAR, box, cbox, CSV, cs ...")
    ] = None,
    stack: Annotated[
        Path | None,
        typer.Option(help="Crops instead of images and picks: an MRC stack, .npy or .npz."),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            help="What makes vectors of crops; live for picks, rings for a stack by default. One "
            f"of {', '.join(encoders)}."
        ),
    ] = None,
    diameter: Annotated[
        str | None,
        typer.Option(help="Particle diameter: 108 (pixels) or 180A; by default what picks tell."),
    ] = None,
    box: Annotated[
        str | None,
        typer.Option(help="Side of the crops, in pixels or as 270A; by default 1.5 diameters."),
    ] = None,
    size: Annotated[int | None, typer.Option(help=field_help(CropsConfig, "size"))] = None,
    picker: Annotated[
        Path | None, typer.Option(help=field_help(encoders["detector"], "picker"))
    ] = None,
    whiten: Annotated[
        str,
        typer.Option(
            help=f"What is done to the vectors at the end: one of {', '.join(_WHITENINGS)}."
        ),
    ] = "none",
    components: Annotated[
        int, typer.Option(min=1, help="Principal components kept by --whiten pca.")
    ] = 32,
    batch: Annotated[int, typer.Option(min=1, help="Crops that are embedded at a time.")] = 256,
    resume: Annotated[
        bool,
        typer.Option(help="Keep vectors in a file beside the output, and go on after a break."),
    ] = True,
    device: Annotated[str, DEVICE] = "auto",
    pixel_size: Annotated[float | None, PIXEL_SIZE] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any other option of the encoder, as rings=8.")
    ] = None,
    scheduler: Annotated[str | None, SCHEDULER] = None,
    workers: Annotated[int, WORKERS] = 0,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Make a vector of each pick."""
    from napari_cryoml.embedding import extract

    check_embedding_output(out)
    if whiten not in _WHITENINGS:
        raise InputError(f"--whiten takes {', '.join(_WHITENINGS)}; {whiten!r} was given.")
    cut: Crops
    if stack is None:
        lengths = {"diameter": diameter, "box": box}
        cut = _of_picks(images, picks, lengths, size, pixel_size)
    else:
        cut = _of_stack(stack, images, picks)
    name = encoder or ("live" if stack is None else "rings")
    config = with_settings(_encoder(name, device, picker), settings or [])
    store = out.with_name(out.name + _STORE) if resume else None
    options: dict[str, Any] = {"batch": batch, "whiten": whiten, "components": components}
    figures: dict[str, Any] = {}
    with workers_of(scheduler, workers) as pool:
        job = extract(cut, config, store=store, pool=pool, **options)
        embedding = run_job(job, "Embedding", lambda event: figures.update(_figures(event)))
    if not len(embedding):
        raise InputError("Stopped before any crop was embedded: nothing was written.")
    write_result(embedding, out)
    if store is not None and len(embedding) == len(cut):
        store.unlink(missing_ok=True)
    report(_described(embedding, cut, out) | figures | _noted(embedding, cut), as_json=as_json)


def _figures(event: Event) -> dict[str, float]:
    """Return what is worth keeping of an event: the speed, where it is known."""
    rate = event.rate if isinstance(event, Extracted) else 0.0
    return {"crops_per_second": rate} if rate else {}


def _described(embedding: Embedding, crops: Crops, out: Path) -> dict[str, Any]:
    return {
        "embedding": str(out),
        "encoder": embedding.provenance["encoder"],
        "n": len(embedding),
        "n_features": embedding.n_features,
        "n_without_vector": int((~embedding.finite).sum()),
        "box": None if crops.images is None else getattr(crops, "box", None),
        "shape": list(crops.shape),
    }


def _noted(embedding: Embedding, crops: Crops) -> dict[str, list[str]]:
    """Print what is to be said of the vectors, and return it."""
    notes = list(embedding.provenance.get("notes", ()))
    if len(embedding) < len(crops):
        notes.append(f"Stopped after {len(embedding)} of {len(crops)} crops.")
    for note in notes:
        say(note)
    return {"notes": notes} if notes else {}


def _of_stack(stack: Path, images: list[str] | None, picks: Path | None) -> ArrayCrops:
    from napari_cryoml.io import read_crops

    if images or picks:
        raise InputError("--stack takes the place of images and --picks: give one or the other.")
    return read_crops(stack)


def _of_picks(
    images: list[str] | None,
    picks: Path | None,
    lengths: dict[str, str | None],
    size: int | None,
    pixel_size: float | None,
) -> PickCrops:
    if not images or picks is None:
        raise InputError("Give images and --picks FILE, or --stack FILE with crops.")
    sources = open_inputs(images)
    sampling = pixel_size_of(sources, pixel_size)
    shapes = {image.name: image.shape for image in sources}
    table = read_needed(picks, pixel_size=sampling, shapes=shapes)
    px = {name: parse_length(text, sampling, f"--{name}") for name, text in lengths.items() if text}
    if "box" in px:
        px["box"] = max(round(px["box"]), 1)
    return config_of(CropsConfig, **px, size=size).cut(sources, table)


def _encoder(name: str, device: str, picker: Path | None) -> CropEncoderConfig:
    """Return the options of an encoder; flags that it does not have are refused."""
    config = encoders[name]
    chosen = None if device == "auto" else device
    given = given_options(f"the encoder {name}", config, device=chosen, picker=picker)
    if "picker" in config.model_fields and picker is None:
        raise InputError(f"The encoder {name} needs a trained picker: give its file as --picker.")
    return encoders.create(name, **given)


app.command()(project)
app.command()(cluster)
app.command()(novelty)
app.command()(spread)
app.command()(plot)
app.command()(average)
app.command()(export)
