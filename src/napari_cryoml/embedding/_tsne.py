"""t-SNE, by openTSNE in slices of iterations."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
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

_SLICE = 50  # iterations between two layouts
_MOMENTUM = 0.8
_WIDTH = 1e-4  # of a map to begin with: larger ones do not unfold
_NEW_PERPLEXITY = 5  # of rows that join a map, as recommended by openTSNE
_NEW_ITERATIONS = 250
_MANY = 5000
"""Rows from which threads are worth their waiting for each other in every round."""


@projections.register("tsne")
class TsneConfig(ProjectionConfig):
    """The options of t-SNE."""

    perplexity: float = Field(
        40,
        ge=2,
        le=500,
        description="Size of a neighbourhood, in rows; it is lowered where there are too few rows.",
    )
    early_exaggeration: float = Field(
        12, ge=1, le=100, description="How much stronger like rows attract each other at first."
    )
    early_iterations: int = Field(
        250, ge=0, le=5000, description="Rounds with early exaggeration, in which clusters form."
    )
    iterations: int = Field(
        500, ge=1, le=20_000, description="Rounds after those, in which clusters unfold."
    )
    learning_rate: float | Literal["auto"] = Field(
        "auto", description="Length of a step; auto: the number of rows over the exaggeration."
    )

    def build(self) -> Projector:
        """Return what makes the map."""
        return Tsne(self, choose_backend(self.backend))


class Tsne(Projector):
    """Lays out rows so that near neighbours stay near.

    Parameters
    ----------
    config : TsneConfig
    backend : str
        Chosen by `choose_backend`.

    References
    ----------
    van der Maaten and Hinton, "Visualizing data using t-SNE", JMLR 9 (2008); Poličar, Stražar and
    Zupan, "openTSNE", J. Stat. Softw. 109 (2024); Belkina et al., Nat. Commun. 10 (2019), for the
    learning rate.
    """

    def __init__(self, config: TsneConfig, backend: str = "cpu") -> None:
        self._config, self._backend = config, backend

    def notes(self, n_rows: int) -> list[str]:
        """Say that perplexity was lowered."""
        perplexity = self._perplexity(n_rows)
        if perplexity >= self._config.perplexity:
            return []
        return [
            f"Perplexity was lowered from {self._config.perplexity:g} to {perplexity:.3g}: "
            f"{n_rows} rows allow no more."
        ]

    @property
    def origin(self) -> str:
        """Whether the seed gives the map again, or who made it."""
        return origin_of(self._backend, self._config.seed)

    def lay_out(self, vectors: Vectors, start: Layout | None) -> LayoutJob:
        """Lay out rows; see `Projector`."""
        from napari_cryoml.embedding._pca import spread_out

        layout = spread_out(vectors, start, _WIDTH, self._config.seed)
        if (yield layout_changed(0, layout, "Looking for neighbours.")) is Command.STOP:
            return layout
        if self._backend != "cpu":
            return self._elsewhere(vectors)
        embedding = self._prepare(vectors, layout)
        config, done = self._config, 0
        total = config.early_iterations + config.iterations
        while done < total:
            early = done < config.early_iterations
            until = config.early_iterations if early else total
            n_iterations = min(_SLICE, until - done)
            embedding.optimize(
                n_iter=n_iterations,
                exaggeration=config.early_exaggeration if early else None,
                momentum=_MOMENTUM,
                inplace=True,
                propagate_exception=True,
            )
            done += n_iterations
            layout = np.array(embedding, dtype=np.float32)
            if (yield layout_changed(done / total, layout)) is Command.STOP:
                break
        return layout

    def _perplexity(self, n_rows: int) -> float:
        return min(self._config.perplexity, (n_rows - 1) / 3)

    def _prepare(self, vectors: Vectors, layout: Layout) -> Any:
        from openTSNE import TSNE
        from openTSNE.affinity import PrecomputedAffinities, joint_probabilities_nn

        from napari_cryoml.embedding._neighbours import nearest

        perplexity = self._perplexity(len(vectors))
        indices, distances = nearest(vectors, k=int(3 * perplexity))
        threads = _useful_threads(len(vectors))
        chances = joint_probabilities_nn(indices, distances, [perplexity], n_jobs=threads)
        tsne = TSNE(
            learning_rate=self._config.learning_rate,
            random_state=self._config.seed,
            n_jobs=threads,
        )
        affinities = PrecomputedAffinities(chances, normalize=False)
        return tsne.prepare_initial(affinities=affinities, initialization=layout.astype(np.float64))

    def _elsewhere(self, vectors: Vectors) -> Layout:
        perplexity = self._perplexity(len(vectors))
        options: dict[str, Any] = {"perplexity": perplexity}
        if self._backend == "cuml":
            options["n_neighbors"] = int(3 * perplexity)
        return lay_out_with(self._backend, "TSNE", vectors, options, self._config.seed)

    def place(self, vectors: Vectors, layout: Layout, new: Vectors) -> Layout:
        """Place rows on a map that stays as it is; see `Projector`."""
        from openTSNE import PartialTSNEEmbedding, TSNEEmbedding
        from openTSNE.affinity import PrecomputedAffinities, joint_probabilities_nn
        from scipy import sparse

        from napari_cryoml.embedding._neighbours import nearest
        from napari_cryoml.embedding._placement import mean_of_neighbours

        n, k = len(vectors), 3 * _NEW_PERPLEXITY
        indices, distances = nearest(vectors, new, k)
        begun = mean_of_neighbours(indices, distances, layout)
        if n <= k or n > self._config.landmarks_above:
            return begun  # as on a map by landmarks
        chances = joint_probabilities_nn(
            indices,
            distances,
            [_NEW_PERPLEXITY],
            symmetrize=False,
            normalization="point-wise",
            n_reference_samples=n,
        )
        # The map itself is only looked at, so that its own affinities do not matter.
        nothing = PrecomputedAffinities(sparse.csr_matrix((n, n)), normalize=False)
        joined = PartialTSNEEmbedding(begun, TSNEEmbedding(layout, nothing), chances)
        joined.optimize(
            n_iter=_NEW_ITERATIONS,
            learning_rate=0.1,
            exaggeration=1.5,
            momentum=_MOMENTUM,
            max_grad_norm=0.25,
            max_step_norm=None,
            negative_gradient_method="bh",
            n_jobs=_useful_threads(len(new)),
            inplace=True,
        )
        same = distances[:, 0] == 0
        return np.where(same[:, None], begun, np.asarray(joined, np.float32))


def _useful_threads(n_rows: int) -> int:
    from napari_cryoml.embedding._threads import n_threads

    return n_threads() if n_rows >= _MANY else 1
