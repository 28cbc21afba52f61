"""The dock of the Explorer by itself."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QColor, QEnterEvent, QResizeEvent
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QTableView,
    QToolButton,
    QWidget,
)
from superqt import QCollapsible
from tests._widgets.explorer_rows import N, layout, mask

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.embedding import ExplorerView, offers
from napari_cryoml._widgets.embedding._bars import GroupBars
from napari_cryoml._widgets.embedding._colouring import Colouring
from napari_cryoml._widgets.embedding._keys import MAP_KEYS
from napari_cryoml._widgets.embedding._view import WIDE_PX
from napari_cryoml._widgets.frame import bind_dock_keys, legend_of

NARROW_PX = 300


@pytest.fixture
def view(qtbot):
    made = ExplorerView(offers())
    qtbot.addWidget(made)
    return made


def heard(signal):
    said = []
    signal.connect(lambda *args: said.append(args))
    return said


class TestControls:
    def test_every_control_has_a_tooltip(self, view):
        controls = (QAbstractButton, QComboBox, QAbstractSpinBox, QLineEdit)
        for control in view.findChildren(QWidget):
            inner = isinstance(
                control.parent(), QAbstractSpinBox | QComboBox | QCollapsible | QTableView
            )
            name = control.objectName()
            if isinstance(control, controls) and not inner and not name.startswith("qt_"):
                if name in ("ScrollLeftButton", "ScrollRightButton"):
                    continue
                assert control.toolTip(), (control, getattr(control, "text", lambda: "")())

    def test_no_group_shows_more_than_seven_controls(self, view):
        view.show_empty(False)
        kinds = (QAbstractButton, QComboBox, QAbstractSpinBox, QLineEdit)
        tabs = (view.groups, view.new, view.link, view.selection, view.source, view.tools)
        for tab in (*tabs, view.options):
            shown = [
                one
                for one in tab.findChildren(QWidget)
                if isinstance(one, kinds)
                and not isinstance(one.parent(), QAbstractSpinBox | QComboBox)
                and not one.isHidden()
                and not any(
                    isinstance(above, QCollapsible) or above.isHidden()
                    for above in ancestors(one, within=tab)
                )
            ]
            assert len(shown) <= 7, (type(tab).__name__, len(shown))

    def test_the_dock_fits_into_a_narrow_column(self, view):
        inner = view.findChild(QWidget, "inner")
        assert inner.minimumSizeHint().width() <= NARROW_PX

    def test_the_dock_fits_a_low_screen_with_a_message_on_show(self, qtbot, view):
        view.resize(340, 660)
        view.show()
        view.show_message("A sentence that is so long that it takes two lines of the dock. " * 2)
        qtbot.wait(20)
        area = next(one for one in view.findChildren(QScrollArea) if one.parent() is view)
        assert area.verticalScrollBar().maximum() == 0

    def test_gallery_and_map_lie_side_by_side_where_there_is_room(self, view):
        for width, wanted in (
            (WIDE_PX, Qt.Orientation.Horizontal),
            (WIDE_PX - 1, Qt.Orientation.Vertical),
        ):
            event = QResizeEvent(view.size().__class__(width, 600), view.size())
            view.resizeEvent(event)
            assert view.splitter.orientation() == wanted

    def test_the_first_choices_are_the_defaults(self, view):
        assert view.source.encoder.currentText() == "live"
        assert view.chosen_method() == "umap"
        assert view.groups.chosen == "kmeans"

    def test_the_icons_follow_the_theme(self, view):
        view.set_theme("light")
        light = view.tools.fit.icon().pixmap(18).toImage()
        view.set_theme("dark")
        assert view.tools.fit.icon().pixmap(18).toImage() != light


def ancestors(widget, within):
    at = widget.parent()
    while at is not None and at is not within:
        yield at
        at = at.parent()


class TestSource:
    def test_the_main_button_starts_and_stops(self, view):
        said = heard(view.source.map_requested)
        view.source.map.click()
        assert len(said) == 1
        view.begin_job("embedding", "Collecting.")
        assert view.source.map.text() == "Stop embedding [Q]"
        view.show_running("stopping")
        assert view.source.map.text() == "Cancel [Q]"
        assert view.source.map.isEnabled()
        view.end_job()
        assert view.source.map.text() == "Map picks [Q]"

    def test_what_the_project_keeps_is_offered(self, view):
        said = heard(view.source.kept_chosen)
        view.show_kept({7: "269 picks, live", 3: "12 picks, rings"})
        actions = [one for one in view.source._menu.actions() if one.text().endswith("live")]
        actions[0].trigger()
        assert said == [(7,)]

    def test_maps_are_offered_without_a_signal(self, view):
        said = heard(view.source.method_chosen)
        view.show_method(["umap", "pca", "selection"], "selection")
        assert view.source.method.currentText() == "selection"
        assert not said

    def test_a_map_of_a_selection_is_made_by_the_first_method(self, view):
        view.show_method(["umap", "pca", "selection"], "selection")
        assert view.chosen_method() == "umap"

    def test_the_options_of_the_encoder_are_those_of_the_one_chosen(self, view):
        view.source.encoder.setCurrentText("spectrum")
        assert view.encoder_config().name == "spectrum"

    def test_an_option_without_a_default_is_asked_for(self, view):
        view.source.encoder.setCurrentText("detector")
        with pytest.raises(InputError, match=r"“Picker” is needed: Model file"):
            view.encoder_config()
        view.options.encoders["detector"].set_values({"picker": "a.cryoml-model"})
        assert view.encoder_config().picker == Path("a.cryoml-model")

    def test_encoders_can_be_set_before_there_is_a_map(self, view):
        view.show_empty(True)
        assert view.options.encoders["live"].isEnabled()
        assert not view.options.again.isEnabled()
        assert not view.options.selected.isEnabled()
        view.show_empty(False)
        assert view.options.again.isEnabled()

    def test_the_form_on_show_is_that_of_the_encoder_chosen(self, view):
        stack = view.options.encoders["live"].parentWidget()
        for name in ("detector", "rings", "live"):
            view.source.encoder.setCurrentText(name)
            assert stack.currentWidget() is view.options.encoders[name]


class TestTools:
    def test_one_tool_at_a_time(self, view):
        view.choose_tool("rectangle")
        assert view.canvas.tool == "rectangle"
        checked = [name for name, made in view.tools.tools.items() if made.isChecked()]
        assert checked == ["rectangle"]

    def test_colours_are_offered_without_a_signal(self, view):
        said = heard(view.tools.colour_chosen)
        view.show_colours(["density", "score"], "score")
        assert view.tools.colour.currentText() == "score"
        assert not said

    def test_every_way_out_is_in_the_menu(self, view):
        said = heard(view.tools.export_requested)
        for action in view.tools.export.menu().actions():
            action.trigger()
        assert [what for (what,) in said] == ["picks", "classes", "embedding", "figure", "page"]


class TestSelection:
    def test_nothing_can_be_labelled_without_a_selection(self, view):
        view.show_empty(False)
        view.show_counts("5 rows.", 0)
        assert not view.selection.negatives.isEnabled()
        view.show_counts("2 of 5 selected.", 2)
        assert view.selection.negatives.isEnabled()

    def test_a_new_class_is_typed_and_old_ones_are_offered(self, view):
        said = heard(view.selection.class_chosen)
        view.show_classes({"carbon": 2, "ice": 1300})
        view.selection.name.setText("  junk ")
        view.selection.name.returnPressed.emit()
        texts = [action.text() for action in view.selection._menu.actions()]
        assert "ice  (1,300)" in texts
        view.selection._menu.actions()[1].trigger()
        view.selection._menu.actions()[-1].trigger()
        assert said == [("junk",), ("carbon",), ("",)]
        view.show_classes({})
        assert len(view.selection._menu.actions()) == 1

    def test_an_empty_name_is_none(self, view):
        said = heard(view.selection.class_chosen)
        view.selection.name.setText("  ")
        view.selection.name.returnPressed.emit()
        assert not said


class TestMap:
    def test_rows_are_drawn_coloured_and_selected(self, view):
        view.show_empty(False)
        view.show_layout(layout(), refit=True)
        codes = np.arange(N) % 2
        view.show_colouring(Colouring(codes, ("a", "b"), (6, 6), fixed={1: "#010203"}), "kind")
        assert view.palette[1].tolist() == [1, 2, 3]
        view.show_colouring(Colouring(values=np.arange(N, dtype=np.float32)), "score")
        view.show_selection(mask(1, 2))
        view.show_selection(mask())
        view.show_colouring(Colouring(), "density")
        view.show_empty(True)
        assert not view.selection.isEnabled()


class TestGroups:
    def test_a_click_on_a_bar_chooses_its_group(self, qtbot):
        bars = GroupBars()
        qtbot.addWidget(bars)
        bars.resize(108, 72)
        colours = [QColor("red")] * 4
        bars.show_groups(np.array([9, 4, 1, 1]), colours)
        said = heard(bars.chosen)
        assert bars.group_at(3) == -1
        assert bars.group_at(5) == 0
        assert bars.group_at(103) == 3
        assert bars.group_at(107) == -1
        qtbot.mouseClick(bars, Qt.MouseButton.LeftButton, pos=bars.rect().center())
        assert said == [(1,)]
        bars.grab()

    def test_the_colours_follow_the_theme(self, view):
        view.show_groups(np.arange(8, 0, -1), "8 groups.", 0)
        dark = view.groups.bars.colours[-1]
        view.set_theme("light")
        assert view.groups.bars.colours[-1] != dark

    def test_no_groups_have_no_bars(self, qtbot):
        bars = GroupBars()
        qtbot.addWidget(bars)
        assert bars.group_at(20) == -1
        bars.grab()

    def test_the_rows_of_no_group_can_be_selected(self, view):
        view.show_empty(False)
        said = heard(view.groups.group_chosen)
        view.show_groups(np.array([3, 2]), "2 groups.", 4)
        assert view.groups.rest.text() == "Select 4 rows in no group"
        view.groups.rest.click()
        assert said == [(-1,)]
        view.show_groups(np.array([3, 2]), "2 groups.", 0)
        assert view.groups.rest.isHidden()

    @pytest.mark.parametrize(("n_rows", "k"), [(50, 8), (1000, 20), (10**6, 100)])
    def test_a_number_of_groups_is_suggested_for_so_many_rows(self, view, n_rows, k):
        view.groups.suggest(n_rows)
        assert view.groups.config().k == k

    def test_a_number_that_was_chosen_stays(self, view):
        view.groups.suggest(1000)
        view.groups.show_config("kmeans", {"k": 33})
        view.groups.suggest(50)
        assert view.groups.config().k == 33

    def test_each_method_has_its_own_options(self, view):
        view.groups.method.setCurrentText("hdbscan")
        assert type(view.groups.config()).__name__ == "HdbscanConfig"


class TestOptions:
    def test_options_are_kept_by_name(self, view):
        values = view.options.values()
        assert {"umap", "tsne", "pca", "live", "rings"} <= set(values)
        view.options.show_values({"tsne": {"perplexity": 12.0}})
        assert view.map_config("tsne").perplexity == 12

    def test_a_change_is_said(self, view):
        said = heard(view.options.changed)
        view.options.forms["tsne"].findChild(QWidget, "seed").setValue(5)
        view.options.forms["tsne"].findChild(QWidget, "perplexity").setValue(12)
        assert len(said) == 2
        assert (view.map_config("tsne").seed, view.map_config("tsne").perplexity) == (5, 12)

    def test_spread_classes_are_offered_with_their_number(self, view):
        view.new.show_spread(1200)
        assert view.new.take.text() == "Take classes of 1,200 rows"
        view.new.show_spread(0)
        assert view.new.take.isHidden()

    def test_without_a_link_it_is_said_what_to_do(self, view):
        view.show_link("")
        assert "open the Picker" in view.link.text.text()
        assert not view.link.follow.isEnabled()
        view.show_link("Linked to Picker: 3 images.")
        assert view.link.follow.isEnabled()


class TestKeys:
    def test_each_key_does_one_thing_while_the_dock_has_the_keyboard(self, qtbot, view):
        done = []
        actions = {key.action: lambda key=key: done.append(key.action) for key in MAP_KEYS}
        shortcuts = bind_dock_keys(view, MAP_KEYS, actions)
        contexts = {shortcut.context() for shortcut in shortcuts}
        assert contexts == {Qt.ShortcutContext.WidgetWithChildrenShortcut}
        assert len({shortcut.key().toString() for shortcut in shortcuts}) == len(MAP_KEYS)
        for shortcut in shortcuts:
            shortcut.activated.emit()
        assert done == [key.action for key in MAP_KEYS]

    def test_all_keys_are_in_the_list(self, view):
        assert all(f"<b>{key.key}</b>" in legend_of(MAP_KEYS) for key in MAP_KEYS)
        texts = [label.text() for label in view.findChildren(QLabel)]
        assert legend_of(MAP_KEYS) in texts


class TestFocus:
    def test_the_keyboard_follows_the_mouse_into_the_map_and_back(self, qtbot, view):
        other = QPushButton(view)
        activate(qtbot, view)
        other.setFocus()
        assert other.hasFocus()
        QApplication.sendEvent(view.canvas, enter())
        assert view.canvas.hasFocus()
        QApplication.sendEvent(view.canvas, QEvent(QEvent.Type.Leave))
        assert other.hasFocus()

    def test_it_is_not_taken_from_who_is_typing(self, qtbot, view):
        line = QLineEdit(view)
        activate(qtbot, view)
        line.setFocus()
        QApplication.sendEvent(view.canvas, enter())
        assert line.hasFocus()


def activate(qtbot, view):
    """Make a window the active one, where there is no window manager."""
    view.show()
    qtbot.waitUntil(view.isVisible)
    QApplication.setActiveWindow(view)


def enter():
    return QEnterEvent(QPointF(1, 1), QPointF(1, 1), QPointF(1, 1))


def test_opening_the_dock_loads_nothing_heavy():
    code = (
        "import sys, napari_cryoml._widgets.embedding._widget as w; w.offers(); "
        "heavy = ('torch', 'sklearn', 'umap', 'matplotlib', 'openTSNE', 'hdbscan', 'igraph'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert said.strip() == "[]"


def test_tools_are_made_of_icons(view):
    icons = [one for one in view.tools.findChildren(QToolButton) if not one.icon().isNull()]
    assert len(icons) == 6
