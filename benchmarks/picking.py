"""Measure the picker: objectives, labels, time, memory, and Topaz beside it.

Run ``python benchmarks/picking.py SECTION ...``; without a section all are run. Each prints its
rows as they come, keeps them in ``benchmarks/results`` and puts its table into
``docs/benchmarks.md``.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from _data import SCRATCH, PickingSet, available_sets, load_set
from _peak import peak_gb
from _record import table
from _sections import Section, parser, run_sections
from _topaz import ENVIRONMENT
from _topaz_accuracy import accuracy_table, compare_accuracy
from _topaz_speed import (
    compare_scoring,
    compare_suppression,
    scoring_table,
    suppression_table,
)
from napari_cryoml.evaluation import RECALLS, evaluate_picks
from napari_cryoml.jobs import run_inline
from napari_cryoml.picking import Picker, PickerConfig, train_picker

SEEDS = (0, 1, 2)
ASSIGNMENT = 0.8
"""Matching radius as a share of the particle radius."""

Row = dict[str, Any]


def train_and_test(
    data: PickingSet, n_labels: int, seed: int, training: Row, **options: Any
) -> Row:
    """Return the figures of one picker, trained on the first half and tested on the second."""
    config = PickerConfig(diameter=data.diameter, training={**training, "seed": seed}, **options)
    out = SCRATCH / f"{data.name}-{n_labels}-{seed}-{time.monotonic_ns()}.safetensors"
    out.parent.mkdir(exist_ok=True)
    start = time.perf_counter()
    run_inline(train_picker(data.training, data.draw_labels(n_labels, seed), config, out=out))
    trained = time.perf_counter()
    picker = Picker.load(out)
    picks = [picker.pick(image) for image in data.testing]
    picked = time.perf_counter()
    out.unlink()
    result = evaluate_picks(picks, data.test_picks(), ASSIGNMENT * data.diameter / 2).pooled
    return {
        "set": data.name,
        "labels": n_labels,
        "seed": seed,
        "ap": result.average_precision,
        **{f"p{recall:g}": result.precision_at_recall[recall] for recall in RECALLS},
        "steps": picker.summary["steps"],
        "train_seconds": trained - start,
        "pick_seconds": picked - trained,
    }


# Objectives ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """One cell of the tables: what is trained how, on how many labels."""

    sampler: str
    objective: str
    autoencoder: float | str
    n_labels: int


def _cells() -> list[Cell]:
    """Return the paper's cells under its own sampler, and GE-binomial on dense crops."""
    cells = [
        Cell("patches", "ge_binomial", weight, n)
        for n in (10, 100, 1000)
        for weight in (0.0, "auto")
    ]
    cells += [Cell("patches", name, 0.0, n) for n in (10, 100) for name in ("pn", "nnpu", "ge_kl")]
    return cells + [Cell("dense", "ge_binomial", 0.0, n) for n in (10, 100, 1000)]


def _objective_row(task: tuple[str, Cell, int, int]) -> Row:
    """Train one cell on one thread; runs in a process of its own."""
    import torch

    torch.set_num_threads(1)
    name, cell, seed, steps = task
    training = {
        "minutes": None,
        "steps": steps,
        "sampler": cell.sampler,
        "validation_share": 0,
        "validate_every": 1e6,
    }
    row = train_and_test(
        load_set(name),
        cell.n_labels,
        seed,
        training,
        objective=cell.objective,
        autoencoder=cell.autoencoder,
    )
    return {
        "sampler": cell.sampler,
        "objective": cell.objective,
        "autoencoder": cell.autoencoder != 0,
        **row,
    }


def objectives(steps: int, seeds: int, workers: int) -> Iterator[Row]:
    """Measure objectives by labels, with and without autoencoder: the paper's tables 4 and 5."""
    names = list(dict.fromkeys([available_sets()[0], "simulated"]))
    load_set("simulated")
    tasks = [
        (name, cell, seed, steps)
        for seed, name, cell in itertools.product(range(seeds), names, _cells())
    ]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_objective_row, tasks)


