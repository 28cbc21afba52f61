"""Measure the explorer: ``python benchmarks/embedding.py SECTION ...``; all sections without one.

Each section prints its rows as they come, keeps them in ``benchmarks/results`` and puts its table
into ``docs/benchmarks.md``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Sequence

# Before Qt: their LLVMs clash otherwise.
import torch
from _embedding_average import averages, averages_table
from _embedding_maps import (
    million,
    million_table,
    neighbourhoods,
    neighbourhoods_table,
    tsne_speed,
    tsne_table,
)

from _embedding_junk import lasso, lasso_table
from _sections import Row, Section, parser, run_sections

_SCRIPT = "benchmarks/embedding.py"


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
}


def main() -> None:
    """Run the sections that were named."""
    known = parser(__doc__, SECTIONS)
    known.add_argument("--seeds", type=int, default=3, help="in `lasso`")
    options = known.parse_args()
    torch.set_num_threads(2)
    run_sections(SECTIONS, options, "embedding-", lambda name: f"python {_SCRIPT} {name}")


if __name__ == "__main__":
    main()
