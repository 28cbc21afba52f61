"""Made-up particles of many shapes, as clouds of Gaussians."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from napari_cryoml.simulate import Complex, random_complex

Points = npt.NDArray[np.float64]

SYMMETRIES = ("C1", "C1", "C1", "C2", "C3", "C4", "C5", "C6", "C8", "D1", "D2", "D3", "D4", "D7")


def random_species(diameter: float, rng: np.random.Generator) -> Complex:
    """Return a particle of a shape drawn at random.

    Parameters
    ----------
    diameter : float
        Diameter of the ball around it, pixels.
    rng : numpy Generator

    Returns
    -------
    Complex
        Its mass is the area of the disc of `diameter`, as that of `random_complex`.
    """
    shapes: tuple[Callable[[np.random.Generator], Points], ...] = (
        _subunits,
        _in_a_membrane,
        _globule,
        _shell,
        _rod,
    )
    shape = shapes[rng.choice(len(shapes), p=(0.5, 0.22, 0.12, 0.06, 0.1))]
    points = shape(rng)
    points = points - points.mean(axis=0)
    sigma = diameter / 28 * rng.uniform(1.0, 1.6)
    reach = float(np.linalg.norm(points, axis=1).max())
    mass = np.pi * (diameter / 2) ** 2 / len(points)
    return Complex(points * ((diameter / 2 - sigma) / reach), sigma, float(mass))


def _subunits(rng: np.random.Generator) -> Points:
    """Return a complex of subunits, sometimes drawn out or flattened along its axis."""
    whole = random_complex(2.0, str(rng.choice(SYMMETRIES)), int(rng.integers(2**31)))
    return np.asarray(whole.centres * (np.exp(rng.normal(scale=0.4)), 1.0, 1.0))


def _in_a_membrane(rng: np.random.Generator) -> Points:
    """Return a protein that sits in a disc of detergent or lipid of lower density."""
    symmetry = str(rng.choice(("C1", "C1", "C2", "C3", "C4", "C5")))
    protein = random_complex(2.0, symmetry, int(rng.integers(2**31))).centres[:400]
    protein = protein * (rng.uniform(0.7, 1.8), 0.75, 0.75)
    belt = _ball(int(rng.uniform(80, 400)), rng)
    radius = rng.uniform(0.8, 1.15)
    belt *= (rng.uniform(0.3, 0.5), radius, radius)
    belt[:, 0] += rng.uniform(-0.4, 0.4)
    return np.concatenate([protein, belt])


def _globule(rng: np.random.Generator) -> Points:
    """Return one to three filled ellipsoids that touch: a small protein without much form."""
    parts = []
    for _ in range(int(rng.integers(1, 4))):
        axes = rng.uniform(0.4, 1.0, 3)
        parts.append(_ball(200, rng) * axes + rng.normal(scale=0.45, size=3))
    return np.concatenate(parts)


def _shell(rng: np.random.Generator) -> Points:
    """Return a hollow ball with lumps, as a cage or a capsid."""
    points = rng.normal(size=(600, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    lumps = rng.normal(size=(24, 3))
    lumps /= np.linalg.norm(lumps, axis=1, keepdims=True)
    near = (points @ lumps.T).max(axis=1)
    kept = points[near >= np.quantile(near, rng.uniform(0, 0.5))]
    return np.asarray(kept * rng.uniform(rng.uniform(0.55, 0.85), 1.0, (len(kept), 1)))


def _rod(rng: np.random.Generator) -> Points:
    """Return a bent rod of beads, two to five times as long as it is thick."""
    length = rng.uniform(2.0, 5.0)
    along = np.linspace(-length / 2, length / 2, int(rng.integers(3, 8)))
    bend = rng.normal(scale=0.12) * along**2
    beads = np.stack([along, bend, rng.normal(scale=0.15, size=len(along))], axis=1)
    sizes = rng.uniform(0.35, 0.6, len(beads))
    return np.concatenate(
        [bead + size * _ball(90, rng) for bead, size in zip(beads, sizes, strict=True)]
    )


def _ball(n: int, rng: np.random.Generator) -> Points:
    """Return `n` points that fill the unit ball evenly."""
    steps = rng.normal(size=(n, 3))
    steps *= np.cbrt(rng.random((n, 1))) / np.linalg.norm(steps, axis=1, keepdims=True)
    return np.asarray(steps)
