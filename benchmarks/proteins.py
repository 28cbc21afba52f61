"""Measure cells and proteins: ``python benchmarks/proteins.py SECTION ...``; all without one.

Each section prints its rows as they come, keeps them in ``benchmarks/results`` and puts its table
into ``docs/benchmarks.md``. What was measured before is not measured again unless ``--fresh`` is
given; networks that were trained lie in ``.benchmarks/proteins``.
"""

from __future__ import annotations

import argparse

import torch

from _proteins_speed import growth, growth_table, speed, speed_table
from _proteins_standards import standards, standards_table
from _proteins_streaming import reading, reading_table, streaming, streaming_table
from _proteins_transfer import carry_over, transfer_table
from _proteins_vectors import epochs, epochs_table, vectors, vectors_table
from _proteins_yeast import yeast, yeast_table
from _sections import Section, parser, run_sections

_SCRIPT = "benchmarks/proteins.py"

SECTIONS: dict[str, Section] = {
    "yeast": (lambda o: yeast(fresh=o.fresh), yeast_table),
    "vectors": (lambda o: vectors(o.seeds, fresh=o.fresh), vectors_table),
    "epochs": (lambda o: epochs(o.seeds, fresh=o.fresh), epochs_table),
    "standards": (lambda o: standards(fresh=o.fresh), standards_table),
    "transfer": (lambda o: carry_over(fresh=o.fresh), transfer_table),
    "speed": (lambda o: speed(fresh=o.fresh), speed_table),
    "growth": (lambda o: growth(fresh=o.fresh), growth_table),
    "streaming": (lambda o: streaming(fresh=o.fresh), streaming_table),
    "reading": (lambda o: reading(fresh=o.fresh), reading_table),
}


def main() -> None:
    """Measure the sections that were named."""
    options = _options()
    torch.set_num_threads(options.threads)

    def command(name: str) -> str:
        given = f" --seeds {options.seeds}" * (name in ("vectors", "epochs"))
        return f"python {_SCRIPT} {name}{given}"

    run_sections(SECTIONS, options, "proteins-", command)


def _options() -> argparse.Namespace:
    made = parser(__doc__, SECTIONS)
    made.add_argument("--seeds", type=int, default=3, help="screens of the vectors (3)")
    made.add_argument("--threads", type=int, default=1, help="of torch (1)")
    made.add_argument("--fresh", action="store_true", help="measure everything anew")
    return made.parse_args()


if __name__ == "__main__":
    main()
