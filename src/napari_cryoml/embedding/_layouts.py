"""What all maps share: options, what is said on the way, the result, the registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_cryoml._registry import Config, Registry
from napari_cryoml.jobs import Command, Event

Vectors = npt.NDArray[np.float32]
Layout = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]

STEPS = 1000
"""Units of work of a map, however long it takes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayoutChanged(Event):
    """Where rows lie on the map at present.

    Parameters
    ----------
    layout : array of shape (m, 2), float32
        Places; their scale may change from one event to the next.
    rows : array of shape (m,), intp, or None
        Whose places these are; None for those of all rows. Others keep the place they have.
    """

    layout: Layout
    rows: Rows | None = None


LayoutJob: TypeAlias = Generator[LayoutChanged, Command | None, Layout]
"""A job whose events are layouts, as its result is."""


def layout_changed(share: float, layout: Layout, message: str = "") -> LayoutChanged:
    """Return the event of a map of which a share of the work is done."""
    return LayoutChanged(done=round(STEPS * share), total=STEPS, message=message, layout=layout)


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """A map of vectors.

    Parameters
    ----------
    layout : array of shape (n, 2), float32
        One place a row (more columns where PCA was asked for more); NaN for rows without one.
    landmarks : array of shape (m,), intp, or None
        The rows that were laid out first, among which the rest was placed; None if all were.
    notes : tuple of str
        Sentences on what a user should know of this map.
    origin : str
        A sentence on whether the map can be had again, or who made it; empty if there is nothing
        to say.
    """

    layout: Layout
    landmarks: Rows | None = None
    notes: tuple[str, ...] = ()
    origin: str = ""


class Projector(ABC):
    """Makes maps of one kind, of vectors that are finite and as `scaled` gives them."""

    @abstractmethod
    def lay_out(self, vectors: Vectors, start: Layout | None) -> LayoutJob:
        """Lay out at least four rows, not all of them equal.

        Parameters
        ----------
        vectors : array of shape (n, d), float32
        start : array of shape (n, 2), float32, optional
            Where to begin, without NaN.

        Yields
        ------
        LayoutChanged
            Of all rows given.

        Returns
        -------
        array of shape (n, 2), float32
            What had been reached when it was stopped, if it was.
        """

    @property
    def n_neighbours(self) -> int:
        """How many neighbours with a place decide on the place of another row."""
        return 15

    def place(self, vectors: Vectors, layout: Layout, new: Vectors) -> Layout:
        """Place rows on a map that stays as it is, by default among their neighbours.

        Parameters
        ----------
        vectors : array of shape (n, d), float32
            Of the rows of the map.
        layout : array of shape (n, c), float32
        new : array of shape (m, d), float32

        Returns
        -------
        array of shape (m, c), float32
        """
        from napari_cryoml.embedding._placement import NeighbourPlacement

        return NeighbourPlacement(vectors, layout, self.n_neighbours)(new)

    def notes(self, n_rows: int) -> list[str]:
        """Return what a user should know of a map of so many rows."""
        return []

    @property
    def origin(self) -> str:
        """See `Projection.origin`."""
        return ""


class ProjectionConfig(Config):
    """The options of a map."""

    seed: int = Field(
        0, ge=0, le=2**31 - 1, description="The same seed gives the same map on the same machine."
    )
    metric: Literal["euclidean", "cosine"] = Field(
        "euclidean",
        description="Compare vectors by their distance, or by their direction alone.",
    )
    landmarks_above: int = Field(
        50_000,
        ge=10,
        description="With more rows than this, some are laid out as landmarks and the rest is "
        "placed among them.",
    )
    n_landmarks: int = Field(
        20_000, ge=10, le=200_000, description="How many rows are laid out as landmarks."
    )
    placement: Literal["neighbours", "network"] = Field(
        "neighbours",
        description="Place rows by their nearest landmarks, or by a small network that has "
        "learned the map of the landmarks.",
    )
    backend: Literal["auto", "cpu", "torchdr", "cuml"] = Field(
        "auto",
        description="What computes the map: TorchDR or cuML need a GPU; auto takes them if both "
        "are there.",
    )

    @property
    def name(self) -> str:
        """The name this kind of map is registered under."""
        return next(name for name in projections if projections[name] is type(self))

    @property
    def uses_landmarks(self) -> bool:
        """Whether large tables are laid out by landmarks."""
        return True

    @abstractmethod
    def build(self) -> Projector:
        """Return what makes the map.

        Raises
        ------
        InputError
            If the backend asked for is not there.
        """


projections: Registry[ProjectionConfig] = Registry("kind of map", order=("pca", "tsne", "umap"))


def scaled(vectors: npt.NDArray[Any], metric: str) -> Vectors:
    """Return finite vectors so that Euclidean distances mean what the metric says.

    Parameters
    ----------
    vectors : array of shape (n, d)
        Finite.
    metric : {"euclidean", "cosine"}
        Directions become vectors of length 1; a vector of zeros stays one.

    Returns
    -------
    array of shape (n, d), float32
        Centred for "euclidean", and with largest absolute entry 1, so that no square overflows.
    """
    table = np.asarray(vectors, dtype=np.float32)
    if not table.size:
        return table
    if metric == "euclidean":
        table = table - table.mean(axis=0, dtype=np.float64).astype(np.float32)
    largest = np.abs(table).max()
    table = table / (largest if largest > 0 else np.float32(1))
    if metric == "cosine":
        lengths = np.sqrt((table**2).sum(axis=1, keepdims=True))
        table = np.divide(table, lengths, out=np.zeros_like(table), where=lengths > 0)
    return table
