"""The link between a map of particles and the images on the canvas, whoever shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from psygnal import Signal, SignalInstance

from napari_cryoml._errors import InputError
from napari_cryoml._napari._map_link_rows import RowPaint, RowPainter, RowPlaces
from napari_cryoml.data import ImageSource, PicksTable
from napari_cryoml.project import Edit


@dataclass(frozen=True, slots=True, eq=False)
class PickSource:
    """Picks that can be embedded, with the images they are cut from.

    Parameters
    ----------
    sources : tuple of ImageSource
    table : PicksTable
        One entry an image that has picks. Column ``label`` says what a person called each:
        "particle", "not a particle" or "".
    diameters : mapping of str to float
        Diameter of the particles in pixels of each image; 0 if it is not known.
    """

    sources: tuple[ImageSource, ...]
    table: PicksTable
    diameters: Mapping[str, float]


@runtime_checkable
class MapLink(Protocol):
    """What a map asks of those who show its images.

    Rows are numbers of rows of the map, and lie where `set_rows` has said.
    """

    @property
    def hovered(self) -> SignalInstance:
        """(row: int) The mouse has come near another row of the image on show; -1 for none."""

    @property
    def clicked(self) -> SignalInstance:
        """(row: int, mode: str) A row was clicked: "replace", "add" [Shift], "subtract" [Alt]."""

    @property
    def changed(self) -> SignalInstance:
        """() Another image is on show, or picks, labels or the project have changed.

        A project that is no longer open in the Picker is closed right after this.
        """

    @property
    def edited(self) -> SignalInstance:
        """(edit: Edit) An edit was taken back or made again by the one who shows the images."""

    @property
    def lost(self) -> SignalInstance:
        """(sentence: str) The layer was deleted; it may come back by itself."""

    @property
    def closed(self) -> SignalInstance:
        """() The one who shows the images is closing; the link is of no use any more."""

    @property
    def title(self) -> str:
        """What the images are shown by, for a list of choices."""

    @property
    def images(self) -> list[str]:
        """Names of the images that can be shown."""

    @property
    def shown(self) -> str | None:
        """Name of the image on show."""

    @property
    def ndim(self) -> int:
        """Number of axes of the images, 2 or 3."""

    @property
    def n_picks(self) -> int:
        """Number of picks in all images that can be shown."""

    def to_world(self, position: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the place in the viewer's world of a pixel (z)yx of the image on show."""

    @property
    def can_label(self) -> bool:
        """Whether `label` works."""

    def picks_source(self) -> PickSource:
        """Return what can be embedded; from any thread.

        Raises
        ------
        InputError
            If there are no picks, or no images to cut them from.
        """

    def set_rows(self, places: RowPlaces | None) -> None:
        """Take the rows of another map, or of none; paint and columns of the one before go."""

    def paint(self, paint: RowPaint | None) -> None:
        """Paint the picks that are rows of the map, now and when others are shown; None: as usual.

        Raises
        ------
        InputError
            If there is not one colour a row.
        """

    def look_at(self, image: str, position: npt.ArrayLike) -> None:
        """Show an image, and bring a pixel (z)yx of it to the middle."""

    def write_columns(self, columns: Mapping[str, npt.NDArray[Any]] | None) -> None:
        """Keep columns of the rows, each of length n, in the features of the picks layer.

        The layer gets a column ``id``, too. Column `MANUAL_CLUSTER_ID` becomes categories. None
        takes the columns away.

        Raises
        ------
        InputError
            If a column has another length.
        """

    def label(self, rows: npt.ArrayLike, label: int) -> Edit | None:
        """Label the places of rows as `POSITIVE` or `NEGATIVE`, in one edit.

        A label of the other kind in reach of a click is turned over; a place that has this label
        stays as it is.

        Returns
        -------
        Edit or None
            None if all have this label already.

        Raises
        ------
        InputError
            If labels are not taken here, or cannot be written.
        """

    def labels(self) -> npt.NDArray[np.int8]:
        """Return what a person called each row: `POSITIVE`, `NEGATIVE` or `UNLABELLED`, shape (n,).

        Raises
        ------
        InputError
            If there are no rows.
        """

    def close(self) -> None:
        """Give back the usual colours, and let go of the viewer."""


class LinkState:
    """What both links have: signals, rows and how they are painted."""

    hovered = Signal(int)
    clicked = Signal(int, str)
    changed = Signal()
    edited = Signal(object)
    lost = Signal(str)
    closed = Signal()

    def __init__(self) -> None:
        self._painter = RowPainter()

    def set_rows(self, places: RowPlaces | None) -> None:
        """Take the rows of another map, or of none; paint and columns of the one before go."""
        self._painter.places = places
        self._painter.paint, self._painter.columns = None, {}
        self._redraw()

    def paint(self, paint: RowPaint | None) -> None:
        """Paint the picks that are rows of the map; None: as usual."""
        if paint is not None:
            self._check_length("colours", paint.codes)
            if paint.shown is not None:
                self._check_length("marks", paint.shown)
        self._painter.paint = paint
        self._redraw()

    def write_columns(self, columns: Mapping[str, npt.NDArray[Any]] | None) -> None:
        """Keep columns of the rows in the features of the picks layer; None takes them away."""
        for name, values in (columns or {}).items():
            self._check_length(f"values of {name!r}", values)
        self._painter.columns = dict(columns or {})
        self._redraw()

    def _redraw(self) -> None:
        """Draw the picks on show again."""
        raise NotImplementedError

    def _need_places(self) -> RowPlaces:
        if self._painter.places is None:
            raise InputError("There is no map yet: make one first.")
        return self._painter.places

    def _check_length(self, what: str, values: npt.ArrayLike) -> None:
        n_rows = len(self._need_places())
        if len(np.asarray(values)) != n_rows:
            raise InputError(f"{n_rows} rows need {n_rows} {what}, not {len(np.asarray(values))}.")
