"""Clusters of Ward's method."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_cryoml.embedding._assignment import draw
from napari_cryoml.embedding._centres import find_centres, nearest_centre
from napari_cryoml.embedding._clustering import (
    STOPPED_BEFORE,
    STOPPED_EARLY,
    ClustersConfig,
    Grouping,
    GroupingJob,
    Labels,
    Vectors,
    clusterings,
)
from napari_cryoml.embedding._ward import merge
from napari_cryoml.jobs import Command, Event

EXACT_ROWS = 5000
"""Rows up to which pairs of rows are merged; above, pairs of small clusters of k-means."""

_MICRO_CLUSTERS = 1000
_ROWS_SEEN = 10  # for each of them, when their centres are sought


@clusterings.register("agglomerative")
class AgglomerativeConfig(ClustersConfig):
    """Ward's method: clusters are merged in pairs, so that they stay as compact as they can.

    Ward 1963 (J. Am. Stat. Assoc. 58, 236). Above 5000 rows, a thousand small clusters of k-means
    are merged, each with the weight of its rows.
    """

    n_clusters: int = Field(10, ge=1, description="How many clusters, unless a distance is given.")
    distance: float | None = Field(
        None,
        gt=0,
        description="Distance at which merging ends, sqrt(2ab / (a + b)) times the distance of "
        "the means of two clusters of a and b rows; none to give the number.",
    )

    def group(self, vectors: Vectors) -> GroupingJob:
        """Return the job that merges rows into clusters."""
        if len(vectors) < 2:
            return Grouping(np.zeros(len(vectors), np.intp))
        if len(vectors) > EXACT_ROWS:
            return (yield from self._of_micro_clusters(vectors))
        told = yield Event(done=0, total=1, message=f"merging {len(vectors)} rows")
        if told is Command.STOP:
            return Grouping(np.full(len(vectors), -1), (STOPPED_BEFORE,))
        labels = self._merged(vectors)
        return Grouping(labels, self._on_number(labels))

    def _of_micro_clusters(self, vectors: Vectors) -> GroupingJob:
        seen = vectors[draw(len(vectors), _ROWS_SEEN * _MICRO_CLUSTERS, self.seed)]
        centres, is_whole = yield from find_centres(seen, _MICRO_CLUSTERS, self.seed)
        micro = nearest_centre(vectors, centres)
        _, micro, weights = np.unique(micro, return_inverse=True, return_counts=True)
        yield Event(done=1, total=1, message=f"merging {len(weights)} small clusters")
        labels = self._merged(_means(vectors, micro, weights), weights)[micro]
        notes = () if is_whole else (STOPPED_EARLY,)
        return Grouping(labels, (*self._on_number(labels), *notes))

    def _merged(self, points: npt.ArrayLike, weights: Labels | None = None) -> Labels:
        return merge(points, weights, self.n_clusters, self.distance)

    def _on_number(self, labels: Labels) -> tuple[str, ...]:
        found = int(labels.max()) + 1
        if self.distance is not None or found == self.n_clusters:
            return ()
        return (
            f"{self.n_clusters} clusters were asked for and {found} made: there are no more "
            "different rows.",
        )


def _means(vectors: Vectors, labels: Labels, counts: Labels) -> npt.NDArray[np.float64]:
    order = np.argsort(labels, kind="stable")
    begins = np.cumsum(counts) - counts
    return np.add.reduceat(vectors[order], begins, axis=0, dtype=float) / counts[:, None]
