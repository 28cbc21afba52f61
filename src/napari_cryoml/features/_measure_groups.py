"""Groups of measurements, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy.typing as npt

from napari_cryoml.features._measure_frame import CellFrame


class Measure(NamedTuple):
    """One quantity of some cells.

    Parameters
    ----------
    stem : str
        What it is, a key of the texts of its group.
    values : array of shape (n,) or (n, C)
        One a cell, or one a channel of it.
    at : str, default ""
        Scale, ring or order that it was taken at.
    """

    stem: str
    values: npt.NDArray[Any]
    at: str = ""


@dataclass(frozen=True, slots=True)
class MeasureGroup:
    """Measurements that belong together.

    Parameters
    ----------
    name : str
        With which the names of all of them begin.
    title : str
        What they are about, a sentence.
    texts : mapping of str to str
        What each is, by its stem.
    of : callable
        Makes them of cells.
    """

    name: str
    title: str
    texts: Mapping[str, str]
    of: Callable[[CellFrame], Iterator[Measure]]
