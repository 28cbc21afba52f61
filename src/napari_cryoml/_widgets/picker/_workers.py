"""The workers that pick all images of the list: where they are, and whether they answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.jobs import JobWatcher
from napari_cryoml._widgets.picker import _work
from napari_cryoml._widgets.picker._desk import Desk
from napari_cryoml.jobs import ChildJob, ClusterConfig, Event

WORKERS = "workers"
"""Setting: where all images are picked, as the user has typed it; None or "" for here."""


class Workers:
    """Keeps what the user says about workers, and looks whether they are there.

    Parameters
    ----------
    desk : Desk
    start : callable
        Starts a job, as `ChildJob.start` does.
    """

    def __init__(self, desk: Desk, start: Callable[..., Any] = ChildJob.start) -> None:
        self._desk = desk
        self._start = start
        self._text = ""
        self._watcher = JobWatcher()
        self._watcher.received.connect(self._on_event)
        self._watcher.ended.connect(self._on_ended)
        desk.session_changed.connect(self._on_session)

    def close(self) -> None:
        """End a look that is under way."""
        self._desk.session_changed.disconnect(self._on_session)
        self._watcher.close()

    @property
    def looking(self) -> bool:
        """Whether an answer is still to come."""
        return self._watcher.running

    def config(self) -> ClusterConfig:
        """Return where all images are to be picked.

        Raises
        ------
        InputError
            If that is neither an address nor a number of processes.
        """
        return ClusterConfig.of_text(self._text)

    def enter(self, text: str) -> None:
        """Take what the user has typed, and keep it in the project."""
        text = text.strip()
        if text == self._text:
            return
        self._text = text
        self._watcher.close()
        self._desk.view.show_workers_found("")
        with self._desk.telling():
            if self._desk.session is not None:
                self._desk.session.remember(WORKERS, text)
            self.config()
            self._desk.note("")

    def look(self) -> None:
        """Ask the scheduler, or start the processes, and say what there is."""
        if self.looking:
            return
        try:
            config = self.config()
            if not config.is_wanted:
                raise InputError("All images are picked by this computer, in one process.")
            self._watcher.watch(self._start(_work.look_at_workers, config))
        except InputError as error:
            self._desk.view.show_workers_found(str(error))
        else:
            self._desk.view.show_workers_found("Looking…", looking=True)

    def _on_session(self) -> None:
        """Show what this project says."""
        session = self._desk.session
        if session is None:
            return
        known = session.remembered(WORKERS)
        self._text = known if isinstance(known, str) else ""
        self._watcher.close()
        self._desk.view.show_workers(self._text)
        self._desk.view.show_workers_found("")

    def _on_event(self, event: Event) -> None:
        self._desk.view.show_workers_found(event.message, looking=True)

    def _on_ended(self, job: Any) -> None:
        done = job.state == "done"
        text = str(job.result) if done else job.error or "Nobody has answered."
        self._desk.view.show_workers_found(text)
