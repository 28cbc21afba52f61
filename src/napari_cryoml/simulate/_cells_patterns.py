"""Where a protein is in a cell: the seventeen compartments of yeast, drawn from geometry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from napari_cryoml.simulate._cells_anatomy import Anatomy, Images, Numbers

Generator: TypeAlias = np.random.Generator


@dataclass(frozen=True, slots=True, eq=False)
class Traits:
    """How a protein fills its compartment, one number a cell, each of shape (n,).

    Parameters
    ----------
    count : array
        Factor on the number of puncta, tubes and clumps.
    extent : array
        Factor on the length of tubes, the reach of rings and how far towards the rim.
    width : array
        Factor on the width of membranes, tubes and puncta.
    polarity : array
        From -1, the back of the mother, to 1, the bud.
    clumping : array
        From 0, even, to 1, clumped.
    """

    count: Numbers
    extent: Numbers
    width: Numbers
    polarity: Numbers
    clumping: Numbers


Draw: TypeAlias = Callable[[Anatomy, Traits, Generator], Images]


def splat(places: Numbers, weights: Numbers, widths: Numbers, size: int) -> Images:
    """Return round spots, added up: shape (n, size, size).

    Parameters
    ----------
    places : array of shape (n, k, 2)
        Pixels (y, x).
    weights : array of shape (n, k)
    widths : array of shape (n,)
        Standard deviation of the spots, pixels.
    size : int
    """
    grid = np.arange(size, dtype=np.float32)
    scale = np.sqrt(0.5).astype(np.float32) / widths[:, None, None]
    spread = np.exp(-(((grid - places[..., None]) * scale[..., None]) ** 2))
    return np.matmul((spread[:, :, 0] * weights[..., None]).transpose(0, 2, 1), spread[:, :, 1])


def marker(anatomy: Anatomy) -> Images:
    """Return the cytosol as the marker shows it: all of the body, little of the vacuole."""
    thickness = _dome(anatomy.body, anatomy.radii) ** 0.8
    vacuole = _dome(anatomy.vacuole, anatomy.vacuole_radii[:, 0])
    nucleus = _dome(anatomy.nucleus, anatomy.nucleus_radii[:, 0])
    return thickness * (1 - 0.6 * vacuole) * (1 - 0.12 * nucleus)


def _dome(distance: Images, radii: Numbers) -> Images:
    """Return the thickness of a ball of some radius, from 0 at its rim to 1."""
    depth = np.clip(distance / np.maximum(radii, 1e-3)[:, None, None], 0, 1)
    return np.sqrt(depth * (2 - depth))


def _filled(distance: Images, radii: Numbers, traits: Traits, anatomy: Anatomy) -> Images:
    """Return a filled compartment, fuller towards its rim the larger the extent."""
    depth = np.clip(distance / np.maximum(radii, 1e-3)[:, None, None], 0, 1)
    rim = np.log(traits.extent)[:, None, None] * 2.5
    full = np.sqrt(depth * (2 - depth)) * np.exp(-rim * depth)
    return full * _polar(anatomy, traits, 0.6)


def _polar(anatomy: Anatomy, traits: Traits, strength: float) -> Images:
    ends = np.clip(anatomy.along, -1.5, 1.5)
    return np.exp(strength * traits.polarity[:, None, None] * ends)


def _clumped(image: Images, anatomy: Anatomy, traits: Traits, rng: Generator) -> Images:
    """Return an image with clumps, as many and as strong as the traits say."""
    n, most = len(anatomy), 24
    turns, depths = _anywhere(n, most, rng)
    present = rng.random((n, most)) < np.clip(0.4 * traits.count, 0.1, 1)[:, None]
    places = anatomy.on_ellipse(turns, depths)
    spots = splat(
        places, present.astype(np.float32), 1.7 * anatomy.unit * traits.width, anatomy.size
    )
    share = traits.clumping[:, None, None]
    return image * (1 - 0.75 * share + 1.5 * share * spots)


def _anywhere(n: int, k: int, rng: Generator, least: float = 0.0) -> tuple[Numbers, Numbers]:
    turns = rng.uniform(-np.pi, np.pi, (n, k))
    depths = np.sqrt(rng.uniform(least**2, 0.95**2, (n, k)))
    return turns.astype(np.float32), depths.astype(np.float32)


def _ring(
    distance: Images, inset: float, anatomy: Anatomy, traits: Traits, rng: Generator
) -> Images:
    """Return a membrane at a distance inside a surface, patchy as the traits say."""
    width = 0.75 * anatomy.unit * traits.width[:, None, None]
    line = np.exp(-0.5 * ((distance - inset * anatomy.unit) / width) ** 2)
    return _clumped(line * _polar(anatomy, traits, 0.5), anatomy, traits, rng)


def _cytoplasm(anatomy: Anatomy, traits: Traits, rng: Generator) -> Images:
    full = _filled(anatomy.body, anatomy.radii, traits, anatomy)
    outside = (1 - _dome(anatomy.vacuole, anatomy.vacuole_radii[:, 0])) * (
        1 - 0.65 * _dome(anatomy.nucleus, anatomy.nucleus_radii[:, 0])
    )
    return _clumped(full * outside, anatomy, traits, rng)


def _nucleus(anatomy: Anatomy, traits: Traits, rng: Generator) -> Images:
    full = _filled(anatomy.nucleus, anatomy.nucleus_radii[:, 0], traits, anatomy)
    return _clumped(full, anatomy, traits, rng)


def _nuclear_periphery(anatomy: Anatomy, traits: Traits, rng: Generator) -> Images:
    return _ring(anatomy.nucleus, 0.3, anatomy, traits, rng)


def _nucleolus(anatomy: Anatomy, traits: Traits, rng: Generator) -> Images:
    """Draw the crescent at the back of each nucleus."""
    radii = anatomy.nucleus_radii
    swing = rng.normal(0, 0.5, radii.shape) + 0.6 * traits.polarity[:, None]
    turns = anatomy.angles[:, None] + np.pi * np.sign(swing) + swing
    aside = np.stack([np.sin(turns), np.cos(turns)], axis=-1).astype(np.float32)
    places = anatomy.nuclei + aside * (0.5 * radii)[..., None]
    width = 0.42 * radii[:, 0] * traits.extent * np.sqrt(traits.width)
    spots = splat(places, np.sign(radii), width, anatomy.size)
    soft = np.clip(anatomy.nucleus / anatomy.unit + 0.5, 0, 1)
    return _clumped(spots * soft, anatomy, traits, rng)


def _vacuole(anatomy: Anatomy, traits: Traits, rng: Generator) -> Images:
    full = _filled(anatomy.vacuole, anatomy.vacuole_radii[:, 0], traits, anatomy)
    return _clumped(full, anatomy, traits, rng)


def _vacuolar_membrane(anatomy: Anatomy, traits: Traits, rng: Generator) -> Images:
    return _ring(anatomy.vacuole, 0.0, anatomy, traits, rng)


def _cell_periphery(anatomy: Anatomy, traits: Traits, rng: Generator) -> Images:
    return _ring(anatomy.body, 0.9, anatomy, traits, rng)


def _er(anatomy: Anatomy, traits: Traits, rng: Generator) -> Images:
    """Draw the envelope of the nucleus, a broken sheet below the cortex, and strands between."""
    nuclear = _ring(anatomy.nucleus, 0.0, anatomy, traits, rng)
    cortical = _ring(anatomy.body, 1.6, anatomy, traits, rng)
    strands = _tubes(anatomy, traits, rng, most=2, depth=0.55, width=0.7)
    reach = np.clip(0.8 * traits.extent, 0.2, 2)[:, None, None]
    return nuclear + reach * cortical + 0.4 * strands


def _mitochondrion(anatomy: Anatomy, traits: Traits, rng: Generator) -> Images:
    return _tubes(anatomy, traits, rng, most=6, depth=0.75, width=0.95)


def _tubes(
    anatomy: Anatomy,
    traits: Traits,
    rng: Generator,
    *,
    most: int,
    depth: float,
    width: float,
    steps: int = 12,
) -> Images:
    """Draw winding tubes near some depth of the mother, and some in the bud."""
    n = len(anatomy)
    begin = rng.uniform(-np.pi, np.pi, (n, most, 1))
    # A pull towards the bud, or to the back of the mother.
    begin = begin - 0.6 * traits.polarity[:, None, None] * np.sin(begin)
    step = rng.choice([-1, 1], (n, most, 1)) * rng.uniform(0.09, 0.17, (n, most, 1))
    turns = begin + step * np.arange(steps) + np.cumsum(rng.normal(0, 0.06, (n, most, steps)), -1)
    depths = depth + np.cumsum(rng.normal(0, 0.05, (n, most, steps)), -1)
    depths = np.clip(depths + rng.normal(0, 0.08, (n, most, 1)), 0.25, 0.9)
    lasting = np.arange(steps) < np.clip(8 * traits.extent, 2, steps)[:, None, None]
    present = rng.random((n, most, 1)) < np.clip(0.55 * traits.count, 0.15, 1)[:, None, None]
    present[:, 0] = True
    beads = np.exp(traits.clumping[:, None, None] * rng.normal(0, 0.8, (n, most, steps)))
    weights = (lasting & present) * beads
    flat = (n, most * steps)
    places = _mother_or_bud(anatomy, turns.reshape(flat), depths.reshape(flat), traits, rng, steps)
    wide = width * anatomy.unit * traits.width
    return splat(places, weights.reshape(flat).astype(np.float32), wide, anatomy.size)


def _mother_or_bud(
    anatomy: Anatomy,
    turns: Numbers,
    depths: Numbers,
    traits: Traits,
    rng: Generator,
    together: int = 1,
) -> Numbers:
    """Return places, (n, k, 2), some of them in the bud; `together` that follow stay so."""
    n, k = turns.shape
    area = (anatomy.bud_radii / anatomy.radii) ** 2
    chance = area * np.exp(1.5 * traits.polarity)
    chance = chance / (1 + chance)
    bud = np.repeat(rng.random((n, k // together)) < chance[:, None], together, axis=1)
    turns, depths = turns.astype(np.float32), depths.astype(np.float32)
    return np.where(
        bud[..., None], anatomy.in_bud(turns, depths), anatomy.on_ellipse(turns, depths)
    )


def _puncta(
    *, usual: float, depth: tuple[float, float], width: float, at_vacuole: bool = False
) -> Draw:
    """Return a pattern of spots.

    Parameters
    ----------
    usual : float
        Expected number.
    depth : pair of float
        Least and largest depth, 1 on the surface.
    width : float
        Standard deviation in units.
    at_vacuole : bool
        Whether they sit on the vacuole.
    """

    def draw(anatomy: Anatomy, traits: Traits, rng: Generator) -> Images:
        n, most = len(anatomy), int(3 * usual) + 2
        wanted = np.maximum(rng.poisson(usual * traits.count), 1)
        turns = rng.uniform(-np.pi, np.pi, (n, most))
        depths = np.sqrt(rng.uniform(depth[0] ** 2, depth[1] ** 2, (n, most)))
        depths = np.clip(depths * traits.extent[:, None] ** 0.5, 0, 0.97)
        if at_vacuole:
            places = _on_vacuole(anatomy, turns, traits)
        else:
            places = _mother_or_bud(anatomy, turns, depths, traits, rng)
        weights = np.exp(traits.clumping[:, None] * rng.normal(0, 0.9, (n, most)))
        weights = weights * (np.arange(most) < wanted[:, None])
        wide = width * anatomy.unit * traits.width
        return splat(places, weights.astype(np.float32), wide, anatomy.size)

    return draw


def _on_vacuole(anatomy: Anatomy, turns: Numbers, traits: Traits) -> Numbers:
    far = (anatomy.vacuole_radii[:, 0] * (0.9 + 0.35 * traits.extent))[:, None]
    aside = np.stack([np.sin(turns), np.cos(turns)], axis=-1)
    return (anatomy.vacuoles[:, :1] + far[..., None] * aside).astype(np.float32)


def _poles(anatomy: Anatomy) -> tuple[Numbers, Numbers]:
    """Return the spindle poles, (n, 2, 2), and which are there, (n, 2)."""
    ahead = anatomy.directions
    radii = anatomy.nucleus_radii
    first = anatomy.nuclei[:, 0] + ahead * radii[:, :1]
    divided = radii[:, 1] > 0
    behind = anatomy.nuclei[:, 0] - ahead * radii[:, :1]
    far = anatomy.nuclei[:, 1] + ahead * radii[:, 1:]
    second = np.where(divided[:, None], far, behind)
    # The pole doubles once the bud has grown.
    double = anatomy.bud_radii > 0.45 * anatomy.radii
    first = np.where(divided[:, None], behind, first)
    present = np.stack([np.ones(len(anatomy)), double], axis=-1)
    return np.stack([first, second], axis=1).astype(np.float32), present.astype(np.float32)


def _spindle_pole(anatomy: Anatomy, traits: Traits, rng: Generator) -> Images:
    places, present = _poles(anatomy)
    uneven = np.exp(traits.clumping[:, None] * rng.normal(0, 0.6, present.shape))
    uneven[:, 1] *= np.exp(traits.polarity)
    wide = 0.85 * anatomy.unit * traits.width
    return splat(places, present * uneven.astype(np.float32), wide, anatomy.size)


def _microtubule(anatomy: Anatomy, traits: Traits, rng: Generator) -> Images:
    """Draw the spindle between its poles, and a strand into the cell from the first."""
    (first, second), present = np.moveaxis(_poles(anatomy)[0], 1, 0), _poles(anatomy)[1]
    steps = np.linspace(0, 1, 12, dtype=np.float32)[:, None]
    spindle = first[:, None] + steps * (second - first)[:, None]
    swing = anatomy.angles + rng.normal(0, 0.35, len(anatomy)) + np.pi * (traits.polarity < 0)
    aside = np.stack([np.sin(swing), np.cos(swing)], axis=-1)
    length = 0.7 * anatomy.radii * traits.extent
    strand = first[:, None] + steps * (aside * length[:, None])[:, None]
    weights = np.concatenate(
        [np.repeat(present[:, 1:], 12, 1), np.repeat(0.6 * traits.count[:, None], 12, 1)], axis=1
    )
    beads = np.exp(traits.clumping[:, None] * rng.normal(0, 0.5, weights.shape))
    places = np.concatenate([spindle, strand], axis=1).astype(np.float32)
    wide = 0.7 * anatomy.unit * traits.width
    return splat(places, (weights * beads).astype(np.float32), wide, anatomy.size)


def _bud_neck(anatomy: Anatomy, traits: Traits, rng: Generator) -> Images:
    """Draw the ring between mother and bud from its side; a patch where a bud will come."""
    ahead = anatomy.directions
    neck = anatomy.centres + ahead * anatomy.axes[:, :1]
    budded = anatomy.bud_radii > 0
    half = np.where(budded, 0.55 * np.minimum(anatomy.bud_radii, 0.5 * anatomy.radii), 1.5)
    steps = np.linspace(-1, 1, 9, dtype=np.float32)
    aside = np.stack([ahead[:, 1], -ahead[:, 0]], axis=-1)
    reach = (half * traits.extent)[:, None, None] * steps[:, None]
    shift = (anatomy.unit * 1.2 * traits.polarity)[:, None] * ahead
    places = (neck + shift)[:, None] + reach * aside[:, None]
    ends = 1 + traits.clumping[:, None] * 4 * (np.abs(steps) > 0.8)
    wide = 0.8 * anatomy.unit * traits.width
    return splat(places.astype(np.float32), ends.astype(np.float32), wide, anatomy.size)


PATTERNS: Mapping[str, Draw] = MappingProxyType(
    {
        "actin": _puncta(usual=9, depth=(0.85, 0.95), width=0.9),
        "bud neck": _bud_neck,
        "cell periphery": _cell_periphery,
        "cytoplasm": _cytoplasm,
        "endosome": _puncta(usual=3, depth=(0.3, 0.8), width=1.3, at_vacuole=True),
        "ER": _er,
        "Golgi": _puncta(usual=7, depth=(0.2, 0.85), width=1.2),
        "lipid particle": _puncta(usual=4, depth=(0.45, 0.7), width=1.0),
        "microtubule": _microtubule,
        "mitochondrion": _mitochondrion,
        "nuclear periphery": _nuclear_periphery,
        "nucleolus": _nucleolus,
        "nucleus": _nucleus,
        "peroxisome": _puncta(usual=3, depth=(0.3, 0.9), width=0.75),
        "spindle pole": _spindle_pole,
        "vacuolar membrane": _vacuolar_membrane,
        "vacuole": _vacuole,
    }
)
"""What draws each compartment; the names are those of the yeast collection of Huh et al. (2003)."""
