"""How well, and how fast, subtomograms are aligned."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np

from _cells import measured
from _record import table
from _sections import Row
from _subtomo_data import subtomograms, ten_maps
from napari_cryoml.averaging import (
    AlignConfig,
    RigidPoses,
    align_crops,
    average_subtomograms,
    degrees_between,
)
from napari_cryoml.jobs import run_inline

SECTION = "subtomo-alignment"
_SNRS = (0.5, 0.1, 0.05)
_PER_CLASS, _IN_AVERAGE = 60, 40


def alignment(*, fresh: bool = False) -> Iterable[Row]:
    """Align boxes of asymmetric complexes to a clean map, and to an average of other boxes."""
    cells = [
        {"snr": snr, "name": name, "reference": reference}
        for snr, name, reference in product(_SNRS, _asymmetric(), ("clean", "average"))
    ]
    return measured(SECTION, cells, _one, fresh=fresh)


def _asymmetric() -> tuple[str, ...]:
    """Return complexes whose pose is unique: ribosomes and their parts; else the first made up."""
    names = [one.name for one in ten_maps()]
    wanted = [name for name in names if name.startswith(("6qzp", "4v4r"))]
    return tuple(wanted or names[:1])


def _one(snr: float, name: str, reference: str) -> Row:
    data = subtomograms(snr, 60, _PER_CLASS, 0)
    number = [one.name for one in ten_maps()].index(name)
    rows = np.flatnonzero(data.labels == number)
    others, rows = rows[:_IN_AVERAGE], rows[_IN_AVERAGE:]
    images = np.asarray(data.crops.array[:, 0], np.float32)
    volume = ten_maps()[number].array
    if reference == "average":
        known = RigidPoses(data.rotations[others], data.shifts[others])
        volume = average_subtomograms(images[others], known, data.wedge).average
    start = time.perf_counter()
    found = run_inline(align_crops(images[rows], volume[None], data.wedge, AlignConfig()))
    seconds = time.perf_counter() - start
    errors = degrees_between(found.poses.rotations, data.rotations[rows])
    shifts = np.linalg.norm(found.poses.shifts - data.shifts[rows], axis=1)
    return {
        "median_degrees": float(np.median(errors)),
        "within_15_degrees": float(np.mean(errors < 15)),
        "median_shift_px": float(np.median(shifts)),
        "seconds_a_box": seconds / len(rows),
        "n": len(rows),
    }


def alignment_table(rows: Sequence[Row]) -> str:
    """Return errors and time by noise and reference."""
    lines = []
    for snr, reference in product(_SNRS, ("clean", "average")):
        these = [row for row in rows if (row["snr"], row["reference"]) == (snr, reference)]
        if these:
            lines.append(
                [
                    snr,
                    reference,
                    *(
                        f"{np.mean([row[key] for row in these]):{form}}"
                        for key, form in (
                            ("median_degrees", ".1f"),
                            ("within_15_degrees", ".0%"),
                            ("median_shift_px", ".2f"),
                            ("seconds_a_box", ".2f"),
                        )
                    ),
                ]
            )
    return table(
        ["SNR", "reference", "median error, °", "within 15°", "shift, voxels", "s a box"], lines
    )
