"""Clusters of Leiden."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

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
from napari_cryoml.embedding._neighbour_graph import neighbour_graph
from napari_cryoml.jobs import Command, Event


@clusterings.register("leiden")
class LeidenConfig(ClustersConfig):
    """Leiden: parts of the graph of nearest neighbours with many links inside and few between.

    Traag, Waltman and van Eck 2019 (Sci. Rep. 9, 5233), by modularity. Clusters may have any form
    and density; their number follows from the resolution.
    """

    neighbours: int = Field(15, ge=1, description="Nearest neighbours that a row is linked to.")
    resolution: float = Field(
        1.0, gt=0, le=1000, description="Higher for more and smaller clusters."
    )
    sample: int = Field(
        200_000,
        ge=100,
        description="Rows up to which all are used; of more a sample is clustered, and the rest "
        "join the cluster of their nearest neighbour.",
    )

    def group(self, vectors: Vectors) -> GroupingJob:
        """Return the job that sorts rows into parts of their graph of neighbours."""
        if len(vectors) < 2:
            return Grouping(np.zeros(len(vectors), np.intp))
        rows = draw(len(vectors), self.sample, self.seed)
        told = yield Event(done=0, total=3, message=f"neighbours of {len(rows)} rows")
        if told is not Command.STOP:
            graph = neighbour_graph(vectors[rows], self.neighbours)
            told = yield Event(done=1, total=3, message="Leiden")
        if told is Command.STOP:
            return Grouping(np.full(len(vectors), -1), (STOPPED_BEFORE,))
        labels = self._parts(graph)
        yield Event(done=2, total=3, message="assigning the other rows")
        assigned = assign_rest(vectors, rows, labels)
        return Grouping(assigned, on_sample(len(vectors), self.sample))

    def _parts(self, graph: Any) -> Labels:
        from sknetwork.clustering import Leiden

        _seed_c_library(self.seed)
        model = Leiden(
            resolution=self.resolution,
            modularity="newman",
            return_probs=False,
            return_aggregate=False,
        )
        return model.fit_predict(graph).astype(np.intp)


def _seed_c_library(seed: int) -> None:
    # The library refines by rand() of the C library, and leaves it as it is.
    library = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
    library.srand(ctypes.c_uint(seed & 0xFFFFFFFF))
