"""The draw of the picks that a user reviews."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class ReviewPlan:
    """Which picks of a frozen list a user is asked about, drawn before any answer is known.

    The picks are ordered by falling score and cut into bands of `step` picks; one pick is drawn
    from each band. The first stage is the first `size` bands: all picks at or above the
    threshold. Each later stage is the next `size` bands below, at the same density, and is asked
    about only if the user wants to go lower.

    Parameters
    ----------
    ordered_scores : array of shape (n,)
        Scores of all picks, falling.
    draws : array of shape (n_bands,), int
        For each band, from the highest scores down, the index of its pick in the list as it was
        given. Where `step` is no whole number a pick on the border of two bands can be drawn by
        both; it is asked about once and counts twice.
    step : float
        Picks in a band.
    size : int
        Bands in a stage.
    digest : str
        Of the frozen list, see `picks_digest`.
    """

    ordered_scores: Floats
    draws: Indices
    step: float
    size: int
    digest: str

    @property
    def n_stages(self) -> int:
        """Stages that the list has room for; the last one may be shorter."""
        return math.ceil(len(self.draws) / self.size)

    def stage(self, number: int) -> Indices:
        """Return the picks to ask about in one stage.

        Parameters
        ----------
        number : int
            From 0, the highest scores.

        Returns
        -------
        array of shape (k,), int
            Indices into the frozen list, each once, by falling score; empty below the last stage.
        """
        drawn = self.draws[number * self.size : (number + 1) * self.size]
        asked_before = self.draws[: number * self.size]
        kept = ~np.isin(drawn, asked_before)
        return np.asarray(list(dict.fromkeys(drawn[kept].tolist())), dtype=np.intp)

    def threshold(self, number: int) -> float:
        """Return the lowest score of the picks that the stages up to `number` speak of."""
        return float(self.ordered_scores[self._n_certified(number) - 1])

    def n_picks(self, number: int) -> int:
        """Return how many picks the stages up to `number` speak of."""
        return self._n_certified(number)

    def n_covered(self, number: int) -> float:
        """Return how many picks lie in the bands up to a stage, a fraction of one included."""
        bands = min((number + 1) * self.size, len(self.draws))
        return bands * self.step

    def _n_certified(self, number: int) -> int:
        """Return the largest number of covered picks that a threshold can cut off."""
        scores = self.ordered_scores
        covered = min(round(self.n_covered(number), 9), len(scores))
        last = math.floor(covered)
        if last == len(scores) or scores[last] < scores[last - 1]:
            return last
        above_tie = int(np.count_nonzero(scores > scores[last]))
        return above_tie if above_tie else last


def picks_digest(scores: npt.ArrayLike, positions: npt.ArrayLike | None = None) -> str:
    """Return a short fingerprint of a list of picks, by which a change of it is noticed.

    Parameters
    ----------
    scores : array of shape (n,)
    positions : array of shape (n, ndim), optional
        Pixel (z)yx. Of picks in several images, give a first column with the image's number.

    Returns
    -------
    str
        32 hexadecimal digits; the same for float32 and float64 of the same values.
    """
    digest = hashlib.blake2b(digest_size=16)
    for values in (scores, positions):
        array = np.ascontiguousarray([] if values is None else values, dtype="<f8")
        digest.update(np.asarray(array.shape, dtype="<i8").tobytes())
        digest.update((array + 0.0).tobytes())  # turns -0.0 into 0.0
    return digest.hexdigest()


def plan_review(
    scores: npt.ArrayLike,
    *,
    size: int = 30,
    threshold: float = -math.inf,
    positions: npt.ArrayLike | None = None,
    seed: int = 0,
) -> ReviewPlan:
    """Draw the picks that a user is asked about.

    Parameters
    ----------
    scores : array of shape (n,)
        Scores of all picks of all images, in any order; the list must not change afterwards.
    size : int, default 30
        Picks to ask about above the threshold. With 30, all of them right prove 90 % with 95 %
        confidence; with 46 one may be wrong, with 61 two.
    threshold : float
        Lowest score of the picks that the first stage speaks of. It must be chosen before the
        review, see `review_threshold`.
    positions : array of shape (n, ndim), optional
        Only for the digest.
    seed : int, default 0

    Returns
    -------
    ReviewPlan
        Whose first stage asks about all picks above the threshold if they are `size` or fewer.

    Raises
    ------
    InputError
        If a score is not finite, or no pick reaches the threshold, or `size` is below 1.
    """
    values = np.asarray(scores, np.float64).ravel()
    n_above = int(np.count_nonzero(values >= threshold))
    if size < 1:
        raise InputError(f"A review asks about 1 pick or more; {size} came. 30 is usual.")
    if not np.isfinite(values).all():
        raise InputError("A review needs finite scores; leave out picks without one.")
    if not n_above:
        raise InputError(
            f"None of the {len(values)} picks reaches the threshold {threshold:g}: lower it."
        )
    order = np.argsort(-values, kind="stable")
    size = min(size, n_above)
    step = n_above / size
    n_bands = math.floor(len(values) / step + 1e-9)
    places = (np.arange(n_bands) + np.random.default_rng(seed).random(n_bands)) * step
    draws = order[np.minimum(places.astype(np.intp), len(values) - 1)]
    return ReviewPlan(values[order], draws, step, size, picks_digest(scores, positions))
