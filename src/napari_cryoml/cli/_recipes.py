"""Recipes as command lines, and back."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

from napari_cryoml._errors import InputError
from napari_cryoml.recipes import Plain, Recipe, Value, seen_from


def recipe_of(words: Sequence[str], folder: Path) -> Recipe:
    """Return the recipe of a command line.

    Parameters
    ----------
    words : sequence of str
        What follows the program's name.
    folder : Path
        Where the recipe will lie: paths are told from there.

    Raises
    ------
    InputError
        If the words name no command.
    """
    command, context, names = _resolved(words)
    places = _places(command)
    options: dict[str, Value] = {}
    for parameter in command.params:
        source = context.get_parameter_source(parameter.name)
        value = context.params.get(parameter.name)
        if source is None or source.name != "COMMANDLINE" or value is None:
            continue
        options[_name_of(parameter)] = _told_from(
            folder if parameter.name in places else None, value
        )
    return Recipe(" ".join(names), options)


def words_of(recipe: Recipe, folder: Path) -> list[str]:
    """Return the command line of a recipe.

    Parameters
    ----------
    recipe : Recipe
    folder : Path
        Where the recipe lies: its paths are told from there.

    Raises
    ------
    InputError
        If there is no such command, or it has no such option.
    """
    names = recipe.command.split()
    command = _command(names)
    parameters = {_name_of(parameter): parameter for parameter in command.params}
    unknown = [name for name in recipe.options if name not in parameters]
    if unknown:
        raise InputError(
            f"{recipe.command} has no option {unknown[0]}: it takes {', '.join(parameters)}."
        )
    places = _places(command)
    words: list[str] = []
    arguments: list[str] = []
    for name, value in recipe.options.items():
        parameter = parameters[name]
        is_place = parameter.name in places
        values = [str(folder / str(one) if is_place else one) for one in _entries(value)]
        if parameter.param_type_name == "argument":
            arguments += values
        elif getattr(parameter, "is_flag", False):
            words += [_flag(parameter, bool(value))]
        else:
            words += [word for entry in values for word in (parameter.opts[0], entry)]
    return [*names, *[word for word in words if word], "--", *arguments]


def _entries(value: Value) -> Sequence[Plain]:
    return value if isinstance(value, list) else [value]


def _flag(parameter: Any, value: bool) -> str:
    """Return the word that switches a flag; empty where nothing needs to be said."""
    if value:
        return str(parameter.opts[0])
    return str(parameter.secondary_opts[0]) if parameter.secondary_opts else ""


def _name_of(parameter: Any) -> str:
    """Return the longest name of an option without dashes, or the name of an argument."""
    if parameter.param_type_name == "argument":
        return str(parameter.name)
    return str(max(parameter.opts, key=len)).lstrip("-")


def _places(command: Any) -> set[str]:
    """Return the parameters of a command that are files, folders or patterns of files.

    All arguments are; of options, those of type Path. The function says so: what typer makes of
    it differs from release to release.
    """
    hints = get_type_hints(inspect.unwrap(command.callback))
    paths = {name for name, hint in hints.items() if hint is Path or Path in get_args(hint)}
    return paths | {one.name for one in command.params if one.param_type_name == "argument"}


def _told_from(folder: Path | None, value: Any) -> Value:
    """Return a value as YAML takes it, a path as seen from the folder of the recipe."""
    if isinstance(value, list | tuple):
        return [_told_from(folder, entry) for entry in value]  # type: ignore[misc]
    if isinstance(value, bool | int | float):
        return value
    return str(value) if folder is None else seen_from(folder, value)


def _resolved(words: Sequence[str]) -> tuple[Any, Any, list[str]]:
    """Return the command that words name, its parsed context, and the names that led there."""
    import typer

    from napari_cryoml.cli._app import app

    command: Any = typer.main.get_command(app)
    rest, names, context = list(words), [], None
    while hasattr(command, "resolve_command"):
        context = command.make_context(None, list(rest), parent=context, resilient_parsing=True)
        rest = [*getattr(context, "_protected_args", []), *context.args]
        if not rest:
            raise InputError("A recipe is of a whole command, such as pick live IMAGES ...")
        name, command, rest = command.resolve_command(context, rest)
        names.append(str(name))
    return command, command.make_context(names[-1], rest, parent=context), names


def _command(names: Sequence[str]) -> Any:
    """Return the command of this name.

    Raises
    ------
    InputError
        If there is none.
    """
    import typer

    from napari_cryoml.cli._app import app

    command: Any = typer.main.get_command(app)
    for name in names:
        command = getattr(command, "commands", {}).get(name)
        if command is None:
            break
    if command is None or hasattr(command, "commands"):
        known = ", ".join(_known(typer.main.get_command(app)))
        raise InputError(f"There is no command {' '.join(names)!r}: it is one of {known}.")
    return command


def _known(command: Any, before: str = "") -> Iterator[str]:
    for name, entry in command.commands.items():
        if hasattr(entry, "commands"):
            yield from _known(entry, f"{before}{name} ")
        else:
            yield before + name
