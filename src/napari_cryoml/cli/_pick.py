"""napari-cryoml pick: train, run, baseline, evaluate, import-topaz."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_cryoml._errors import InputError
from napari_cryoml.cli._cluster import KEEP, SCHEDULER, WORKERS, picking_plan
from napari_cryoml.cli._devices import DEVICES, NODES, devices_of, train_on_devices
from napari_cryoml.cli._lengths import parse_length
from napari_cryoml.cli._options import (
    DEVICE,
    IMAGES,
    JSON,
    PIXEL_SIZE,
    SEED,
    check_output,
    config_of,
    field_help,
    open_inputs,
    pixel_size_of,
    read_labels,
    read_needed,
    with_settings,
)
from napari_cryoml.cli._output import report, run_job
from napari_cryoml.cli._picks import PickedImages, check_picks_output
from napari_cryoml.data import ImageSource, PicksTable
from napari_cryoml.jobs import Event, Job
from napari_cryoml.models import detectors
from napari_cryoml.objectives import objectives
from napari_cryoml.picking import PickerConfig, PickersCompared, baselines
from napari_cryoml.picking.live import LiveConfig

app = typer.Typer(no_args_is_help=True, help="Train a picker, run it, and judge its picks.")


@app.command()
def train(
    images: Annotated[list[str], IMAGES],
    labels: Annotated[Path, typer.Option(help="Labelled particles: STAR, box, cbox, CSV, cs ...")],
    diameter: Annotated[str, typer.Option(help="Particle diameter: 108 (pixels) or 180A.")],
    out: Annotated[Path, typer.Option(help="The model file to write (.safetensors).")],
    objective: Annotated[
        str, typer.Option(help=field_help(PickerConfig, "objective", objectives))
    ] = (PickerConfig.model_fields["objective"].default),
    autoencoder: Annotated[str, typer.Option(help=field_help(PickerConfig, "autoencoder"))] = "0",
    model: Annotated[str, typer.Option(help=field_help(PickerConfig, "model", detectors))] = (
        PickerConfig.model_fields["model"].default
    ),
    minutes: Annotated[
        float | None,
        typer.Option(help="Train for this long at most; 2 minutes if --steps is not given either."),
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Train for this many steps at most.")] = None,
    seed: Annotated[int, SEED] = 0,
    device: Annotated[str, typer.Option(help=field_help(PickerConfig, "device"))] = "auto",
    devices: DEVICES = "1",
    nodes: NODES = 1,
    start: Annotated[
        Path | None,
        typer.Option(help="Go on from this model, of the same network and diameter."),
    ] = None,
    particles_per_image: Annotated[
        float | None, typer.Option(help=field_help(PickerConfig, "particles_per_image"))
    ] = None,
    live: Annotated[
        bool,
        typer.Option("--live", help="Measure the live picker too, on the same held-out labels."),
    ] = False,
    live_labels: Annotated[
        bool, typer.Option("--live-labels", help=field_help(PickerConfig, "live_labels"))
    ] = False,
    pixel_size: Annotated[float | None, PIXEL_SIZE] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other option, as training.crop_size=96."),
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Train a picker on labelled images."""
    from napari_cryoml.picking import train_picker

    sources = open_inputs(images)
    size = pixel_size_of(sources, pixel_size)
    config = config_of(
        PickerConfig,
        diameter=parse_length(diameter, size, "--diameter"),
        ndim=len(sources[0].shape),
        model=model,
        objective=objective,
        autoencoder=autoencoder,
        device=device,
        particles_per_image=particles_per_image,
        live_labels=live_labels,
        training=_budget(minutes, steps) | {"seed": seed},
    )
    config = with_settings(config, settings or [])
    labelled = read_labels(labels, sources, size)
    beside = LiveConfig(diameter=config.diameter, device=device, seed=seed) if live else None
    where = devices_of(devices, nodes, device)
    last: dict[str, Any] = {}
    path = train_on_devices(
        where,
        "Training",
        train_picker,
        sources,
        labelled,
        config,
        out=check_output(out),
        start=start,
        live=beside,
        on_event=lambda event: last.update(_figures(event)),
    )
    report({"model": str(path), **last}, as_json=as_json)


