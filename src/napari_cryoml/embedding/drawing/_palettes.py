"""Colours for classes and for scores that everybody can tell apart, on dark and on light."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from napari_cryoml.embedding.drawing._perception import (
    as_seen_without,
    from_linear,
    from_oklab,
    to_oklab,
)

N_SHADES = 256
SELECTED = (0xCC, 0x79, 0xA7)
"""The colour of what is selected (Okabe and Ito's reddish purple)."""
PLAIN = (0x56, 0xB4, 0xE9)
"""The colour of points that are not coloured by anything (their sky blue)."""

# M. Okabe and K. Ito, "Color Universal Design" (2008), the purple of selections last but one;
# the eighth, black, is white on dark.
_OKABE_ITO = ("E69F00", "56B4E9", "009E73", "D55E00", "0072B2", "F0E442", "CC79A7")
_NONE = {True: 128, False: 160}
_CHROMA = 0.145
_SCALE = {True: (0.42, 0.94), False: (0.30, 0.86)}

Colours = npt.NDArray[np.uint8]


def categorical(n: int, dark: bool = True) -> Colours:
    """Return a colour for each of `n` classes, always the same.

    Up to eight are those of Okabe and Ito. Each further one is the colour furthest in OKLab from
    all before it, the distance being the least of three: as seen with all cones, without red ones
    and without green ones.

    Parameters
    ----------
    n : int
    dark : bool
        Whether the background is dark.

    Returns
    -------
    uint8 array of shape (n, 3)
    """
    last = 255 if dark else 0
    first = np.concatenate([_okabe_ito(), np.full((1, 3), last, np.uint8)])
    return first[:n] if n <= len(first) else _spread(n)


def unlabelled(dark: bool = True) -> tuple[int, int, int]:
    """Return the grey of what belongs to no class."""
    return (_NONE[dark],) * 3


@cache
def sequential(dark: bool = True) -> Colours:
    """Return 256 colours for low to high, from blue through green to yellow.

    Lightness rises evenly, so that the order stays without colour; the darkest can still be seen
    on the background (and the lightest on a light one).

    Parameters
    ----------
    dark : bool
        Whether the background is dark.

    Returns
    -------
    uint8 array of shape (256, 3)
    """
    share = np.linspace(0, 1, N_SHADES)
    low, high = _SCALE[dark]
    lightness = low + share * (high - low)
    hue = np.deg2rad(295 - 190 * share)
    direction = np.stack([np.zeros_like(hue), np.cos(hue), np.sin(hue)], axis=-1)
    neutral = np.stack([lightness, 0 * hue, 0 * hue], axis=-1)
    chroma = np.minimum(0.96 * _most_colourful(neutral, direction), _CHROMA)
    return _as_bytes(from_linear(from_oklab(neutral + chroma[:, None] * direction)))


def shades(
    values: npt.NDArray[np.floating], limits: tuple[float, float] | None = None
) -> npt.NDArray[np.int16]:
    """Return the shade 0..255 of each value, -1 where it is not finite.

    Parameters
    ----------
    values : array of shape (n,)
    limits : tuple of float, optional
        Values of the first and the last shade; those of `value_limits` by default.

    Returns
    -------
    int16 array of shape (n,)
    """
    values = np.asarray(values, np.float32)
    low, high = value_limits(values) if limits is None else limits
    share = (values - np.float32(low)) * np.float32((N_SHADES - 1) / max(high - low, 1e-12))
    missing = ~np.isfinite(values)
    some = bool(missing.any())
    if some:
        share[missing] = 0
    codes = np.rint(np.clip(share, 0, N_SHADES - 1, out=share), out=share).astype(np.int16)
    if some:
        codes[missing] = -1
    return codes


def value_limits(values: npt.NDArray[np.floating]) -> tuple[float, float]:
    """Return the 1st and 99th percentile of the finite values, (0, 1) if there are none."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0, 1.0
    low, high = (float(limit) for limit in np.percentile(finite, [1, 99]))
    if high > low:
        return low, high
    low, high = float(finite.min()), float(finite.max())
    return (low, high) if high > low else (low, low + 1.0)


@cache
def _spread(n: int) -> Colours:
    """Return the seven coloured ones and then the furthest of many candidates, one by one."""
    axes = np.linspace(0.48, 0.86, 14), np.linspace(-0.26, 0.28, 37), np.linspace(-0.3, 0.2, 37)
    lab = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    lab = lab[np.hypot(lab[:, 1], lab[:, 2]) > 0.06]
    linear = from_oklab(lab)
    candidates = from_linear(linear[((linear >= 0) & (linear <= 1)).all(axis=1)])
    seen = _as_everybody_sees(candidates)
    chosen = [colour / 255 for colour in _okabe_ito()]
    grey = np.full(3, 0.55)
    least = np.min([_distances(seen, colour) for colour in [*chosen, grey]], axis=0)
    while len(chosen) < n:
        best = int(least.argmax())
        chosen.append(candidates[best])
        least = np.minimum(least, _distances(seen, candidates[best]))
    return _as_bytes(np.array(chosen[:n]))


def _as_everybody_sees(rgb: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return OKLab of colours with all cones, without red, without green: shape (3, n, 3)."""
    views = [rgb, as_seen_without("red", rgb), as_seen_without("green", rgb)]
    return np.stack([to_oklab(view) for view in views])


def _distances(
    seen: npt.NDArray[np.float64], colour: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    offsets = seen - _as_everybody_sees(colour[None])
    return np.asarray(np.linalg.norm(offsets, axis=-1).min(axis=0))


def _most_colourful(
    neutral: npt.NDArray[np.float64], direction: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return how far each grey can go in its direction before it leaves what a screen shows."""
    steps = np.linspace(0, 0.3, 301)
    linear = from_oklab(neutral[:, None] + steps[:, None] * direction[:, None])
    fits = ((linear >= 0) & (linear <= 1)).all(axis=-1)
    return steps[np.maximum(np.argmin(fits, axis=1) - 1, 0)]


def _okabe_ito() -> Colours:
    return np.array([list(bytes.fromhex(colour)) for colour in _OKABE_ITO], np.uint8)


def _as_bytes(rgb: npt.NDArray[np.float64]) -> Colours:
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)
