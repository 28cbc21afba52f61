"""Measure subtomograms: ``python benchmarks/subtomograms.py SECTION ...``; all without one.

Each section prints its rows as they come, keeps them in ``benchmarks/results`` and puts its table
into ``docs/benchmarks.md``. What was measured before is not measured again unless ``--fresh`` is
given: the whole takes a day on two cores.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from typing import Any

import torch

from _sections import Section, parser, run_sections
from _subtomo_accuracy import accuracy, accuracy_table
from _subtomo_alignment import alignment, alignment_table
from _subtomo_discovery import discovery, discovery_table
from _subtomo_labels import contrastive, contrastive_table, semi_supervised, semi_table
from _subtomo_speed import (
    features,
    features_table,
    growth,
    growth_table,
    networks,
    networks_table,
)
from _subtomo_steps import steps, steps_table
from _subtomo_tomograms import few_shot, few_shot_table, live, live_table

_SCRIPT = "benchmarks/subtomograms.py"

SECTIONS: dict[str, Section] = {
    "features": (lambda o: features(fresh=o.fresh), features_table),
    "alignment": (lambda o: alignment(fresh=o.fresh), alignment_table),
    "few-shot": (lambda o: few_shot(fresh=o.fresh), few_shot_table),
    "live": (lambda o: live(fresh=o.fresh), live_table),
    "networks": (lambda o: networks(fresh=o.fresh), networks_table),
    "growth": (lambda o: growth(fresh=o.fresh), growth_table),
    "accuracy": (
        lambda o: accuracy(o.seeds, o.per_class, fresh=o.fresh, wanted=_wanted(o)),
        accuracy_table,
    ),
    "steps": (lambda o: steps(fresh=o.fresh, wanted=_wanted(o)), steps_table),
    "semi": (
        lambda o: semi_supervised(o.seeds, o.per_class, fresh=o.fresh, wanted=_wanted(o)),
        semi_table,
    ),
    "contrastive": (
        lambda o: contrastive(o.seeds, o.per_class, fresh=o.fresh, wanted=_wanted(o)),
        contrastive_table,
    ),
    "discovery": (
        lambda o: discovery(o.per_class, fresh=o.fresh, wanted=_wanted(o)),
        discovery_table,
    ),
}


def main() -> None:
    """Measure the sections that were named."""
    options = _options()
    torch.set_num_threads(options.threads)

    def command(name: str) -> str:
        given = f" --seeds {options.seeds} --per-class {options.per_class}"
        return f"python {_SCRIPT} {name}" + given * (name in ("accuracy", "semi", "contrastive"))

    run_sections(SECTIONS, options, "subtomo-", command)


def _wanted(options: argparse.Namespace) -> Callable[[Mapping[str, Any]], bool]:
    """Return what tells the cells of the systems and seeds that were asked for this time."""

    def is_wanted(cell: Mapping[str, Any]) -> bool:
        named = not options.systems or cell["system"] in options.systems
        return named and cell.get("seed", 0) < options.to_seed

    return is_wanted


def _options() -> argparse.Namespace:
    made = parser(__doc__, SECTIONS)
    made.add_argument("--seeds", type=int, default=3, help="repetitions (3)")
    made.add_argument("--per-class", type=int, default=100, help="subtomograms a class (100)")
    made.add_argument("--to-seed", type=int, default=99, help="measure so many of them now (all)")
    made.add_argument("--systems", nargs="*", default=[], help="measure only these now (all)")
    made.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of torch")
    made.add_argument("--fresh", action="store_true", help="measure everything anew")
    return made.parse_args()


if __name__ == "__main__":
    main()
