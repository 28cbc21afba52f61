"""The average of the selected crops."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import QTimer

from napari_cryoml._widgets.embedding._crop_line import CropLine
from napari_cryoml._widgets.embedding._desk import Desk
from napari_cryoml._widgets.jobs import stop_timer
from napari_cryoml.averaging import AverageRequest, ClassAverage
from napari_cryoml.jobs import Event

SETTLE_MS = 250
"""How long a selection must stay until its average is made."""


class Averaging:
    """Keeps the average up with the selection.

    Parameters
    ----------
    desk : Desk
    line : CropLine
    """

    def __init__(self, desk: Desk, line: CropLine) -> None:
        self._desk = desk
        self._line = line
        self._ticket: int | None = None
        self._made: ClassAverage | None = None
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(SETTLE_MS)
        self._timer.timeout.connect(self.run)

    @property
    def busy(self) -> bool:
        """Whether an average is still to come."""
        return self._ticket is not None or self._timer.isActive()

    def close(self) -> None:
        """Begin nothing any more."""
        stop_timer(self._timer)

    def begin(self) -> None:
        """Have the selection averaged once it stays."""
        stop_timer(self._timer)
        if self._ticket is not None:
            self._line.stop(self._ticket)
            self._ticket = None
        self._made = None
        if len(self._rows()):
            self._timer.start()
        else:
            self._desk.view.average.clear()

    def run(self) -> None:
        """Average the crops of the selection."""
        rows = self._rows()
        if not len(rows):
            return
        panel = self._desk.view.average
        panel.show_busy(len(rows))
        request = AverageRequest(self._line.crops_of(rows))

        def progress(event: Event) -> None:
            if ticket == self._ticket:
                panel.show_busy(len(rows), event.done, event.total)

        def take(average: ClassAverage) -> None:
            if ticket == self._ticket:
                self._ticket, self._made = None, average
                panel.show_average(average)

        ticket = self._line.ask(request, "average", take, progress)
        self._ticket = ticket

    def save(self) -> None:
        """Write the average on show and its halves to files."""
        self._desk.save_average(self._made)

    def _rows(self) -> Any:
        state = self._desk.state
        if state is None or state.row_cells is not None:
            return np.empty(0, np.intp)  # cells of proteins lie as they lie: no average
        rows = state.selected
        return self._line.with_crops(rows)
