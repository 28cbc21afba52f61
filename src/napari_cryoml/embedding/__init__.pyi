from ._clusters import Clusters, ClustersConfig, cluster, clusterings
from ._encoders import CropEncoder, CropEncoderConfig, LiveEncoderConfig, encoders
from ._extract import Extracted, extract
from ._few_shot import FewShot, few_shot
from ._neighbours import NeighbourIndex, nearest
from ._novelty import Novelty, NoveltyConfig, novelty
from ._projection import (
    LayoutChanged,
    PcaConfig,
    Projection,
    ProjectionConfig,
    TsneConfig,
    UmapConfig,
    place,
    project,
    projections,
    warm_up,
)
from ._spreading import Spread, SpreadConfig, spread_labels
from ._whitening import Whitening

__all__ = [
    "Clusters",
    "ClustersConfig",
    "CropEncoder",
    "CropEncoderConfig",
    "Extracted",
    "FewShot",
    "LayoutChanged",
    "LiveEncoderConfig",
    "NeighbourIndex",
    "Novelty",
    "NoveltyConfig",
    "PcaConfig",
    "Projection",
    "ProjectionConfig",
    "Spread",
    "SpreadConfig",
    "TsneConfig",
    "UmapConfig",
    "Whitening",
    "cluster",
    "clusterings",
    "encoders",
    "extract",
    "few_shot",
    "nearest",
    "novelty",
    "place",
    "project",
    "projections",
    "spread_labels",
    "warm_up",
]
