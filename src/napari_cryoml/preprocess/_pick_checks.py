"""Whether picks and images belong together: inside, axes in one order, one sampling."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import ImageSource, Picks

_SUSPICIOUS_SHARE = 0.1  # of picks outside, above which axes may be swapped
_OTHER_SAMPLING = 0.05
_AXES = "zyx"


def check_inside(
    positions: npt.NDArray[np.float64],
    owners: npt.NDArray[np.intp],
    sources: Sequence[ImageSource],
    hint: str | None = None,
) -> str | None:
    """Return a sentence about picks outside of their image, or None where there are none.

    Parameters
    ----------
    positions : array of shape (n, ndim)
        Pixel (z)yx.
    owners : array of shape (n,)
        Number of the source each lies in.
    sources : sequence of ImageSource
    hint : str, optional
        What else was found that may be the cause.

    Raises
    ------
    InputError
        If all picks lie outside, or a good part of them does and all would fit an image with its
        axes in another order.
    """
    shapes = np.array([source.shape for source in sources])[owners]
    outside = ~_inside(positions, shapes)
    n_outside, n = int(np.count_nonzero(outside)), len(positions)
    if not n_outside:
        return None
    image = sources[int(owners[np.argmax(outside)])]
    if n_outside > _SUSPICIOUS_SHARE * n:
        _check_order(positions, shapes, n_outside, image)
    cause = hint or "check that picks and images have the same binning."
    if n_outside == n:
        raise InputError(
            f"All {n} picks lie outside their image, as those of {image.name} do, which has "
            f"{_size(image.shape)} pixels ({_names(len(image.shape))}): {cause}"
        )
    return f"{n_outside} of {n} picks lie outside their image: {cause}"


def sampling_hint(matched: Sequence[tuple[ImageSource, Picks]]) -> str | None:
    """Return a sentence about picks that were made at another pixel size than their image has."""
    for source, picks in matched:
        ours, theirs = source.pixel_size, picks.pixel_size
        if ours and theirs and abs(theirs / ours - 1) > _OTHER_SAMPLING:
            return (
                f"the picks of {source.name} tell {theirs:g} angstrom a pixel, and the image "
                f"{ours:g}; if they lie in the pixels of another binning, scale them by "
                f"{theirs / ours:.6g} (--scale in the shell), and else mend the pixel size."
            )
    return None


def _check_order(
    positions: npt.NDArray[np.float64],
    shapes: npt.NDArray[np.int_],
    n_outside: int,
    image: ImageSource,
) -> None:
    """Complain if the picks fit the images once their axes are in another order."""
    ndim = shapes.shape[1]
    names = _AXES[-ndim:]
    # Two axes are swapped more often than three are cycled.
    orders = sorted(permutations(range(ndim)), key=lambda o: _n_moved(o))
    for order in orders[1:]:
        if not _inside(positions, shapes[:, order]).all():
            continue
        moved = [names[axis] for axis in range(ndim) if order[axis] != axis]
        look = f"{' and '.join(moved)} look swapped" if len(moved) == 2 else "the axes look cycled"
        raise InputError(
            f"{n_outside} of {len(positions)} picks lie outside their image, but all fit one with "
            f"its axes in another order: {look}. {image.name} has {_size(image.shape)} pixels "
            f"({_names(ndim)}); turn it (in 3-D with 'trimvol -rx' or 'clip flipyz' of IMOD), or "
            "swap the coordinates."
        )


def _inside(
    positions: npt.NDArray[np.float64], shapes: npt.NDArray[np.int_]
) -> npt.NDArray[np.bool_]:
    return np.asarray(((positions >= -0.5) & (positions <= shapes - 0.5)).all(axis=1))


def _n_moved(order: tuple[int, ...]) -> int:
    return sum(axis != place for place, axis in enumerate(order))


def _size(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


def _names(ndim: int) -> str:
    return ", ".join(_AXES[-ndim:])
