"""Direct Fourier inversion: the spectra of a tilt series put together to a volume."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import fft, sparse

from napari_cryoml.data import MissingWedge

Floats = npt.NDArray[np.float64]
Spectra = npt.NDArray[np.complex64]


class FourierInversion:
    """Puts spectra of projections at their places in the spectrum of the specimen.

    The tilt axis y is an axis of the grid, so every plane of equal ky is filled alike: a
    coefficient is the weighted mean of those tilts that pass it within a pixel, or of the two
    beside it where tilts are farther apart, read along each tilt by cubic convolution (Keys
    1981). What lies outside the range of the tilts, or beyond the Nyquist frequency, stays 0.
    Interpolation dims what is far from the middle; it is divided by the deviation that white
    noise would have, so that noise is even.

    Parameters
    ----------
    size : int
        Side of the projections, pixels, even.
    tilts : array of shape (t,)
        Degrees about y, evenly spaced.
    """

    def __init__(self, size: int, tilts: Floats) -> None:
        self.size = size
        self.operator = _operator(size, tilts)
        self._dimming = _dimming(self.operator, size, len(tilts))

    def volumes(self, spectra: Spectra, box: int) -> npt.NDArray[np.float32]:
        """Return the reconstructions of some tilt series.

        Parameters
        ----------
        spectra : array of shape (b, t, size, size // 2 + 1)
            ``rfft2`` of projections whose middle lies on pixel 0.
        box : int
            Voxels a side of what is wanted from the middle.

        Returns
        -------
        array of shape (b, box, box, box)
            zyx; the middle is on voxel ``box // 2``.
        """
        out = np.empty((len(spectra), box, box, box), np.float32)
        # Samples first: (t, x) in one row, then y.
        samples = np.ascontiguousarray(spectra.transpose(0, 1, 3, 2), np.complex64)
        samples = samples.reshape(len(spectra), -1, self.size)
        near = np.arange(box) - box // 2
        gain = 1 / self._dimming[np.ix_(near, near)]
        for row, sample in zip(out, samples, strict=True):
            filled = (self.operator @ sample.view(np.float32)).view(np.complex64)
            spectrum = filled.reshape(self.size, self.size // 2 + 1, self.size).swapaxes(1, 2)
            whole = fft.irfftn(spectrum, s=(self.size,) * 3)
            row[:] = whole[np.ix_(near, near, near)] * gain[:, None]
        return out


def _operator(size: int, tilts: Floats) -> sparse.csr_array:
    """Return the matrix from samples (tilt, x) of a plane to its coefficients (z, x)."""
    n_half = size // 2 + 1
    z, x = np.meshgrid(fft.fftfreq(size, 1 / size), np.arange(n_half), indexing="ij")
    radius = np.hypot(z, x).ravel()
    frequencies = np.stack([z.ravel(), np.zeros(z.size), x.ravel()], axis=1)
    wedge = MissingWedge(float(tilts[0]), float(tilts[-1]))
    cells = np.flatnonzero(wedge.measured(frequencies) & (radius <= size // 2 - 1))
    angles = np.arctan2(z.ravel()[cells], x.ravel()[cells])
    of_cell, of_tilt, weights = _tilt_weights(angles, radius[cells], np.radians(tilts))
    first = np.floor(radius[cells]).astype(np.intp)[of_cell] - 1
    taps = cubic_taps(radius[cells][of_cell] - first - 1)
    rows = np.repeat(cells[of_cell], 4)
    # The outermost cells lie on samples, where the last tap counts for nothing.
    sample = np.clip(first[:, None] + np.arange(4), 0, n_half - 1)
    columns = sample + of_tilt[:, None] * n_half
    values = (weights[:, None] * taps).ravel()
    shape = (z.size, len(tilts) * n_half)
    matrix = sparse.coo_array((values, (rows, columns.ravel())), shape=shape).tocsr()
    matrix.eliminate_zeros()
    return matrix.astype(np.float32)


def _dimming(operator: sparse.csr_array, size: int, n_tilts: int) -> npt.NDArray[np.float32]:
    """Return the deviation of white noise, put together by `operator`, over z and x.

    It is 1 in the middle, voxel 0. Every sample adds the square of what it spreads.
    """
    power = np.zeros((size, size))
    by_tilt = operator.T.tocsr()
    n_half = size // 2 + 1
    for tilt in range(n_tilts):
        # One sample in two along a tilt is enough of a sample.
        spread = by_tilt[tilt * n_half : (tilt + 1) * n_half : 2].toarray()
        half = np.zeros((len(spread), size, size), np.complex64)
        half[:, :, :n_half] = spread.reshape(-1, size, n_half)
        power += np.square(np.abs(fft.ifft2(half))).sum(axis=0)
    return np.asarray(np.sqrt(power / power[0, 0]), np.float32)


def _tilt_weights(
    angles: Floats, radius: Floats, tilts: Floats
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Floats]:
    """Return pairs of cell and tilt that meet, and the share of each; shares of a cell add to 1."""
    reach = np.maximum(tilts[1] - tilts[0], 1 / np.maximum(radius, 1e-9))
    weights = 1 - np.abs(angles[:, None] - tilts) / reach[:, None]
    weights = np.where(weights > 1e-6, weights, 0)
    weights /= weights.sum(axis=1, keepdims=True)
    cells, of_tilt = np.nonzero(weights)
    return cells, of_tilt, weights[cells, of_tilt]


def cubic_taps(beyond: Floats) -> Floats:
    """Return the weights of four neighbouring samples for points between the middle two.

    Parameters
    ----------
    beyond : array of shape (n,)
        How far the points lie beyond the second sample, 0 to 1.

    Returns
    -------
    array of shape (n, 4)

    References
    ----------
    Keys, IEEE Trans. Acoust. Speech Signal Process. 29, 1153 (1981), a = -1/2.
    """
    s = np.asarray(beyond)[:, None]
    return np.concatenate(
        [
            -s / 2 + s**2 - s**3 / 2,
            1 - 5 * s**2 / 2 + 3 * s**3 / 2,
            s / 2 + 2 * s**2 - 3 * s**3 / 2,
            -(s**2) / 2 + s**3 / 2,
        ],
        axis=1,
    )
