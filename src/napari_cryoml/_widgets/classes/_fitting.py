"""Who fits classifiers: a process that answers at once, and one that trains a network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from napari_cryoml._widgets.classes._answering import Answering
from napari_cryoml._widgets.classes._class_desk import ClassDesk
from napari_cryoml._widgets.classes._class_service import classify_service
from napari_cryoml._widgets.jobs import ServiceLine
from napari_cryoml.classification import FitRequest, FittedReply, LoadRequest, SystemConfig
from napari_cryoml.jobs import Event

if TYPE_CHECKING:
    from napari_cryoml.classification import Watch

F_SCORE = "f05"
"""Figures that are called so are drawn: how much the vectors tell of the functions of proteins."""

How: TypeAlias = Literal["fitted", "trained", "loaded"]
"""Whence a classifier came: from labels at once, from a run, or from a file."""


class Fitting:
    """Asks for classifiers, and has them answer.

    Systems on features are fitted in a process that lives as long as the crops. A network is
    trained in a process of its own, which goes on to answer for it; until it is there, the
    classifier from before stays in use.

    Parameters
    ----------
    desk : ClassDesk
    answering : Answering
    start_service : callable
        Starts a service, as `ChildService.start` does.
    on_taken : callable
        Told how (`How`) a classifier came that is in use now.
    on_end : callable
        Called when a run has ended without one.
    usual : str
        Name of the system that answers while no other does.
    """

    def __init__(
        self,
        desk: ClassDesk,
        answering: Answering,
        start_service: Callable[..., Any],
        on_taken: Callable[[How], object],
        on_end: Callable[[], object],
        usual: str = "few_shot",
    ) -> None:
        self._desk = desk
        self._usual = usual
        self._answering = answering
        self._start_service = start_service
        self._on_taken = on_taken
        self._on_end = on_end
        self._quick = ServiceLine(start_service)
        self._slow = ServiceLine(start_service)
        self._ticket: int | None = None
        self._stopping = False
        self.watch: Callable[[], Watch | None] = lambda: None
        """Returns what looks at the vectors while a network is trained."""

    @property
    def running(self) -> bool:
        """Whether a network is being trained."""
        return self._ticket is not None

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._quick.busy or self._slow.busy or self._answering.busy

    def close(self) -> None:
        """End the processes."""
        for line in (self._quick, self._slow, self._answering):
            line.close()
        self._ticket = None

    def begin(self) -> None:
        """Take the crops of the desk, or none."""
        self.close()
        self._quick, self._slow = (ServiceLine(self._start_service) for _ in range(2))
        self._desk.view.train.end_job("")
        if self._desk.state is not None:
            with self._desk.telling():
                self._serve(self._quick)

    def _serve(self, line: ServiceLine) -> None:
        crops = self._desk.need_state().crops
        line.serve(classify_service, crops, getattr(crops, "wedge", None), self._usual)

    # Requests

    def fit(self, names: tuple[str, ...], config: SystemConfig) -> None:
        """Fit a system on features to some classes."""
        self._ask_fit(self._quick, "fitted", names, config)

    def train(self, names: tuple[str, ...], config: SystemConfig) -> None:
        """Train a network on some classes."""
        self._slow.close()
        self._serve(self._slow)
        self._stopping = False
        self._desk.view.train.begin_job(f"{config.name} is being loaded.")
        self._ticket = self._ask_fit(self._slow, "trained", names, config)

    def load(self, path: Path, then: Callable[[], object]) -> None:
        """Have a classifier in a file answer, then call `then`."""

        def take(reply: FittedReply) -> None:
            self._take(line, "loaded", None, reply)
            then()

        line = self._quick
        self._ask(line, LoadRequest(path), take, "load")

    def forget(self) -> None:
        """Have no classifier in use."""
        self._desk.need_state().fitted = None
        self._answering.use(None, self._quick)
        self._desk.predicted.emit()

    def ask_quick(self, request: Any, key: str, on_done: Callable[[Any], object]) -> None:
        """Ask the process that fits systems on features something else."""
        here = self._desk.here
        self._quick.ask(request, on_done=here(on_done), on_error=here(self._desk.warn), key=key)

    def stop(self) -> None:
        """End a run early; cancel it the second time."""
        if self._ticket is None:
            return
        if self._stopping:
            self._slow.close()
            self._end("Training was cancelled.")
            return
        self._stopping = True
        self._slow.stop(self._ticket)
        self._desk.view.train.show_running("stopping")

    def _ask_fit(
        self, line: ServiceLine, how: How, names: tuple[str, ...], config: SystemConfig
    ) -> int:
        state = self._desk.need_state()
        texts = state.classes.texts
        request = FitRequest(state.numbers(names), names, config, watch=self.watch())
        return self._ask(line, request, lambda reply: self._take(line, how, texts, reply), "fit")

    def _ask(
        self, line: ServiceLine, request: Any, take: Callable[[FittedReply], object], key: str
    ) -> int:
        return line.ask(
            request,
            on_done=self._desk.here(take),
            on_error=self._desk.here(lambda sentence: self._fail(line, sentence)),
            on_event=lambda event: self._on_event(line, event),
            key=key,
        )

    # What has come

    def _on_event(self, line: ServiceLine, event: Event) -> None:
        train = self._desk.view.train
        if line is self._quick:
            if not self.running:
                train.panel.begin(event.message) if event.done <= 1 else None
                train.show_progress(event.done, event.total, event.message)
            return
        loss, step = getattr(event, "loss", None), getattr(event, "step", None)
        figures = getattr(event, "figures", {})
        accuracy = figures.get("accuracy", getattr(event, "validation", None))
        if "accuracy" not in figures and accuracy is not None and not 0 <= accuracy <= 1:
            accuracy = None  # the epoch is chosen by something else
        train.show_progress(event.done, event.total, _progress(event, loss, accuracy))
        if loss is not None and step is not None:
            further = next((value for name, value in figures.items() if F_SCORE in name), None)
            train.show_step(int(step), float(loss), accuracy, further)

    def _fail(self, line: ServiceLine, sentence: str) -> None:
        if line is self._slow and self.running:
            self._end("")
        elif not self.running:
            self._desk.view.train.end_job("")
        self._desk.warn(sentence)

    def _end(self, text: str) -> None:
        self._ticket = None
        self._desk.view.train.end_job(text)
        self._on_end()

    def _take(self, line: ServiceLine, how: How, texts: Any, reply: FittedReply) -> None:
        state = self._desk.need_state()
        if how == "trained":
            # Its process goes on to answer for it; the next network gets another one.
            self._slow, self._ticket = ServiceLine(self._start_service), None
        self._answering.use(line, self._quick)
        state.fitted, state.learnt = reply, texts
        if not self.running:
            self._desk.view.train.end_job("")
        self._desk.predicted.emit()
        self._on_taken(how)


def _progress(event: Event, loss: float | None, accuracy: float | None) -> str:
    words = [event.message] if event.message else []
    if loss is not None:
        words.append(f"Step {event.done:,} of {event.total:,}, loss {loss:.3f}.")
    if accuracy is not None:
        words.append(f"Held-out accuracy {100 * accuracy:.0f} %.")
    return " ".join(words) or f"{event.done:,} of {event.total:,}."
