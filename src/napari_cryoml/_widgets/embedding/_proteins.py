"""Proteins on the map: their neighbours, their terms, and how far they move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.embedding import _work
from napari_cryoml._widgets.embedding._desk import Desk
from napari_cryoml._widgets.embedding._protein_tab import Move, Neighbour, Term
from napari_cryoml._widgets.embedding._row_cells import CONDITION, RowArrows, RowCells
from napari_cryoml._widgets.embedding._state import MapState
from napari_cryoml._widgets.embedding._terms import KnownTerms
from napari_cryoml._widgets.frame import Connections
from napari_cryoml._widgets.jobs import JobWatcher
from napari_cryoml.embedding import arrows, condition_vectors, most_correlated
from napari_cryoml.jobs import Event

if TYPE_CHECKING:
    from napari_cryoml.data import Embedding, Standard

N_CELLS = "n_cells"
"""Column of a map of proteins."""

NEIGHBOURS = 10
AROUND = 20
"""Neighbours of a single protein among which terms are looked for."""

LEVEL = 0.05
"""False discovery rate below which a protein is said to move."""

_MOST_TERMS = 12
_LEAST_SELECTED = 2

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Proteins in two conditions.

    Parameters
    ----------
    vectors : Embedding
        Two rows a protein.
    moved : Embedding
        A row a protein, with `effect`, `p` and `q`.
    cells : RowCells
        Those of the rows of `vectors`.
    """

    vectors: Embedding
    moved: Embedding
    cells: RowCells


