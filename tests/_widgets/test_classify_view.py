"""The Classify dock by itself."""

from pathlib import Path

import pytest
from qtpy.QtCore import QPointF, QSize, Qt
from qtpy.QtGui import QEnterEvent, QResizeEvent
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollArea,
    QShortcut,
    QSlider,
    QWidget,
)
from superqt import QCollapsible
from tests._widgets.classify_parts import NAMES, ROWS, heard, offers, report

from napari_cryoml._widgets.classes._class_table import ClassResult
from napari_cryoml._widgets.classify import ClassifyView
from napari_cryoml._widgets.classify import _view as view_module
from napari_cryoml._widgets.classify._keys import CLASSIFY_KEYS, CROP_KEYS
from napari_cryoml._widgets.classify._view import WIDE_PX
from napari_cryoml._widgets.embedding._keys import MAP_KEYS
from napari_cryoml._widgets.frame import ThemeColours
from napari_cryoml._widgets.picker._keys import KEYS

CONTROLS = (QAbstractButton, QComboBox, QAbstractSpinBox, QLineEdit, QSlider)
NARROW_PX = 320
LOW_SCREEN = 340, 660


@pytest.fixture
def view(qtbot):
    made = ClassifyView(offers())
    qtbot.addWidget(made)
    return made


@pytest.fixture
def filled(view):
    view.show_empty(False)
    view.source.show_source("213 picks in 3 tomograms.")
    view.classes.show_classes(ROWS, "junk", "26 of 213 crops have a class.")
    view.result.show_report(
        report(), "83 % of 24 crops were right.", [ClassResult("junk", "#009E73", 12, 3)]
    )
    return view


def is_inner(widget):
    """Return whether Qt made a control for one of its own."""
    made_by = QAbstractSpinBox | QComboBox | QCollapsible | QAbstractItemView
    own = isinstance(widget.parent(), made_by)
    return own or widget.objectName().startswith(("qt_", "Scroll"))


def is_shown(widget, within):
    while widget is not within:
        if widget.isHidden() or isinstance(widget, QCollapsible):
            return False
        widget = widget.parent()
    return True


class TestControls:
    def test_every_control_has_a_tooltip(self, view):
        for control in view.findChildren(QWidget):
            if isinstance(control, CONTROLS) and not is_inner(control):
                assert control.toolTip(), (control, getattr(control, "text", str)())

    def test_no_part_shows_more_than_seven_controls(self, filled):
        view = filled
        tabs = (view.train, view.result, view.look, view.average, view.export)
        for part in (view.source, view.classes, view.gallery, *tabs):
            shown = [
                one
                for one in part.findChildren(QWidget)
                if isinstance(one, CONTROLS) and not is_inner(one) and is_shown(one, part)
            ]
            assert len(shown) <= 7, (type(part).__name__, shown)

    def test_the_dock_fits_into_a_narrow_column(self, filled):
        inner = filled.findChild(QWidget, "inner")
        assert inner.minimumSizeHint().width() <= NARROW_PX

    def test_the_dock_fits_a_low_screen_with_a_message_on_show(self, qtbot, filled):
        filled.resize(*LOW_SCREEN)
        filled.show()
        filled.show_message("A sentence that takes two lines of the dock on its own. " * 2)
        qtbot.wait(20)
        area = next(one for one in filled.findChildren(QScrollArea) if one.parent() is filled)
        assert area.verticalScrollBar().maximum() == 0

    def test_tabs_lie_beside_the_gallery_where_there_is_room(self, view):
        for width, wanted in (
            (WIDE_PX, Qt.Orientation.Horizontal),
            (WIDE_PX - 1, Qt.Orientation.Vertical),
        ):
            view.resizeEvent(QResizeEvent(QSize(width, 600), view.size()))
            assert view.splitter.orientation() == wanted

    @pytest.mark.parametrize("theme", ["dark", "light"])
    def test_it_is_painted_in_both_themes(self, filled, theme):
        filled.set_theme(theme)
        corner = filled.result.matrix.grab().toImage().pixelColor(0, 0)
        assert corner == ThemeColours.of(theme).background

    def test_a_message_is_one_sentence(self, view):
        view.show_message("The crops have boxes of two sizes.", error=True)
        assert view.message.is_error
        view.show_message("")
        assert view.message.isHidden()

    def test_tabs_are_found_by_their_names(self, view):
        for name in ("Train", "Result", "Look", "Average", "Export", "Keys"):
            view.show_tab(name)
            assert view.tabs.tabText(view.tabs.currentIndex()) == name


