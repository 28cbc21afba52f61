"""napari-cryoml demo: the whole way from a handful of labels to picks, shown in napari."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from napari_cryoml._errors import InputError
from napari_cryoml.checkpoint import read_header
from napari_cryoml.cli._display import ensure_display, is_virtual
from napari_cryoml.cli._lengths import parse_length
from napari_cryoml.cli._options import (
    JSON,
    PIXEL_SIZE,
    SEED,
    check_folder,
    config_of,
    open_inputs,
    pixel_size_of,
    read_labels,
)
from napari_cryoml.cli._output import report, run_job
from napari_cryoml.cli._picks import write_heatmap
from napari_cryoml.data import Annotations, ImageSource, PicksTable
from napari_cryoml.io import match_images
from napari_cryoml.jobs import ChildJob, Event, follow
from napari_cryoml.picking import ImagePicked, PickerConfig, pick_images, train_picker
from napari_cryoml.project import CURRENT_IMAGE, DIAMETER, Project

N_MICROGRAPHS = 6
N_LABELS = 10
_ASSIGNMENT = 0.4
"""A pick within this share of the diameter has found its particle."""


@dataclass(slots=True)
class Example:
    """What the demo works on.

    Parameters
    ----------
    images : sequence of ImageSource
    labels : mapping of str to Annotations
    diameter : float
        Pixels.
    truth : PicksTable or None
        All particles, where they are known.
    """

    images: Sequence[ImageSource]
    labels: Mapping[str, Annotations]
    diameter: float
    truth: PicksTable | None = None


@dataclass(slots=True)
class Stopwatch:
    """Seconds of each step."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure what is done inside."""
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 2)


def demo(
    images: Annotated[
        list[str] | None, typer.Argument(help="Your own images; simulated ones by default.")
    ] = None,
    labels: Annotated[Path | None, typer.Option(help="Labelled particles of your images.")] = None,
    diameter: Annotated[
        str | None, typer.Option(help="Particle diameter of your images: 108 (pixels) or 180A.")
    ] = None,
    pixel_size: Annotated[float | None, PIXEL_SIZE] = None,
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("demo-output"),
    minutes: Annotated[float, typer.Option(help="How long to train.")] = 1.0,
    seed: Annotated[int, SEED] = 0,
    viewer: Annotated[bool, typer.Option(help="Show the result in napari.")] = True,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Label a little, train, pick, and show: on simulated micrographs or on yours."""
    if viewer:
        ensure_display()
    watch = Stopwatch()
    check_folder(out)
    with watch.step("simulate" if not images else "open"):
        example = _own(images, labels, diameter, pixel_size) if images else _simulated(out, seed)
    config = config_of(
        PickerConfig,
        diameter=example.diameter,
        ndim=len(example.images[0].shape),
        training={"minutes": minutes, "seed": seed},
    )
    model = out / "picker.safetensors"
    with watch.step("train"):
        training = ChildJob.start(train_picker, example.images, example.labels, config, out=model)
        run_job(follow(training), "Training")
    picked: list[ImagePicked] = []
    with watch.step("pick"):
        picking = ChildJob.start(pick_images, example.images, model)
        run_job(follow(picking), "Picking", lambda event: _collect(event, picked))
    summary = read_header(model)["summary"]
    threshold = float(summary["threshold"] or 0.0)
    result = _write(picked, example, threshold, out)
    project = _keep_project(out / "demo.cryoml", example, model, picked, summary)
    if viewer:
        with watch.step("show"):
            _show(project, out / "viewer.png")
    result["seconds"] = watch.seconds
    (out / "report.json").write_text(json.dumps(result, indent=1) + "\n")
    report({**result, "out": str(out)}, as_json=as_json)
    if viewer and not is_virtual():
        _stay_open()


def _simulated(out: Path, seed: int) -> Example:
    """Return simulated micrographs, ten of whose particles are labelled."""
    from napari_cryoml.io import open_images, read_picks
    from napari_cryoml.simulate import MicrographConfig, simulate_micrographs

    config = MicrographConfig()
    folder = out / "micrographs"
    paths = run_job(simulate_micrographs(folder, N_MICROGRAPHS, config, seed), "Simulating")
    truth = read_picks(folder / "particles.star")
    images = open_images(paths)
    names = match_images(truth.images, [image.name for image in images])
    truth = PicksTable.of(replace(picks, image=names[picks.image]) for picks in truth)
    first = truth.picks[0]
    chosen = np.random.default_rng(seed).permutation(len(first))[:N_LABELS]
    labels = {first.image: Annotations.of_positives(first.positions[chosen])}
    return Example(images, labels, config.diameter, truth)


def _own(
    images: list[str], labels: Path | None, diameter: str | None, pixel_size: float | None
) -> Example:
    """Return the user's images and labels."""
    if labels is None or diameter is None:
        raise InputError(
            "Your own images need --labels FILE and --diameter PX; without images the demo "
            "simulates some."
        )
    sources = open_inputs(images)
    size = pixel_size_of(sources, pixel_size)
    length = parse_length(diameter, size, "--diameter")
    return Example(sources, read_labels(labels, sources, size), length)


def _collect(event: Event, picked: list[ImagePicked]) -> None:
    if isinstance(event, ImagePicked):
        picked.append(event)


def _write(
    picked: Sequence[ImagePicked], example: Example, threshold: float, out: Path
) -> dict[str, Any]:
    """Write picks and heat maps; return the figures of the report."""
    from napari_cryoml.evaluation import evaluate_picks
    from napari_cryoml.io import write_picks

    table = PicksTable.of(event.picks for event in picked)
    kept = PicksTable.of(picks.above(threshold) for picks in table)
    write_picks(kept, out / "picks.star")
    for event in picked:
        write_heatmap(event, out / "heatmaps")
    result: dict[str, Any] = {
        "n_labels": sum(len(entry.positives) for entry in example.labels.values()),
        "images": len(example.images),
        "diameter_px": example.diameter,
        "threshold": threshold,
        "n_picks_written": kept.n_picks,
    }
    if example.truth is not None:
        evaluation = evaluate_picks(table, example.truth, _ASSIGNMENT * example.diameter)
        result |= evaluation.pooled.to_json()
    return result


def _keep_project(
    path: Path,
    example: Example,
    model: Path,
    picked: Sequence[ImagePicked],
    summary: Mapping[str, Any],
) -> Path:
    """Write a project that the Picker opens: images, labels, model, picks and heat maps."""
    path.unlink(missing_ok=True)
    with Project.create(path) as project, project.transaction():
        project.add_images(example.images)
        for image, entry in example.labels.items():
            project.annotate(image, add=entry)
        number = project.add_model(model, summary, edit=project.edit_number)
        for event in picked:
            project.set_picks(
                event.image,
                event.picks,
                model=number,
                edit=project.edit_number,
                score_map=event.score_map,
            )
        project.set_setting(DIAMETER, example.diameter)
        project.set_setting(CURRENT_IMAGE, next(iter(example.labels)))
    return path


def _show(project: Path, screenshot: Path) -> None:
    """Open the project in napari and take a picture of the window."""
    from napari_cryoml._widgets.picker import show_project

    show_project(project, screenshot)


def _stay_open() -> None:
    """Leave napari to the user until its window is closed."""
    import napari

    napari.run()
