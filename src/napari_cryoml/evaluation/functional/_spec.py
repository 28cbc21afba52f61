"""What the metrics mean, in full: saved beside every result."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from napari_cryoml._registry import Config

Fraction = Annotated[float, Field(gt=0, lt=1)]


class MetricSpec(Config):
    """Everything that decides the value of a functional metric.

    Published values are hard to compare because most of these choices are rarely told; two
    reports can be compared where their specifications are equal.
    """

    least: int = Field(
        3, ge=2, description="Terms of fewer of the evaluated proteins are left out."
    )
    most: int = Field(
        300, ge=2, description="Terms of more of the evaluated proteins are left out."
    )
    correlation: Literal["pearson", "cosine", "spearman"] = Field(
        "pearson", description="How alike two vectors are."
    )
    zscore: bool = Field(
        False, description="Bring each feature to mean 0 and variance 1 over all proteins first."
    )
    negatives: Literal["annotated", "all"] = Field(
        "annotated",
        description="Pairs that count as unrelated: of proteins that have terms, but none in "
        "common; or those with proteins without any term as well.",
    )
    q: Fraction = Field(0.10, description="Share of all pairs that is called related, for F0.5.")
    sweep: tuple[Fraction, ...] = Field(
        (0.01, 0.02, 0.05, 0.10, 0.15, 0.20),
        description="Further shares of the pairs at which F0.5 is told.",
    )
    r: float = Field(
        0.5, ge=-1, le=1, description="Correlation from which pairs are called related."
    )
    clustering: Literal["average", "kmeans"] = Field(
        "average",
        description="Clusters for the mutual information: average linkage on 1 - correlation, or "
        "k-means on vectors of length 1.",
    )
    k: int | None = Field(
        None, ge=2, description="Number of clusters; none for the number of terms that are present."
    )
    labels: Literal["single", "smallest"] = Field(
        "single",
        description="The one label of a protein for the mutual information: proteins of several "
        "terms are left out, or count for their smallest term.",
    )
    n_bootstrap: int = Field(
        200, ge=0, description="Draws of the proteins with replacement, for intervals."
    )
    n_permutations: int = Field(
        200, ge=0, description="Random exchanges of the proteins' terms, for chance and p-values."
    )
    confidence: Fraction = Field(0.95, description="Share of draws inside an interval.")
    seed: int = Field(0, ge=0, description="Seed of draws, exchanges and k-means.")

    @model_validator(mode="after")
    def _in_order(self) -> MetricSpec:
        if self.most < self.least:
            raise ValueError("most must not be below least")
        return self

    @property
    def fractions(self) -> tuple[float, ...]:
        """Shares of the pairs at which F0.5 is told, rising, with `q` among them."""
        return tuple(sorted({self.q, *self.sweep}))