def objectives_table(rows: Sequence[Row]) -> str:
    """Return mean and standard deviation over the seeds, one row a cell."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        key = tuple(row[name] for name in ("set", "labels", "sampler", "objective", "autoencoder"))
        groups.setdefault(key, []).append(row)
    header = ["set", "labels", "sampler", "objective", "autoencoder", "seeds", "AP"]
    header += [f"precision at recall {recall:g}" for recall in RECALLS]
    body = []
    for (*names, autoencoder), members in sorted(groups.items()):
        figures = [_mean_sd([row[key] for row in members]) for key in _figure_keys()]
        body.append([*names, "yes" if autoencoder else "no", len(members), *figures])
    return table(header, body)


def _figure_keys() -> list[str]:
    return ["ap", *[f"p{recall:g}" for recall in RECALLS]]


def _mean_sd(values: Iterable[float]) -> str:
    numbers = np.array([value or 0.0 for value in values])
    return f"{numbers.mean():.3f} ± {numbers.std():.3f}"


# A hundred labels in three minutes ----------------------------------------------------------------


def budget(minutes: float, device: str = "cpu") -> Iterator[Row]:
    """Train on 100 labels within `minutes`, with the default options; nothing where no GPU is."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        sys.stdout.write("There is no CUDA device here: not run.\n")
        return
    torch.set_num_threads(2)
    data = load_set(available_sets()[0])
    for seed in SEEDS:
        row = train_and_test(data, 100, seed, {"minutes": minutes}, device=device)
        yield {"picker": "napari-cryoml", **row}


def budget_table(rows: Sequence[Row]) -> str:
    """Return one row a picker and seed."""
    header = ["picker", "set", "labels", "seed", "AP", "training", "picking", "steps"]
    body = [
        [
            row["picker"],
            row["set"],
            row["labels"],
            row["seed"],
            f"{row['ap']:.3f}",
            f"{row['train_seconds']:.0f} s",
            f"{row['pick_seconds']:.0f} s",
            row["steps"],
        ]
        for row in rows
    ]
    return table(header, body)


# Memory -------------------------------------------------------------------------------------------


def memory(size: int = 4096) -> Iterator[Row]:
    """Measure the peak memory of scoring a large working image, each network in a new process."""
    for name in ("conv31", "resnet8"):
        code = (
            f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
            f"import picking; picking._score_large({name!r}, {size})"
        )
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        peak, base = (float(word) for word in done.stdout.split()[-2:])
        yield {"network": name, "size": size, "peak_gb": peak, "before_gb": base}


def _score_large(name: str, size: int) -> None:
    """Score an image and print the peak of resident memory, in GB, after and before."""
    from napari_cryoml.models import detectors
    from napari_cryoml.picking import score_image

    image = np.random.default_rng(0).standard_normal((size, size), dtype=np.float32)
    detector = detectors.create(name).build().eval()
    before = peak_gb()
    score_image(detector, image)
    sys.stdout.write(f"{peak_gb()} {before}\n")


def memory_table(rows: Sequence[Row]) -> str:
    """Return one row a network."""
    header = ["network", "image", "peak memory of the process", "of that before scoring"]
    body = [
        [
            row["network"],
            f"{row['size']} x {row['size']}",
            f"{row['peak_gb']:.2f} GB",
            f"{row['before_gb']:.2f} GB",
        ]
        for row in rows
    ]
    return table(header, body)


# Beside Topaz -------------------------------------------------------------------------------------


def topaz(options: argparse.Namespace) -> Iterator[Row]:
    """Compare with Topaz; our picker has `options.minutes` to train."""

    def ours(data: PickingSet, n_labels: int, seed: int) -> Row:
        return train_and_test(data, n_labels, seed, {"minutes": options.minutes}, device="cpu")

    return compare_accuracy(options.topaz_env, options.threads, options.updates, ASSIGNMENT, ours)


# Which is run -------------------------------------------------------------------------------------


SECTIONS: dict[str, Section] = {
    "objectives": (
        lambda options: objectives(options.steps, options.seeds, options.workers),
        objectives_table,
    ),
    "budget": (lambda options: budget(options.minutes), budget_table),
    "gpu": (lambda options: budget(1.0, "cuda"), budget_table),
    "memory": (lambda options: memory(), memory_table),
    "topaz": (topaz, accuracy_table),
    "scoring": (
        lambda options: compare_scoring(options.topaz_env, options.threads),
        scoring_table,
    ),
    "nms": (lambda options: compare_suppression(options.topaz_env), suppression_table),
}


def main() -> None:
    """Run the sections that were named."""
    known = parser(__doc__, SECTIONS)
    known.add_argument("--steps", type=int, default=150, help="steps a run of `objectives`")
    known.add_argument("--seeds", type=int, default=len(SEEDS), help="in `objectives`")
    known.add_argument("--workers", type=int, default=2, help="processes of `objectives`")
    known.add_argument("--minutes", type=float, default=3.0, help="of our training")
    known.add_argument("--topaz-env", type=Path, default=ENVIRONMENT, help="made if missing")
    known.add_argument("--threads", type=int, default=1, help="in `topaz` and `scoring`")
    known.add_argument("--updates", type=int, default=1000, help="of Topaz in `topaz`")
    options = known.parse_args()
    run_sections(SECTIONS, options, "", lambda name: f"python benchmarks/picking.py {name}")


if __name__ == "__main__":
    main()
