"""Clusters of k-means."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from napari_cryoml.embedding._centres import find_centres, nearest_centre
from napari_cryoml.embedding._clustering import (
    STOPPED_EARLY,
    ClustersConfig,
    Grouping,
    GroupingJob,
    Vectors,
    clusterings,
)


@clusterings.register("kmeans")
class KMeansConfig(ClustersConfig):
    """k-means: round clusters of about one width, as many as are asked for.

    The default makes more clusters than there are kinds of things: each is then mostly of one
    kind, and clusters of the same kind are put together by eye. Xu et al. 2017 (Bioinformatics
    33, i13) make 100 clusters of subtomograms likewise; they go on within each by classification
    and averages without a reference.
    """

    k: int = Field(100, ge=1, description="How many clusters.")
    restarts: int = Field(
        3,
        ge=1,
        le=100,
        description="Random starts, of which the best is kept; large tables start once.",
    )

    def group(self, vectors: Vectors) -> GroupingJob:
        """Return the job that sorts rows into `k` clusters, or fewer if there are fewer rows."""
        k = min(self.k, len(vectors))
        if k == 0:
            return Grouping(np.empty(0, np.intp))
        centres, is_whole = yield from find_centres(vectors, k, self.seed, self.restarts)
        labels = nearest_centre(vectors, centres)
        notes = () if is_whole else (STOPPED_EARLY,)
        return Grouping(labels, (*_on_number(self.k, labels), *notes))


def _on_number(k: int, labels: np.ndarray) -> tuple[str, ...]:
    found = len(np.unique(labels))
    if found == k:
        return ()
    return (f"{k} clusters were asked for and {found} made: there are no more different rows.",)
