"""What is new among the rows, what is like the selected ones, and classes for the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.embedding._desk import Desk
from napari_cryoml._widgets.embedding._keeping import Keeping
from napari_cryoml._widgets.embedding._new_tab import WHAT_TO_DO
from napari_cryoml._widgets.embedding._state import NOVELTY, MapState
from napari_cryoml._widgets.jobs import ServiceLine
from napari_cryoml.embedding import FewShotRequest, NoveltyRequest, SpreadRequest

SIMILAR = "similarity"
SPREAD = "spread class"
CONFIDENCE = "spread confidence"
LEAST_SHOTS = 3

Texts = npt.NDArray[np.str_]


class Finding:
    """Asks for novelty, likeness and spread classes, and shows what comes.

    Parameters
    ----------
    desk : Desk
    line : ServiceLine
        To the service that has the vectors.
    keeping : Keeping
    classify : callable
        Gives rows their classes, as one edit.
    select : callable
        Selects rows.
    """

    def __init__(
        self,
        desk: Desk,
        line: ServiceLine,
        keeping: Keeping,
        classify: Callable[[npt.NDArray[np.intp], list[str]], None],
        select: Callable[[npt.NDArray[np.intp]], None],
    ) -> None:
        self._desk = desk
        self._line = line
        self._keeping = keeping
        self._classify = classify
        self._select = select
        self._spread: tuple[MapState, npt.NDArray[np.intp], list[str]] | None = None
        desk.replaced.connect(self._begin)

    def close(self) -> None:
        """Let go of the desk."""
        self._desk.replaced.disconnect(self._begin)

    def more(self) -> None:
        """Find rows like the selected ones; labelled junk counts as unlike them."""
        with self._desk.telling():
            state = self._desk.need_state()
            rows = state.need_selected("to find more like them")
            if len(rows) < LEAST_SHOTS:
                raise InputError(f"{len(rows)} rows are too few: select three or more that match.")
            negatives = np.flatnonzero(known_negatives(state, rows))
            request = FewShotRequest(rows, negatives)
            self._ask(request, lambda found: self._take_more(state, rows, found))

    def novelty(self) -> None:
        """Score how unlike everything known each row is."""
        with self._desk.telling():
            state = self._desk.need_state()
            classes = need_known(state, "to say what is new beside them")
            request = NoveltyRequest(classes, self._desk.view.new.novelty_config())
            self._ask(request, lambda found: self._take_novelty(state, found))

    def spread(self) -> None:
        """Give rows without a class that of their neighbours, for a look."""
        with self._desk.telling():
            state = self._desk.need_state()
            classes = need_known(state, "to spread them")
            if len(set(classes.tolist()) - {""}) < 2:
                raise InputError("There is one class only: give some rows another one, too.")
            request = SpreadRequest(classes, self._desk.view.new.spread_config())
            self._ask(request, lambda found: self._take_spread(state, classes, found))

    def take_spread(self) -> None:
        """Write the classes that were spread, as one edit."""
        spread, self._spread = self._spread, None
        if spread is None or spread[0] is not self._desk.state:
            return
        with self._desk.telling():
            self._classify(spread[1], spread[2])
            self._desk.note(f"{len(spread[1]):,} rows have got the class of their neighbours.")
        self._desk.view.new.show_spread(0)

    def _begin(self) -> None:
        self._spread = None
        self._desk.view.new.show_result(WHAT_TO_DO)
        self._desk.view.new.show_spread(0)

    def _ask(self, request: Any, take: Callable[[Any], None]) -> None:
        state, tab = self._desk.state, self._desk.view.new
        tab.show_result("Working…")

        def on_done(found: Any) -> None:
            if state is self._desk.state:
                take(found)

        def on_error(sentence: str) -> None:
            tab.show_result(WHAT_TO_DO)
            self._desk.warn(sentence)

        self._line.ask(request, on_done=on_done, on_error=on_error, key="find")

    def _take_more(self, state: MapState, rows: npt.NDArray[np.intp], found: Any) -> None:
        self._colour_by(state, SIMILAR, found.probability)
        self._select(np.union1d(found.proposed, rows))
        self._tell(
            f"{len(found.proposed):,} other rows are likely to be like the {len(rows)} selected "
            "ones; they are selected now. Undo [Ctrl+Z] selects those from before.",
            found,
        )

    def _take_novelty(self, state: MapState, found: Any) -> None:
        self._colour_by(state, NOVELTY, found.scores)
        n_new = int(found.is_new.sum())
        text = f"{n_new:,} rows are more unlike the known ones than those are among themselves."
        if not np.isfinite(found.threshold):
            text = "All rows are coloured by how unlike the known ones they are."
        if np.isfinite(found.mean_auroc):
            skill = f"AUROC {found.mean_auroc:.2f}"
            text += f" Classes that were left out are told from the others with {skill}."
        self._tell(text, found)

    def _take_spread(self, state: MapState, classes: Texts, found: Any) -> None:
        fresh = np.flatnonzero((classes == "") & (found.classes != ""))
        self._spread = state, fresh, found.classes[fresh].tolist()
        state.columns[CONFIDENCE] = found.confidence.astype(np.float32)
        state.columns[SPREAD] = found.classes
        state.colour = SPREAD
        self._desk.show_colours()
        self._desk.view.new.show_spread(len(fresh))
        text = f"{len(fresh):,} rows would get a class."
        if np.isfinite(found.accuracy):
            text += f" Of held-out rows {100 * found.accuracy:.0f} % got their own."
        self._tell(text, found)

    def _tell(self, text: str, found: Any) -> None:
        notes = getattr(found, "notes", ())
        self._desk.view.new.show_result(" ".join([text, *notes]))

    def _colour_by(self, state: MapState, name: str, values: npt.NDArray[Any]) -> None:
        state.columns[name] = np.asarray(values, np.float32)
        state.colour = name
        self._keeping.columns({name: state.columns[name]})
        self._desk.show_colours()


def known_classes(state: MapState) -> Texts:
    """Return the class of each row, or else its label in words, "" for neither."""
    classes = state.classes.texts
    if state.labels is None:
        return classes
    words = np.array(["not a particle", "particle", ""])[state.labels]
    return np.where(classes == "", words, classes)


def known_negatives(state: MapState, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Return which rows are known to be something else than some rows, a mask of shape (n,)."""
    chosen = set(known_classes(state)[rows].tolist()) - {""}
    others = known_classes(state)
    unlike = (others != "") & ~np.isin(others, list(chosen))
    unlike[rows] = False
    return unlike


def need_known(state: MapState, what: str) -> Texts:
    """Return the classes of rows, or their labels.

    Raises
    ------
    InputError
        If no row has any.
    """
    classes = known_classes(state)
    if not (classes != "").any():
        raise InputError(f"No row has a class or label: give some rows one {what}.")
    return classes
