"""A list of thousands of images: memory, and the time to switch from one to the next."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from _record import table
from napari_cryoml.data import Annotations
from napari_cryoml.features import FeatureCache
from napari_cryoml.picking.live import LiveConfig, LivePicker, LiveRequest
from napari_cryoml.simulate import MicrographConfig, simulate_micrograph

_N_CACHED = 60
_MEMORY_BYTES = 256 * 1024**2
_SHAPE = (1024, 1024)

Row = dict[str, Any]


@dataclass(frozen=True)
class _Seeded:
    """An image that is simulated when it is read, as a file is read from disk."""

    name: str
    seed: int
    shape: tuple[int, ...] = _SHAPE
    pixel_size: float | None = None
    folder: Path = Path()

    @property
    def path(self) -> Path:
        return self.folder / "list.txt"

    def read(self, region: tuple[slice, ...] | None = None) -> np.ndarray:
        image = simulate_micrograph(_config(), self.seed % 5).image
        return image if region is None else image[region]


def _config() -> MicrographConfig:
    # A working image of 1024 x 1024: the particle is 14 pixels wide.
    return MicrographConfig(shape=_SHAPE, diameter=14, pixel_size=8.0, n_particles=300)


def long_list(n_images: int) -> Iterator[Row]:
    """Label one image of a long list, visit some, and come back to them in another order."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "list.txt").touch()
        images = [_Seeded(f"{number:05d}", number, folder=folder) for number in range(n_images)]
        cache = FeatureCache(_MEMORY_BYTES, folder=folder / "features")
        picker, config = LivePicker.of(images, cache), LiveConfig(diameter=_config().diameter)
        truth = simulate_micrograph(_config(), 0).picks.positions
        labels = {images[0].name: Annotations.of_positives(truth[:10])}
        visited = np.linspace(0, n_images - 1, _N_CACHED).astype(int)
        for number in visited:
            picker.features(images[number].name, config)
        before_gb = _resident_gb()
        seconds = []
        for number in np.random.default_rng(0).permutation(visited):
            start = time.perf_counter()
            picker.answer(LiveRequest(labels, images[number].name, config))
            seconds.append(time.perf_counter() - start)
    yield {
        "images": n_images,
        "cached": _N_CACHED,
        "median_ms": 1000 * float(np.median(seconds[1:])),
        "worst_ms": 1000 * float(np.max(seconds[1:])),
        "resident_gb": _resident_gb(),
        "resident_before_gb": before_gb,
        "memory_of_features_gb": cache.memory_used / 1e9,
    }


def _resident_gb() -> float:
    """Return the memory of this process now, or at its peak where that is not to be had."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize() / 1e9
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def list_table(rows: Sequence[Row]) -> str:
    """Return one row a run."""
    header = ["images in the list", "cached on disk", "switch, median", "switch, worst"]
    header += ["features in memory", "memory of the process"]
    body = [
        [
            row["images"],
            row["cached"],
            f"{row['median_ms']:.0f} ms",
            f"{row['worst_ms']:.0f} ms",
            f"{row['memory_of_features_gb']:.2f} GB",
            f"{row['resident_gb']:.2f} GB",
        ]
        for row in rows
    ]
    return table(header, body)
