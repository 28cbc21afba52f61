"""The Explorer on proteins: their cells, neighbours, terms, and two conditions."""

import numpy as np
import pytest
from tests._widgets.cells_rows import crops
from tests._widgets.conftest import said

from napari_cryoml._widgets.embedding import _work
from napari_cryoml._widgets.embedding._protein_tab import Move, Neighbour, ProteinTab, Term
from napari_cryoml._widgets.embedding._proteins import named_like
from napari_cryoml._widgets.embedding._row_cells import RowCells
from napari_cryoml._widgets.embedding._terms import titles_of
from napari_cryoml.data import Embedding, Standard
from napari_cryoml.embedding import encoders, group_vectors
from napari_cryoml.jobs import run_inline

N_PROTEINS, N_CELLS = 8, 6


def cells_embedding(conditions=False):
    """Return crops and a vector each: proteins in two groups, the last one moves."""
    rng = np.random.default_rng(0)
    proteins = np.repeat([f"P{number}" for number in range(N_PROTEINS)], N_CELLS * 2)
    condition = np.tile(np.repeat(["before", "after"], N_CELLS), N_PROTEINS)
    group = np.repeat(np.arange(N_PROTEINS) % 2, N_CELLS * 2)
    vectors = rng.normal(0, 0.05, (len(proteins), 6))
    vectors[:, 0] += group
    vectors[:, 1] += 1 - group
    if conditions:
        vectors[(proteins == "P7") & (condition == "after"), 5] += 3
    columns = {"protein": proteins} | ({"condition": condition} if conditions else {})
    found = crops(len(proteins), **columns)
    return found, Embedding(vectors.astype(np.float32), found.ids, None, None, columns)


def show(qtbot, explorer, conditions=False):
    """Show a map of proteins as it comes from the Cells dock; return what it looks at."""
    looked = []
    found, cells = cells_embedding(conditions)
    taken = explorer.sources.of_proteins(found, looked.append, cells)
    taken.state.set_layout("umap", taken.state.embedding.vectors[:, :2])
    taken.state.method = "umap"
    explorer.sources.taken.emit(taken)
    qtbot.waitUntil(lambda: explorer.desk.state is taken.state, timeout=5_000)
    return looked


def idle(qtbot, explorer):
    qtbot.waitUntil(lambda: not explorer._background.busy, timeout=10_000)


@pytest.fixture
def standard(tmp_path):
    path = tmp_path / "places.gmt"
    even = "\t".join(f"P{number}" for number in range(0, N_PROTEINS, 2))
    odd = "\t".join(f"P{number}" for number in range(1, N_PROTEINS, 2))
    path.write_text(f"nucleus\tof even ones\t{even}\nGolgi\tof odd ones\t{odd}\n")
    return path


class TestRowCells:
    def test_cells_of_a_protein_come_most_central_first(self):
        found, cells = cells_embedding()
        rows = RowCells.of(found, cells, print).of_row("P3")
        assert set(found.columns["protein"][rows]) == {"P3"}
        vectors = cells.vectors[rows]
        gaps = np.linalg.norm(vectors - vectors.mean(axis=0), axis=1)
        assert (np.diff(gaps) >= 0).all()

    def test_several_proteins_share_the_room(self):
        found, cells = cells_embedding()
        rows = RowCells.of(found, cells, print).of_rows(["P1", "P2"])
        names, counts = np.unique(found.columns["protein"][rows], return_counts=True)
        assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {"P1": 12, "P2": 12}

    def test_an_unknown_protein_has_none(self):
        found, cells = cells_embedding()
        assert len(RowCells.of(found, cells, print).of_rows(["nobody"])) == 0

    def test_conditions_are_told_apart(self):
        found, cells = cells_embedding(conditions=True)
        rows = RowCells.of(found, cells, print, by_condition=True).of_row("P1 (after)")
        assert set(found.columns["condition"][rows]) == {"after"}


