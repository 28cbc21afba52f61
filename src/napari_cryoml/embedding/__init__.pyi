from ._clusters import (
    AgglomerativeConfig,
    Clusters,
    ClustersConfig,
    HdbscanConfig,
    KMeansConfig,
    LeidenConfig,
    cluster,
    clusterings,
)
from ._condition_map import Arrows, arrows, condition_vectors
from ._correlated import Correlated, all_correlated, most_correlated
from ._displacements import DisplacementConfig, displacements
from ._encoders import CropEncoder, CropEncoderConfig, LiveEncoderConfig, encoders
from ._extract import Extracted, extract
from ._few_shot import FewShot, few_shot
from ._group_vectors import central_members, group_vectors
from ._messages import (
    ClusterRequest,
    FewShotRequest,
    NoveltyRequest,
    PlaceRequest,
    ProjectRequest,
    SpreadRequest,
)
from ._montage import central_thumbnails
from ._neighbours import NeighbourIndex, nearest
from ._novelty import Novelty, NoveltyConfig, novelty
from ._projection import (
    PROTEIN_MAP,
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
from ._service import MapService
from ._silhouette import silhouette
from ._spreading import Reliability, Spread, SpreadConfig, spread_labels
from ._whitening import Whitening

__all__ = [
    "PROTEIN_MAP",
    "AgglomerativeConfig",
    "Arrows",
    "ClusterRequest",
    "Clusters",
    "ClustersConfig",
    "Correlated",
    "CropEncoder",
    "CropEncoderConfig",
    "DisplacementConfig",
    "Extracted",
    "FewShot",
    "FewShotRequest",
    "HdbscanConfig",
    "KMeansConfig",
    "LayoutChanged",
    "LeidenConfig",
    "LiveEncoderConfig",
    "MapService",
    "NeighbourIndex",
    "Novelty",
    "NoveltyConfig",
    "NoveltyRequest",
    "PcaConfig",
    "PlaceRequest",
    "ProjectRequest",
    "Projection",
    "ProjectionConfig",
    "Reliability",
    "Spread",
    "SpreadConfig",
    "SpreadRequest",
    "TsneConfig",
    "UmapConfig",
    "Whitening",
    "all_correlated",
    "arrows",
    "central_members",
    "central_thumbnails",
    "cluster",
    "clusterings",
    "condition_vectors",
    "displacements",
    "encoders",
    "extract",
    "few_shot",
    "group_vectors",
    "most_correlated",
    "nearest",
    "novelty",
    "place",
    "project",
    "projections",
    "silhouette",
    "spread_labels",
    "warm_up",
]
