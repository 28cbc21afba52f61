"""The likeliest reference of images in all turns and shifts at once.

Expectation maximisation on whitened polar spectra. At the noise of cryo-EM an image does not say
for sure how it lies; so it is added to the reference in each way, by the probability of that. One
hard choice an image would lead to averages of what the noise has in common with the first guess.

References
----------
Sigworth 1998, J Struct Biol 122:328; Scheres 2012, J Struct Biol 180:519 (the filter).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from napari_cryoml.averaging._polar import Floats, PolarGrid, Spectra, whole_circle

_LEAST_VARIANCE = 1e-3
_BLOCK_FLOATS = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What the images show, and how far they are from it.

    Parameters
    ----------
    spectrum : array of shape (n_rings, n_angles)
        Whitened.
    variance : array of shape (n_rings,)
        Mean square distance of images from it, 1 being their mean power.
    log_likelihood : float
        Mean over the images, up to a constant.
    """

    spectrum: Spectra
    variance: Floats
    log_likelihood: float = -np.inf


@dataclass(frozen=True, eq=False)
class Search:
    """All ways in which an image may lie.

    Parameters
    ----------
    grid : PolarGrid
    shifts : array of shape (s, 2)
        Pixels yx.
    log_prior : array of shape (s,)
        Of the shifts.
    mirror : bool
        Whether mirror images are tried too.
    share : float
        Share of the box that the mask lets through: so much fewer are the independent samples.
    """

    grid: PolarGrid
    shifts: Floats
    log_prior: Floats
    mirror: bool
    share: float

    @classmethod
    def within(cls, grid: PolarGrid, max_shift: float, *, mirror: bool, share: float) -> Search:
        """Return the search of all shifts up to `max_shift` pixels, a quarter period apart.

        Picks lie about their centres: far shifts are less likely beforehand, and the reference
        stays in the middle.
        """
        step = grid.side / (4 * grid.n_rings)
        reach = np.arange(-int(max_shift / step), int(max_shift / step) + 1) * step
        shifts = np.stack(np.meshgrid(reach, reach, indexing="ij"), -1).reshape(-1, 2)
        distance = np.linalg.norm(shifts, axis=1)
        shifts, distance = shifts[distance <= max_shift], distance[distance <= max_shift]
        spread = max(max_shift / 2, 1e-6)
        return cls(grid, shifts, -np.square(distance / spread) / 2, mirror, share)

    @cached_property
    def phases(self) -> Spectra:
        """The factors (s, n_rings, n_angles / 2) that move a reference by each shift."""
        return self.grid.phases(self.shifts)

    @cached_property
    def turns(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Of each turn: which samples of the reference an image shows, and the way back.

        Shapes (turns, n_angles / 2) and (turns, n_angles); mirrored turns follow the others.
        """
        number = np.arange(self.grid.n_angles)
        shown, back = number - number[:, None], number + number[:, None]
        if self.mirror:  # the angle of a sample changes its sign
            shown, back = np.vstack([shown, -shown]), np.vstack([back, number[:, None] - number])
        size = self.grid.n_angles
        return shown[:, : size // 2] % size, back % size

    def weights(self, variance: Floats) -> npt.NDArray[np.float32]:
        """Return twice what a sample of each ring says for its power, shape (n_rings, 1)."""
        return (2 * self.share * self.grid.weights / variance)[:, None].astype(np.float32)


def random_reference(spectra: Spectra, search: Search, rng: np.random.Generator) -> Reference:
    """Return the mean of images that are turned at random."""
    turn = rng.integers(search.grid.n_angles, size=len(spectra))
    return reference_of(spectra, search, turn, np.zeros((len(spectra), 2)))


def reference_of(
    spectra: Spectra, search: Search, turn: npt.NDArray[np.intp], shift: Floats
) -> Reference:
    """Return the mean of images that lie as they are said to."""
    _, back = search.turns
    whole = whole_circle(spectra * search.grid.phases(-shift))
    turned = np.take_along_axis(whole, back[turn][:, None], axis=2)
    return Reference(turned.mean(axis=0), np.ones(search.grid.n_rings))


def improved(spectra: Spectra, reference: Reference, search: Search) -> Reference:
    """Return the reference after one round of expectation maximisation.

    Parameters
    ----------
    spectra : array of shape (n, n_rings, n_angles / 2)
        Images, whitened: of mean power 1 on each ring.
    reference : Reference
    search : Search
    """
    rows = _as_reals(spectra)
    logs = _log_probabilities(rows, reference, search)
    highest = logs.max(axis=(0, 1))
    logs -= highest
    probability = np.exp(logs, out=logs)
    total = probability.sum(axis=(0, 1))
    probability /= total
    spectrum = _weighted_mean(rows, probability, search)
    power = np.square(np.abs(spectrum)).mean(axis=1)
    variance = np.maximum(1 - power, _LEAST_VARIANCE)
    # What noise alone would leave in a mean of n images is no signal.
    signal = np.maximum(1 - variance / len(spectra) / np.maximum(power, 1e-12), 0)
    likelihood = float(np.mean(np.log(total) + highest)) - _whatever_the_way(reference, search)
    return Reference((spectrum * signal[:, None]).astype(np.complex64), variance, likelihood)


def likeliest(
    spectra: Spectra, reference: Reference, search: Search
) -> tuple[npt.NDArray[np.intp], Floats]:
    """Return the turn (n,) and the shift (n, 2) that suit each image best."""
    rows = _as_reals(spectra)
    logs = _log_probabilities(rows, reference, search)
    best = logs.reshape(-1, len(spectra)).argmax(axis=0)
    turn, shift = np.divmod(best, len(search.shifts))
    return turn, search.shifts[shift]


def _as_reals(spectra: Spectra) -> npt.NDArray[np.float32]:
    """Return spectra as rows of real and imaginary parts, shape (n, k)."""
    rows = np.ascontiguousarray(spectra, np.complex64).reshape(len(spectra), -1)
    return rows.view(np.float32)


def _log_probabilities(
    rows: npt.NDArray[np.float32], reference: Reference, search: Search
) -> npt.NDArray[np.float32]:
    """Return how likely each image lies each way, (turns, shifts, n), up to a constant each."""
    shown, _ = search.turns
    phases = search.phases
    weighted = reference.spectrum * search.weights(reference.variance)
    logs = np.empty((len(shown), len(phases), len(rows)), np.float32)
    for block in _blocks(len(shown), phases.size):
        templates = weighted[:, shown[block]].transpose(1, 0, 2)[:, None] * phases
        flat = templates.reshape(-1, phases[0].size).view(np.float32)
        np.matmul(flat, rows.T, out=logs[block].reshape(-1, len(rows)))
    logs += search.log_prior.astype(np.float32)[:, None]
    return logs


def _weighted_mean(
    rows: npt.NDArray[np.float32], probability: npt.NDArray[np.float32], search: Search
) -> Spectra:
    """Return the mean of all images, brought back from each way by the probability of it."""
    _, back = search.turns
    grid = search.grid
    undo = search.phases.conj()
    total: Spectra = np.zeros((grid.n_rings, grid.n_angles), np.complex64)
    for block in _blocks(len(back), undo.size):
        flat = probability[block].reshape(-1, len(rows)) @ rows
        sums = flat.view(np.complex64).reshape(-1, *undo.shape)
        whole = whole_circle(np.einsum("asrj,srj->arj", sums, undo))
        total += np.take_along_axis(whole, back[block][:, None], axis=2).sum(axis=0)
    return total / len(rows)


def _whatever_the_way(reference: Reference, search: Search) -> float:
    """Return what the logarithms of `_log_probabilities` lack, the same for all ways."""
    n_samples = search.share * search.grid.weights * (search.grid.n_angles // 2)
    power = np.square(np.abs(reference.spectrum)).mean(axis=1)
    # Images have a mean power of 1.
    residual = np.log(reference.variance) + (1 + power) / reference.variance
    return float(np.sum(n_samples * residual))


def _blocks(n: int, size: int) -> list[slice]:
    """Cut `n` turns into blocks whose templates, of `size` numbers a turn, need little memory."""
    step = max(_BLOCK_FLOATS // (2 * size), 1)
    return [slice(start, start + step) for start in range(0, n, step)]
