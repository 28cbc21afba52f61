from ._clusters import Clusters, ClustersConfig, cluster, clusterings
from ._encoders import CropEncoder, CropEncoderConfig, LiveEncoderConfig, encoders
from ._extract import Extracted, extract
from ._few_shot import FewShot, few_shot
from ._novelty import Novelty, NoveltyConfig, novelty
from ._projection import LayoutChanged, Projection, ProjectionConfig, place, project, projections
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
    "Novelty",
    "NoveltyConfig",
    "Projection",
    "ProjectionConfig",
    "Spread",
    "SpreadConfig",
    "Whitening",
    "cluster",
    "clusterings",
    "encoders",
    "extract",
    "few_shot",
    "novelty",
    "place",
    "project",
    "projections",
    "spread_labels",
]
