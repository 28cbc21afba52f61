"""What all ways of making clusters share: options, what they find, the registry."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_cryoml._registry import Config, Registry
from napari_cryoml.jobs import Command, Event

Vectors: TypeAlias = npt.NDArray[np.float32]
Labels: TypeAlias = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """What a method has found, before clusters are put in order.

    Parameters
    ----------
    labels : array of shape (n,), intp
        A number for each cluster, any number; -1 for rows of none.
    notes : tuple of str
        Sentences for the user.
    """

    labels: Labels
    notes: tuple[str, ...] = ()


GroupingJob: TypeAlias = Generator[Event, Command | None, Grouping]


class ClustersConfig(Config):
    """How clusters are made; each method derives its own."""

    seed: int = Field(0, ge=0, description="Seed of every draw.")

    def group(self, vectors: Vectors) -> GroupingJob:
        """Return the job that sorts rows into clusters.

        Parameters
        ----------
        vectors : array of shape (n, d), float32
            Finite, centred on their mean; n may be 0.
        """
        raise NotImplementedError


clusterings: Registry[ClustersConfig] = Registry(
    "way of making clusters", order=("agglomerative", "hdbscan", "kmeans", "leiden")
)

STOPPED_EARLY = "Stopped early: the clusters are those found by then."
STOPPED_BEFORE = "Stopped before any cluster was found."
