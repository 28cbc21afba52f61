"""Averages in files."""

from __future__ import annotations

from pathlib import Path

from napari_cryoml import io
from napari_cryoml.averaging import ClassAverage


def write_average(average: ClassAverage, path: Path) -> str:
    """Write an average and its halves as MRC files, and return a sentence about it."""
    written = [path]
    io.write_mrc(path, average.average, average.pixel_size)
    for number, half in enumerate(() if average.halves is None else average.halves, 1):
        written.append(path.with_name(f"{path.stem}_half{number}{path.suffix}"))
        io.write_mrc(written[-1], half, average.pixel_size)
    return f"The average was written to {', '.join(one.name for one in written)}."
