"""Classifiers: one that follows every label, and networks that are trained beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.classes._answering import Answering
from napari_cryoml._widgets.classes._class_desk import ClassDesk
from napari_cryoml._widgets.classes._class_state import ClassState
from napari_cryoml._widgets.classes._fitting import Fitting, How
from napari_cryoml._widgets.classes._keeping import Keeping
from napari_cryoml._widgets.frame import Connections
from napari_cryoml.classification import FeatureSystem, SystemConfig, systems

if TYPE_CHECKING:
    from napari_cryoml.classification import Watch

LEAST = 2
"""Labels that a class needs."""


class Training:
    """Keeps a classifier up with the labels, or has a network trained.

    Parameters
    ----------
    desk : ClassDesk
    keeping : Keeping
    answering : Answering
    start_service : callable
        Starts a service, as `ChildService.start` does.
    usual : str
        Name of the system that answers while no other does.
    """

    def __init__(
        self,
        desk: ClassDesk,
        keeping: Keeping,
        answering: Answering,
        start_service: Callable[..., Any],
        usual: str = "few_shot",
    ) -> None:
        self._desk = desk
        self._usual = usual
        self._keeping = keeping
        self._answering = answering
        self._fitting = Fitting(desk, answering, start_service, self._on_taken, self.tell, usual)
        self._connections = Connections(
            (desk.replaced, self._begin), (desk.labelled, self._on_labels)
        )

    @property
    def running(self) -> bool:
        """Whether a network is being trained."""
        return self._fitting.running

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._fitting.busy

    def close(self) -> None:
        """End the services."""
        self._connections.close()
        self._fitting.close()

    def _begin(self) -> None:
        self._fitting.begin()
        if self._desk.state is not None:
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
        wanted = self._desk.view.train.follows
        if wanted and (self._is_quick or self._follows):
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
        return self._desk.view.train.config() if self._is_quick else systems.create(self._usual)

    def _follow(self) -> None:
        """Fit a quick system to the classes that have labels enough."""
        state = self._desk.state
        if state is None:
            return
        names = tuple(n for n, count in state.classes.counts.items() if count >= LEAST)
        if len(names) < 2:
            if state.fitted is not None and self._follows:
                self._fitting.forget()
            return
        with self._desk.telling():
            self._fitting.fit(names, self._quick_config())

    # A run

    def train_or_stop(self) -> None:
        """Train the system that was chosen; stop what runs, and cancel it the second time."""
        if self.running:
            self._fitting.stop()
            return
        with self._desk.telling():
            state, config = self._desk.need_state(), self._desk.view.train.config()
            names = _names(state)
            if isinstance(config, FeatureSystem):
                self._fitting.fit(names, config)
            else:
                self._fitting.train(names, config)

    # Other questions

    def set_watch(self, watch: Callable[[], Watch | None]) -> None:
        """Have something look at the vectors while a network is trained; asked at each start."""
        self._fitting.watch = watch

    def ask_quick(
        self, make: Callable[[FeatureSystem], Any], key: str, on_done: Callable[[Any], object]
    ) -> None:
        """Ask about the crops as the system sees them that answers at once.

        Parameters
        ----------
        make : callable
            Takes that system and returns the request.
        key : str
            A request of the same key that still waits is dropped for this one.
        on_done : callable
            Gets the reply; nothing if there are other crops by then.

        Raises
        ------
        InputError
            If an option of the system is not accepted.
        """
        system = self._quick_config()
        if isinstance(system, FeatureSystem):
            self._fitting.ask_quick(make(system), key, on_done)

    def _on_taken(self, how: How) -> None:
        self.tell()
        if how == "trained":
            self._answering.keep()
        elif how == "fitted":
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

        def keep() -> None:
            self._desk.note(f"{path.name} is in use.")
            if path != self._keeping.model_place():
                self._answering.keep()

        self._fitting.load(path, keep if by_user else lambda: None)

    # Words

    def tell(self) -> None:
        """Show which classifier is in use, and whether anything can be learnt."""
        desk, train = self._desk, self._desk.view.train
        state = desk.state
        train.show_model("" if state is None else model_text(state, train.follows))
        counts = {} if state is None else state.classes.counts
        enough = [name for name, count in counts.items() if count >= LEAST]
        train.show_can_train(state is not None and (self.running or len(enough) >= 2))


def _names(state: ClassState) -> tuple[str, ...]:
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


def model_text(state: ClassState, follows: bool = True) -> str:
    """Return which classifier is in use, in a few sentences; "" without one.

    Parameters
    ----------
    state : ClassState
    follows : bool
        Whether a system that answers at once learns after every label.
    """
    fitted = state.fitted
    if fitted is None:
        return ""
    n = len(fitted.classes)
    words = [f"In use: {fitted.system.name} for {n} classes."]
    if state.is_stale and not (follows and isinstance(fitted.system, FeatureSystem)):
        words.append("Classes have changed since: train again to learn them.")
    few = [name for name, count in state.classes.counts.items() if count < LEAST]
    if few and isinstance(fitted.system, FeatureSystem):
        words.append(f"{', '.join(few)}: one label so far, learnt from {LEAST} on.")
    return " ".join([*words, *fitted.notes])
