"""Classes of subtomograms; importing them needs no torch."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_cryoml.averaging._refine_config import RefineConfig
from napari_cryoml.averaging._rigid import RigidPoses
from napari_cryoml.averaging._volume import SubtomogramAverage
from napari_cryoml.jobs import Event


class ClassesConfig(RefineConfig):
    """How subtomograms are classified without references."""

    n_classes: int = Field(3, ge=1, le=100, description="Classes to look for.")
    iterations: int = Field(
        5, ge=1, le=100, description="Rounds of classification and alignment after the first guess."
    )
    n_dims: int = Field(
        50, ge=1, le=200, description="Components in which the classes are looked for."
    )
    imputation: bool = Field(
        True,
        description="Whether what the wedge took is filled in from the average of the class before "
        "components are reckoned; else it has no weight.",
    )


@dataclass(frozen=True, slots=True, eq=False)
class SubtomogramClasses:
    """Subtomograms in classes, the largest first.

    Parameters
    ----------
    labels : array of shape (n,), intp
        Class of each; -1 for those that could not be used.
    poses : RigidPoses
        Each against the average of its class.
    averages : tuple of SubtomogramAverage
        One a class, over all n; none of them gold-standard.
    scores : array of shape (n, k)
        Correlation of each with the reference of each class; NaN where it was not compared.
    """

    labels: npt.NDArray[np.intp]
    poses: RigidPoses
    averages: tuple[SubtomogramAverage, ...]
    scores: npt.NDArray[np.float64]

    @property
    def sizes(self) -> npt.NDArray[np.intp]:
        """Number of particles of each class."""
        return np.bincount(self.labels[self.labels >= 0], minlength=len(self.averages))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassesStep(Event):
    """A round of classification has ended.

    Parameters
    ----------
    iteration : int
        From 1.
    current : SubtomogramClasses
    """

    iteration: int
    current: SubtomogramClasses = field(repr=False)