class TestProteins:
    def test_cells_are_embedded_and_grouped(self, qtbot, explorer, jobs):
        found, cells = cells_embedding()
        explorer.map_proteins(found, encoders["rings"](), print)
        assert jobs[-1].function is _work.embed
        jobs[-1].end(result=cells)
        qtbot.waitUntil(lambda: explorer.desk.state is not None, timeout=10_000)
        assert explorer.desk.state.embedding.ids.tolist() == group_vectors(cells).ids.tolist()
        assert explorer.desk.state.row_cells is not None

    def test_cells_are_mapped_by_themselves(self, qtbot, explorer, jobs):
        looked = []
        found, cells = cells_embedding()
        explorer.map_cells(found, encoders["rings"](), looked.append)
        jobs[-1].end(result=cells)
        qtbot.waitUntil(lambda: explorer.desk.state is not None, timeout=10_000)
        assert len(explorer.desk.state) == len(found)
        explorer.linking.look_at(5)
        assert looked == [5]

    def test_a_protein_shows_its_cells_and_neighbours(self, qtbot, explorer):
        looked = show(qtbot, explorer)
        explorer.proteins.go(2)
        idle(qtbot, explorer)
        rows = explorer.view.gallery.set_rows.call_args.args[0]
        proteins = explorer.desk.state.row_cells.crops.columns["protein"]
        assert set(proteins[rows]) == {"P2"}
        text, neighbours = explorer.view.proteins.show_protein.call_args.args
        assert text.startswith("P2 · 12 cells")
        assert {one.name for one in neighbours[:3]} == {"P0", "P4", "P6"}
        assert np.all(np.diff([one.r for one in neighbours]) <= 0)
        explorer.desk.state.row_cells.look_at(int(rows[0]))
        assert looked == [int(rows[0])]

    def test_names_are_found_by_their_beginning(self, qtbot, explorer):
        show(qtbot, explorer)
        explorer.proteins.seek("p3")
        assert explorer.desk.state.selected.tolist() == [3]
        explorer.proteins.seek("nobody")
        assert "No protein is called 'nobody'" in said(explorer.view)[0]
        ids = np.array(["ABC1", "abc10", "XYZ"])
        assert named_like(ids, "abc1").tolist() == [0]
        assert named_like(ids, "ab").tolist() == [0, 1]
        assert named_like(ids, "").tolist() == []

    def test_terms_of_a_standard_are_tested(self, qtbot, explorer, standard):
        show(qtbot, explorer)
        explorer.proteins.read_standard(standard)
        idle(qtbot, explorer)
        explorer.selecting.rows([0, 2, 4, 6])
        idle(qtbot, explorer)
        terms, text = explorer.view.proteins.show_terms.call_args.args
        assert [one.key for one in terms] == ["nucleus"]
        assert (terms[0].found, terms[0].of) == (4, 4)
        assert terms[0].p == pytest.approx(1 / 70)  # one of 8 over 4 ways
        assert "8 of 8 names" in text
        assert "places" in explorer.desk.state.names  # the map can be coloured by it
        explorer.proteins.select_term("Golgi")
        assert explorer.desk.state.selected.tolist() == [1, 3, 5, 7]

    def test_a_bad_standard_is_one_sentence(self, qtbot, explorer, tmp_path):
        show(qtbot, explorer)
        (tmp_path / "bad.gmt").write_bytes(b"")
        explorer.proteins.read_standard(tmp_path / "bad.gmt")
        idle(qtbot, explorer)
        assert said(explorer.view)[1]

    def test_two_conditions_have_arrows_where_proteins_move(self, qtbot, explorer, jobs):
        show(qtbot, explorer, conditions=True)
        explorer.proteins.compare_or_stop()
        job = jobs[-1]
        assert job.function is _work.compare
        job.end(result=run_inline(_work.compare(*job.args)))
        before = explorer.desk.state
        qtbot.waitUntil(lambda: explorer.desk.state is not before, timeout=10_000)
        state = explorer.desk.state
        assert len(state) == 2 * N_PROTEINS
        moves, text = explorer.view.proteins.show_moves.call_args.args
        assert [one.name for one in moves] == ["P7"]
        assert text.startswith("1 of 8 proteins move from after to before")
        assert state.arrows.names.tolist() == ["P7"]
        state.set_layout("umap", np.arange(32.0).reshape(16, 2))
        state.method = "umap"
        explorer.desk.show_map()
        start, end = explorer.view.show_arrows.call_args.args
        assert start.shape == end.shape == (1, 2)
        explorer.proteins.go_to_moved("P7")
        assert len(state.selected) == 2

    def test_cells_of_one_condition_are_not_compared(self, qtbot, explorer):
        show(qtbot, explorer)
        explorer.proteins.compare_or_stop()
        assert "column condition" in said(explorer.view)[0]

    def test_a_map_is_written_as_a_page(self, qtbot, explorer, tmp_path):
        show(qtbot, explorer)
        path = tmp_path / "map.html"
        explorer.view.ask_page_path.return_value = path
        explorer.exporting.run("page")
        idle(qtbot, explorer)
        assert "P7" in path.read_text()

    def test_another_kind_of_map_has_no_proteins(self, qtbot, explorer):
        explorer.proteins._begin()
        explorer.view.proteins.show_names.assert_called_with(())


