"""The painted confusion matrix and the table of classes."""

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QHelpEvent
from qtpy.QtWidgets import QApplication, QToolTip
from tests._widgets.classify_parts import CONFUSION, NAMES, heard, report

from napari_cryoml._widgets.classes._class_table import HEADINGS, ClassResult, ClassTable
from napari_cryoml._widgets.classes._confusion import NOTHING, ConfusionMatrix
from napari_cryoml._widgets.frame import POSITIVE, ThemeColours
from napari_cryoml.evaluation import ClassificationReport


@pytest.fixture
def matrix(qtbot):
    made = ConfusionMatrix()
    qtbot.addWidget(made)
    made.resize(340, 60)
    made.show()
    made.set_report(report())
    return made


def many(n):
    names = tuple(f"a class with number {i}" for i in range(n))
    return ClassificationReport(names, np.eye(n, dtype=np.int64))


class TestConfusionMatrix:
    def test_each_cell_is_where_it_is_painted(self, matrix):
        for row, column in np.ndindex(CONFUSION.shape):
            assert matrix.cell_at(matrix.place_of(row, column).center()) == (row, column)

    def test_names_and_margins_are_no_cells(self, matrix):
        first = matrix.place_of(0, 0)
        assert matrix.cell_at(first.topLeft() - QPointF(2, -2)) == (-1, -1)
        assert matrix.cell_at(first.topLeft() - QPointF(-2, 2)) == (-1, -1)
        assert matrix.cell_at(matrix.place_of(3, 0).center()) == (-1, -1)

    @pytest.mark.parametrize("n", [2, 5, 14, 20])
    def test_all_of_it_lies_within_the_widget(self, matrix, n):
        matrix.set_report(many(n))
        last = matrix.place_of(n - 1, n - 1)
        assert last.right() <= matrix.width()
        assert last.bottom() <= matrix.height()

    def test_a_click_tells_the_true_class_and_the_one_given(self, qtbot, matrix):
        said = heard(matrix.cell_clicked)
        place = matrix.place_of(1, 2).center().toPoint()
        qtbot.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=place)
        assert said == [("proteasome", "junk")]

    def test_a_click_on_a_name_tells_nothing(self, qtbot, matrix):
        said = heard(matrix.cell_clicked)
        qtbot.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=QPoint(3, 3))
        assert not said

    def test_a_cell_is_told_in_words(self, matrix):
        assert matrix.words_of(1, 2) == (
            "2 of 9 crops of proteasome were given junk. Click to see them."
        )
        assert matrix.words_of(0, 0).startswith("9 of 10 crops of ribosome were right.")
        assert not matrix.words_of(-1, -1)

    def test_the_cell_below_the_mouse_has_a_frame_and_a_tooltip(self, qtbot, matrix, monkeypatch):
        before = matrix.grab().toImage()
        place = matrix.place_of(1, 2).center().toPoint()
        qtbot.mouseMove(matrix, place)
        qtbot.waitUntil(lambda: matrix.grab().toImage() != before)
        shown = []
        monkeypatch.setattr(QToolTip, "showText", lambda where, text, _: shown.append(text))
        event = QHelpEvent(QEvent.Type.ToolTip, place, matrix.mapToGlobal(place))
        QApplication.sendEvent(matrix, event)
        assert shown == [matrix.words_of(1, 2)]
        matrix.leaveEvent(QEvent(QEvent.Type.Leave))
        assert matrix.grab().toImage() == before

    def test_a_class_without_mistakes_is_green_and_mistakes_are_darker_the_more_there_are(
        self, matrix
    ):
        matrix.set_report(ClassificationReport(NAMES, np.diag([4, 4, 4])))
        image = matrix.grab().toImage()
        corner = matrix.place_of(0, 0).topLeft().toPoint() + QPoint(3, 3)
        assert image.pixelColor(corner).name() == POSITIVE.name()

    @pytest.mark.parametrize("nothing", [None, ClassificationReport(NAMES, np.zeros((3, 3), int))])
    def test_without_held_out_crops_it_says_so(self, matrix, nothing):
        matrix.set_report(nothing)
        assert matrix.classes == ()
        assert matrix.words_of(0, 0) == NOTHING
        assert matrix.cell_at(QPointF(150, 60)) == (-1, -1)
        assert not matrix.grab().isNull()

    def test_it_is_painted_in_the_colours_of_the_theme(self, matrix):
        dark = matrix.grab().toImage()
        matrix.set_colours(ThemeColours.of("light"))
        assert matrix.grab().toImage() != dark


class TestClassTable:
    @pytest.fixture
    def table(self, qtbot):
        made = ClassTable()
        qtbot.addWidget(made)
        made.set_rows(
            [
                ClassResult("ribosome", "#E69F00", 5, 1043, 0.9, 0.875),
                ClassResult("junk", "#009E73", 12, 0),
            ]
        )
        return made

    def test_counts_and_shares_are_written_for_people(self, table):
        assert [table.rows[0].cell(i) for i in range(5)] == [
            "ribosome",
            "5",
            "1,043",
            "90\N{NO-BREAK SPACE}%",
            "88\N{NO-BREAK SPACE}%",
        ]

    def test_what_is_not_known_is_a_dash(self, table):
        assert table.rows[1].cell(3) == table.rows[1].cell(4) == "–"
        assert "%" not in table.rows[1].tip()
        assert "90 % were found" in table.rows[0].tip()

    def test_a_click_tells_the_class(self, table):
        said = heard(table.chosen)
        table.clicked.emit(table.model().index(1, 2))
        assert said == ["junk"]

    def test_headings_are_explained(self, table):
        model, tip = table.model(), Qt.ItemDataRole.ToolTipRole
        for column, heading in enumerate(HEADINGS):
            assert model.headerData(column, Qt.Orientation.Horizontal) == heading
            assert model.headerData(column, Qt.Orientation.Horizontal, tip) == HEADINGS[heading]
        assert model.headerData(0, Qt.Orientation.Vertical) is None

    def test_it_is_as_high_as_its_lines_up_to_a_few(self, table):
        two = table.height()
        table.set_rows([ClassResult(str(i), "#000000", 1, 1) for i in range(30)])
        assert two < table.height() < 200
