"""What passes between maps and who asks for them; importing it needs no heavy library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from napari_cryoml.embedding._clustering import ClustersConfig
    from napari_cryoml.embedding._layouts import ProjectionConfig
    from napari_cryoml.embedding._novelty import NoveltyConfig
    from napari_cryoml.embedding._spreading import SpreadConfig

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class ProjectRequest:
    """Asks for a map; answered with a `Projection`, after `LayoutChanged` events.

    Parameters
    ----------
    config : ProjectionConfig
    rows : array of shape (m,), int, optional
        Rows to make the map of, all by default; the layout and the rows of events count these.
    start : array of shape (m, 2), optional
        Map to begin with.
    """

    config: ProjectionConfig
    rows: Rows | None = None
    start: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PlaceRequest:
    """Asks for places of further rows on a map; answered with an array of shape (k, 2).

    Parameters
    ----------
    layout : array of shape (n, 2)
        Places of the rows of the service; NaN for those that have none.
    vectors : array of shape (k, d)
        The further rows.
    config : ProjectionConfig
        What the map was made with.
    """

    layout: npt.NDArray[np.float32]
    vectors: npt.NDArray[np.floating[Any]]
    config: ProjectionConfig


@dataclass(frozen=True, slots=True, eq=False)
class ClusterRequest:
    """Asks for clusters; answered with `Clusters`.

    Parameters
    ----------
    config : ClustersConfig
    rows : array of shape (m,), int, optional
        Rows to sort, all by default; the labels are of these.
    """

    config: ClustersConfig
    rows: Rows | None = None


@dataclass(frozen=True, slots=True, eq=False)
class NoveltyRequest:
    """Asks how unlike all labelled rows each row is; answered with a `Novelty`.

    Parameters
    ----------
    classes : array of shape (n,), str
        "" for rows without a label.
    config : NoveltyConfig
    """

    classes: npt.NDArray[np.str_]
    config: NoveltyConfig


@dataclass(frozen=True, slots=True, eq=False)
class SpreadRequest:
    """Asks for the classes of rows near labelled ones; answered with a `Spread`.

    Parameters
    ----------
    classes : array of shape (n,), str
        "" for rows without a label.
    config : SpreadConfig
    """

    classes: npt.NDArray[np.str_]
    config: SpreadConfig


@dataclass(frozen=True, slots=True, eq=False)
class FewShotRequest:
    """Asks for the class that a few rows are examples of; answered with a `FewShot`.

    Parameters
    ----------
    rows : sequence of int
        Selected rows.
    negatives : sequence of int
        Rows that are not of the class.
    """

    rows: Sequence[int] | Rows
    negatives: Sequence[int] | Rows = ()


MapRequest = (
    ProjectRequest | PlaceRequest | ClusterRequest | NoveltyRequest | SpreadRequest | FewShotRequest
)