class Proteins:
    """Shows what is known of the selected proteins.

    Parameters
    ----------
    desk : Desk
    start_job : callable
        Starts a job, as `ChildJob.start` does.
    select : callable
        Selects rows.
    """

    compared = Signal(object)
    """Two conditions were compared: a `Compared`."""

    def __init__(
        self, desk: Desk, start_job: Callable[..., Any], select: Callable[[Rows], object]
    ) -> None:
        self._desk = desk
        self._start_job = start_job
        self._select = select
        self._standard: Standard | None = None
        self._terms: KnownTerms | None = None
        self._comparing: RowCells | None = None
        self._watcher = JobWatcher()
        self._watcher.received.connect(self._on_event)
        self._watcher.ended.connect(self._on_end)
        self._connections = Connections(
            (desk.replaced, self._begin),
            (desk.selected, self.show),
            (desk.mapped, self.show_arrows),
        )

    @property
    def running(self) -> bool:
        """Whether conditions are being compared."""
        return bool(self._watcher.running)

    def close(self) -> None:
        """End the job, and let go of the desk."""
        self._connections.close()
        self._watcher.close()

    def _begin(self) -> None:
        state, tab = self._desk.state, self._desk.view.proteins
        self._terms = None
        if state is None or not is_of_proteins(state):
            tab.show_names(())
            tab.show_moves((), "")
            return
        tab.show_names(sorted(state.embedding.ids.tolist()), can_compare=can_compare(state))
        if "pair" not in state.embedding.provenance.get("grouped", {}):
            tab.show_moves((), "")
        if self._standard is not None:
            self._desk.background.run(
                KnownTerms.of,
                self._standard,
                proteins_of(state),
                on_done=self._desk.here(self._take_terms),
                on_error=self._desk.here(self._desk.warn),
            )

    # One or several proteins

    def show(self) -> None:
        """Show what is known of the selected proteins."""
        state = self._desk.state
        if state is None or not is_of_proteins(state):
            return
        rows = state.selected
        if len(rows) == 1:
            self._ask(state, int(rows[0]))
        else:
            text = f"{len(rows):,} proteins are selected." if len(rows) else ""
            self._desk.view.proteins.show_protein(text or "Click a protein on the map.", ())
            self._enrich(rows)

    def _ask(self, state: MapState, row: int) -> None:
        name = str(state.embedding.ids[row])
        self._desk.background.run(
            most_correlated,
            state.embedding,
            name,
            AROUND,
            on_done=self._desk.here(lambda found: self._take(state, row, found)),
            on_error=self._desk.here(
                lambda said: self._desk.view.proteins.show_protein(str(said), ())
            ),
        )

    def _take(self, state: MapState, row: int, found: Any) -> None:
        if state.selected.tolist() != [row]:
            return
        pairs = zip(found.rows.tolist(), found.ids.tolist(), found.correlation, strict=True)
        lines = [Neighbour(at, name, float(r)) for at, name, r in pairs]
        self._desk.view.proteins.show_protein(text_of(state, row), lines[:NEIGHBOURS])
        self._enrich(np.concatenate([[row], found.rows]))

    def seek(self, name: str) -> None:
        """Go to a protein by its name, or by the beginning of it."""
        with self._desk.telling():
            state = self._desk.need_state()
            rows = named_like(state.embedding.ids, name)
            if not len(rows):
                raise InputError(f"No protein is called {name!r} here: look for another name.")
            self.go(int(rows[0]))

    def go(self, row: int) -> None:
        """Select a protein, and ring it."""
        self._select(np.array([row], np.intp))
        self._desk.view.ring([row])

    def go_to_moved(self, name: str) -> None:
        """Select both places of a protein that moves."""
        state = self._desk.state
        if state is not None and state.arrows is not None:
            rows = state.arrows.rows_of(name)
            self._select(rows)
            self._desk.view.ring(rows.tolist())

    # Terms

    def open_standard(self) -> None:
        """Read what is known of proteins from a file that the user chooses."""
        with self._desk.telling():
            self._desk.need_state()
            path = self._desk.view.ask_standard_path()
            if path is not None:
                self.read_standard(path)

    def read_standard(self, path: Path) -> None:
        """Read what is known of proteins."""
        desk = self._desk
        with desk.telling():
            state = desk.need_state()
            desk.view.proteins.show_terms((), f"Reading {path.name}…")
            desk.background.run(
                KnownTerms.read,
                path,
                proteins_of(state),
                on_done=desk.here(self._take_terms),
                on_error=self._no_standard,
            )

    def _no_standard(self, sentence: str) -> None:
        self._desk.view.proteins.show_terms((), "")
        self._desk.warn(sentence)

    def _take_terms(self, terms: KnownTerms) -> None:
        state = self._desk.need_state()
        self._terms, self._standard = terms, terms.standard
        state.columns[terms.standard.name] = terms.smallest
        self._desk.show_colours()
        self._desk.view.proteins.show_terms((), terms.text)
        self.show()

    def _enrich(self, rows: Rows) -> None:
        """Look for terms that some rows are rich in."""
        terms = self._terms
        if terms is None:
            return
        if len(rows) < _LEAST_SELECTED:
            self._desk.view.proteins.show_terms((), terms.text)
            return
        self._desk.background.run(
            terms.enriched,
            rows,
            on_done=self._desk.here(lambda found: self._show_terms(terms, found)),
            on_error=self._desk.here(self._desk.warn),
        )

    def _show_terms(self, terms: KnownTerms, found: list[Term]) -> None:
        text = terms.text if found else f"{terms.text} No term is enriched here."
        self._desk.view.proteins.show_terms(found[:_MOST_TERMS], text)

    def select_term(self, key: str) -> None:
        """Select all proteins of a term."""
        if self._terms is not None:
            self._select(self._terms.rows_of(key))

    # Two conditions

    def compare_or_stop(self) -> None:
        """Find the proteins that move between two conditions; while that runs, stop."""
        if self.running:
            self._watcher.stop()
            return
        with self._desk.telling():
            cells = self._desk.need_state().row_cells
            if cells is None or CONDITION not in cells.cells.table:
                raise InputError(
                    "Conditions are compared by the cells of proteins with a column condition: "
                    "map them from the Cells dock."
                )
            self._comparing = cells
            job = self._start_job(_work.compare, cells.cells)
            self._desk.view.proteins.show_comparing(True)
            self._desk.view.proteins.show_moves((), "Comparing…")
            self._watcher.watch(job)

    def _on_event(self, event: Event) -> None:
        text = f"{event.done:,} of {event.total:,} proteins are compared."
        self._desk.view.proteins.show_moves((), text)

    def _on_end(self, job: Any) -> None:
        tab, cells = self._desk.view.proteins, self._comparing
        tab.show_comparing(False)
        tab.show_moves((), "")
        if job.state == "failed":
            self._desk.warn(job.error)
        elif job.state == "done" and cells is not None:
            self._desk.background.run(
                _compared,
                cells,
                job.result,
                on_done=self.compared.emit,
                on_error=self._desk.warn,
            )

    def show_moves(self, compared: Compared) -> None:
        """List the proteins that move, once their map is on show."""
        moved = compared.moved
        q = np.asarray(moved.table["q"], np.float64)
        effect = np.asarray(moved.table["effect"], np.float64)
        order = [row for row in np.argsort(-effect).tolist() if q[row] < LEVEL]
        lines = [Move(str(moved.ids[row]), float(effect[row]), float(q[row])) for row in order]
        before, after = moved.provenance["displacements"]["pair"]
        text = (
            f"{len(lines):,} of {len(moved):,} proteins move from {before} to {after} (false "
            f"discovery rate below {100 * LEVEL:.0f} %); arrows show where to."
        )
        self._desk.view.proteins.show_moves(lines, text)
        self._desk.need_state().arrows = _arrows_of(compared.vectors, [line.name for line in lines])
        self.show_arrows()

    def show_arrows(self) -> None:
        """Draw an arrow for each protein that moves, on the map as it is."""
        state = self._desk.state
        if state is None or state.arrows is None:
            self._desk.view.show_arrows(None, None)
            return
        _, start, end = state.arrows.placed(state.layout)
        self._desk.view.show_arrows(start, end)


