"""Whether the clicked particles have the size that was said."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_cryoml.preprocess import mirrored_index

Floats = npt.NDArray[np.float64]

_FEWEST_CLICKS = 3
_MOST_CLICKS = 10
_REFERENCES = 32
_REACH = 14.0  # a ladder from the diameter / 14 to the diameter x 14 holds a peak at 12 whole
_FINEST_PX = 4.0
_COARSEST = 1 / 3  # of the shortest axis
_CROP_DIAMETERS = 3.0
_POINTS = {2: 32, 3: 20}  # of a crop along each axis
_SAMPLES = {2: 3, 3: 1}  # averaged in a point along each axis, at most
_SPREADS = 5.0  # beyond which an intensity is drawn in: gold, hot pixels

# Of a particle of diameter 1, blobs of about 0.67 answer most: its matter thins out towards the
# rim, and defocus takes the coarsest contrast away (0.6 on simulated micrographs, 1 for a disc).
_PEAK_LOG = -0.4
_PEAK_WIDTH_LOG = 0.45

_EVIDENCE = 7.0
_OWN_SHARE = 0.6
_OWN_REACH = 2.0**0.5
_LEAST_RATIO = 2.2


def propose_diameter(
    image: npt.NDArray[np.floating], clicks: npt.ArrayLike, diameter_px: float, *, seed: int = 0
) -> float | None:
    """Return the diameter that the clicked places seem to have, if it is far from the one given.

    Blobs of many sizes (Laplacians of Gaussians, from a twelfth to twelve times the diameter, as
    far as the image allows) answer to what is at the clicks; their mean answer is counted in
    standard errors of the answers at random places. A particle gives a known course of answers
    along the sizes; the size at which this course fits best is proposed, where it fits clearly
    and much better than near the diameter given. A second opinion, meant to stay silent in doubt.

    Parameters
    ----------
    image : array of shape (y, x) or (z, y, x)
        The pixels as they are, not on a working grid: that grid would hide a smaller particle.
        May be memory-mapped; only the surroundings of the clicks and 32 places are read.
    clicks : array of shape (n, ndim)
        Pixel (z)yx of particles. At most 10, evenly chosen, are looked at; those outside the image
        are passed over.
    diameter_px : float
        The diameter that was given, in pixels of the image.
    seed : int, default 0
        Of the random places.

    Returns
    -------
    float or None
        Diameter in pixels of the image, 2.2 times too large or small at least for `diameter_px`;
        None where that is plausible, the evidence is weak, or there are fewer than 3 clicks.
    """
    places = _inside(np.asarray(clicks, np.float64).reshape(-1, image.ndim), image.shape)
    scales_px = _ladder(diameter_px, image.shape)
    if len(places) < _FEWEST_CLICKS or len(scales_px) < 4:
        return None
    chosen = np.linspace(0, len(places) - 1, min(len(places), _MOST_CLICKS)).round().astype(int)
    answers = _answers(image, places[chosen], scales_px, np.random.default_rng(seed))
    steps = np.arange(-14, 15) / 4
    candidates_px = diameter_px * 2.0**steps
    known = (candidates_px >= scales_px[0]) & (candidates_px <= 1.5 * scales_px[-1])
    fits = np.abs(_fit(candidates_px, scales_px, answers))
    ratios = candidates_px / diameter_px
    own = fits[np.maximum(ratios, 1 / ratios) <= _OWN_REACH * 1.001].max()
    best = int(np.argmax(np.where(known, fits, 0)))
    far = max(ratios[best], 1 / ratios[best]) >= _LEAST_RATIO
    clear = fits[best] >= _EVIDENCE and own <= _OWN_SHARE * fits[best]
    return float(candidates_px[best]) if far and clear else None


def _inside(places: Floats, shape: tuple[int, ...]) -> Floats:
    return places[((places >= 0) & (places <= np.asarray(shape) - 1)).all(axis=1)]


def _ladder(diameter_px: float, shape: tuple[int, ...]) -> Floats:
    """Return sizes of blobs, two an octave, as far as pixels and image allow."""
    low = max(diameter_px / _REACH, _FINEST_PX)
    high = min(diameter_px * _REACH, min(shape) * _COARSEST)
    if not 0 < low <= high:
        return np.empty(0)
    first, last = (2 * np.log2(end / diameter_px) for end in (low, high))
    return np.asarray(diameter_px * 2 ** (np.arange(np.ceil(first), np.floor(last) + 1) / 2))


def _fit(diameters_px: Floats, scales_px: Floats, answers: Floats) -> Floats:
    """Return how well the course of answers is that of a particle, for each of the diameters."""
    along = np.log(scales_px / diameters_px[:, None]) - _PEAK_LOG
    course = np.exp(-0.5 * (along / _PEAK_WIDTH_LOG) ** 2)
    norm = np.sqrt(np.sum(course**2, axis=1))
    return np.asarray(course @ answers / np.maximum(norm, 1e-6))


def _answers(
    image: npt.NDArray[np.floating], clicks: Floats, scales_px: Floats, rng: np.random.Generator
) -> Floats:
    """Return the mean answer at the clicks to each size, in standard errors of chance."""
    answers = np.zeros(len(scales_px))
    for start in range(0, len(scales_px), 2):  # one set of crops serves an octave
        largest_px = scales_px[start : start + 2][-1]
        side_px = _CROP_DIAMETERS * largest_px
        edge_px = largest_px / 2
        chance = rng.uniform(edge_px, np.asarray(image.shape) - edge_px, (_REFERENCES, image.ndim))
        crops = _crops(image, np.concatenate([clicks, chance]), side_px)
        for index in range(start, min(start + 2, len(scales_px))):
            size = crops.shape[-1]
            blob = _blob(size, image.ndim, scales_px[index] / side_px * size)
            found = crops.reshape(len(crops), -1) @ blob.ravel()
            answers[index] = _standing(found[: len(clicks)], found[len(clicks) :])
    return answers


def _standing(clicked: Floats, chance: Floats) -> float:
    """Return the mean of the clicked in standard errors of as many drawn by chance."""
    low, middle, high = np.percentile(chance, (25, 50, 75))
    reach = 3 * (high - low) / 1.349  # three deviations of a normal distribution
    spread = float(np.std(np.clip(chance, middle - reach, middle + reach)))
    if not spread > 0:
        return 0.0
    return float((clicked.mean() - middle) / spread * np.sqrt(len(clicked)))


def _crops(image: npt.NDArray[np.floating], places: Floats, side_px: float) -> Floats:
    """Return coarse views of what lies around places, shape (n, points, ...), without outliers."""
    size = min(_POINTS[image.ndim], int(np.ceil(side_px)))
    coarse = np.array([_crop(image, place, side_px, size) for place in places])
    finite = np.isfinite(coarse)
    middle = np.median(coarse[finite]) if finite.any() else 0.0
    coarse = np.where(finite, coarse, middle)
    reach = _SPREADS * 1.4826 * np.median(np.abs(coarse - middle))  # of a normal distribution
    return np.asarray(np.clip(coarse - middle, -reach, reach), np.float64)


def _crop(
    image: npt.NDArray[np.floating], place: Floats, side_px: float, size: int
) -> npt.NDArray[np.floating]:
    """Return the surroundings of one place on `size` points an axis, each the mean of a few."""
    samples = max(min(int(side_px / size), _SAMPLES[image.ndim]), 1)
    offsets_px = ((np.arange(size * samples) + 0.5) / (size * samples) - 0.5) * side_px
    index = []
    for centre, length in zip(place, image.shape, strict=True):
        pixels = np.rint(centre + offsets_px).astype(np.intp)
        index.append(mirrored_index(pixels[0], pixels[-1] + 1, length)[pixels - pixels[0]])
    fine = np.asarray(image[np.ix_(*index)], np.float32)
    means = fine.reshape([size, samples] * image.ndim)
    return np.asarray(means.mean(axis=tuple(range(1, 2 * image.ndim, 2))))


def _blob(size: int, ndim: int, diameter_points: float) -> Floats:
    """Return a Laplacian of a Gaussian that answers most to a ball of the diameter; mean 0.

    Lindeberg (1998), Feature detection with automatic scale selection: the variance of the
    Gaussian is the square of the radius over the number of dimensions.
    """
    axis = (np.arange(size) - (size - 1) / 2) ** 2
    squares = sum(np.meshgrid(*[axis] * ndim, indexing="ij", sparse=True))
    ratio = np.asarray(squares / ((diameter_points / 2) ** 2 / ndim), np.float64)
    blob = (ndim - ratio) * np.exp(-0.5 * ratio)
    blob -= blob.mean()
    return np.asarray(blob / np.linalg.norm(blob))
