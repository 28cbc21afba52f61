"""PCA: the directions in which vectors differ most, at once and exactly."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from napari_cryoml.embedding._layouts import (
    Layout,
    LayoutJob,
    ProjectionConfig,
    Projector,
    Vectors,
    layout_changed,
    projections,
)

_JITTER = 1e-4


@projections.register("pca")
class PcaConfig(ProjectionConfig):
    """The options of a map by principal components."""

    n_components: int = Field(
        2, ge=2, le=50, description="How many columns of coordinates; the map shows the first two."
    )

    @property
    def uses_landmarks(self) -> bool:
        """PCA of a million rows takes a second."""
        return False

    def build(self) -> Projector:
        """Return what makes the map."""
        return Pca(self)


class Pca(Projector):
    """Turns vectors so that the first coordinates hold most of the variance.

    Parameters
    ----------
    config : PcaConfig
    """

    def __init__(self, config: PcaConfig) -> None:
        self._config = config

    def lay_out(self, vectors: Vectors, start: Layout | None) -> LayoutJob:
        """Lay out rows; see `Projector`. The start does not matter."""
        layout = principal_components(vectors, self._config.n_components, self._config.seed)
        yield layout_changed(1, layout)
        return layout

    def place(self, vectors: Vectors, layout: Layout, new: Vectors) -> Layout:
        """Place rows on a map that stays as it is; see `Projector`."""
        n_components, seed = layout.shape[1], self._config.seed
        known = principal_components(vectors, n_components, seed)
        # The map may have been made of a table of another scale, by one more or less row.
        squares = (known**2).sum(axis=0)
        scale = (known * layout).sum(axis=0) / np.where(squares > 0, squares, 1)
        return scale * principal_components(vectors, n_components, seed, new)


def principal_components(
    vectors: Vectors, n_components: int = 2, seed: int = 0, new: Vectors | None = None
) -> Layout:
    """Return the coordinates of vectors along the directions in which they differ most.

    Parameters
    ----------
    vectors : array of shape (n, d), float32
        At least one row.
    n_components : int, default 2
    seed : int, default 0
        Of the approximation for long vectors.
    new : array of shape (m, d), float32, optional
        Return the coordinates of these, along the directions of the others.

    Returns
    -------
    array of shape (n, n_components) or (m, n_components), float32
        Columns that vectors are too short or too few for are 0.
    """
    from sklearn.decomposition import PCA

    wanted = vectors if new is None else new
    layout = np.zeros((len(wanted), n_components), np.float32)
    n = min(n_components, *vectors.shape)
    if n and np.ptp(vectors, axis=0).any():
        turned = PCA(n, random_state=seed).fit(vectors).transform(wanted)
        layout[:, :n] = turned
    return layout


def spread_out(vectors: Vectors, start: Layout | None, width: float, seed: int) -> Layout:
    """Return where a layout begins: at `start` or by PCA, with no two rows at one place.

    Parameters
    ----------
    vectors : array of shape (n, d), float32
    start : array of shape (n, 2), float32, optional
    width : float
        Largest distance from the centre along either axis.
    seed : int

    Returns
    -------
    array of shape (n, 2), float32
    """
    layout = principal_components(vectors, 2, seed) if start is None else start[:, :2]
    layout = layout - layout.mean(axis=0)
    largest = np.abs(layout).max()
    unit = layout / (largest if largest > 0 else 1)
    jitter = np.random.default_rng(seed).normal(scale=_JITTER, size=layout.shape)
    return (width * (unit + jitter)).astype(np.float32)
