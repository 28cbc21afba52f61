"""Options of the commands that spread their work over workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from napari_cryoml.cli._options import check_folder, config_of, field_help
from napari_cryoml.cli._output import say
from napari_cryoml.jobs import ClusterConfig, Pool, open_pool

if TYPE_CHECKING:
    from napari_cryoml.picking import PickingPlan

SCHEDULER = typer.Option("--scheduler", help=field_help(ClusterConfig, "scheduler"))
WORKERS = typer.Option("--workers", min=0, help=field_help(ClusterConfig, "workers"))
KEEP = typer.Option(
    "--keep",
    help="Folder where what is done is kept, image by image; the same command skips it next time.",
)


@contextmanager
def workers_of(scheduler: str | None, workers: int) -> Iterator[Pool]:
    """Open the workers a user named, or none; say which.

    Raises
    ------
    InputError
        If the scheduler cannot be reached.
    """
    config = config_of(ClusterConfig, scheduler=scheduler, workers=workers)
    with open_pool(config) as pool:
        if config.is_wanted:
            say(pool.where)
        yield pool


@contextmanager
def picking_plan(
    scheduler: str | None, workers: int, keep: Path | None, *, with_maps: bool
) -> Iterator[PickingPlan]:
    """Open what the options of a picking command say.

    Raises
    ------
    InputError
        If the scheduler cannot be reached, or the folder cannot be written to.
    """
    from napari_cryoml.picking import KeptPicks, PickingPlan

    if keep is not None:
        check_folder(keep)
    with workers_of(scheduler, workers) as pool:
        kept = None if keep is None else KeptPicks(keep)
        yield PickingPlan(pool, kept, with_maps)
