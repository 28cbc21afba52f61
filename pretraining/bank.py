"""The bank: simulated micrographs of many species at the working scale, with their truth."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree
from species import random_species

from napari_cryoml.preprocess import percentile_normalise
from napari_cryoml.simulate import MicrographConfig, SimulatedMicrograph, simulate_micrograph

Floats = npt.NDArray[np.float64]

SIZE = 255
"""Pixels of a micrograph's edge: odd, so that flips carry the grid of stride 2 onto itself."""

WORKING_DIAMETER = 14.0
PER_SPECIES = 3
BACKGROUND, IGNORED, JUNK = -1, -2, -3
"""Labels of grid points that lie on no particle; others hold the number of the particle."""

_NEAR_PX, _RING_PX = 2.0, 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """Micrographs of `s` species, `k` of each.

    Parameters
    ----------
    images : array of float16, shape (s, k, y, x)
        Working images as a picker sees them.
    labels : array of int16, shape (s, k, gy, gx)
        Grid points at every second pixel: number of the particle whose centre is within 2 px,
        BACKGROUND, JUNK (centre of a contaminant), or IGNORED (2 to 6 px off a centre, or where
        the micrograph was continued by its mirror image).
    centres : array of float32, shape (s, k, n, 2)
        Particle centres, pixels yx; rows of NaN fill up.
    snr : array of float32, shape (s,)
        As `MicrographConfig.snr`.
    """

    images: npt.NDArray[np.float16]
    labels: npt.NDArray[np.int16]
    centres: npt.NDArray[np.float32]
    snr: npt.NDArray[np.float32]

    def save(self, path: Path) -> None:
        """Write the bank to one file."""
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, paths: list[Path]) -> Bank:
        """Read several files as one bank."""
        parts = [np.load(path) for path in paths]
        names = [field.name for field in fields(cls)]
        return cls(**{name: np.concatenate([part[name] for part in parts]) for name in names})


_MOST_PARTICLES = 220
_PER_FILE = 100


