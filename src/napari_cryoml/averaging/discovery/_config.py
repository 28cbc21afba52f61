"""What a user decides about a search for unknown structures."""

from __future__ import annotations

from pydantic import Field

from napari_cryoml._registry import Config
from napari_cryoml.averaging._subtomogram_classes import ClassesConfig
from napari_cryoml.embedding import KMeansConfig, NoveltyConfig


class DiscoveryConfig(Config):
    """How crops are parted, averaged and compared, to find structures that nobody labelled."""

    clusters: int = Field(
        100,
        ge=1,
        le=10_000,
        description="Clusters of k-means that the vectors are parted into: many more than there "
        "are kinds of particles.",
    )
    most_clusters: int | None = Field(
        None,
        ge=1,
        description="How many clusters are looked into, the most novel or else the largest first; "
        "none for all.",
    )
    least: int = Field(
        10, ge=2, description="A cluster, or a class within it, of fewer particles is passed over."
    )
    most: int = Field(
        200,
        ge=4,
        le=5000,
        description="Most particles of a cluster that are aligned: those nearest to its centre.",
    )
    classes: ClassesConfig = Field(
        default_factory=ClassesConfig,
        description="Classification without references within each cluster.",
    )
    novelty: NoveltyConfig = Field(
        default_factory=NoveltyConfig,
        description="How rows are compared with those that are labelled.",
    )
    same_angstrom: float = Field(
        70.0,
        gt=0,
        description="Averages that agree down to this detail (correlation 0.5) are one structure; "
        "7 nm in the published protocol.",
    )
    seed: int = Field(0, ge=0, description="Seed of every draw.")

    def grouping(self, n_rows: int) -> KMeansConfig:
        """Return the clustering of `n_rows` rows: no more clusters than have enough members."""
        return KMeansConfig(k=min(self.clusters, max(n_rows // self.least, 1)), seed=self.seed)