def is_of_proteins(state: MapState) -> bool:
    """Tell whether the rows of a map are proteins, each the mean of its cells."""
    return state.row_cells is not None or N_CELLS in state.embedding.table


def can_compare(state: MapState) -> bool:
    """Tell whether the cells of the proteins are of two conditions."""
    cells = state.row_cells
    if cells is None or CONDITION not in cells.cells.table:
        return False
    names = np.asarray(cells.cells.table[CONDITION]).astype(np.str_)
    return len(set(names.tolist()) - {""}) > 1


def proteins_of(state: MapState) -> npt.NDArray[np.str_]:
    """Return the protein of each row: its column, or else its id."""
    column = state.embedding.table.get("protein")
    found = state.embedding.ids if column is None else column
    return np.asarray(found).astype(np.str_)


def named_like(ids: npt.NDArray[np.str_], name: str) -> Rows:
    """Return the rows that are called so, or else those whose name begins so."""
    wanted = name.casefold()
    lower = [one.casefold() for one in ids.tolist()]
    same = [row for row, one in enumerate(lower) if one == wanted]
    begin = [row for row, one in enumerate(lower) if wanted and one.startswith(wanted)]
    return np.array(same or begin, np.intp)


def text_of(state: MapState, row: int) -> str:
    """Return what is known of a protein, in a few words."""
    table, said = state.embedding.table, [str(state.embedding.ids[row])]
    if N_CELLS in table:
        said.append(f"{int(table[N_CELLS][row]):,} cells")
    if "consistency" in table and np.isfinite(float(table["consistency"][row])):
        said.append(f"alike by r = {float(table['consistency'][row]):.2f}")
    if state.classes.codes[row] >= 0:
        said.append(state.classes.names[state.classes.codes[row]])
    return " · ".join(said)


def _compared(cells: RowCells, moved: Embedding) -> Compared:
    """Return both conditions of proteins with how far they move; beside the GUI's thread."""
    vectors = condition_vectors(cells.cells)
    row_of = {name: row for row, name in enumerate(moved.ids.tolist())}
    names = np.asarray(vectors.table["protein"]).astype(np.str_).tolist()
    rows = np.array([row_of.get(name, -1) for name in names], np.intp)
    columns = {
        name: np.where(rows >= 0, np.asarray(moved.table[name], np.float64)[rows], np.nan)
        for name in ("effect", "q")
    }
    of_both = RowCells.of(cells.crops, cells.cells, cells.look_at, by_condition=True)
    return Compared(vectors.with_columns(**columns), moved, of_both)


def _arrows_of(vectors: Embedding, names: list[str]) -> RowArrows:
    """Return the arrows of some proteins, from their row before to that after."""
    numbers = np.repeat(np.arange(len(vectors), dtype=np.float64)[:, None], 2, axis=1)
    found = arrows(numbers, vectors).take(names)
    return RowArrows(
        found.names, found.start[:, 0].astype(np.intp), found.end[:, 0].astype(np.intp)
    )