class TestEmpty:
    def test_every_part_says_what_to_do(self, view):
        for label in (
            view.source.text,
            view.classes.text,
            view.train.model,
            view.result.text,
            view.look.text,
            view.average.panel.text,
            view.export.text,
        ):
            assert len(label.text()) > 30

    def test_nothing_can_be_cut_trained_averaged_or_exported(self, view):
        for control in (
            view.source.cut,
            view.classes.label,
            view.classes.remove,
            view.train.train,
            view.train.save,
            view.average.average,
            view.export.lists,
            view.export.matrix,
            view.look.viewer,
            view.result.threshold,
        ):
            assert not control.isEnabled()

    def test_boxes_can_be_opened_classes_added_and_models_loaded(self, view):
        for control in (view.source.open, view.classes.add, view.train.load, view.train.system):
            assert control.isEnabled()

    def test_with_crops_there_is_something_to_do(self, filled):
        for control in (filled.train.train, filled.average.average, filled.gallery.show_box):
            assert control.isEnabled()


class TestKeys:
    def test_all_keys_are_in_the_list(self, view):
        legend = next(
            label.text() for label in view.findChildren(QLabel) if "<table>" in label.text()
        )
        assert all(f"<b>{key.key}</b>" in legend for key in (*CLASSIFY_KEYS, *CROP_KEYS))

    def test_buttons_name_their_keys(self, view):
        named = {"cut": view.source.cut, "add": view.classes.add, "label": view.classes.label}
        named |= {"train": view.train.train, "look": view.look.viewer}
        named |= {"average": view.average.average}
        keys = {key.action: key.key for key in CLASSIFY_KEYS}
        for action, control in named.items():
            assert f"[{keys[action]}]" in control.text()

    def test_keys_are_those_that_napari_leaves_free_and_no_digits(self):
        letters = [key.key for key in CLASSIFY_KEYS if len(key.key) == 1]
        assert set(letters) <= set("GHJKNQUW")
        assert len(letters) == len(set(letters))
        # In the gallery, these two give and take a class.
        assert not {"G", "W"} & set(letters)

    def test_undo_and_redo_are_the_same_in_all_docks(self):
        ours = {key.action: key.key for key in CLASSIFY_KEYS}
        for others in (MAP_KEYS, KEYS):
            theirs = {key.action: key.key.replace("Control", "Ctrl") for key in others}
            for action in ("undo", "redo"):
                assert theirs[action].replace("-", "+") == ours[action]

    def test_actions_are_bound(self, view):
        done = []
        view.bind_keys({key.action: lambda key=key: done.append(key) for key in CLASSIFY_KEYS})
        for shortcut in view.findChildren(QShortcut):
            shortcut.activated.emit()
        assert done == list(CLASSIFY_KEYS)

    def test_letters_of_a_name_are_typed_and_do_nothing_else(self, qtbot, filled):
        done = []
        filled.bind_keys({key.action: lambda key=key: done.append(key) for key in CLASSIFY_KEYS})
        filled.show()
        qtbot.waitExposed(filled)
        filled.classes.edit_name("junk")
        editor = filled.classes.list.findChild(QLineEdit)
        editor.clear()
        editor.setFocus()
        qtbot.keyClicks(editor, "junk")
        assert editor.text() == "junk"
        assert not done

    def test_the_gallery_has_the_keyboard_while_the_mouse_is_in_it(self, qtbot, filled):
        filled.show()
        filled.activateWindow()
        grid = filled.gallery.crops.grid
        where = QPointF(5, 5)
        QApplication.sendEvent(grid, QEnterEvent(where, where, where))
        qtbot.waitUntil(grid.hasFocus)


class TestDialogs:
    def test_boxes_that_are_chosen_are_opened(self, view, monkeypatch):
        said = heard(view.paths_opened)
        monkeypatch.setattr(view_module, "ask_file", lambda *_: [Path("boxes.mrcs")])
        view.source.open.click()
        assert said == [[Path("boxes.mrcs")]]

    def test_nothing_is_opened_if_nothing_is_chosen(self, view, monkeypatch):
        said = heard(view.paths_opened)
        monkeypatch.setattr(view_module, "ask_file", lambda *_: [])
        view.source.open.click()
        assert not said
        assert view.ask_load_model_path() is None

    def test_each_kind_of_file_is_asked_for(self, view, monkeypatch, tmp_path):
        asked = []

        def ask(_parent, _title, start, kinds):
            asked.append(kinds)
            return start

        monkeypatch.setattr(view_module, "ask_save", ask)
        assert view.ask_matrix_path(tmp_path).suffix == ".csv"
        assert view.ask_average_path(tmp_path).suffix == ".mrc"
        assert view.ask_save_model_path(tmp_path).suffix == ".safetensors"
        assert len(asked) == 3
        monkeypatch.setattr(view_module, "ask_file", lambda *_: [tmp_path / "a.safetensors"])
        assert view.ask_load_model_path() == tmp_path / "a.safetensors"


def test_a_cell_and_a_line_are_told_by_the_tab(filled, qtbot):
    cells, lines = heard(filled.result.cell_clicked), heard(filled.result.class_clicked)
    filled.result.matrix.cell_clicked.emit(*NAMES[:2])
    filled.result.table.chosen.emit("junk")
    assert cells == [NAMES[:2]]
    assert lines == ["junk"]
