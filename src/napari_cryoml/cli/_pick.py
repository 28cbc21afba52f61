"""napari-cryoml pick: train, run, evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from napari_cryoml._errors import InputError
from napari_cryoml.cli._lengths import parse_length
from napari_cryoml.cli._options import (
    IMAGES,
    JSON,
    SEED,
    check_output,
    common_pixel_size,
    config_of,
    field_help,
    open_inputs,
    with_settings,
)
from napari_cryoml.cli._output import report, run_job, write_heatmap
from napari_cryoml.data import PicksTable
from napari_cryoml.jobs import Event
from napari_cryoml.picking import ImagePicked, PickerConfig

app = typer.Typer(no_args_is_help=True, help="Train a picker, run it, and judge its picks.")


@app.command()
def train(
    images: Annotated[list[str], IMAGES],
    labels: Annotated[Path, typer.Option(help="Labelled particles: STAR, box, cbox, CSV, cs ...")],
    diameter: Annotated[str, typer.Option(help="Particle diameter: 108 (pixels) or 180A.")],
    out: Annotated[Path, typer.Option(help="The model file to write (.safetensors).")],
    objective: Annotated[str, typer.Option(help=field_help(PickerConfig, "objective"))] = (
        PickerConfig.model_fields["objective"].default
    ),
    autoencoder: Annotated[str, typer.Option(help=field_help(PickerConfig, "autoencoder"))] = "0",
    model: Annotated[str, typer.Option(help=field_help(PickerConfig, "model"))] = (
        PickerConfig.model_fields["model"].default
    ),
    minutes: Annotated[float | None, typer.Option(help="Train for this long at most.")] = None,
    steps: Annotated[int | None, typer.Option(help="Train for this many steps at most.")] = None,
    seed: Annotated[int, SEED] = 0,
    device: Annotated[str, typer.Option(help=field_help(PickerConfig, "device"))] = "auto",
    start: Annotated[Path | None, typer.Option(help="Go on from this model.")] = None,
    particles_per_image: Annotated[
        float | None, typer.Option(help=field_help(PickerConfig, "particles_per_image"))
    ] = None,
    pixel_size: Annotated[
        float | None, typer.Option(help="Angstrom per pixel, where the images do not say.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other option, as training.crop_size=96."),
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Train a picker on labelled images."""
    from napari_cryoml.io import read_picks
    from napari_cryoml.picking import labels_from_table, train_picker

    sources = open_inputs(images)
    size = pixel_size or common_pixel_size(sources)
    config = config_of(
        PickerConfig,
        diameter=parse_length(diameter, size, "--diameter"),
        ndim=len(sources[0].shape),
        model=model,
        objective=objective,
        autoencoder=autoencoder,
        device=device,
        particles_per_image=particles_per_image,
        training=_budget(minutes, steps) | {"seed": seed},
    )
    config = with_settings(config, settings or [])
    labelled = labels_from_table(read_picks(labels), [source.name for source in sources])
    job = train_picker(sources, labelled, config, out=check_output(out), start=start)
    last: dict[str, Any] = {}
    path = run_job(job, "Training", lambda event: last.update(_figures(event)))
    report({"model": str(path), **last}, as_json=as_json)


def _budget(minutes: float | None, steps: int | None) -> dict[str, Any]:
    """Return what ends a run; steps alone mean no limit of time."""
    if minutes is None and steps is None:
        return {}
    return {"minutes": minutes, "steps": steps}


def _figures(event: Event) -> dict[str, Any]:
    """Return what is worth keeping of a training event; later ones win."""
    figures: dict[str, Any] = {}
    for name, key in (("step", "steps"), ("loss", "loss"), ("device", "device")):
        if hasattr(event, name):
            figures[key] = getattr(event, name)
    if getattr(event, "validation", None) is not None:
        figures["validation_ap"] = event.validation  # type: ignore[attr-defined]
    return figures


@app.command()
def run(
    images: Annotated[list[str], IMAGES],
    model: Annotated[Path, typer.Option(help="The model file that training wrote.")],
    out: Annotated[Path, typer.Option(help="Where the picks go; the suffix says the format.")],
    threshold: Annotated[
        float | None,
        typer.Option(help="Least score (log-odds) of a pick; by default what training proposed."),
    ] = None,
    heatmaps: Annotated[
        Path | None, typer.Option(help="Write the score map of each image here, as MRC.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps.")] = "auto",
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Pick the particles of images with a trained picker."""
    from napari_cryoml.io import write_picks
    from napari_cryoml.picking import pick_images

    sources = open_inputs(images)
    check_output(out)
    shapes = {source.name: source.shape for source in sources}
    job = pick_images(sources, model, threshold=threshold, device=device)
    table = run_job(job, "Picking", lambda event: _keep_heatmap(event, heatmaps))
    files = write_picks(table, out, shapes=shapes)
    counts = {picks.image: len(picks) for picks in table}
    result = {"picks": [str(file) for file in files], "n_picks": table.n_picks, "images": counts}
    report(result, as_json=as_json)


def _keep_heatmap(event: Event, folder: Path | None) -> None:
    if folder is not None and isinstance(event, ImagePicked):
        write_heatmap(event, folder)


@app.command()
def evaluate(
    picks: Annotated[Path, typer.Argument(help="Picks with scores.")],
    truth: Annotated[Path, typer.Option(help="The particles that are there.")],
    radius: Annotated[str, typer.Option(help="A pick this close to a particle has found it.")],
    pixel_size: Annotated[float | None, typer.Option(help="Angstrom per pixel.")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Judge picks by the particles that are there: AP, precision at recalls, best F1."""
    from napari_cryoml.evaluation import evaluate_picks
    from napari_cryoml.io import read_picks

    found, known = read_picks(picks), read_picks(truth)
    size = pixel_size or next((entry.pixel_size for entry in known if entry.pixel_size), None)
    result = evaluate_picks(
        _named_like(found, known), known, parse_length(radius, size, "--radius")
    )
    report(result.to_json(), as_json=as_json)


def _named_like(found: PicksTable, known: PicksTable) -> PicksTable:
    """Return the picks under the truth's names of their images."""
    from dataclasses import replace

    from napari_cryoml.io import match_images

    matched = match_images(found.images, known.images)
    if found.n_picks and not matched:
        raise InputError(
            f"The picks are of images such as {found.images[0]!r} and the truth of images such as "
            f"{known.images[0]!r}: none of them match; give the truth of the picked images."
        )
    return PicksTable.of(
        replace(entry, image=matched.get(entry.image, entry.image)) for entry in found
    )
