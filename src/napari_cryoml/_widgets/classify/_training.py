"""Classifiers: one that follows every label, and networks that are trained beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.classify import _work
from napari_cryoml._widgets.classify._answering import Answering
from napari_cryoml._widgets.classify._desk import Desk
from napari_cryoml._widgets.classify._keeping import Keeping
from napari_cryoml._widgets.classify._state import ClassifyState
from napari_cryoml._widgets.jobs import ServiceLine
from napari_cryoml.classification import (
    FeatureSystem,
    FitRequest,
    FittedReply,
    LoadRequest,
    SystemConfig,
    systems,
)
from napari_cryoml.jobs import Event

USUAL = "few_shot"
"""What answers while no other system does."""

LEAST = 2
"""Labels that a class needs."""


class Training:
    """Keeps a classifier up with the labels, or has a network trained.

    Systems on features answer at once and are fitted again at every label, in a process that
    lives as long as the crops. A network is trained in a process of its own, which goes on to
    answer for it; until it is there, the classifier from before stays in use.

    Parameters
    ----------
    desk : Desk
    keeping : Keeping
    answering : Answering
    start_service : callable
        Starts a service, as `ChildService.start` does.
    """

    def __init__(
        self,
        desk: Desk,
        keeping: Keeping,
        answering: Answering,
        start_service: Callable[..., Any],
    ) -> None:
        self._desk = desk
        self._keeping = keeping
        self._answering = answering
        self._start_service = start_service
        self._quick = ServiceLine(start_service)
        self._slow = ServiceLine(start_service)
        self._ticket: int | None = None
        self._stopping = False
        self._connections = [(desk.replaced, self._begin), (desk.labelled, self._on_labels)]
        for signal, slot in self._connections:
            signal.connect(slot)

    @property
    def running(self) -> bool:
        """Whether a network is being trained."""
        return self._ticket is not None

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._quick.busy or self._slow.busy or self._answering.busy

    def close(self) -> None:
        """End the services."""
        for signal, slot in self._connections:
            signal.disconnect(slot)
        self._close_lines()

    def _close_lines(self) -> None:
        for line in (self._quick, self._slow, self._answering):
            line.close()
        self._ticket = None

    # Other crops

    def _begin(self) -> None:
        self._close_lines()
        self._quick, self._slow = (ServiceLine(self._start_service) for _ in range(2))
        desk, state = self._desk, self._desk.state
        desk.view.train.end_job("")
        if state is None:
            self.tell()
            return
        with desk.telling():
            self._quick.serve(_work.classify_service, state.crops, _wedge_of(state))
        kept = self._keeping.model()
        if kept is not None:
            self.load(kept)
        else:
            self._follow()
        self.tell()

    # At once

    @property
    def _is_quick(self) -> bool:
        return issubclass(systems[self._desk.view.train.chosen], FeatureSystem)

    def choose(self, name: str) -> None:
        """Take another system: one that answers at once does so."""
        self._keeping.choose(system=name)
        if self._is_quick:
            self._follow()
        self.tell()

    def _on_labels(self) -> None:
        if self._is_quick or self._follows:
            self._follow()
        self.tell()

    @property
    def _follows(self) -> bool:
        """Whether the classifier in use, if there is one, was fitted at once to labels."""
        state = self._desk.state
        if state is None or state.fitted is None:
            return True
        return isinstance(state.fitted.system, FeatureSystem) and state.learnt is not None

    def _quick_config(self) -> SystemConfig:
        """Return the system that answers until a network is trained."""
        return self._desk.view.train.config() if self._is_quick else systems.create(USUAL)

    def _follow(self) -> None:
        """Fit a quick system to the classes that have labels enough."""
        state = self._desk.state
        if state is None:
            return
        names = tuple(n for n, count in state.classes.counts.items() if count >= LEAST)
        if len(names) < 2:
            if state.fitted is not None and self._follows:
                self._forget(state)
            return
        with self._desk.telling():
            self._ask_fit(self._quick, state, names, self._quick_config())

    def _forget(self, state: ClassifyState) -> None:
        state.fitted = None
        self._answering.use(None, self._quick)
        self._desk.predicted.emit()

    # A run

    def train_or_stop(self) -> None:
        """Train the system that was chosen; stop what runs, and cancel it the second time."""
        if self.running:
            self._stop()
            return
        with self._desk.telling():
            state = self._desk.need_state()
            config = self._desk.view.train.config()
            names = self._names(state)
            if isinstance(config, FeatureSystem):
                self._ask_fit(self._quick, state, names, config)
                return
            self._slow.close()
            self._slow.serve(_work.classify_service, state.crops, _wedge_of(state))
            self._stopping = False
            self._desk.view.train.begin_job(f"{config.name} is being loaded.")
            self._ticket = self._ask_fit(self._slow, state, names, config)

    def _names(self, state: ClassifyState) -> tuple[str, ...]:
        """Return the classes that have labels.

        Raises
        ------
        InputError
            If there are fewer than two, or one has a single label.
        """
        counts = state.classes.counts
        if len(counts) < 2:
            had = f"only {next(iter(counts))!r} has labels" if counts else "no crop has a class"
            raise InputError(f"Two classes are needed to tell crops apart; {had}: label some more.")
        few = [name for name, count in counts.items() if count < LEAST]
        if few:
            raise InputError(
                f"The class {few[0]!r} has one label; it needs {LEAST} or more: label another, or "
                "take that one away."
            )
        return tuple(counts)

    def _stop(self) -> None:
        if self._ticket is None:
            return
        if self._stopping:
            self._slow.close()
            self._end("Training was cancelled.")
            return
        self._stopping = True
        self._slow.stop(self._ticket)
        self._desk.view.train.show_running("stopping")

    def _end(self, text: str) -> None:
        self._ticket = None
        self._desk.view.train.end_job(text)
        self.tell()

    def _ask_fit(
        self, line: ServiceLine, state: ClassifyState, names: tuple[str, ...], config: SystemConfig
    ) -> int:
        texts = state.classes.texts
        request = FitRequest(state.numbers(names), names, config)
        return line.ask(
            request,
            on_done=lambda reply: self._take(line, state, texts, reply),
            on_error=lambda sentence: self._fail(line, state, sentence),
            on_event=lambda event: self._on_event(line, event),
            key="fit",
        )

    def _on_event(self, line: ServiceLine, event: Event) -> None:
        train = self._desk.view.train
        if line is self._quick:
            if not self.running:
                train.panel.begin(event.message) if event.done <= 1 else None
                train.show_progress(event.done, event.total, event.message)
            return
        loss, step = getattr(event, "loss", None), getattr(event, "step", None)
        accuracy = getattr(event, "validation", None)
        train.show_progress(event.done, event.total, _progress(event, loss, accuracy))
        if loss is not None and step is not None:
            train.show_step(int(step), float(loss), accuracy)

    def _fail(self, line: ServiceLine, state: ClassifyState, sentence: str) -> None:
        if state is not self._desk.state:
            return
        if line is self._slow and self.running:
            self._end("")
        elif not self.running:
            self._desk.view.train.end_job("")
        self._desk.warn(sentence)

    # What has come

    def _take(
        self, line: ServiceLine, state: ClassifyState, texts: Any, reply: FittedReply
    ) -> None:
        if state is not self._desk.state:
            return
        was_trained = line is self._slow
        if was_trained:
            # Its process goes on to answer for it; the next network gets another one.
            self._slow, self._ticket = ServiceLine(self._start_service), None
        self._answering.use(line, self._quick)
        state.fitted, state.learnt = reply, texts
        if not self.running:
            self._desk.view.train.end_job("")
        self._desk.predicted.emit()
        self.tell()
        if was_trained:
            self._answering.keep()
        elif texts is not None:
            self._keeping.choose(model=None)

    # Files

    def ask_what_to_load(self) -> None:
        """Use a classifier from a file."""
        with self._desk.telling():
            self._desk.need_state()
            path = self._desk.view.ask_load_model_path()
            if path is not None:
                self.load(path, by_user=True)

    def load(self, path: Path, *, by_user: bool = False) -> None:
        """Have a classifier in a file answer for these crops."""
        state, line = self._desk.need_state(), self._quick

        def take(reply: FittedReply) -> None:
            self._take(line, state, None, reply)
            if by_user and state is self._desk.state:
                self._desk.note(f"{path.name} is in use.")
                self._keep_loaded(path)

        line.ask(
            LoadRequest(path),
            on_done=take,
            on_error=lambda sentence: self._fail(line, state, sentence),
            on_event=lambda event: self._on_event(line, event),
            key="load",
        )

    def _keep_loaded(self, path: Path) -> None:
        if path != self._keeping.model_place():
            self._answering.keep()

    # Words

    def tell(self) -> None:
        """Show which classifier is in use, and whether anything can be learnt."""
        desk, train = self._desk, self._desk.view.train
        state = desk.state
        train.show_model("" if state is None else model_text(state))
        counts = {} if state is None else state.classes.counts
        enough = [name for name, count in counts.items() if count >= LEAST]
        train.show_can_train(state is not None and (self.running or len(enough) >= 2))


def model_text(state: ClassifyState) -> str:
    """Return which classifier is in use, in a few sentences; "" without one."""
    fitted = state.fitted
    if fitted is None:
        return ""
    n = len(fitted.classes)
    words = [f"In use: {fitted.system.name} for {n} classes."]
    if state.is_stale and not isinstance(fitted.system, FeatureSystem):
        words.append("Classes have changed since: train again to learn them.")
    few = [name for name, count in state.classes.counts.items() if count < LEAST]
    if few and isinstance(fitted.system, FeatureSystem):
        words.append(f"{', '.join(few)}: one label so far, learnt from {LEAST} on.")
    return " ".join([*words, *fitted.notes])


def _progress(event: Event, loss: float | None, accuracy: float | None) -> str:
    words = [event.message] if event.message else []
    if loss is not None:
        words.append(f"Step {event.done:,} of {event.total:,}, loss {loss:.3f}.")
    if accuracy is not None:
        words.append(f"Held-out accuracy {100 * accuracy:.0f} %.")
    return " ".join(words) or f"{event.done:,} of {event.total:,}."


def _wedge_of(state: ClassifyState) -> Any:
    return getattr(state.crops, "wedge", None)
