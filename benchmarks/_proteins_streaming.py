"""Memory and speed of training on more crops than memory holds.

``python benchmarks/_proteins_streaming.py N`` trains on N crops and prints what it took, in a
process of its own, so that its peak is that of this training alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from _cells import measured
from _peak import peak_gb
from _record import table
from _sections import Row
from napari_cryoml.classification import LabelledCrops, classify, systems
from napari_cryoml.data import ArrayCrops, split_cells
from napari_cryoml.io import read_cells, write_crops
from napari_cryoml.jobs import run_inline
from napari_cryoml.training import CropAugmentationConfig, CropSampler, CropStore

MEMORY, READING = "proteins-streaming", "proteins-reading"

_SIDE, _CLASSES, _PROTEINS, _CHUNK = 16, 4, 4000, 128
_MEMORY_GB = 0.02
_STORED = 8192


@dataclass(frozen=True, slots=True)
class _Chunks:
    """Stands for the array of a chunked file."""

    rows_per_chunk: int = _CHUNK


@dataclass(frozen=True, slots=True, eq=False)
class MadeCrops:
    """Crops that are made from their number whenever they are read: on disk, as it were.

    Parameters
    ----------
    n : int
    """

    n: int
    array: _Chunks = _Chunks()
    channels: tuple[str, ...] = ("protein", "marker")
    images: None = None
    positions: None = None
    _noise: npt.NDArray[np.float32] = field(
        default_factory=lambda: (
            np.random.default_rng(0).normal(size=(509, 2, _SIDE, _SIDE)).astype(np.float32)
        )
    )

    @property
    def ids(self) -> npt.NDArray[np.str_]:
        """Numbers."""
        return np.arange(self.n).astype(np.str_)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a crop."""
        return (_SIDE, _SIDE)

    @property
    def n_channels(self) -> int:
        """Protein and marker."""
        return 2

    def __len__(self) -> int:
        return self.n

    def batches(self, size: int) -> Iterator[npt.NDArray[np.intp]]:
        """Yield rows in their order."""
        for start in range(0, self.n, size):
            yield np.arange(start, min(start + size, self.n))

    def read(self, rows: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return crops with a bright band where their class has it."""
        wanted = np.asarray(rows, np.intp)
        crops = self._noise[wanted % len(self._noise)]
        for number in range(_CLASSES):
            low = number * _SIDE // _CLASSES
            crops[wanted % _CLASSES == number, 0, low : low + _SIDE // _CLASSES] += 1
        return crops


def streaming(*, fresh: bool = False) -> Iterable[Row]:
    """Measure the peak of memory of a training, an epoch long, by the number of crops."""
    cells = [{"n": n} for n in (10_000, 100_000, 1_000_000)]
    return measured(MEMORY, cells, _in_a_child, fresh=fresh)


def _in_a_child(n: int) -> Row:
    words = [sys.executable, __file__, str(n)]
    found = subprocess.run(words, capture_output=True, text=True, check=True)
    row: Row = json.loads(found.stdout.splitlines()[-1])
    return row


def _trained(n: int) -> Row:
    """Train for an epoch, then classify; return what it took."""
    _train(8_000)  # once, so that all that is needed anyway is there
    before, began = peak_gb(), time.perf_counter()
    crops, classifier = _train(n)
    trained, seconds = peak_gb(), time.perf_counter() - began
    run_inline(classify(crops, classifier, batch=512))
    return {
        "before_gb": before,
        "trained_gb": trained,
        "classified_gb": peak_gb(),
        "seconds": seconds,
        "accuracy": classifier.report.accuracy,
    }


def _train(n: int) -> Any:
    crops = MadeCrops(n)
    rows = np.arange(n, dtype=np.int32)
    split = split_cells(rows % _PROTEINS, (0.8, 0.1, 0.1))
    names = tuple(f"class {number}" for number in range(_CLASSES))
    data = LabelledCrops(crops, names, rows % _CLASSES, split=split)  # type: ignore[arg-type]
    options = {
        "network": "flat",
        "network_options": {"hidden": 8},
        "seeds": 1,
        "epochs": 1,
        "batch": 512,
        "learning_rate": 1e-3,
        "memory_gb": _MEMORY_GB,
        "device": "cpu",
    }
    return crops, run_inline(systems.create("deeploc", **options).fit(data))


def streaming_table(rows: Sequence[Row]) -> str:
    """Return the memory of a training by the number of crops, and what a crop adds to it."""
    least = rows[0]
    lines = []
    for row in rows:
        more = row["n"] - least["n"]
        each = [1e9 * (row[key] - least[key]) / more if more else None for key in _PEAKS]
        lines.append(
            [
                f"{row['n']:,}",
                *(f"{1000 * (row[key] - row['before_gb']):.0f} MB" for key in _PEAKS),
                *("" if bytes_each is None else f"{bytes_each:.0f}" for bytes_each in each),
                f"{row['seconds']:.0f} s",
                f"{row['accuracy']:.3f}",
            ]
        )
    header = ["crops", "training", "and classifying", "bytes a further crop, training"]
    return table([*header, "and classifying", "an epoch took", "accuracy"], lines)


_PEAKS = ("trained_gb", "classified_gb")


def reading(*, fresh: bool = False) -> Iterable[Row]:
    """Time an epoch of shuffled crops out of chunked files, by chunks and in any order."""
    cells = [
        {"file": file, "order": order}
        for file, order in product(("zarr", "hdf5"), ("chunks", "any"))
    ]
    return measured(READING, cells, _reading, fresh=fresh)


def _reading(file: str, order: str) -> Row:
    pixels = np.random.default_rng(0).normal(size=(_STORED, 2, 64, 64)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("cells.zarr" if file == "zarr" else "cells.h5")
        _write(path, pixels)
        # Room for an eighth of the crops: the others are read again in each epoch.
        store = CropStore(read_cells(path), pixels.nbytes // 2 // 8)
        if order == "any":
            store.block = 1
        plain = CropAugmentationConfig(kind="none")
        sampler = CropSampler(store, batch=128, augmentation=plain)
        steps = sampler.steps_per_epoch if order == "chunks" else 8
        began = time.perf_counter()
        for _ in range(steps):
            sampler.draw()
        seconds = time.perf_counter() - began
    return {"cells_per_second": 128 * steps / seconds}


def _write(path: Path, pixels: npt.NDArray[np.float32]) -> None:
    if path.suffix == ".zarr":
        write_crops(path, ArrayCrops.of(pixels))
        return
    import h5py

    with h5py.File(path, "w") as file:
        chunks = (_CHUNK, *pixels.shape[1:])
        file.create_dataset("crops", data=pixels, chunks=chunks, compression="gzip")


def reading_table(rows: Sequence[Row]) -> str:
    """Return cells a second by file and order."""
    lines = []
    for file in dict.fromkeys(row["file"] for row in rows):
        by_order = {row["order"]: row["cells_per_second"] for row in rows if row["file"] == file}
        shown = [f"{by_order[order]:,.0f}" for order in ("chunks", "any")]
        lines.append([file, *shown])
    return table(["crops of 2 x 64² px in", "cells/s, whole chunks mixed", "in any order"], lines)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_trained(int(sys.argv[1]))) + "\n")
