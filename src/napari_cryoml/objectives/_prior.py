"""The class prior: which fraction of the pixels is positive."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

from napari_cryoml._errors import InputError


def pixels_in_ball(radius: float, ndim: int) -> int:
    """Return how many pixels lie within a distance of a pixel.

    Parameters
    ----------
    radius : float
        Distance, px, inclusive.
    ndim : int
        Axes: 2 for a disc, 3 for a ball.

    Returns
    -------
    int
        29 for a disc of radius 3, 123 for a ball.
    """
    reach = range(-math.floor(radius), math.floor(radius) + 1)
    # one axis at a time is solved for, so a large ball costs an area and not a volume
    others = (radius**2 - sum(i * i for i in place) for place in product(reach, repeat=ndim - 1))
    return sum(2 * math.isqrt(math.floor(rest)) + 1 for rest in others if rest >= 0)


def labelled_fraction(n_labels: int, radius: float, n_pixels: int, ndim: int) -> float:
    """Return the fraction of the pixels that the discs around the labels cover.

    Parameters
    ----------
    n_labels : int
        Labelled particles in all images.
    radius : float
        Of the disc labelled around each centre, px.
    n_pixels : int
        Pixels in all images.
    ndim : int
        Axes of the images.

    Returns
    -------
    float
        Between 0 and 1; discs that overlap count twice.
    """
    return min(n_labels * pixels_in_ball(radius, ndim) / n_pixels, 1.0)


def class_prior(
    expected_particles: float,
    radius: float,
    shapes: Sequence[Sequence[int]],
    *,
    n_labels: int = 0,
) -> float:
    """Return the fraction of the pixels that are positive.

    Parameters
    ----------
    expected_particles : float
        Particles in all images together, labelled or not.
    radius : float
        Of the disc of positive pixels around each centre, px of the `shapes`.
    shapes : sequence of shapes, each (y, x) or (z, y, x)
        Of all images, on the grid on which the network is trained.
    n_labels : int
        Labelled particles whose discs are left out of the unlabelled items. With them, the
        fraction is that of the pixels that are left, which is what the GE objectives and nnpu
        ask for; without, that of all pixels, as for pn.

    Returns
    -------
    float
        Between 0 and 1, both excluded.

    Raises
    ------
    InputError
        If nothing positive is left, or nothing negative, or there are no images.
    """
    n_pixels = sum(math.prod(shape) for shape in shapes)
    if not n_pixels:
        raise InputError("The class prior needs at least one image with pixels; none came.")
    if expected_particles <= n_labels:
        raise InputError(
            f"{expected_particles:g} particles are expected in all images together, but {n_labels} "
            "are labelled: raise the expected number of particles per image."
        )
    disc = pixels_in_ball(radius, len(shapes[0]))
    prior = (expected_particles - n_labels) * disc / (n_pixels - n_labels * disc)
    if not 0 < prior < 1:
        raise InputError(
            f"{expected_particles:g} particles of {disc} px do not fit into images of "
            f"{n_pixels} px: lower the expected number of particles per image."
        )
    return prior
