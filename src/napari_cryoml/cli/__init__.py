"""The same jobs from the shell."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from napari_cryoml._errors import InputError

DONE, OUR_FAULT, USER_MISTAKE = 0, 1, 2

# What a disk refuses; any other OSError is a fault of ours.
_REFUSED = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)

# What some releases of typer return for Ctrl-C, where others raise.
_INTERRUPTED = 130

# Some releases of typer use the installed click, others bring their own: this is either's.
_UsageError: Any = typer.BadParameter.__base__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; ``sys.argv`` by default.

    Returns
    -------
    int
        0 done, 2 a user's mistake (one sentence says which), 1 our fault (with a traceback).
    """
    from napari_cryoml.cli._app import app
    from napari_cryoml.cli._output import plain_warnings

    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with plain_warnings():
            _save_recipe(words)
            code = app(words, standalone_mode=False, prog_name="napari-cryoml")
    except _UsageError as error:
        error.show()
        return _fail(error.format_message(), words, USER_MISTAKE, said=True)
    except (typer.Abort, KeyboardInterrupt):
        return _fail("Stopped.", words, OUR_FAULT)
    except InputError as error:
        return _fail(str(error), words, USER_MISTAKE)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _REFUSED:
            return _fail(_sentence(error), words, USER_MISTAKE)
        traceback.print_exc()
        return _fail(f"This is our fault: {error!r}. Please report it.", words, OUR_FAULT)
    if code == _INTERRUPTED:
        return _fail("Stopped.", words, OUR_FAULT)
    return code if isinstance(code, int) else DONE


def _save_recipe(words: list[str]) -> None:
    """Write the recipe of a command line that asks for it (--save-recipe FILE COMMAND ...)."""
    if words[:1] != ["--save-recipe"] or len(words) < 3:
        return
    from napari_cryoml.cli._recipes import recipe_of

    place = Path(words[1])
    recipe_of(words[2:], place.absolute().parent).write(place)


def _sentence(error: OSError) -> str:
    """Return what the system refused, and where."""
    where = error.filename or "A file"
    return (
        f"{where} cannot be read or written ({error.strerror or error}): check the folder, its "
        "permissions and the free space."
    )


def _fail(sentence: str, words: list[str], code: int, *, said: bool = False) -> int:
    """Say what went wrong on stderr and, if JSON was asked for, in its last line too."""
    from napari_cryoml.cli._output import print_json

    if not said:
        sys.stderr.write(f"{sentence}\n")
    if "--json" in words:
        print_json({"error": sentence})
    return code
