"""What lies about on a grid beside whole particles: ice, gold, debris, the carbon edge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from napari_cryoml.simulate._density import Complex, random_rotations
from napari_cryoml.simulate._optics import coloured_noise

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Kind = Literal["ice", "gold", "aggregate", "fragment", "carbon"]

_RADIUS_IN_DIAMETERS: dict[str, tuple[float, float]] = {
    "ice": (0.6, 1.6),
    "gold": (0.12, 0.22),
    "aggregate": (0.7, 1.3),
    "fragment": (0.25, 0.3),
}


@dataclass(frozen=True, slots=True)
class Contaminant:
    """Something that is no particle.

    Parameters
    ----------
    kind : {"ice", "gold", "aggregate", "fragment", "carbon"}
    position : (float, float)
        Pixel yx of its centre; for carbon, of the centre of the hole that the carbon surrounds.
    radius : float
        Pixels; for carbon, of the hole.
    """

    kind: Kind
    position: tuple[float, float]
    radius: float

    def covers(self, positions: npt.ArrayLike, margin: float = 0.0) -> Mask:
        """Say which positions (..., 2) lie on it, or less than `margin` pixels beside it."""
        distance = np.linalg.norm(np.asarray(positions) - self.position, axis=-1)
        if self.kind == "carbon":
            return np.asarray(distance > self.radius - margin)
        return np.asarray(distance < self.radius + margin)


def place(
    rates: dict[Kind, float], shape: tuple[int, int], diameter: float, rng: np.random.Generator
) -> list[Contaminant]:
    """Draw contaminants for an image.

    Parameters
    ----------
    rates : dict
        Number expected in an image, each kind; for carbon, the chance that its edge is seen.
    shape : (int, int)
        Shape yx of the image, pixels.
    diameter : float
        Particle diameter in pixels, which sets the sizes.
    """
    found: list[Contaminant] = []
    for kind, rate in rates.items():
        if kind == "carbon":
            found += [_hole(shape, rng)] if rng.random() < rate else []
            continue
        for _ in range(rng.poisson(rate)):
            y, x = rng.random(2) * shape
            radius = rng.uniform(*_RADIUS_IN_DIAMETERS[kind]) * diameter
            found.append(Contaminant(kind, (float(y), float(x)), float(radius)))
    return found


def _hole(shape: tuple[int, int], rng: np.random.Generator) -> Contaminant:
    """Return a hole in the carbon whose edge crosses the image near a corner or a side."""
    size = float(np.mean(shape))
    radius = rng.uniform(0.9, 1.6) * size
    angle = rng.uniform(0, 2 * np.pi)
    edge_from_centre = rng.uniform(0.25, 0.45) * size
    direction = np.array([np.sin(angle), np.cos(angle)])
    y, x = np.asarray(shape) / 2 + direction * (edge_from_centre - radius)
    return Contaminant("carbon", (float(y), float(x)), float(radius))


def draw(
    contaminant: Contaminant,
    matter: Floats,
    shade: Floats,
    species: Complex,
    rng: np.random.Generator,
) -> None:
    """Add a contaminant to both layers of a canvas, in place.

    Parameters
    ----------
    contaminant : Contaminant
        Its position in pixels yx of the canvas.
    matter : array of shape (y, x)
        Projected density, seen through the transfer function; a particle has about 1.
    shade : array of shape (y, x)
        Loss of electrons, seen as it is, in standard deviations of the noise.
    species : Complex
        What aggregates and fragments are broken from.
    """
    if contaminant.kind in ("aggregate", "fragment"):
        _draw_debris(contaminant, matter, species, rng)
        return
    window = _window(contaminant, matter.shape)
    grid = np.moveaxis(np.mgrid[window], 0, -1).astype(np.float64)
    if grid.size == 0:
        return
    depth = _depth(contaminant, grid, rng)
    add_matter, add_shade = _substance(contaminant.kind, depth, rng)
    matter[window] += add_matter
    shade[window] += add_shade


def _window(contaminant: Contaminant, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Return the part of a canvas that may be touched; empty if it lies outside."""
    if contaminant.kind == "carbon":
        return tuple(slice(0, size) for size in shape)
    reach = 1.7 * contaminant.radius + 3
    return tuple(
        slice(min(max(int(c - reach), 0), size), min(max(int(c + reach) + 1, 0), size))
        for c, size in zip(contaminant.position, shape, strict=True)
    )


def _depth(contaminant: Contaminant, grid: Floats, rng: np.random.Generator) -> Floats:
    """Return how many pixels each place lies inside the outline, negative outside."""
    offset = grid - contaminant.position
    distance = np.linalg.norm(offset, axis=-1)
    if contaminant.kind == "carbon":
        return np.asarray(distance - contaminant.radius)
    outline = np.full(distance.shape, contaminant.radius)
    if contaminant.kind == "ice":
        angle = np.arctan2(offset[..., 0], offset[..., 1])
        for m in range(2, 7):
            wave = rng.normal(scale=0.25 / m) * np.cos(m * angle + rng.uniform(0, 2 * np.pi))
            outline += contaminant.radius * wave
    return np.asarray(outline - distance)


def _substance(kind: Kind, depth: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return matter and shade of a body from the depth within its outline, pixels."""
    inside = 1 / (1 + np.exp(-np.clip(depth, -30, 30)))
    if kind == "gold":
        return 2.0 * inside, rng.uniform(5.0, 8.0) * inside
    grain = coloured_noise(depth.shape, 3.0, rng)
    if kind == "carbon":
        return inside * (1.0 + 0.4 * grain), rng.uniform(0.6, 1.2) * inside
    thickness = inside * (1 - np.exp(-np.maximum(depth, 0) / 6))
    coarse = coloured_noise(depth.shape, 25.0, rng)
    return (
        thickness * (1.0 + 0.3 * grain),
        rng.uniform(0.8, 2.0) * thickness * (1 + 0.15 * coarse),
    )


def _draw_debris(
    contaminant: Contaminant, matter: Floats, species: Complex, rng: np.random.Generator
) -> None:
    """Add one broken piece of the complex, or many heaped up without order."""
    window = _window(contaminant, matter.shape)
    corner = np.array([part.start for part in window])
    shape = [part.stop - part.start for part in window]
    heaped = contaminant.kind == "aggregate"
    for rotation in random_rotations(int(rng.integers(8, 16)) if heaped else 1, rng):
        piece = _broken(species, 0.5 if heaped else 0.33, rng)
        spread = contaminant.radius / 2.2 if heaped else 0.0
        spot = np.asarray(contaminant.position) + rng.normal(size=2) * spread
        matter[window] += piece.projection(shape, spot - corner, rotation)


def _broken(species: Complex, share: float, rng: np.random.Generator) -> Complex:
    """Return the outermost `share` of a complex in a random direction, centred."""
    along = species.centres @ rng.normal(size=3)
    kept = species.centres[along >= np.quantile(along, 1 - share)]
    return replace(species, centres=kept - kept.mean(axis=0))