@pytest.mark.parametrize(
    ("descriptions", "called"),
    [
        ({"GO:1": "nucleus", "GO:2": "Golgi"}, ["nucleus", "Golgi"]),
        ({"GO:1": "places", "GO:2": "places"}, ["GO:1", "GO:2"]),
        ({"GO:1": "https://one.example", "GO:2": "two"}, ["GO:1", "GO:2"]),
        ({}, ["GO:1", "GO:2"]),
    ],
)
def test_terms_are_called_so_that_they_can_be_told_apart(descriptions, called):
    terms = {"GO:1": frozenset("ab"), "GO:2": frozenset("cd")}
    assert list(titles_of(Standard("known", terms, descriptions)).values()) == called


class TestTab:
    def test_lines_can_be_clicked(self, qtbot):
        tab = ProteinTab()
        qtbot.addWidget(tab)
        tab.show_names(["P1", "P2"], can_compare=True)
        assert tab.compare.isEnabled()
        tab.show_protein("P1 · 12 cells", [Neighbour(1, "P2", 0.91)])
        tab.show_terms([Term("nucleus", "GO:5634", 3, 4, 1e-4, 2e-3)], "A standard.")
        tab.show_moves([Move("P2", 1.4, 0.01)], "One moves.")
        heard = []
        for table, signal in (
            (tab.neighbours, tab.neighbour_chosen),
            (tab.terms, tab.term_chosen),
            (tab.moves, tab.move_chosen),
        ):
            signal.connect(heard.append)
            assert not table.isHidden()
            table.clicked.emit(table.model().index(0, 0))
        assert [type(one) for one in heard] == [Neighbour, Term, Move]
        assert "3 of the 4" in heard[1].tip()
        tab.show_names(())
        assert tab.neighbours.isHidden()
        assert not tab.search.isEnabled()

    def test_enter_seeks(self, qtbot):
        tab = ProteinTab()
        qtbot.addWidget(tab)
        sought = []
        tab.sought.connect(sought.append)
        tab.search.setText(" P1 ")
        tab.search.returnPressed.emit()
        assert sought == ["P1"]


def test_arrows_are_painted(qtbot):
    from napari_cryoml._widgets.embedding._canvas import EmbeddingCanvas

    canvas = EmbeddingCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(200, 160)
    places = np.array([[0.0, 0], [10, 10], [np.nan, 0]], np.float32)
    canvas.set_layout(places)
    plain = canvas.grab().toImage()
    canvas.set_arrows(places[[0, 2]], places[[1, 1]])
    assert canvas.grab().toImage() != plain
    start, _ = canvas.arrows
    assert start.tolist() == [[0, 0]]
    canvas.set_arrows(None, None)
    assert canvas.arrows is None
