"""The crops of the rows on the map, in a process of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.embedding._desk import Desk
from napari_cryoml._widgets.embedding._state import MapState
from napari_cryoml._widgets.jobs import ServiceLine
from napari_cryoml._widgets.link import crop_service
from napari_cryoml.data import Crops
from napari_cryoml.jobs import Event

Rows = npt.NDArray[np.intp]


class CropLine:
    """Which crop each row has, and who is asked for it.

    Parameters
    ----------
    desk : Desk
    start_service : callable
        Starts a service, as `ChildService.start` does.
    """

    def __init__(self, desk: Desk, start_service: Callable[..., Any]) -> None:
        self._desk = desk
        self._line = ServiceLine(start_service)
        self._crop_of: Rows | None = None
        self._row_of: Rows = np.empty(0, np.intp)

    @property
    def open(self) -> bool:
        """Whether there are crops."""
        return self._crop_of is not None

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._line.busy

    def close(self) -> None:
        """End the service."""
        self._crop_of = None
        self._line.close()

    def begin(self, crops: Crops | None) -> None:
        """Take the crops of the rows on the map, or none."""
        self.close()
        state = self._desk.state
        if state is None or crops is None:
            return
        with self._desk.telling():
            self._line.serve(crop_service, crops)
            self._match(state, crops)

    def _match(self, state: MapState, crops: Crops) -> None:
        """Find the crop of each row: some have none, and some crops may be of no row."""
        number = {one: at for at, one in enumerate(crops.ids.tolist())}
        ids = state.embedding.ids.tolist()
        self._crop_of = np.array([number.get(one, -1) for one in ids], np.intp)
        self._row_of = np.full(len(crops), -1, np.intp)
        with_crop = np.flatnonzero(self._crop_of >= 0)
        self._row_of[self._crop_of[with_crop]] = with_crop

    def with_crops(self, rows: Rows) -> Rows:
        """Return those of some rows that have a crop."""
        return rows[:0] if self._crop_of is None else rows[self._crop_of[rows] >= 0]

    def crops_of(self, rows: Rows) -> Rows:
        """Return the number of the crop of each of some rows that have one."""
        return rows[:0] if self._crop_of is None else self._crop_of[rows]

    def rows_of(self, crops: Rows) -> Rows:
        """Return the row of each of some crops."""
        return self._row_of[crops]

    def ask(
        self,
        request: Any,
        key: str,
        on_done: Callable[[Any], object],
        on_event: Callable[[Event], object] = lambda _: None,
    ) -> int | None:
        """Ask, and return the ticket, None if that fails.

        What comes after another map was taken is passed by.
        """
        here = self._desk.here
        try:
            return self._line.ask(
                request,
                on_done=here(on_done),
                on_event=here(on_event),
                on_error=self._desk.warn,
                key=key,
            )
        except InputError as error:
            self._desk.warn(str(error))
            return None

    def stop(self, ticket: int) -> None:
        """Ask for an early end of a request."""
        self._line.stop(ticket)
