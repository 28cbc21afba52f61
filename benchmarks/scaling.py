"""Measure many images and many workers: ``python benchmarks/scaling.py SECTION ...``; all without.

Each section prints its rows as they come, keeps them in ``benchmarks/results`` and puts its table
into ``docs/benchmarks.md``.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from _cells import measured
from _drawn import DrawnImage, DrawnImages
from _peak import peak_gb
from _record import table
from _sections import Row, Section, parser, run_sections
from napari_cryoml.jobs import ClusterConfig, DaskPool, InlinePool, open_pool, run_inline
from napari_cryoml.picking import KeptPicks, PickerConfig, PickingPlan, baselines
from napari_cryoml.picking._image_work import BaselineWork
from napari_cryoml.picking._pick import pick_each
from napari_cryoml.preprocess import PreprocessConfig, Preprocessor

_SCRIPT = "benchmarks/scaling.py"
_DIAMETER = 12.0
_SMALL, _USUAL = 96, 768


def _work(side: int) -> BaselineWork:
    config = PickerConfig(diameter=_DIAMETER, particles_per_image=20)
    few = [DrawnImage(number, side) for number in range(3)]
    working = PreprocessConfig(normalisation="percentile")
    fitted = Preprocessor.fit(few, _DIAMETER, working, seed=0)
    return BaselineWork(baselines.create("log").build(fitted), config)


def workers(*, fresh: bool = False) -> Iterable[Row]:
    """Pick images here, with one worker and with two, side by side."""
    cells = [{"workers": count, "images": 60, "side": _USUAL} for count in (0, 1, 2)]
    return measured("scaling-workers", cells, _with_workers, fresh=fresh)


def _with_workers(workers: int, images: int, side: int) -> Row:
    work = _work(side)
    with open_pool(ClusterConfig(workers=workers)) as pool:
        plan = PickingPlan(pool, with_maps=False)
        run_inline(pick_each(DrawnImages(2 * max(workers, 1), side), work, plan))
        start = time.perf_counter()
        found = run_inline(pick_each(DrawnImages(images, side), work, plan))
        seconds = time.perf_counter() - start
    return {"seconds": seconds, "images_per_second": images / seconds, "picks": found.n_picks}


def workers_table(rows: Sequence[Row]) -> str:
    """Return seconds and ratios."""
    alone = next(row["seconds"] for row in rows if row["workers"] == 0)
    lines = [
        [
            row["workers"] or "none: this process",
            f"{row['images_per_second']:.2f}",
            f"{alone / row['seconds']:.2f}",
        ]
        for row in rows
    ]
    return table(["workers", f"images of {_USUAL}² a second", "times as fast as without"], lines)


def growth(*, fresh: bool = False) -> Iterable[Row]:
    """Pick 100, 1,000 and 10,000 small images, each in a process of its own."""
    cells = [{"images": n, "kept": kept} for n in (100, 1_000, 10_000) for kept in (False, True)]
    return measured("scaling-growth", cells, _in_a_process, fresh=fresh)


def _in_a_process(images: int, kept: bool) -> Row:
    words = [sys.executable, __file__, "--child", json.dumps({"images": images, "kept": kept})]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _child(images: int, kept: bool) -> Row:
    """Pick with two workers; measure this process, where the scheduler lives too."""
    with tempfile.TemporaryDirectory() as folder, open_pool(ClusterConfig(workers=2)) as pool:
        plan = PickingPlan(pool, KeptPicks(Path(folder)) if kept else None, with_maps=False)
        work = _work(_SMALL)
        run_inline(pick_each(DrawnImages(20, _SMALL), work, PickingPlan(pool, with_maps=False)))
        before = psutil.Process().memory_info().rss / 1e6
        start = time.perf_counter()
        job = pick_each(DrawnImages(images, _SMALL), work, plan)
        run_inline(job)
        seconds = time.perf_counter() - start
        after = psutil.Process().memory_info().rss / 1e6
        again = _again(images, work, plan) if kept else None
    return {
        "ms_per_image": 1e3 * seconds / images,
        "grown_mb": after - before,
        "peak_gb": peak_gb(),
        "again_ms_per_image": again,
    }


def _again(images: int, work: BaselineWork, plan: PickingPlan) -> float:
    start = time.perf_counter()
    run_inline(pick_each(DrawnImages(images, _SMALL), work, plan))
    return 1e3 * (time.perf_counter() - start) / images


def growth_table(rows: Sequence[Row]) -> str:
    """Return cost an image and memory by the number of images."""
    lines = [
        [
            f"{row['images']:,}",
            "yes" if row["kept"] else "no",
            f"{row['ms_per_image']:.1f}",
            "" if row["again_ms_per_image"] is None else f"{row['again_ms_per_image']:.1f}",
            f"{row['grown_mb']:.0f}",
            f"{row['peak_gb']:.2f}",
        ]
        for row in rows
    ]
    header = ["images of 96²", "kept on disk", "ms an image", "ms in a second run"]
    return table([*header, "MB grown", "GB at most"], lines)


def overhead(*, fresh: bool = False) -> Iterable[Row]:
    """Give nothing to do to 64 light workers, to see what the scheduling costs."""
    cells = [{"workers": count, "items": 4_000} for count in (2, 16, 64)]
    return measured("scaling-overhead", cells, _light, fresh=fresh)


def _light(workers: int, items: int) -> Row:
    from distributed import Client, LocalCluster

    options = {"threads_per_worker": 1, "processes": False, "protocol": "tcp://"}
    with (
        LocalCluster(
            n_workers=workers,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
            **options,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        pool = DaskPool(client)
        list(pool.outcomes(abs, range(200)))
        before = psutil.Process().memory_info().rss / 1e6
        start = time.perf_counter()
        count = sum(outcome.error is None for outcome in pool.outcomes(abs, range(items)))
        seconds = time.perf_counter() - start
        grown = psutil.Process().memory_info().rss / 1e6 - before
    return {"ms_per_item": 1e3 * seconds / items, "done": count, "grown_mb": grown}


def overhead_table(rows: Sequence[Row]) -> str:
    """Return milliseconds an item by the number of workers."""
    lines = [
        [row["workers"], f"{row['ms_per_item']:.2f}", f"{row['grown_mb']:.0f}"] for row in rows
    ]
    return table(["workers", "ms an item", "MB grown over 4,000 items"], lines)


def inline(*, fresh: bool = False) -> Iterable[Row]:
    """Pick here, without workers: what an image costs by itself."""
    cells = [{"images": n, "side": side} for side in (_SMALL, _USUAL) for n in (10, 40)]
    return measured("scaling-inline", cells, _inline, fresh=fresh)


def _inline(images: int, side: int) -> Row:
    work = _work(side)
    start = time.perf_counter()
    outcomes: Iterator[Any] = InlinePool().outcomes(work, DrawnImages(images, side))
    count = sum(len(outcome.value.picks) for outcome in outcomes)
    return {"ms_per_image": 1e3 * (time.perf_counter() - start) / images, "picks": count}


def inline_table(rows: Sequence[Row]) -> str:
    """Return milliseconds an image by its side."""
    lines = [[row["side"], row["images"], f"{row['ms_per_image']:.1f}"] for row in rows]
    return table(["side, px", "images", "ms an image"], lines)


SECTIONS: dict[str, Section] = {
    "inline": (lambda o: inline(fresh=o.fresh), inline_table),
    "workers": (lambda o: workers(fresh=o.fresh), workers_table),
    "overhead": (lambda o: overhead(fresh=o.fresh), overhead_table),
    "growth": (lambda o: growth(fresh=o.fresh), growth_table),
}


def main() -> None:
    """Measure the sections that were named."""
    options = _options()
    if options.child:
        sys.stdout.write(json.dumps(_child(**json.loads(options.child))) + "\n")
        return
    run_sections(SECTIONS, options, "scaling-", lambda name: f"python {_SCRIPT} {name}")


def _options() -> argparse.Namespace:
    made = parser(__doc__, SECTIONS)
    made.add_argument("--fresh", action="store_true", help="measure everything anew")
    made.add_argument("--child", help=argparse.SUPPRESS)
    return made.parse_args()


if __name__ == "__main__":
    main()
