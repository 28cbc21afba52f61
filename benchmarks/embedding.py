"""Measure the explorer: ``python benchmarks/embedding.py SECTION ...``; all sections without one.

Each section prints its rows as they come, keeps them in ``benchmarks/results`` and puts its table
into ``docs/benchmarks.md``.
"""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Iterable, Sequence

# Before Qt: their LLVMs clash otherwise.
import torch

from _embedding_average import averages, averages_table
from _embedding_classes import (
    few_rows,
    few_rows_table,
    new_class,
    new_class_table,
    spreading,
    spreading_table,
)
from _embedding_clusters import clusters, clusters_table
from _embedding_junk import lasso, lasso_table
from _embedding_maps import (
    million,
    million_table,
    neighbourhoods,
    neighbourhoods_table,
    tsne_speed,
    tsne_table,
)
from _sections import Row, Section, parser, run_sections

_SCRIPT = "benchmarks/embedding.py"
_SEEDS = 3
_DRAWN = ("lasso", "few-shot", "novelty", "spreading", "clusters")


def _canvas(_: argparse.Namespace) -> Iterable[Row]:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from _embedding_canvas import canvas  # Qt is only wanted here

    return canvas()


def _canvas_table(rows: Sequence[Row]) -> str:
    from _embedding_canvas import canvas_table

    return canvas_table(rows)


SECTIONS: dict[str, Section] = {
    "canvas": (_canvas, _canvas_table),
    "tsne": (lambda _: tsne_speed(), tsne_table),
    "million": (lambda _: million(), million_table),
    "neighbourhoods": (lambda _: neighbourhoods(), neighbourhoods_table),
    "lasso": (lambda options: lasso(options.seeds), lasso_table),
    "averages": (lambda _: averages(), averages_table),
    "few-shot": (lambda options: few_rows(options.seeds), few_rows_table),
    "novelty": (lambda options: new_class(options.seeds), new_class_table),
    "spreading": (lambda options: spreading(options.seeds), spreading_table),
    "clusters": (lambda options: clusters(options.seeds), clusters_table),
}


def _command(name: str, options: argparse.Namespace) -> str:
    """Return what measures a section as it was measured."""
    words = ["python", _SCRIPT, name]
    if name in _DRAWN and options.seeds != _SEEDS:
        words += ["--seeds", str(options.seeds)]
    return shlex.join(words)


def main() -> None:
    """Run the sections that were named."""
    known = parser(__doc__, SECTIONS)
    known.add_argument(
        "--seeds",
        type=int,
        default=_SEEDS,
        help="simulated sets of a kind; in " + ", ".join(_DRAWN),
    )
    options = known.parse_args()
    torch.set_num_threads(2)
    run_sections(SECTIONS, options, "embedding-", lambda name: _command(name, options))


if __name__ == "__main__":
    main()
