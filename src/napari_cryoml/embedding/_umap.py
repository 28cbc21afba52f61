"""UMAP: neighbours attract each other, all others push."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from napari_cryoml.embedding._backends import choose_backend, lay_out_with, origin_of
from napari_cryoml.embedding._layouts import (
    Layout,
    LayoutJob,
    ProjectionConfig,
    Projector,
    Vectors,
    layout_changed,
    projections,
)
from napari_cryoml.jobs import Command

if TYPE_CHECKING:
    from napari_cryoml.embedding._umap_epochs import Edges

_SMALL = 10_000  # rows up to which a map is worth more epochs
_EVENTS = 40
_WIDTH = 10.0  # of a map to begin with


@projections.register("umap")
class UmapConfig(ProjectionConfig):
    """The options of UMAP."""

    n_neighbors: int = Field(
        15,
        ge=2,
        le=200,
        description="How many rows make a neighbourhood, itself included: few show detail, many "
        "show the whole.",
    )
    min_dist: float = Field(
        0.1, ge=0, le=0.99, description="How close to each other like rows lie on the map."
    )
    epochs: int | None = Field(
        None,
        ge=10,
        le=5000,
        description="Rounds of the layout; by default 500 up to 10,000 rows, 200 above.",
    )
    backend: Literal["auto", "cpu", "umap-learn", "torchdr", "cuml"] = Field(  # type: ignore[assignment]
        "auto",
        description="What computes the map: umap-learn, by which others make it, shows nothing on "
        "the way; TorchDR or cuML need a GPU; auto takes them if both are there.",
    )

    def build(self) -> Projector:
        """Return what makes the map."""
        return Umap(self, choose_backend(self.backend))


class Umap(Projector):
    """Lays out the graph of neighbours by stochastic gradient descent.

    Parameters
    ----------
    config : UmapConfig
    backend : str
        Chosen by `choose_backend`.

    References
    ----------
    McInnes, Healy and Melville, "UMAP: Uniform Manifold Approximation and Projection for
    Dimension Reduction", arXiv:1802.03426 (2018).
    """

    def __init__(self, config: UmapConfig, backend: str = "cpu") -> None:
        self._config, self._backend = config, backend

    def notes(self, n_rows: int) -> list[str]:
        """Say if neighbourhoods were made smaller."""
        if n_rows >= self._config.n_neighbors:
            return []
        return [
            f"Neighbourhoods were made smaller, from {self._config.n_neighbors} rows to {n_rows}: "
            "there are no more."
        ]

    @property
    def origin(self) -> str:
        """Whether the seed gives the map again, or who made it."""
        return origin_of(self._backend, self._config.seed)

    @property
    def n_neighbours(self) -> int:
        """As many as a neighbourhood has, without the row itself."""
        return max(2, self._config.n_neighbors - 1)

    def lay_out(self, vectors: Vectors, start: Layout | None) -> LayoutJob:
        """Lay out rows; see `Projector`."""
        from napari_cryoml.embedding._neighbours import nearest
        from napari_cryoml.embedding._pca import spread_out
        from napari_cryoml.embedding._umap_graph import graph_edges

        n_epochs = self._config.epochs or (500 if len(vectors) <= _SMALL else 200)
        layout = spread_out(vectors, start, _WIDTH, self._config.seed)
        if (yield layout_changed(0, layout, "Looking for neighbours.")) is Command.STOP:
            return layout
        if self._backend != "cpu":
            return self._elsewhere(vectors)
        indices, distances = nearest(vectors, k=self._config.n_neighbors - 1)
        edges = graph_edges(indices, distances, n_epochs)
        return (yield from self._descend(layout, edges, n_epochs))

    def _elsewhere(self, vectors: Vectors) -> Layout:
        options: dict[str, Any] = {
            "n_neighbors": min(self._config.n_neighbors, len(vectors) - 1),
            "min_dist": self._config.min_dist,
        }
        if self._backend != "torchdr":
            options["n_epochs"] = self._config.epochs
        return lay_out_with(self._backend, "UMAP", vectors, options, self._config.seed)

    def _descend(self, layout: Layout, edges: Edges, n_epochs: int) -> LayoutJob:
        from napari_cryoml.embedding._threads import workers
        from napari_cryoml.embedding._umap_epochs import Pull, move_rows
        from napari_cryoml.embedding._umap_graph import membership_curve

        pull = Pull(*membership_curve(self._config.min_dist))
        between = max(1, n_epochs // _EVENTS)
        with workers() as (pool, n_threads):
            for epoch in range(n_epochs):
                layout = move_rows(
                    layout,
                    edges,
                    pull,
                    alpha=1 - epoch / n_epochs,
                    epoch=epoch,
                    seed=self._config.seed,
                    pool=pool,
                    n_threads=n_threads,
                )
                if (epoch + 1) % between and epoch + 1 < n_epochs:
                    continue
                if (yield layout_changed((epoch + 1) / n_epochs, layout)) is Command.STOP:
                    break
        return layout