def make_bank(n_species: int, seed: int) -> Bank:
    """Simulate a bank.

    Parameters
    ----------
    n_species : int
    seed : int
        Banks of different seeds share no species.
    """
    shape = (n_species, PER_SPECIES)
    grid = (SIZE + 1) // 2
    bank = Bank(
        np.empty((*shape, SIZE, SIZE), np.float16),
        np.empty((*shape, grid, grid), np.int16),
        np.full((*shape, _MOST_PARTICLES, 2), np.nan, np.float32),
        np.empty(n_species, np.float32),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(n_species):
            _add_species(bank, number, np.random.default_rng([seed, number]))
    return bank


def _add_species(bank: Bank, number: int, rng: np.random.Generator) -> None:
    config = random_config(rng)
    species = random_species(config.diameter, rng)
    treatment = _Treatment.draw(rng)
    bank.snr[number] = config.snr
    for view in range(PER_SPECIES):
        options = config.model_copy(
            update={
                "snr": config.snr * rng.uniform(0.8, 1.25),
                "n_particles": int(config.n_particles * rng.uniform(0.6, 1.4)) + 3,
            }
        )
        made = simulate_micrograph(options, int(rng.integers(2**31)), species=species)
        image, frame = treatment.apply(made.image, rng)
        centres = made.picks.positions[:_MOST_PARTICLES]
        centres = centres[frame.holds(centres)]
        bank.images[number, view] = image
        bank.labels[number, view] = label_grid(centres, made, frame)
        bank.centres[number, view, : len(centres)] = centres


def random_config(rng: np.random.Generator) -> MicrographConfig:
    """Draw the conditions of one data set."""
    angstrom = np.exp(rng.uniform(np.log(70), np.log(400)))
    defocus = rng.uniform(0.5, 2.5)
    return MicrographConfig(
        shape=(SIZE, SIZE),
        # What users measure is off by a quarter, and elongated particles have no one diameter.
        diameter=WORKING_DIAMETER * float(np.exp(rng.uniform(np.log(0.75), np.log(1.3)))),
        pixel_size=angstrom / WORKING_DIAMETER,
        n_particles=int(np.exp(rng.uniform(np.log(12), np.log(130)))),
        min_distance=rng.uniform(0.5, 1.2),
        snr=float(np.exp(rng.uniform(np.log(0.05), np.log(1.5)))),
        contrast_variation=rng.uniform(0.05, 0.35),
        defocus_min_um=defocus,
        defocus_max_um=defocus + rng.uniform(0.3, 1.5),
        voltage_kv=float(rng.choice((200.0, 300.0))),
        amplitude_contrast=rng.uniform(0.07, 0.2),
        b_factor=float(np.exp(rng.uniform(np.log(50), np.log(1500)))),
        coloured_noise=rng.uniform(0.0, 0.5),
        gradient=rng.uniform(0.0, 0.7),
        hot_pixels=0,
        ice=rng.choice((0.0, 1.0, 4.0)),
        gold=rng.choice((0.0, 0.0, 0.5, 4.0)),
        aggregates=rng.uniform(0, 4),
        fragments=rng.uniform(0, 30),
        carbon=0.25,
    )


def label_grid(centres: Floats, made: SimulatedMicrograph, frame: _Frame) -> npt.NDArray[np.int16]:
    """Return the labels of the grid points, as in `Bank`."""
    grid = np.stack(np.mgrid[0:SIZE:2, 0:SIZE:2], axis=-1).astype(np.float64)
    labels = np.full(grid.shape[:2], BACKGROUND, np.int16)
    junk = [c.position for c in made.contaminants if c.kind != "carbon"]
    if junk:
        distance, _ = cKDTree(junk).query(grid)
        labels[distance < _NEAR_PX] = JUNK
    if len(centres):
        distance, nearest = cKDTree(centres).query(grid)
        labels[distance < _RING_PX] = IGNORED
        near = distance < _NEAR_PX
        labels[near] = nearest[near]
    if frame.mirrored:
        labels[~frame.holds(grid)] = IGNORED
    return labels


@dataclass(frozen=True, slots=True)
class _Frame:
    """The part of an image that is real, and what continues it."""

    low: tuple[int, int] = (0, 0)
    high: tuple[int, int] = (SIZE, SIZE)
    mirrored: bool = False

    def holds(self, positions: Floats) -> npt.NDArray[np.bool_]:
        """Say which positions (..., 2) lie inside."""
        above = positions >= np.asarray(self.low)
        return np.asarray((above & (positions <= np.asarray(self.high) - 1)).all(axis=-1))

    def continued(self, image: Floats, mode: str) -> Floats:
        """Return `image` with all that lies outside the frame made up from what lies inside."""
        (top, left), (bottom, right) = self.low, self.high
        inner = image[top:bottom, left:right]
        width = ((top, SIZE - bottom), (left, SIZE - right))
        if mode == "constant":
            value = float(np.random.default_rng(top + left).choice((0.0, inner.mean())))
            return np.pad(inner, width, constant_values=value)
        return np.pad(inner, width, mode=mode)


@dataclass(frozen=True, slots=True)
class _Treatment:
    """What was done to all micrographs of a data set after the detector."""

    blur_px: float
    gamma: float
    inverted: bool
    border: str | None

    @classmethod
    def draw(cls, rng: np.random.Generator) -> _Treatment:
        return cls(
            blur_px=float(rng.choice((0.0, 0.0, rng.uniform(0.4, 1.2)))),
            gamma=float(np.exp(rng.normal(scale=0.3))),
            inverted=bool(rng.random() < 0.15),
            border=rng.choice((None, None, "symmetric", "symmetric", "edge", "constant")),
        )

    def apply(
        self, counts: npt.NDArray[np.float32], rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.float32], _Frame]:
        """Return the working image and its frame."""
        image = gaussian_filter(counts.astype(np.float64), self.blur_px)
        low, high = np.percentile(image, (0.02, 99.98))
        image = np.clip((image - low) / (high - low), 0, 1) ** self.gamma
        frame = self._frame(rng)
        image = frame.continued(image, self.border or "edge")
        return percentile_normalise(-image if self.inverted else image), frame

    def _frame(self, rng: np.random.Generator) -> _Frame:
        if self.border is None:
            return _Frame()
        widths = rng.integers(4, 34, 4) * (rng.random(4) < 0.4)
        top, left, bottom, right = (int(width) for width in widths)
        mirrored = self.border == "symmetric"
        return _Frame((top, left), (SIZE - bottom, SIZE - right), mirrored)


def write_bank(folder: Path, n_species: int, n_held_out: int, seed: int) -> None:
    """Write ``train_000.npz`` ... and ``held_out_000.npz`` of a hundred species each.

    Files that are there already are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, (kind, wanted) in enumerate((("held_out", n_held_out), ("train", n_species))):
        for part in range(-(-wanted // _PER_FILE)):
            path = folder / f"{kind}_{part:03d}.npz"
            if not path.exists():
                size = min(_PER_FILE, wanted - part * _PER_FILE)
                make_bank(
                    size, int(np.random.SeedSequence([seed, number, part]).generate_state(1)[0])
                ).save(path)
