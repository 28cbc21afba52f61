"""napari-cryoml run: carry out a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_cryoml._errors import InputError
from napari_cryoml.cli._options import JSON
from napari_cryoml.cli._output import say
from napari_cryoml.cli._recipes import words_of
from napari_cryoml.recipes import Recipe


def run(
    recipe: Annotated[Path, typer.Argument(help="The recipe: a YAML file.")],
    words: Annotated[
        list[str] | None,
        typer.Argument(help="After --, options that take the place of the recipe's."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="Where the paths of the recipe start; its own folder by default."),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Print the command, and stop.")] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Carry out a recipe that a dock or --save-recipe has written."""
    import shlex

    from napari_cryoml.cli import main

    read = Recipe.read(recipe)
    if read.command == "run":
        raise InputError(f"{recipe} runs another recipe: give that one.")
    line = words_of(read, folder or recipe.absolute().parent)
    cut = line.index("--")
    asked = ["--json"] if as_json and "--json" not in line else []
    line = [*line[:cut], *(words or []), *asked, *line[cut:]]
    if show:
        typer.echo(shlex.join(["napari-cryoml", *line]))
        return
    say(shlex.join(["napari-cryoml", *line]))
    code = main(line)
    if code:
        raise typer.Exit(code)
