"""Measure live picking: ``python benchmarks/live.py SECTION ...``; all sections without one.

Each section prints its rows as they come, keeps them in ``benchmarks/results`` and puts its table
into ``docs/benchmarks.md``. The section `click` needs a screen, a virtual one will do
(``xvfb-run -a``).
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable, Sequence

import torch

from _live_accuracy import accuracy, accuracy_table
from _live_coverage import coverage, coverage_table
from _live_list import list_table, long_list
from _live_queue import queue, queue_table
from _live_refine import refinement, refinement_table
from _sections import Row, Section, parser, run_sections


def _click(_: argparse.Namespace) -> Iterable[Row]:
    from _live_click import click  # Qt is only wanted here

    return click()


def _click_table(rows: Sequence[Row]) -> str:
    from _live_click import click_table

    return click_table(rows)


SECTIONS: dict[str, Section] = {
    "accuracy": (lambda options: accuracy(options.seeds), accuracy_table),
    "coverage": (lambda options: coverage(options.sets), coverage_table),
    "queue": (lambda options: queue(options.seeds), queue_table),
    "click": (_click, _click_table),
    "list": (lambda options: long_list(options.images), list_table),
    "refine": (lambda options: refinement(options.seeds, options.set), refinement_table),
}


def _command(name: str, options: argparse.Namespace) -> str:
    """Return what measures a section as it was measured."""
    words = ["python", "benchmarks/live.py", name]
    if options.set:
        words += ["--seeds", str(options.seeds)]
        words += [word for one in options.set for word in ("--set", one)]
    return shlex.join(words)


def main() -> None:
    """Run the sections that were named."""
    known = parser(__doc__, SECTIONS)
    known.add_argument("--seeds", type=int, default=5, help="in `accuracy`, `queue`, `refine`")
    known.add_argument("--set", action="append", default=[], help="in `refine`: this set alone")
    known.add_argument("--sets", type=int, default=200, help="in `coverage`")
    known.add_argument("--images", type=int, default=5000, help="in `list`")
    options = known.parse_args()
    torch.set_num_threads(2)
    run_sections(SECTIONS, options, "live-", lambda name: _command(name, options))


if __name__ == "__main__":
    main()
