"""The commands, put together."""

from pathlib import Path
from typing import Annotated

import typer

from napari_cryoml import __version__
from napari_cryoml.cli import (
    _cells,
    _convert,
    _demo,
    _doctor,
    _embed,
    _pick,
    _pick_live,
    _pick_watch,
    _run,
    _simulate,
    _subtomo,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Pick particles with a network trained on a handful of labels.",
)


_SAVE_RECIPE = typer.Option(
    help="Write the command that follows as YAML, for napari-cryoml run, before it runs."
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
    save_recipe: Annotated[Path | None, _SAVE_RECIPE] = None,
) -> None:
    """Pick particles with a network trained on a handful of labels."""


_pick.app.command("live")(_pick_live.live)
_pick.app.command("watch")(_pick_watch.watch)
app.add_typer(_pick.app, name="pick")
app.add_typer(_embed.app, name="embed")
app.add_typer(_simulate.app, name="simulate")
app.add_typer(_subtomo.app, name="subtomo")
app.add_typer(_cells.app, name="cells")
app.command("convert")(_convert.convert)
app.command("demo")(_demo.demo)
app.command("doctor")(_doctor.doctor)
app.command("run")(_run.run)
