"""Live picking: the labels go to a service, picks of the image on show come back."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.jobs import stop_timer
from napari_cryoml._widgets.picker._desk import Desk
from napari_cryoml._widgets.picker._live_line import LiveLine, Sent, Wanted
from napari_cryoml._widgets.picker._live_words import status_text, waiting_text
from napari_cryoml._widgets.picker._session import Session
from napari_cryoml.jobs import Answer, ChildService
from napari_cryoml.picking.live import LiveConfig

if TYPE_CHECKING:
    from napari_cryoml.picking.live import LiveAnswer

logger = logging.getLogger(__name__)

PARTICLES = "particles_per_image"
"""Setting: particles in an image as the user has pinned them; None or 0 to estimate them."""

LIVE_OPTIONS = "live_options"
"""Setting: options of live picking that are set under Advanced."""

SETTLE_MS = 1000
"""How long no edit must have come before live picks are written."""


class Live:
    """Keeps the picks of the image on show up with the labels, while live picking is on.

    Parameters
    ----------
    desk : Desk
    start_service : callable
        Starts a service, as `ChildService.start` does.
    """

    suggested = Signal(list)
    """Places whose labels teach most, best first, as `suggest` has asked for."""

    def __init__(self, desk: Desk, start_service: Callable[..., Any] = ChildService.start) -> None:
        self._desk = desk
        self._line = LiveLine(start_service)
        self._line.answered.connect(self._on_answer)
        self._line.suggested.connect(self._on_suggested)
        self._wanted: Wanted | None = None
        self._paused = False
        self._guessed = ""
        self._unsaved: tuple[Session, LiveAnswer, int] | None = None
        self._save_timer = QTimer()
        self._save_timer.setSingleShot(True)
        self._save_timer.setInterval(SETTLE_MS)
        self._save_timer.timeout.connect(self.save)
        desk.refreshed.connect(self.update)

    def close(self) -> None:
        """End the service; what was not written yet is written at once."""
        self._desk.refreshed.disconnect(self.update)
        self.leave_session()

    def leave_session(self) -> None:
        """End the service, for its images go away."""
        stop_timer(self._save_timer)
        self._line.close()
        self._wanted, self._paused, self._guessed = None, False, ""
        unsaved, self._unsaved = self._unsaved, None
        if unsaved is not None:
            with self._desk.telling():
                _keep(*unsaved)

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come."""
        return self._line.waiting

    # What the user sets

    def toggle(self, on: bool | None = None) -> None:
        """Turn live picking on or off; None to change over."""
        desk = self._desk
        with desk.telling():
            session = desk.need_session()
            others = session.book.counts(session.threshold).keys() - {desk.shown}
            self.save()
            session.set_live(not session.is_live if on is None else on)
            self._wanted = None
            desk.note("Other images keep their picks until you pick all." if others else "")
            desk.layers.set_threshold(session.threshold)
            desk.show_picks()
            desk.show_scores()
            desk.refresh()
        desk.view.live.show_state(desk.session is not None and desk.session.is_live)

    def pin(self, particles: int) -> None:
        """Pin how many particles an image holds; 0 to have it estimated."""
        with self._desk.telling():
            self._desk.need_session().project.set_setting(PARTICLES, particles or None)
            self.update()

    def keep_options(self) -> None:
        """Keep what is set for live picking under Advanced, and pick with it."""
        with self._desk.telling():
            if self._desk.session is not None:
                options = self._desk.view.live_options()
                self._desk.session.project.set_setting(LIVE_OPTIONS, options)
        self.update()

    def pause(self, paused: bool) -> None:
        """Leave the picks as they are for a while, or go on."""
        self._paused = paused
        self.update()

    # Asking

    def update(self) -> None:
        """Ask for new picks if anything that they depend on has changed."""
        if self._paused:
            return
        session = self._desk.session
        on = session is not None and session.is_live
        self._desk.view.live.show_state(on)
        with self._desk.telling():
            wanted = self._what_is_wanted(session) if session is not None and on else None
            changed, self._wanted = wanted != self._wanted, wanted
            if wanted is None or not wanted.has_labels:
                self._rest(session if on else None)
            if session is not None and wanted is not None and changed:
                # Without labels too: the service can at least get its features ready.
                self._line.ask(session, wanted)
                if self._line.starting and wanted.has_labels:
                    words = "Live picking is starting: a few seconds, once."
                    self._desk.view.live.show_status(words)

    def suggest(self) -> None:
        """Ask for the places whose labels teach most; they come by `suggested`.

        Raises
        ------
        InputError
            If live picking is off, or nothing is labelled yet.
        """
        session, wanted = self._desk.need_session(), self._wanted
        if wanted is None or not wanted.has_labels:
            raise InputError(
                "Suggestions come from live picking: turn it on [Shift+Q] and label a particle."
            )
        self._line.suggest(session, wanted)

    def config(self, session: Session) -> LiveConfig:
        """Return the options of live picking as they are set in the dock.

        Raises
        ------
        InputError
            If one of them is not accepted.
        """
        name = session.first_labelled or session.current or ""
        entry = session.entries[name]
        config = self._desk.view.live_config(
            diameter=session.diameter_in(name),
            pixel_size=entry.pixel_size,
            ndim=entry.ndim,
            particles_per_image=_pinned(session) or None,
            marked=session.marked,
        )
        return LiveConfig.model_validate(config)

    def _what_is_wanted(self, session: Session) -> Wanted | None:
        name = session.current
        if name not in session.sources or session.diameter_px <= 0:
            return None
        has_labels = session.first_labelled is not None
        return Wanted(str(name), session.project.edit_number, self.config(session), has_labels)

    def _rest(self, session: Session | None) -> None:
        """Say what live picking waits for."""
        live = self._desk.view.live
        live.show_notes(())
        live.show_status("" if session is None else waiting_text(session.diameter_px > 0))
        if session is None:
            return
        live.show_particles(_pinned(session))
        if session.drop_live():
            self._unsaved = None
            self._desk.show_picks()
            self._desk.show_scores()

    # What comes back

    def _on_answer(self, answer: Answer[Any], sent: Sent) -> None:
        session = self._desk.session
        if session is None or not session.is_live or self._paused:
            return
        if answer.reply is not None:
            self._take(session, answer.reply, sent)
        elif sent.wanted.has_labels or not self._line.alive:
            self._show_error(answer)

    def _on_suggested(self, answer: Answer[Any]) -> None:
        if answer.error is not None:
            self._show_error(answer)
        self.suggested.emit(list(answer.reply or ()))

    def _show_error(self, answer: Answer[Any]) -> None:
        if answer.traceback:
            logger.error("Live picking failed: %s\n%s", answer.error, answer.traceback)
        self._desk.view.live.show_status("")
        self._desk.view.live.show_notes((answer.error or "",))

    def _take(self, session: Session, found: LiveAnswer, sent: Sent) -> None:
        if self._unsaved is not None and self._unsaved[1].image != found.image:
            self.save()
        session.show_live(found, found.threshold, sent.wanted.edit)
        if self._guessed not in ("", found.image):
            session.count_again(self._guessed)
        self._guessed = found.image if found.preview else ""
        if not found.preview:
            self._unsaved = (session, found, sent.wanted.edit)
            self._save_timer.start()
        if found.image == self._desk.shown:
            self._desk.draw_scores(found.score_map)
            self._desk.show_picks(session.threshold)
        else:
            self._desk.layers.set_threshold(session.threshold)
        self._tell(session, found, time.perf_counter() - sent.at)
        self._desk.refresh()

    def _tell(self, session: Session, found: LiveAnswer, seconds: float) -> None:
        live = self._desk.view.live
        n_here = session.book.counts(session.threshold).get(found.image, 0)
        live.show_status(status_text(found, n_here, seconds))
        live.show_notes(found.notes)
        live.show_particles(_pinned(session))

    def save(self) -> None:
        """Write the latest live picks, beside the GUI's thread."""
        stop_timer(self._save_timer)
        unsaved, self._unsaved = self._unsaved, None
        if unsaved is not None:
            self._desk.background.run(
                _keep, *unsaved, on_done=self._count_kept, on_error=self._show_fault
            )

    def _count_kept(self, kept: tuple[Session, str]) -> None:
        """Count what has been written: live picking may have been turned off meanwhile."""
        session, name = kept
        if session is self._desk.session:
            session.count_again(name)

    def _show_fault(self, sentence: str) -> None:
        self._desk.note(sentence, error=True)


def _keep(session: Session, found: LiveAnswer, edit: int) -> tuple[Session, str]:
    session.keep(found, None, edit)
    return session, found.image


def _pinned(session: Session) -> int:
    value = session.project.setting(PARTICLES)
    return int(value) if isinstance(value, int | float) else 0
