"""Structures that were found; importing them needs no torch."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from napari_cryoml.averaging._volume import SubtomogramAverage
from napari_cryoml.jobs import Event

_BAND = 0.25
"""Cycles a voxel up to which halves are asked to agree."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A class of particles within a cluster, and its average.

    Parameters
    ----------
    cluster, number : int
        The cluster, and the class within it.
    rows : array of shape (k,), intp
        Its particles among all crops.
    average : SubtomogramAverage
        Over those k particles, in their order.
    novelty : float
        Mean probability of its particles to be of no labelled class; 1 where nothing is labelled.
    nearest : str
        The known structure that it agrees with best; "" if none was given.
    discrepancy : float
        Size of the features in which it differs from that, angstrom or voxels; NaN if none was
        given.
    same_as : int or None
        Rank, from 0, of a better candidate of the same structure.
    labelled : mapping of str to int
        How many of its particles are labelled, by class.
    """

    cluster: int
    number: int
    rows: npt.NDArray[np.intp]
    average: SubtomogramAverage
    novelty: float = 1.0
    nearest: str = ""
    discrepancy: float = float("nan")
    same_as: int | None = None
    labelled: dict[str, int] = field(default_factory=dict)

    @property
    def reproducibility(self) -> float:
        """Mean correlation of the halves up to half of the Nyquist frequency, 0 to 1."""
        curve = self.average.fsc
        if curve is None:
            return 0.0
        inside = (curve.frequency > 0) & (curve.frequency <= _BAND)
        return float(np.clip(np.nan_to_num(curve.values[inside]), 0, 1).mean())

    @property
    def merit(self) -> float:
        """What candidates are ranked by: novelty times reproducibility, 0 to 1."""
        return self.novelty * self.reproducibility


@dataclass(frozen=True, slots=True, eq=False)
class Discovery:
    """What a search has found.

    Parameters
    ----------
    candidates : tuple of Candidate
        The best first.
    clusters : array of shape (n,), int32
        Cluster of each crop; -1 where its vector is not finite.
    novelty : array of shape (n,), float32, or None
        Probability of each crop to be of no labelled class.
    n_left : int
        Clusters that were still to be looked into when the search was stopped.
    notes : tuple of str
        Sentences for the user.
    """

    candidates: tuple[Candidate, ...]
    clusters: npt.NDArray[np.int32]
    novelty: npt.NDArray[np.float32] | None = None
    n_left: int = 0
    notes: tuple[str, ...] = ()

    @property
    def structures(self) -> tuple[Candidate, ...]:
        """The best candidate of each structure."""
        return tuple(one for one in self.candidates if one.same_as is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterDone(Event):
    """A cluster was taken apart.

    Parameters
    ----------
    found : tuple of Candidate
        Its classes.
    """

    found: tuple[Candidate, ...] = field(repr=False)
