"""What is known of proteins, for the curve of a training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_cryoml import io
from napari_cryoml._widgets.cells._desk import Desk
from napari_cryoml._widgets.frame import Connections
from napari_cryoml.classification import FunctionalWatch

if TYPE_CHECKING:
    from napari_cryoml.data import Standard


class Watching:
    """Knows the standard that trainings are measured by.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._standard: Standard | None = None
        self._connections = Connections((desk.replaced, self.show))

    def close(self) -> None:
        """Let go of the desk."""
        self._connections.close()

    def ask(self) -> None:
        """Read a standard that the user chooses."""
        path = self._desk.view.ask_standard_path()
        if path is not None:
            self.read(path)

    def read(self, path: Path) -> None:
        """Read a standard."""
        self._desk.background.run(
            io.read_standard, path, on_done=self._take, on_error=self._desk.warn
        )

    def _take(self, standard: Standard) -> None:
        self._standard = standard
        self._desk.note(
            f"{standard.name}: {len(standard):,} terms. The next training of a network draws the "
            "F-score of the proteins by it."
        )
        self.show()

    def show(self) -> None:
        """Show which standard is watched."""
        cells = self._desk.cells
        name = "" if self._standard is None else self._standard.name
        can_ask = cells is not None and cells.proteins is not None
        self._desk.view.show_standard(name, can_ask=can_ask)

    def watch(self) -> FunctionalWatch | None:
        """Return what looks at the vectors of a training; None without proteins or standard."""
        cells = self._desk.cells
        if cells is None or cells.proteins is None or self._standard is None:
            return None
        return FunctionalWatch(cells.proteins, (self._standard,))
