"""napari-cryoml pick live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_cryoml._errors import InputError
from napari_cryoml.cli._cluster import KEEP, SCHEDULER, WORKERS, picking_plan
from napari_cryoml.cli._lengths import parse_length
from napari_cryoml.cli._options import (
    IMAGES,
    JSON,
    PIXEL_SIZE,
    SEED,
    config_of,
    field_help,
    open_inputs,
    pixel_size_of,
    read_labels,
    with_settings,
)
from napari_cryoml.cli._output import report, run_job, say
from napari_cryoml.cli._picks import PickedImages, check_picks_output
from napari_cryoml.data import Annotations, ImageSource, PicksTable
from napari_cryoml.jobs import Event
from napari_cryoml.picking import final_picks
from napari_cryoml.picking.live import LiveConfig, LiveFigures, MarkedBox


def live(
    images: Annotated[list[str], IMAGES],
    labels: Annotated[Path, typer.Option(help="Labelled particles: STAR, box, cbox, CSV, cs ...")],
    diameter: Annotated[str, typer.Option(help="Particle diameter: 108 (pixels) or 180A.")],
    out: Annotated[Path, typer.Option(help="Where the picks go; the suffix says the format.")],
    threshold: Annotated[
        float | None,
        typer.Option(
            help="Least score (log-odds) of a pick; by default the one that is expected to be best."
        ),
    ] = None,
    heatmaps: Annotated[
        Path | None, typer.Option(help="Write the score map of each image here, as MRC.")
    ] = None,
    head: Annotated[
        str, typer.Option(help=field_help(LiveConfig, "head"))
    ] = LiveConfig.model_fields["head"].default,
    particles_per_image: Annotated[
        float | None, typer.Option(help=field_help(LiveConfig, "particles_per_image"))
    ] = None,
    marked_box: Annotated[
        str | None,
        typer.Option(
            help="A box in which every particle is labelled, as IMAGE:Y0,X0,Y1,X1 in pixels; the "
            "number of particles is estimated from it too."
        ),
    ] = None,
    seed: Annotated[int, SEED] = 0,
    device: Annotated[
        str, typer.Option(help=field_help(LiveConfig, "device"))
    ] = LiveConfig.model_fields["device"].default,
    pixel_size: Annotated[float | None, PIXEL_SIZE] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any other option, as encoder=false.")
    ] = None,
    scheduler: Annotated[str | None, SCHEDULER] = None,
    workers: Annotated[int, WORKERS] = 0,
    keep: Annotated[Path | None, KEEP] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Pick as the Picker does after every click: from labels, without training a network."""
    from napari_cryoml.picking.live import pick_live

    sources = open_inputs(images)
    check_picks_output(out, sources)
    if threshold is not None and not abs(threshold) < float("inf"):
        raise InputError(f"--threshold takes log-odds, a number such as 0; {threshold} was given.")
    size = pixel_size_of(sources, pixel_size)
    sampling = size or sources[0].pixel_size
    config = config_of(
        LiveConfig,
        diameter=parse_length(diameter, sampling, "--diameter"),
        pixel_size=sampling,
        ndim=len(sources[0].shape),
        head=head,
        particles_per_image=particles_per_image,
        marked=None if marked_box is None else _marked(marked_box, sources),
        device=device,
        seed=seed,
    )
    config = with_settings(config, settings or [])
    labelled = read_labels(labels, sources, size)
    collected = _Collected(PickedImages(sources, heatmaps))
    with picking_plan(scheduler, workers, keep, with_maps=heatmaps is not None) as plan:
        job = pick_live(sources, labelled, config, plan=plan)
        table = run_job(job, "Picking", collected.take)
    collected.tell()
    figures = collected.figures
    least = figures.threshold if threshold is None else threshold
    final = _final(table, sources, labelled, config, least)
    report(_written(final, sources, out) | collected.report(final, least), as_json=as_json)


def _marked(text: str, sources: Sequence[ImageSource]) -> MarkedBox:
    """Return the box that IMAGE:Y0,X0,Y1,X1 stands for."""
    name, _, corners = text.rpartition(":")
    try:
        numbers = [float(part) for part in corners.split(",")]
    except ValueError:
        numbers = []
    ndim, known = len(sources[0].shape), [source.name for source in sources]
    if len(numbers) != 2 * ndim or name not in known:
        wanted = "IMAGE:Y0,X0,Y1,X1" if ndim == 2 else "IMAGE:Z0,Y0,X0,Z1,Y1,X1"
        raise InputError(
            f"--marked-box takes {wanted} with the name of an image, such as {known[0]}; {text!r} "
            "was given."
        )
    return config_of(MarkedBox, image=name, low=numbers[:ndim], high=numbers[ndim:])


class _Collected:
    """What the job says: its images, and once its figures."""

    def __init__(self, images: PickedImages) -> None:
        self._images = images
        self.figures = LiveFigures.nothing()

    def take(self, event: Event) -> None:
        """Note one event of the job."""
        if isinstance(event, LiveFigures):
            self.figures = event
        else:
            self._images.take(event)

    def tell(self) -> None:
        """Print which images were left out, and what is to be said of the labels."""
        self._images.tell()
        for note in self.figures.notes:
            say(note)

    def report(self, final: PicksTable, threshold: float) -> dict[str, Any]:
        """Return the figures to print."""
        figures = self.figures
        counts = {"images": {entry.image: len(entry) for entry in final}}
        return {
            **self._images.figures(),
            **counts,
            "threshold": threshold,
            "class_prior": {"particles_per_image": figures.prior.to_json()},
            "average_seconds": dict(figures.seconds),
            **({"notes": list(figures.notes)} if figures.notes else {}),
        }


def _final(
    table: PicksTable,
    images: Sequence[ImageSource],
    labels: Mapping[str, Annotations],
    config: LiveConfig,
    threshold: float,
) -> PicksTable:
    """Return what is to be written: good picks, and all labelled particles."""
    sources = {image.name: image for image in images}
    return PicksTable.of(
        final_picks(
            picks,
            labels.get(picks.image, Annotations.empty(picks.ndim)),
            threshold,
            config.diameter_in(sources[picks.image]),
        )
        for picks in table
    )


def _written(table: PicksTable, images: Sequence[ImageSource], out: Path) -> dict[str, Any]:
    from napari_cryoml.io import save_or_rescue, write_picks

    shapes = {image.name: image.shape for image in images}
    files = save_or_rescue(lambda path: write_picks(table, path, shapes=shapes), out)
    return {"picks": [str(file) for file in files], "n_picks": table.n_picks}
