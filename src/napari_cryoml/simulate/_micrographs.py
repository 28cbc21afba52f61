"""Micrographs of made-up complexes in ice, with the truth about where they lie."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator
from scipy import fft

from napari_cryoml._errors import InputWarning
from napari_cryoml._registry import Config
from napari_cryoml.data import Picks
from napari_cryoml.simulate._contaminants import Contaminant, draw, place
from napari_cryoml.simulate._density import Complex, random_complex, random_rotations
from napari_cryoml.simulate._optics import coloured_noise, ctf, transfer

Floats = npt.NDArray[np.float64]

_NOISE_TO_MEAN = 0.1
_MEAN_COUNTS = 100.0
_REFERENCE_VIEWS = 24
_MOST_MISSES = 2000


class MicrographConfig(Config):
    """What a simulated micrograph shows, and how well."""

    shape: tuple[int, int] = Field((1024, 1024), description="Height and width in pixels.")
    diameter: float = Field(60.0, ge=6, description="Particle diameter in pixels.")
    pixel_size: float = Field(4.0, gt=0, description="Angstrom per pixel.")
    n_particles: int = Field(
        100, ge=0, description="Particles centred in a micrograph, or their expected number."
    )
    count: Literal["poisson", "fixed"] = Field(
        "poisson", description="Whether the number of particles varies from one to the next."
    )
    min_distance: float = Field(
        0.7,
        ge=0,
        le=3,
        description="Least distance of two particles in diameters; below 1 some overlap.",
    )
    symmetry: str = Field(
        "D2", pattern=r"^[CD][1-9]\d?$", description="Point group of the particle, as C4 or D2."
    )
    structure: int = Field(
        0, ge=0, description="Number of the made-up structure; the same number is the same protein."
    )
    snr: float = Field(
        0.15,
        gt=0,
        description="Mean square of the signal of a particle within the disc of its diameter, "
        "over the variance of the noise.",
    )
    contrast_variation: float = Field(
        0.15, ge=0, le=1, description="Relative spread of the contrast among particles."
    )
    defocus_min_um: float = Field(1.5, gt=0, description="Least underfocus in micrometres.")
    defocus_max_um: float = Field(3.0, gt=0, description="Largest underfocus in micrometres.")
    voltage_kv: float = Field(300.0, gt=0, description="Acceleration voltage in kilovolts.")
    cs_mm: float = Field(2.7, ge=0, description="Spherical aberration in millimetres.")
    amplitude_contrast: float = Field(
        0.1, ge=0, le=1, description="Share of amplitude contrast, 0.07 to 0.1 for ice."
    )
    b_factor: float = Field(
        150.0, ge=0, description="Fall-off of the signal at high frequency, square angstrom."
    )
    coloured_noise: float = Field(
        0.08,
        ge=0,
        le=1,
        description="Share of the noise variance that is smooth, up to the size of a particle.",
    )
    gradient: float = Field(
        0.3, ge=0, description="Spread of the slow change of ice thickness, in noise deviations."
    )
    exposure_variation: float = Field(
        0.2, ge=0, lt=1, description="Largest relative change of exposure between micrographs."
    )
    hot_pixels: int = Field(3, ge=0, description="Pixels that are absurdly bright.")
    ice: float = Field(1.5, ge=0, description="Expected number of ice crystals.")
    gold: float = Field(0.5, ge=0, description="Expected number of gold beads.")
    aggregates: float = Field(1.5, ge=0, description="Expected number of heaps of broken protein.")
    fragments: float = Field(
        12.0, ge=0, description="Expected number of broken particles, a third of a whole one each."
    )
    carbon: float = Field(
        0.15, ge=0, le=1, description="Chance that the edge of the carbon film is seen."
    )

    @model_validator(mode="after")
    def _check(self) -> MicrographConfig:
        if self.defocus_min_um > self.defocus_max_um:
            raise ValueError("defocus_min_um must not exceed defocus_max_um")
        if min(self.shape) < 8:
            raise ValueError("shape must be 8 pixels or more each way")
        return self


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedMicrograph:
    """A micrograph and the truth about it.

    Parameters
    ----------
    image : array of float32, shape (y, x)
        Counts: positive, protein darker than the ice.
    picks : Picks
        Every particle whose centre lies in the image.
    orientations : array of shape (n, 3, 3)
        Rotation of each particle of `picks`, on columns zyx.
    pixel_size : float
        Angstrom per pixel.
    defocus_um : float
        Underfocus in micrometres.
    contaminants : tuple of Contaminant
    clean : array of float32, shape (y, x)
        The same without noise, in standard deviations of the noise.
    """

    image: npt.NDArray[np.float32]
    picks: Picks
    orientations: Floats
    pixel_size: float
    defocus_um: float
    contaminants: tuple[Contaminant, ...]
    clean: npt.NDArray[np.float32]


def simulate_micrograph(
    config: MicrographConfig,
    seed: int,
    *,
    name: str = "simulated",
    species: Complex | None = None,
) -> SimulatedMicrograph:
    """Simulate one micrograph.

    Projections of randomly turned complexes and the matter of contaminants go through the
    transfer function of the microscope (weak-phase approximation); contaminants also take away
    electrons. Noise is partly white, partly smooth, and the ice has a slow gradient. Particles
    cut by the frame are drawn; only those centred inside are in the truth.

    Parameters
    ----------
    config : MicrographConfig
    seed : int
        Of everything but the structure of the particle, which is `config.structure`.
    name : str
        Image name of the picks.
    species : Complex, optional
        What the particles are, of `config.diameter`; by default the made-up complex that
        `config.symmetry` and `config.structure` name.

    Warns
    -----
    InputWarning
        If not all particles of a fixed number found room.
    """
    rng = np.random.default_rng(seed)
    if species is None:
        species = random_complex(config.diameter, config.symmetry, config.structure)
    defocus = float(rng.uniform(config.defocus_min_um, config.defocus_max_um))
    contaminants = place(
        {
            "ice": config.ice,
            "gold": config.gold,
            "aggregate": config.aggregates,
            "fragment": config.fragments,
            "carbon": config.carbon,
        },
        config.shape,
        config.diameter,
        rng,
    )
    centres = _place_particles(config, contaminants, rng)
    rotations = random_rotations(len(centres), rng)
    clean = _expose(config, species, centres, rotations, contaminants, defocus, rng)
    inside = _inside(centres, config.shape)
    picks = Picks(name, centres[inside], pixel_size=config.pixel_size, diameter=config.diameter)
    return SimulatedMicrograph(
        image=_detect(clean, config, rng),
        picks=picks,
        orientations=rotations[inside],
        pixel_size=config.pixel_size,
        defocus_um=defocus,
        contaminants=tuple(contaminants),
        clean=clean.astype(np.float32),
    )


def _place_particles(
    config: MicrographConfig, contaminants: list[Contaminant], rng: np.random.Generator
) -> Floats:
    """Return centres (n, 2): those inside the frame, then those that only reach into it."""
    margin = config.diameter / 2
    frame = np.asarray(config.shape, np.float64)
    wanted = config.n_particles
    if config.count == "poisson":
        wanted = int(rng.poisson(wanted))
    around = np.prod(frame + 2 * margin) / np.prod(frame) - 1
    n_around = int(rng.poisson(config.n_particles * around))
    centres = _scatter(config, contaminants, wanted, 0.0, np.empty((0, 2)), rng)
    if len(centres) < wanted and config.count == "fixed":
        warnings.warn(
            f"Only {len(centres)} of {wanted} particles found room: ask for fewer, or for a "
            "smaller distance.",
            InputWarning,
            stacklevel=3,
        )
    return _scatter(config, contaminants, n_around, margin, centres, rng)


def _scatter(
    config: MicrographConfig,
    contaminants: list[Contaminant],
    n: int,
    margin: float,
    taken: Floats,
    rng: np.random.Generator,
) -> Floats:
    """Throw darts until `n` more lie free; with a margin, only outside the frame.

    Gives up after many misses in a row: then the frame is about as full as chance can make it.
    """
    free_distance = config.min_distance * config.diameter
    low = np.full(2, -margin)
    high = np.asarray(config.shape) - 1 + margin
    centres, misses = taken, 0
    while len(centres) < len(taken) + n and misses < _MOST_MISSES:
        dart = rng.uniform(low, high)
        misses += 1
        if margin > 0 and _inside(dart[None], config.shape)[0]:
            continue
        if np.any(np.sum(np.square(centres - dart), axis=1) < free_distance**2):
            continue
        if any(c.covers(dart, config.diameter / 3) for c in contaminants):
            continue
        centres, misses = np.vstack([centres, dart]), 0
    return centres


def _inside(centres: Floats, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    return np.asarray(((centres >= 0) & (centres <= np.asarray(shape) - 1)).all(axis=1))


def _expose(
    config: MicrographConfig,
    species: Complex,
    centres: Floats,
    rotations: Floats,
    contaminants: Iterable[Contaminant],
    defocus: float,
    rng: np.random.Generator,
) -> Floats:
    """Return what the lens makes of the matter, in standard deviations of the noise."""
    margin = int(np.ceil(config.diameter))
    canvas = tuple(fft.next_fast_len(size + 2 * margin, real=True) for size in config.shape)
    matter, shade = np.zeros(canvas), np.zeros(canvas)
    contrasts = 1 + config.contrast_variation * rng.standard_normal(len(centres))
    for centre, rotation, contrast in zip(centres, rotations, contrasts, strict=True):
        _add(matter, species, centre + margin, rotation, max(contrast, 0.2))
    for contaminant in contaminants:
        y, x = contaminant.position
        moved = Contaminant(contaminant.kind, (y + margin, x + margin), contaminant.radius)
        draw(moved, matter, shade, species, rng)
    gain = np.sqrt(config.snr / _signal_power(config, species, defocus))
    seen = gain * transfer(matter, _transfer_function(config, canvas, defocus)) - shade
    frame = tuple(slice(margin, margin + size) for size in config.shape)
    return np.asarray(seen[frame])


def _add(
    canvas: Floats, species: Complex, centre: Floats, rotation: Floats, contrast: float
) -> None:
    """Add the projection of a particle to the part of the canvas that it covers."""
    reach = float(np.linalg.norm(species.centres, axis=1).max()) + 4 * species.sigma
    start = np.maximum(np.floor(centre - reach).astype(int), 0)
    stop = np.minimum(np.ceil(centre + reach).astype(int) + 1, canvas.shape)
    window = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    canvas[window] += contrast * species.projection(stop - start, centre - start, rotation)


def _transfer_function(
    config: MicrographConfig, shape: tuple[int, ...], defocus_um: float
) -> Floats:
    return ctf(
        shape,
        config.pixel_size,
        defocus_um,
        voltage_kv=config.voltage_kv,
        cs_mm=config.cs_mm,
        amplitude_contrast=config.amplitude_contrast,
        b_factor=config.b_factor,
    )


def _signal_power(config: MicrographConfig, species: Complex, defocus_um: float) -> float:
    """Return the mean square over the particle's disc of lone particles, all views together."""
    size = fft.next_fast_len(int(np.ceil(3 * config.diameter)), real=True)
    centre = np.full(2, size // 2)
    disc = np.linalg.norm(np.indices((size, size)) - size // 2, axis=0) <= config.diameter / 2
    transfer_function = _transfer_function(config, (size, size), defocus_um)
    views = random_rotations(_REFERENCE_VIEWS, np.random.default_rng(config.structure))
    powers = [
        np.mean(
            transfer(species.projection((size, size), centre, view), transfer_function)[disc] ** 2
        )
        for view in views
    ]
    return float(np.mean(powers))


def _detect(
    clean: Floats, config: MicrographConfig, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Add noise and gradient and bring it to counts."""
    smooth = coloured_noise(clean.shape, config.diameter / 5, rng)
    white = rng.standard_normal(clean.shape)
    share = config.coloured_noise
    noisy = clean + np.sqrt(share) * smooth + np.sqrt(1 - share) * white
    noisy += config.gradient * _slope(clean.shape, rng)
    exposure = 1 + config.exposure_variation * rng.uniform(-1, 1)
    counts = exposure * _MEAN_COUNTS * (1 + _NOISE_TO_MEAN * noisy)
    hot = rng.integers(0, clean.size, config.hot_pixels)
    counts.flat[hot] *= rng.uniform(20, 60, config.hot_pixels)
    return np.maximum(counts, 0).astype(np.float32)


def _slope(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Return a slow random field, a quadric, of mean 0 and deviation 1."""
    y, x = (np.linspace(-1, 1, size) for size in shape)
    a, b, c, d, e = rng.normal(size=5) * (1, 1, 0.5, 0.5, 0.5)
    field = a * y[:, None] + b * x + c * y[:, None] ** 2 + d * x**2 + e * y[:, None] * x
    field -= field.mean()
    return np.asarray(field / field.std(), np.float64)