def _budget(minutes: float | None, steps: int | None) -> dict[str, Any]:
    """Return what ends a run; steps alone mean no limit of time."""
    if steps is not None:
        return {"minutes": minutes, "steps": steps}
    return {} if minutes is None else {"minutes": minutes}


def _figures(event: Event) -> dict[str, Any]:
    """Return what is worth keeping of a training event; later ones win."""
    figures: dict[str, Any] = {}
    for name, key in (("step", "steps"), ("loss", "loss"), ("device", "device")):
        if hasattr(event, name):
            figures[key] = getattr(event, name)
    if getattr(event, "validation", None) is not None:
        figures["validation_ap"] = event.validation  # type: ignore[attr-defined]
    if isinstance(event, PickersCompared):
        figures |= {"live_validation_ap": event.live, "better": event.better}
        figures |= {} if event.network is None else {"validation_ap": event.network}
    return figures


@app.command()
def run(
    images: Annotated[list[str], IMAGES],
    model: Annotated[Path, typer.Option(help="The model file that training wrote.")],
    out: Annotated[Path, typer.Option(help="Where the picks go; the suffix says the format.")],
    threshold: Annotated[
        float | None,
        typer.Option(
            help="Least score (log-odds) of a pick; by default what training proposed, and "
            "-6 to keep all that could be one."
        ),
    ] = None,
    heatmaps: Annotated[
        Path | None, typer.Option(help="Write the score map of each image here, as MRC.")
    ] = None,
    device: Annotated[str, DEVICE] = "auto",
    scheduler: Annotated[str | None, SCHEDULER] = None,
    workers: Annotated[int, WORKERS] = 0,
    keep: Annotated[Path | None, KEEP] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Pick the particles of images with a trained picker."""
    from napari_cryoml.picking import Picker, pick_images

    sources = open_inputs(images)
    check_picks_output(out, sources)
    least = Picker.load(model).threshold if threshold is None else threshold
    with picking_plan(scheduler, workers, keep, with_maps=heatmaps is not None) as plan:
        job = pick_images(sources, model, threshold=least, device=device, plan=plan)
        figures = _pick_and_write(job, sources, out, heatmaps)
    report(figures | {"threshold": least}, as_json=as_json)


@app.command()
def baseline(
    images: Annotated[list[str], IMAGES],
    diameter: Annotated[str, typer.Option(help="Particle diameter: 108 (pixels) or 180A.")],
    out: Annotated[Path, typer.Option(help="Where the picks go; the suffix says the format.")],
    method: Annotated[str, typer.Option(help=f"One of {', '.join(baselines)}.")] = "log",
    labels: Annotated[
        Path | None, typer.Option(help="Labelled particles, whose average `template` looks for.")
    ] = None,
    particles_per_image: Annotated[
        float | None, typer.Option(help="How many of the best picks of an image are kept.")
    ] = None,
    heatmaps: Annotated[
        Path | None, typer.Option(help="Write the score map of each image here, as MRC.")
    ] = None,
    sigma: Annotated[
        str | None,
        typer.Option(help="dog: deviation of the narrower Gaussian, as 7nm; by the diameter else."),
    ] = None,
    pixel_size: Annotated[float | None, PIXEL_SIZE] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any option of the method, as ratio=1.1 or contrast=bright."),
    ] = None,
    scheduler: Annotated[str | None, SCHEDULER] = None,
    workers: Annotated[int, WORKERS] = 0,
    keep: Annotated[Path | None, KEEP] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Pick without training: blobs of the right size, or matches of the labels' average."""
    from napari_cryoml.picking import pick_with_baseline

    sources = open_inputs(images)
    check_picks_output(out, sources)
    size = pixel_size_of(sources, pixel_size)
    config = config_of(
        PickerConfig,
        diameter=parse_length(diameter, size, "--diameter"),
        ndim=len(sources[0].shape),
        particles_per_image=particles_per_image,
    )
    labelled = read_labels(labels, sources, size) if labels is not None else None
    chosen = with_settings(baselines.create(method), settings or [])
    if sigma is not None:
        chosen = with_settings(chosen, [f"sigma={parse_length(sigma, size, '--sigma')}"])
    with picking_plan(scheduler, workers, keep, with_maps=heatmaps is not None) as plan:
        job = pick_with_baseline(sources, chosen, config, labels=labelled, plan=plan)
        figures = _pick_and_write(job, sources, out, heatmaps)
    report(figures, as_json=as_json)


def _pick_and_write(
    job: Job[PicksTable], sources: Sequence[ImageSource], out: Path, heatmaps: Path | None
) -> dict[str, Any]:
    """Run a job that picks images, write what it finds, and return the figures."""
    from napari_cryoml.io import save_or_rescue, write_picks

    picked = PickedImages(sources, heatmaps)
    table = run_job(job, "Picking", picked.take)
    picked.tell()
    shapes = {source.name: source.shape for source in sources}
    files = save_or_rescue(lambda path: write_picks(table, path, shapes=shapes), out)
    paths = [str(file) for file in files]
    return {"picks": paths, "n_picks": table.n_picks} | picked.figures()


@app.command()
def evaluate(
    picks: Annotated[Path, typer.Argument(help="Picks with scores.")],
    truth: Annotated[Path, typer.Option(help="The particles that are there.")],
    radius: Annotated[
        str,
        typer.Option(help="A pick this close to a particle has found it: 24 (pixels) or 40A."),
    ],
    pixel_size: Annotated[
        float | None,
        typer.Option("--pixel-size", help="Angstrom per pixel, where the particles do not say."),
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Judge picks by the particles that are there: AP, precision at recalls, best F1."""
    from napari_cryoml.evaluation import evaluate_picks
    from napari_cryoml.io import read_picks

    known = read_needed(truth)
    if known.n_picks == 0:
        raise InputError(f"{truth} holds no particles to compare with: give the true ones.")
    found = _named_like(read_picks(picks), known)
    within = parse_length(radius, pixel_size_of(known, pixel_size), "--radius")
    report(evaluate_picks(found, known, within).to_json(), as_json=as_json)


def _named_like(found: PicksTable, known: PicksTable) -> PicksTable:
    """Return the picks under the truth's names of their images."""
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


@app.command("import-topaz")
def import_topaz(
    file: Annotated[Path, typer.Argument(help="The model that Topaz saved (.sav).")],
    diameter: Annotated[
        str, typer.Option(help="Particle diameter in the images to pick: 108 (pixels) or 180A.")
    ],
    downsampling: Annotated[
        float,
        typer.Option(
            help="How many pixels of the images to pick make one pixel of the images Topaz was "
            "trained on: its --scale, if they are the same."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The model file to write (.safetensors).")],
    trust: Annotated[
        bool,
        typer.Option(
            "--trust", help="You know who made the file; reading it runs whatever code is in it."
        ),
    ] = False,
    images: Annotated[
        list[str] | None,
        typer.Option(
            help="Images to pick, or a folder of them: their grey values are then scaled together, "
            "as for Topaz; without them, each image by itself."
        ),
    ] = None,
    pixel_size: Annotated[float | None, PIXEL_SIZE] = None,
    seed: Annotated[int, SEED] = 0,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Turn a model of Topaz into one that pick run takes; needs Topaz to be installed."""
    from napari_cryoml.picking import picker_from_topaz

    sources = open_inputs(images) if images else []
    size = pixel_size_of(sources, pixel_size)
    picker = picker_from_topaz(
        file,
        trust=trust,
        diameter=parse_length(diameter, size, "--diameter"),
        downsampling=downsampling,
        images=sources,
        pixel_size=size,
        seed=seed,
    )
    picker.save(check_output(out))
    config = picker.config
    result = {"model": str(out), "network": config.model, **config.network.model_dump()}
    report(result | {"ndim": config.ndim, "diameter_px": config.diameter}, as_json=as_json)
