"""Local normalised cross-correlation with rotated copies of an average."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage
from scipy.spatial.transform import Rotation

Array = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

# Where the image is flatter than this share of its standard deviation nothing correlates.
_FLAT = 0.05


def average_crops(crops: Iterable[Floats]) -> Floats:
    """Return the mean of crops of one shape, each pixel over those that are not NaN there.

    Parameters
    ----------
    crops : iterable of arrays of one shape
        NaN where a crop leaves its image.

    Returns
    -------
    array
        A pixel no crop has is set to the mean of the others; empty without crops.
    """
    table = list(crops)
    if not table:
        return np.empty(0)
    stack = np.stack(table)
    known = np.isfinite(stack)
    total, count = np.where(known, stack, 0).sum(axis=0), known.sum(axis=0)
    fallback = total.sum() / max(int(count.sum()), 1)
    return np.where(count > 0, total / np.maximum(count, 1), fallback)


def cut_crops(image: Array, positions: npt.ArrayLike, half: int) -> Iterator[Floats]:
    """Yield crops centred on positions between pixels, by linear interpolation.

    Parameters
    ----------
    image : array of shape (y, x) or (z, y, x)
    positions : array of shape (n, ndim)
        Pixels.
    half : int
        Crops are ``2 * half + 1`` pixels wide.

    Yields
    ------
    array
        NaN outside the image.
    """
    steps = _steps(half, image.ndim)
    for position in np.asarray(positions, np.float64):
        where = steps + position.reshape(-1, *(1,) * image.ndim)
        yield ndimage.map_coordinates(
            image.astype(np.float64), where, order=1, mode="constant", cval=np.nan
        )


def rotational_average(template: Floats) -> Floats:
    """Return the template with each pixel replaced by the mean at its distance from the centre."""
    distance = np.linalg.norm(_steps(template.shape[0] // 2, template.ndim), axis=0).ravel()
    inner = distance.astype(np.intp)
    outer_share = distance - inner
    total, weight = np.zeros(inner.max() + 2), np.zeros(inner.max() + 2)
    for ring, share in ((inner, 1 - outer_share), (inner + 1, outer_share)):
        total += np.bincount(ring, share * template.ravel(), len(total))
        weight += np.bincount(ring, share, len(weight))
    profile = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    return np.interp(distance, np.arange(len(profile)), profile).reshape(template.shape)


def rotations(ndim: int, step_degrees: float) -> list[Floats]:
    """Return rotation matrices, shape (ndim, ndim) each.

    In 2-D every `step_degrees` of a full turn; in 3-D the 24 of a cube, whatever the step.
    """
    if ndim == 3:
        return list(Rotation.create_group("O").as_matrix())
    angles = np.deg2rad(np.arange(0, 360, step_degrees))
    return [np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) for a in angles]


def rotate(template: Floats, matrix: Floats) -> Floats:
    """Return the template turned about its centre by a rotation matrix, by cubic splines."""
    centre = (np.array(template.shape) - 1) / 2
    return ndimage.affine_transform(
        template, matrix.T, centre - matrix.T @ centre, order=3, mode="nearest"
    )


def ball(half: int, ndim: int, radius: float) -> npt.NDArray[np.bool_]:
    """Return the mask of a ball in the middle of a box ``2 * half + 1`` wide."""
    return np.linalg.norm(_steps(half, ndim), axis=0) <= radius


def best_correlation(
    image: Array, templates: Sequence[Floats], mask: npt.NDArray[np.bool_]
) -> Array:
    """Return the largest local normalised cross-correlation with any of the templates.

    At each pixel x, with sums over the n pixels k of the mask,

        c(x) = sum_k t(k) f(x + k) / (n s(x)),
        s(x)^2 = sum_k f(x + k)^2 / n - (sum_k f(x + k) / n)^2,

    where the template t is shifted and scaled to mean 0 and standard deviation 1 within the mask.
    All sums are products of Fourier transforms. The image is mirrored at its edges.

    Parameters
    ----------
    image : array of shape (y, x) or (z, y, x)
    templates : sequence of arrays of the shape of the mask
    mask : array of bool
        Odd along each axis.

    Returns
    -------
    array of the shape of the image, float32
        Within -1..1; 0 where the image is flat.

    References
    ----------
    Roseman 2003, Ultramicroscopy 94:225-236, equations 1-5.
    """
    halves = [size // 2 for size in mask.shape]
    padded = np.pad(image, [(half, half) for half in halves], mode="symmetric")
    inner = tuple(slice(half, half + size) for half, size in zip(halves, image.shape, strict=True))
    shape = [fft.next_fast_len(size, real=True) for size in padded.shape]
    transform, n = fft.rfftn(padded, shape), int(mask.sum())
    norm = n * _local_deviation(padded, mask, shape)[inner]
    flat = norm <= n * _FLAT * float(image.std())
    best = np.full(image.shape, -1, np.float32)
    for template in templates:
        inside = template[mask]
        kernel = np.where(mask, template - inside.mean(), 0) / (inside.std() or 1)
        sums = _correlate(transform, kernel, shape)[inner]
        np.maximum(best, np.divide(sums, norm, out=np.zeros_like(sums), where=~flat), out=best)
    return np.clip(best, -1, 1)


def _local_deviation(padded: Array, mask: npt.NDArray[np.bool_], shape: list[int]) -> Array:
    kernel = mask / mask.sum()
    mean = _correlate(fft.rfftn(padded, shape), kernel, shape)
    square = _correlate(fft.rfftn(padded**2, shape), kernel, shape)
    return np.sqrt(np.maximum(square - mean**2, 0))


def _correlate(transform: npt.NDArray[np.complex64], kernel: Floats, shape: list[int]) -> Array:
    """Return the circular correlation of a transformed image with a centred kernel."""
    placed = np.zeros(shape, np.float32)
    placed[tuple(slice(0, size) for size in kernel.shape)] = kernel
    placed = np.roll(placed, [-(size // 2) for size in kernel.shape], range(kernel.ndim))
    return fft.irfftn(transform * np.conj(fft.rfftn(placed)), shape)


def _steps(half: int, ndim: int) -> Floats:
    """Return the coordinates of a box about its centre, shape (ndim, *box)."""
    return np.indices((2 * half + 1,) * ndim).astype(np.float64) - half
