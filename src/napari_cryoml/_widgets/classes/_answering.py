"""The classifier in use: who answers for it, and how it is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.classes._class_desk import ClassDesk
from napari_cryoml._widgets.classes._keeping import Keeping
from napari_cryoml._widgets.jobs import ServiceLine
from napari_cryoml.classification import FittedReply, SaveRequest


class Answering:
    """Asks the process that holds the classifier in use.

    Parameters
    ----------
    desk : ClassDesk
    keeping : Keeping
    """

    def __init__(self, desk: ClassDesk, keeping: Keeping) -> None:
        self._desk = desk
        self._keeping = keeping
        self._line: ServiceLine | None = None

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._line is not None and self._line.busy

    def use(self, line: ServiceLine | None, usual: ServiceLine) -> None:
        """Ask this line from now on; the one before is closed, unless it is the usual one."""
        before, self._line = self._line, line
        if before is not None and before is not line and before is not usual:
            before.close()

    def close(self) -> None:
        """End the process."""
        if self._line is not None:
            self._line.close()
        self._line = None

    def need(self) -> tuple[ServiceLine, FittedReply]:
        """Return whom to ask, and the classifier in use.

        Raises
        ------
        InputError
            If there is none yet.
        """
        state = self._desk.need_state()
        if self._line is None or state.fitted is None:
            raise InputError("There is no classifier yet: label crops of two classes or more.")
        return self._line, state.fitted

    def ask(
        self,
        make: Callable[[int], Any],
        key: str,
        on_done: Callable[[Any], object],
        on_error: Callable[[str], object],
    ) -> None:
        """Ask the classifier in use.

        Parameters
        ----------
        make : callable
            Takes the number of the classifier and returns the request.
        key : str
            A request of the same key that still waits is dropped for this one.
        on_done, on_error : callable
            Get the reply, or one sentence; nothing if there are other crops by then.
        """
        line, fitted = self.need()
        here = self._desk.here
        line.ask(make(fitted.token), on_done=here(on_done), on_error=here(on_error), key=key)

    def save(self, path: Path, then: Callable[[Any], object]) -> None:
        """Write the classifier to a file, then call `then` with its path.

        Raises
        ------
        InputError
            If there is none yet.
        """
        line, fitted = self.need()
        line.ask(SaveRequest(fitted.token, path), on_done=then, on_error=self._desk.warn)

    def keep(self) -> None:
        """Keep the classifier with the project, for the next time."""
        place = self._keeping.model_place()
        if place is not None:
            self.save(place, lambda path: self._keeping.choose(model=Path(path).name))

    def ask_where_to_save(self) -> None:
        """Write the classifier to a file that the user chooses."""
        with self._desk.telling():
            self.need()
            path = self._desk.view.ask_save_model_path(self._desk.folder)
            if path is not None:
                self.save(path, lambda path: self._desk.note(f"The model was written to {path}."))
