"""From how much one class leads to how often it is right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_DOUBT = 2.0
"""Held-out rows that the word of chance counts for."""


@dataclass(frozen=True, slots=True, eq=False)
class Confidence:
    """A rising curve from the raw share of the winner to the probability that it is right.

    Parameters
    ----------
    raw, probability : array of shape (k,)
        Corners of the curve; straight in between.
    """

    raw: Floats
    probability: Floats

    @classmethod
    def fitted(cls, raw: Floats, right: npt.NDArray[np.bool_], n_classes: int) -> Confidence:
        """Fit the curve by isotonic regression (Zadrozny and Elkan 2002, KDD, 694).

        Two imagined rows at the share that chance gives, 1 / `n_classes`, are right as often as by
        chance: labels seldom lie where it is hard to tell, and the curve has to go down there.
        Two at the highest share, one of them wrong by a half, keep it below certainty.

        Parameters
        ----------
        raw : array of shape (m,)
            Shares of held-out rows.
        right : array of shape (m,), bool
        n_classes : int
        """
        from sklearn.isotonic import IsotonicRegression

        if not len(raw):
            return cls(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
        chance = 1 / n_classes
        shares = np.concatenate([raw, [chance, 1.0]])
        truth = np.concatenate([right, [chance, 0.75]])
        weights = np.concatenate([np.ones(len(raw)), [_DOUBT, _DOUBT]])
        model = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
        model.fit(shares, truth, sample_weight=weights)
        return cls(model.X_thresholds_, model.y_thresholds_)

    def __call__(self, raw: Floats) -> Floats:
        """Return the probabilities of raw shares."""
        return np.interp(raw, self.raw, self.probability)
