"""napari-cryoml pick watch: pick micrographs as the microscope writes them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_cryoml.cli._cluster import SCHEDULER, WORKERS, picking_plan
from napari_cryoml.cli._options import DEVICE, JSON, check_folder, config_of, field_help
from napari_cryoml.cli._output import report, run_job, say
from napari_cryoml.data import ImageSource, Picks, PicksTable
from napari_cryoml.jobs import Event
from napari_cryoml.picking import ImageDone, WatchConfig

DONE_NAME = ".done"
"""Folder beside the picks with what is needed to go on after a restart."""


def watch(
    folder: Annotated[Path, typer.Argument(help="The folder that images come into.")],
    model: Annotated[Path, typer.Option(help="The model file that training wrote.")],
    out: Annotated[Path, typer.Option(help="Folder for a file of picks an image.")],
    format_suffix: Annotated[
        str, typer.Option("--format", help="Of these files: star, box, csv, cbox, ...")
    ] = "star",
    threshold: Annotated[
        float | None,
        typer.Option(
            help="Least score (log-odds) of a pick; by default what training proposed, and "
            "-6 to keep all that could be one."
        ),
    ] = None,
    every: Annotated[float, typer.Option(help=field_help(WatchConfig, "every"))] = 5.0,
    settled: Annotated[int, typer.Option(help=field_help(WatchConfig, "settled"))] = 2,
    patience: Annotated[float, typer.Option(help=field_help(WatchConfig, "patience"))] = 600.0,
    idle_minutes: Annotated[
        float | None, typer.Option(help=field_help(WatchConfig, "idle_minutes"))
    ] = None,
    device: Annotated[str, DEVICE] = "auto",
    scheduler: Annotated[str | None, SCHEDULER] = None,
    workers: Annotated[int, WORKERS] = 0,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Pick images as they are written, until Ctrl-C; started again, it goes on where it was."""
    from napari_cryoml.io import images_in, open_image
    from napari_cryoml.picking import Folder, KeptPicks, NetworkWork, Picker, watch_folder

    config = config_of(
        WatchConfig, every=every, settled=settled, patience=patience, idle_minutes=idle_minutes
    )
    least = Picker.load(model).threshold if threshold is None else threshold
    work = NetworkWork(model, least, device)
    files = PickFiles(check_folder(out), format_suffix.lstrip("."), KeptPicks(out / DONE_NAME))
    images_in(folder)  # a folder that cannot be listed is said before anything else
    collected = _Collected()
    with picking_plan(scheduler, workers, files.kept.folder, with_maps=False) as plan:
        job = watch_folder(
            Folder(folder, config, images_in, open_image),
            work,
            files.write,
            is_written=partial(files.has, digest=work.digest()),
            plan=plan,
        )
        count = run_job(job, "Watching", collected.take)
    report({"out": str(out), "n_images": count} | collected.figures(), as_json=as_json)


class PickFiles:
    """A file of picks an image, named after it.

    The first image of a stem has that name, as ``a.star`` for ``a.mrc``; a later one of the same
    stem, as ``a.tif``, has its whole name, ``a.tif.star``. A small file tells which is which after
    a restart.

    Parameters
    ----------
    folder : Path
    suffix : str
        Says the format.
    kept : KeptPicks
        What was done, by image, model and settings.
    """

    def __init__(self, folder: Path, suffix: str, kept: Any) -> None:
        self._folder, self._suffix, self.kept = folder, suffix, kept
        self._owners = kept.folder / "owners"

    def write(self, picks: Picks) -> None:
        """Write the picks of an image, whole or not at all."""
        from napari_cryoml.io import write_picks

        write_picks(PicksTable.of([picks]), self._path(picks.image))

    def has(self, image: ImageSource, digest: str) -> bool:
        """Return whether the picks of an image as it is now are there."""
        return self._path(image.name).exists() and self.kept.has(image, digest)

    def _path(self, image: str) -> Path:
        stem = Path(image).stem
        name = stem if self._owner(stem, image) == image else image
        return self._folder / f"{name}.{self._suffix}"

    def _owner(self, stem: str, image: str) -> str:
        """Return the image that has the name of this stem: the first one that asked for it."""
        self._owners.mkdir(parents=True, exist_ok=True)
        place = self._owners / f"{stem}.txt"
        try:
            with place.open("x", encoding="utf-8") as file:
                file.write(image)
        except FileExistsError:
            return place.read_text(encoding="utf-8")
        return image


class _Collected:
    """Counts what the job says, and prints what was left out as it comes."""

    def __init__(self) -> None:
        self._n_picks = 0
        self._left_out: list[str] = []

    def take(self, event: Event) -> None:
        """Note one event."""
        if isinstance(event, ImageDone):
            self._n_picks += len(event.picks)
        elif event.message:
            self._left_out.append(event.message)
            say(event.message)

    def figures(self) -> dict[str, Any]:
        """Return the number of picks, and what was left out."""
        left_out = {"left_out": self._left_out} if self._left_out else {}
        return {"n_picks": self._n_picks} | left_out
