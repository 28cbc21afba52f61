"""Sets of micrographs with known particles, split and labelled as the benchmarks need them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import Annotations, ImageSource, Picks
from napari_cryoml.io import match_images, open_images, read_picks
from napari_cryoml.simulate import MicrographConfig, write_micrographs

DATA = Path(os.environ.get("NAPARI_CRYOML_DATA", Path(__file__).parents[2] / "shared" / "data"))
SCRATCH = Path(os.environ.get("NAPARI_CRYOML_SCRATCH", Path(__file__).parents[1] / ".benchmarks"))

_REAL = {
    "EMPIAR-10017": ("empiar10017_betagal", 108.0),
    "EMPIAR-10028": ("empiar10028_ribosome80S", 54.0),
    "EMPIAR-10146": ("empiar10146_apoferritin", 60.0),
}
_SIMULATED = MicrographConfig()
_N_SIMULATED = 12


@dataclass(frozen=True, slots=True, eq=False)
class PickingSet:
    """Micrographs, all of whose (known) particles are listed.

    Parameters
    ----------
    name : str
    images : sequence of ImageSource
        The first half trains, the second half tests.
    truth : mapping of str to array of shape (n, 2)
        Particle centres by image, pixels yx.
    diameter : float
        Of the particle, pixels.
    """

    name: str
    images: Sequence[ImageSource]
    truth: Mapping[str, npt.NDArray[np.float64]]
    diameter: float

    @property
    def training(self) -> Sequence[ImageSource]:
        """The first half of the images."""
        return self.images[: len(self.images) // 2]

    @property
    def testing(self) -> Sequence[ImageSource]:
        """The second half of the images."""
        return self.images[len(self.images) // 2 :]

    def test_picks(self) -> list[Picks]:
        """Return the true particles of the second half."""
        return [Picks(image.name, self.truth[image.name]) for image in self.testing]

    def draw_labels(self, n: int, seed: int) -> dict[str, Annotations]:
        """Return `n` particles of the first half, drawn evenly (all of them if there are fewer)."""
        rows = [(image.name, row) for image in self.training for row in self._rows(image.name)]
        order = np.random.default_rng(seed).permutation(len(rows))[:n]
        labels = {}
        for image in self.training:
            chosen = [rows[i][1] for i in order if rows[i][0] == image.name]
            if chosen:
                labels[image.name] = Annotations.of_positives(self.truth[image.name][chosen])
        return labels

    def _rows(self, image: str) -> range:
        return range(len(self.truth[image]))


def available_sets() -> list[str]:
    """Return the names of the sets that can be had here; "simulated" always can."""
    present = [
        name for name, (folder, _) in _REAL.items() if (DATA / "micrographs" / folder).is_dir()
    ]
    return [*present, "simulated"]


def load_set(name: str) -> PickingSet:
    """Return a set by its name."""
    if name == "simulated":
        return _simulated()
    folder, diameter = _REAL[name]
    return _read(name, DATA / "micrographs" / folder, "particles.csv", diameter)


def _simulated() -> PickingSet:
    folder = SCRATCH / "simulated"
    if not (folder / "particles.star").exists():
        write_micrographs(folder, _N_SIMULATED, _SIMULATED, seed=0)
    return _read("simulated", folder, "particles.star", _SIMULATED.diameter)


def _read(name: str, folder: Path, particles: str, diameter: float) -> PickingSet:
    suffixes = {".png", ".jpg", ".mrc"}
    images = open_images(sorted(path for path in folder.iterdir() if path.suffix in suffixes))
    table = read_picks(folder / particles)
    matched = match_images(table.images, [image.name for image in images])
    truth = {image.name: np.empty((0, 2)) for image in images}
    truth |= {matched[picks.image]: picks.positions for picks in table if picks.image in matched}
    return PickingSet(name, images, truth, diameter)
