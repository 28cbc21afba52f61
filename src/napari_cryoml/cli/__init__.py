"""The same jobs from the shell."""

from __future__ import annotations

import sys
import traceback

import click

from napari_cryoml._errors import InputError

DONE, OUR_FAULT, USER_MISTAKE = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : list of str, optional
        What follows the program's name; ``sys.argv`` by default.

    Returns
    -------
    int
        0 done, 2 a user's mistake (one sentence says which), 1 our fault (with a traceback).
    """
    from napari_cryoml.cli._app import app

    words = sys.argv[1:] if arguments is None else arguments
    try:
        code = app(words, standalone_mode=False, prog_name="napari-cryoml")
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _fail("Stopped.", words, OUR_FAULT)
    except InputError as error:
        return _fail(str(error), words, USER_MISTAKE)
    except Exception as error:
        traceback.print_exc()
        return _fail(f"This is our fault: {error!r}. Please report it.", words, OUR_FAULT)
    return code if isinstance(code, int) else DONE


def _fail(sentence: str, words: list[str], code: int) -> int:
    """Say what went wrong on stderr and, if JSON was asked for, in its last line too."""
    from napari_cryoml.cli._output import print_json

    sys.stderr.write(f"{sentence}\n")
    if "--json" in words:
        print_json({"error": sentence})
    return code
