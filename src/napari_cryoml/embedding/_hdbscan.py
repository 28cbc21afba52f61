"""Clusters of HDBSCAN."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from napari_cryoml.embedding._assignment import assign_rest, draw, on_sample
from napari_cryoml.embedding._clustering import (
    STOPPED_BEFORE,
    ClustersConfig,
    Grouping,
    GroupingJob,
    Labels,
    Vectors,
    clusterings,
)
from napari_cryoml.jobs import Command, Event

_LEAST_SIZE = 5


@clusterings.register("hdbscan")
class HdbscanConfig(ClustersConfig):
    """HDBSCAN: dense clusters of any form and number; what lies between them belongs to none.

    Campello, Moulavi and Sander 2013 (PAKDD, 160). Density says little in many dimensions: the
    vectors are reduced to their first principal components.
    """

    min_cluster_size: int = Field(25, ge=2, description="Rows that make a cluster at least.")
    min_samples: int = Field(
        5, ge=1, description="Neighbours that tell how dense a place is; more leave more rows out."
    )
    selection: Literal["eom", "leaf"] = Field(
        "eom", description="eom for the clusters that last longest, leaf for the smallest ones."
    )
    dimensions: int = Field(
        20, ge=1, description="Principal components that are used, if there are that many."
    )
    sample: int = Field(
        30_000,
        ge=100,
        description="Rows up to which all are used; of more a sample is clustered, and the rest "
        "join the cluster of their nearest neighbour if they are close to it.",
    )

    def group(self, vectors: Vectors) -> GroupingJob:
        """Return the job that sorts rows into dense clusters."""
        rows = draw(len(vectors), self.sample, self.seed)
        if len(rows) < self.min_cluster_size:
            return Grouping(np.full(len(vectors), -1), (_too_few(self.min_cluster_size),))
        told = yield Event(done=0, total=2, message=f"HDBSCAN of {len(rows)} rows")
        if told is Command.STOP:
            return Grouping(np.full(len(vectors), -1), (STOPPED_BEFORE,))
        reduced = _principal_components(vectors, self.dimensions)
        labels = self._of_sample(reduced[rows], len(rows) / len(vectors))
        yield Event(done=1, total=2, message="assigning the other rows")
        assigned = assign_rest(reduced, rows, labels, within_reach=True)
        return Grouping(assigned, on_sample(len(vectors), self.sample))

    def _of_sample(self, vectors: Vectors, share: float) -> Labels:
        from sklearn.cluster import HDBSCAN

        least = self.min_cluster_size
        if share < 1:  # a cluster is smaller in a sample
            least = max(min(least, _LEAST_SIZE), round(least * share))
        model = HDBSCAN(
            min_cluster_size=least,
            min_samples=min(self.min_samples, len(vectors)),
            cluster_selection_method=self.selection,
            copy=True,
        )
        return model.fit_predict(vectors).astype(np.intp)


def _too_few(least: int) -> str:
    return f"There are fewer than {least} rows, which a cluster has at least: there is none."


def _principal_components(vectors: Vectors, most: int) -> Vectors:
    """Return centred vectors in their first principal components, shape (n, at most `most`)."""
    if vectors.shape[1] <= most:
        return vectors
    _, axes = np.linalg.eigh(vectors.T @ vectors)
    return vectors @ axes[:, : -most - 1 : -1]
