"""Averages of crops of one view, and of all views, against the truth; on one core."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy.spatial.transform import Rotation
from threadpoolctl import threadpool_limits

from _record import table
from napari_cryoml.averaging import class_average, shell_correlation
from napari_cryoml.simulate import Complex, ctf, random_complex, random_rotations

COUNTS = (50, 200, 500)
SIDES = (64, 128)
SNRS = (0.15, 0.05)
STRUCTURES = 3
_N_OF_VIEWS = 200
_BOX_ANGSTROM = 256.0
_DEFOCUS_UM = 2.0
_DIAMETER_SHARE = 0.625
_SHIFT_SHARE = 0.03
_COARSE_DEG, _FINE_DEG = 4.0, 0.5

Row = dict[str, Any]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """A made-up complex seen through a lens, dark on bright.

    Parameters
    ----------
    species : Complex
    side : int
        Of the box in pixels.
    """

    species: Complex
    side: int

    @property
    def pixel_size(self) -> float:
        """Angstrom per pixel."""
        return _BOX_ANGSTROM / self.side

    def image(self, rotation: Floats, shift: npt.ArrayLike = (0.0, 0.0)) -> Floats:
        """Return what is seen without noise, `shift` pixels yx from the centre."""
        position = self.side // 2 + np.asarray(shift, float)
        flat = self.species.projection((self.side,) * 2, position, rotation)
        lens = ctf(flat.shape, self.pixel_size, _DEFOCUS_UM, b_factor=150)
        return np.asarray(fft.irfft2(fft.rfft2(flat) * lens, s=flat.shape))

    def crops(
        self, rotations: Floats, snr: float, rng: np.random.Generator
    ) -> npt.NDArray[np.float32]:
        """Return noisy crops, turned in the plane and not quite centred."""
        rows, columns = np.indices((self.side,) * 2) - self.side // 2
        disc = np.hypot(rows, columns) <= _DIAMETER_SHARE * self.side / 2
        power = np.mean([np.mean(self.image(each)[disc] ** 2) for each in rotations[:20]])
        spread = _SHIFT_SHARE * self.side
        signal = [
            self.image(_turned(each, angle), shift)
            for each, angle, shift in zip(
                rotations,
                rng.uniform(0, 360, len(rotations)),
                rng.uniform(-spread, spread, (len(rotations), 2)),
                strict=True,
            )
        ]
        crops = np.sqrt(snr / power) * np.array(signal)
        return np.asarray(crops + rng.normal(size=crops.shape), np.float32)


def averages() -> Iterator[Row]:
    """Average crops of one view and of all views."""
    with threadpool_limits(1):
        _measure(*_crops(1, 64, COUNTS[0], SNRS[0], one_view=True))  # libraries are loaded once
        for snr in SNRS:
            for side in SIDES:
                for n in COUNTS:
                    yield _row(side, n, snr, one_view=True)
                yield _row(side, _N_OF_VIEWS, snr, one_view=False)


def averages_table(rows: Sequence[Row]) -> str:
    """Return the table for the page."""
    header = [
        "crops", "box", "SNR", "seconds", "FRC 0.143", "unaligned",
        "with the truth", "unaligned", "to FRC 0.5 with the truth", "unaligned",
    ]  # fmt: skip
    body = [
        [
            f"{row['n']} of {row['views']}",
            f"{row['side']} px",
            row["snr"],
            f"{row['seconds']:.1f}",
            _angstrom(row["frc"]),
            _angstrom(row["frc_unaligned"]),
            *(_shown(row[key]) for key in ("likeness", "likeness_unaligned")),
            *(_angstrom(row.get(key)) for key in ("truth_frc", "truth_frc_unaligned")),
        ]
        for row in rows
    ]
    return table(header, body)


def _row(side: int, n: int, snr: float, *, one_view: bool) -> Row:
    """Return the means over some structures; a resolution none has is None."""
    found = [_measure(*_crops(seed, side, n, snr, one_view)) for seed in range(STRUCTURES)]
    row: Row = {"views": "one view" if one_view else "all views", "side": side, "n": n, "snr": snr}
    for key in found[0]:
        values = [each[key] for each in found if each[key] is not None]
        row[key] = float(np.mean(values)) if values else None
    return row


def _crops(
    seed: int, side: int, n: int, snr: float, one_view: bool
) -> tuple[npt.NDArray[np.float32], Views, Floats | None]:
    rng = np.random.default_rng(seed)
    views = Views(random_complex(_DIAMETER_SHARE * side, "C1", seed), side)
    rotations = random_rotations(1 if one_view else n, rng)
    crops = views.crops(np.resize(rotations, (n, 3, 3)), snr, rng)
    return crops, views, rotations[0] if one_view else None


def _measure(crops: npt.NDArray[np.float32], views: Views, view: Floats | None) -> Row:
    start = time.perf_counter()
    aligned = class_average(crops, pixel_size=views.pixel_size)
    seconds = time.perf_counter() - start
    halves = [crops[aligned.half == number].mean(axis=0) for number in (0, 1)]
    unaligned = shell_correlation(*halves, pixel_size=views.pixel_size)
    row = {
        "seconds": seconds,
        "frc": aligned.resolution,
        "frc_unaligned": unaligned.resolution(),
    }
    for name, image in (("", aligned.average), ("_unaligned", crops.mean(axis=0))):
        found = (None, None) if view is None else _against_truth(image, views, view)
        row |= dict(zip((f"likeness{name}", f"truth_frc{name}"), found, strict=True))
    return row


def _against_truth(
    image: npt.NDArray[np.float32], views: Views, view: Floats
) -> tuple[float, float | None]:
    """Return correlation and resolution against the truth as it fits best."""
    best = _fitted(image, views, view, np.arange(0, 360, _COARSE_DEG))
    steps = best[1] + np.arange(-_COARSE_DEG, _COARSE_DEG + _FINE_DEG, _FINE_DEG)
    likeness, _, truth = _fitted(image, views, view, steps)
    return likeness, shell_correlation(image, truth, pixel_size=views.pixel_size).resolution(0.5)


def _fitted(
    image: npt.NDArray[np.float32], views: Views, view: Floats, angles: Floats
) -> tuple[float, float, Floats]:
    """Return the highest correlation over turns and shifts, its turn, and the truth so."""
    spectrum = fft.rfft2(image - image.mean())
    found = []
    for angle in angles:
        rotation = _turned(view, angle)
        truth = views.image(rotation)
        product = fft.irfft2(spectrum * fft.rfft2(truth - truth.mean()).conj(), s=truth.shape)
        place = np.unravel_index(product.argmax(), product.shape)
        shift = np.array([_top(np.take(product, place[1 - axis], axis=1 - axis), place[axis])
                          for axis in (0, 1)])  # fmt: skip
        truth = views.image(rotation, shift)
        found.append((float(np.corrcoef(image.ravel(), truth.ravel())[0, 1]), angle, truth))
    return max(found, key=lambda each: each[0])


def _top(line: Floats, index: int) -> float:
    """Return where a parabola through the highest value and its neighbours has its top."""
    low, here, high = (line[(index + step) % len(line)] for step in (-1, 0, 1))
    place = index + (high - low) / (2 * (2 * here - low - high))
    return float(place - len(line) if place > len(line) / 2 else place)


def _turned(rotation: Floats, angle_deg: float) -> Floats:
    return np.asarray(Rotation.from_rotvec([np.deg2rad(angle_deg), 0, 0]).as_matrix() @ rotation)


def _angstrom(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} Å"


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
