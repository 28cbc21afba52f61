"""What is known of a protein on the map: its neighbours, its terms, and how far it moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from qtpy.QtCore import QModelIndex, QStringListModel, Qt, Signal
from qtpy.QtWidgets import QCompleter, QLineEdit, QVBoxLayout, QWidget

from napari_cryoml._widgets.frame import ShortTable, ShortTableModel, button, line_of, words

NO_PROTEINS = (
    "This tab is about proteins: map them from the Cells dock (tab “Map”), or open vectors with a "
    "row for each protein."
)
NO_ROW = "Click a protein on the map, or type its name."
NO_STANDARD = (
    "Open a standard (GAF, GMT, ComplexTAB, or a table of terms) to see which terms are enriched "
    "among the selected proteins, or around a single one."
)
_NUMBER_PX, _COUNT_PX, _LINES = 56, 52, 5


class Neighbour(NamedTuple):
    """A protein like the chosen one.

    Parameters
    ----------
    row : int
    name : str
    r : float
        Correlation of the two vectors.
    """

    row: int
    name: str
    r: float

    def cell(self, column: int) -> str:
        """Return the text of a column."""
        return self.name if column == 0 else f"{self.r:.2f}"

    def tip(self) -> str:
        """Return the line in words."""
        return f"{self.name}: correlation {self.r:.3f}. Click to go there."


class Term(NamedTuple):
    """A term of a standard.

    Parameters
    ----------
    name : str
        What it is called.
    key : str
        As the standard has it.
    found, of : int
        Selected proteins with it, and all on the map with it.
    p, q : float
        By chance so many, and corrected for the number of terms.
    """

    name: str
    key: str
    found: int
    of: int
    p: float
    q: float

    def cell(self, column: int) -> str:
        """Return the text of a column."""
        return (self.name, f"{self.found}/{self.of}", f"{self.p:.1e}", f"{self.q:.1e}")[column]

    def tip(self) -> str:
        """Return the line in words."""
        return (
            f"{self.name}: {self.found} of the {self.of} proteins with this term are among them, "
            f"p = {self.p:.2g}, corrected for all terms q = {self.q:.2g}. Click to select all of "
            "the term."
        )


class Move(NamedTuple):
    """A protein in two conditions.

    Parameters
    ----------
    name : str
    effect : float
        Its displacement as a multiple of the scatter of its cells.
    q : float
        False discovery rate; NaN if it was not tested.
    """

    name: str
    effect: float
    q: float

    def cell(self, column: int) -> str:
        """Return the text of a column."""
        return (self.name, f"{self.effect:.2f}", f"{self.q:.1e}")[column]

    def tip(self) -> str:
        """Return the line in words."""
        return (
            f"{self.name} moves by {self.effect:.2f} times the scatter of its cells, false "
            f"discovery rate {self.q:.2g}. Click to go there."
        )


class _NeighbourModel(ShortTableModel):
    headings = ("Most like it", "r")


class _TermModel(ShortTableModel):
    headings = ("Term", "of", "p", "q")


class _MoveModel(ShortTableModel):
    headings = ("Moves most", "effect", "q")


class RowTable(ShortTable):
    """Lines of one kind, one of which can be clicked."""

    chosen = Signal(object)
    """The line that was clicked."""

    def __init__(self, model: ShortTableModel, widths: dict[int, int], name: str) -> None:
        self._shown = model
        super().__init__(model, widths)
        self.setAccessibleName(name)
        self.clicked.connect(self._on_click)
        self.set_rows(())

    def set_rows(self, rows: Sequence[object]) -> None:
        """Show lines; without any, the table is hidden."""
        self._shown.beginResetModel()
        self._shown.rows[:] = rows
        self._shown.endResetModel()
        self.show_lines(min(max(len(rows), 1), _LINES))
        self.setVisible(bool(rows))

    def _on_click(self, index: QModelIndex) -> None:
        self.chosen.emit(self._shown.rows[index.row()])


class ProteinTab(QWidget):
    """Search, neighbours, terms and conditions."""

    sought = Signal(str)
    """A name was typed in."""

    neighbour_chosen = Signal(object)
    term_chosen = Signal(object)
    move_chosen = Signal(object)
    """A `Neighbour`, `Term` or `Move` was clicked."""

    standard_requested = Signal()
    """Open a standard; the view asks for it."""

    compare_requested = Signal()
    """Compare two conditions, or stop."""

    def __init__(self) -> None:
        super().__init__()
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find a protein…")
        self.search.setToolTip("Name of a protein, or its beginning; Enter goes there.")
        self._names = QStringListModel(self)
        completer = QCompleter(self._names, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.search.setCompleter(completer)
        self.text = words("The protein that was chosen.", NO_PROTEINS)
        self.neighbours = RowTable(_NeighbourModel(), {1: _COUNT_PX}, "Neighbours")
        self.standard = button(
            "Standard…",
            "Open what is known of proteins (GAF, GMT, OBO with GAF, ComplexTAB, .csv), to test "
            "which terms are enriched. Default: none.",
        )
        self.compare = button(
            "Compare conditions",
            "Map proteins in both conditions with an arrow for each that moves (false discovery "
            "rate below 5 %); needs a column condition. Default: none.",
        )
        self.standard_text = words("What the terms are, and of which proteins.", NO_STANDARD)
        widths = {1: 40, 2: _NUMBER_PX, 3: _NUMBER_PX}
        self.terms = RowTable(_TermModel(), widths, "Enriched terms")
        self.moves_text = words("What moves between the conditions.")
        self.moves = RowTable(_MoveModel(), {1: _COUNT_PX, 2: _NUMBER_PX}, "Proteins that move")
        self._build()
        self.show_names(())
        self.show_moves((), "")

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        for widget in (self.search, self.text, self.neighbours):
            column.addWidget(widget)
        column.addLayout(line_of(self.standard, self.compare))
        for widget in (self.standard_text, self.terms, self.moves_text, self.moves):
            column.addWidget(widget)
        column.addStretch(1)
        self.search.returnPressed.connect(lambda: self.sought.emit(self.search.text().strip()))
        self.search.completer().activated.connect(lambda text: self.sought.emit(str(text)))
        self.neighbours.chosen.connect(self.neighbour_chosen)
        self.terms.chosen.connect(self.term_chosen)
        self.moves.chosen.connect(self.move_chosen)
        self.standard.clicked.connect(lambda: self.standard_requested.emit())
        self.compare.clicked.connect(lambda: self.compare_requested.emit())

    def show_names(self, names: Sequence[str], *, can_compare: bool = False) -> None:
        """Offer names of proteins; without any, the tab says where they come from."""
        self._names.setStringList(list(names))
        for widget in (self.search, self.standard):
            widget.setEnabled(bool(names))
        self.compare.setEnabled(can_compare)
        self.show_protein(NO_ROW if names else NO_PROTEINS, ())
        self.show_terms((), "")

    def show_protein(self, text: str, neighbours: Sequence[Neighbour]) -> None:
        """Show what is known of the chosen protein, and those most like it."""
        self.text.setText(text)
        self.neighbours.set_rows(neighbours)

    def show_terms(self, terms: Sequence[Term], text: str) -> None:
        """Show enriched terms, the least probable first, and of what they are; "" for nothing."""
        self.standard_text.setText(text or NO_STANDARD)
        self.terms.set_rows(terms)

    def show_moves(self, moves: Sequence[Move], text: str) -> None:
        """Show proteins that move, and a sentence; "" where conditions were not compared."""
        self.moves_text.setText(text)
        self.moves_text.setVisible(bool(text))
        self.moves.set_rows(moves)

    def show_comparing(self, on: bool) -> None:
        """Show whether conditions are being compared."""
        self.compare.setText("Stop comparing" if on else "Compare conditions")
