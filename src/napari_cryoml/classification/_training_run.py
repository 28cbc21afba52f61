"""What one run of training came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """How a run of training began, and what it came to.

    Parameters
    ----------
    seed : int
        Of its first weights and of the order of the crops.
    learning_rate : float
    epoch : float
        That its weights are of.
    validation : float or None
        What the epoch was chosen by, larger is better; None where it was the last.
    accuracy : float or None
        On labels that were held out; None where there were too few.
    figures : dict of str to float
        Whatever else was measured in that epoch.
    kept : bool
        Whether its weights are in the classifier.
    """

    seed: int
    learning_rate: float
    epoch: float
    validation: float | None = None
    accuracy: float | None = None
    figures: dict[str, float] = field(default_factory=dict)
    kept: bool = True


def spread_of_accuracy(runs: Sequence[TrainingRun]) -> str:
    """Return mean and deviation of the accuracy of several runs as a sentence; "" of fewer."""
    known = [run.accuracy for run in runs if run.accuracy is not None]
    if len(known) < 2:
        return ""
    return (
        f"{len(known)} runs had an accuracy of {np.mean(known):.3f} ± {np.std(known, ddof=1):.3f} "
        "on labels held out (mean and deviation)."
    )
