"""The sections of a benchmark: measured, kept, and put into the page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from _record import load, put_into_page, save

Row: TypeAlias = dict[str, Any]
Section: TypeAlias = tuple[
    Callable[[argparse.Namespace], Iterable[Row]], Callable[[Sequence[Row]], str]
]
"""What measures rows, and what makes a table of them."""


def parser(description: str | None, sections: Mapping[str, Section]) -> argparse.ArgumentParser:
    """Return a parser that knows the names of the sections and ``--tables``."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("sections", nargs="*", default=list(sections), metavar="SECTION")
    made.add_argument("--tables", action="store_true", help="only write the kept tables again")
    return made


def run_sections(
    sections: Mapping[str, Section],
    options: argparse.Namespace,
    prefix: str,
    command: Callable[[str], str],
) -> None:
    """Measure the sections that were named; rows are shown and kept as they come.

    Parameters
    ----------
    sections : mapping of str to Section
    options : Namespace
        Of `parser`.
    prefix : str
        Put before the name of each section in the file of results and in the page.
    command : callable
        Returns the command that measures a section as it was measured.
    """
    for name in options.sections:
        measure, render = sections[name]
        rows = []
        for row in [] if options.tables else measure(options):
            rows.append(row)
            show(row)
            save(prefix + name, command(name), rows)
        record = load(prefix + name)
        if record is not None:
            put_into_page(prefix + name, render(record["rows"]))


def show(row: Row) -> None:
    """Print a row."""
    shown = {key: round(float(v), 3) if isinstance(v, float) else v for key, v in row.items()}
    sys.stdout.write(f"{shown}\n")
    sys.stdout.flush()
