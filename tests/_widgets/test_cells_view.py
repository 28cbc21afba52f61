"""The view of the Cells dock: what it offers, shows and says."""

import pytest
from qtpy.QtCore import QSize
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QGroupBox,
    QLineEdit,
    QTableView,
    QWidget,
)
from superqt import QCollapsible
from tests._widgets.classify_parts import heard

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.cells import CellsView, offers
from napari_cryoml._widgets.cells._check_tab import NOTHING, CheckTab, Doubt
from napari_cryoml._widgets.cells._keys import CELL_KEYS, CELLS_KEYS
from napari_cryoml._widgets.cells._layer_choices import Choice, Roles
from napari_cryoml._widgets.cells._map_tab import CLASSIFIER, MapTab
from napari_cryoml._widgets.cells._source_group import NO_IMAGES
from napari_cryoml._widgets.cells._view import WIDE_PX
from napari_cryoml._widgets.frame import WheelGuard

CONTROLS = (QAbstractButton, QComboBox, QAbstractSpinBox, QLineEdit)
CHANNELS = [Choice("1:0", "yeast [0]"), Choice("1:1", "yeast [1]")]
LABELS = [Choice("2", "nuclei")]


@pytest.fixture
def view(qtbot):
    made = CellsView(offers())
    qtbot.addWidget(made)
    return made


def is_inner(control):
    parents = (QAbstractSpinBox, QComboBox, QCollapsible, QTableView)
    name = control.objectName()
    return (
        isinstance(control.parent(), parents)
        or name.startswith("qt_")
        or name in ("ScrollLeftButton", "ScrollRightButton")
    )


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

    def test_no_group_shows_more_than_seven_controls(self, view):
        view.show_empty(False)
        view.source.show_options(False)
        tabs = [view.tabs.widget(index).widget() for index in range(view.tabs.count())]
        for part in (*view.findChildren(QGroupBox), view.gallery, *tabs):
            shown = [
                control
                for control in part.findChildren(QWidget)
                if isinstance(control, CONTROLS)
                and not is_inner(control)
                and is_shown(control, part)
            ]
            assert len(shown) <= 7, (part, shown)

    def test_it_fits_a_small_screen(self, view):
        view.show_empty(False)
        view.source.show_options(False)
        inner = view.findChild(QWidget, "inner")
        assert inner.minimumSizeHint().width() <= 380
        assert inner.heightForWidth(370) <= 690

    @pytest.mark.parametrize("theme", ["dark", "light"])
    def test_it_is_painted_in_both_themes(self, view, theme):
        view.show_empty(False)
        view.set_theme(theme)
        view.resize(QSize(380, 690))
        assert not view.grab().isNull()

    def test_wide_docks_have_the_tabs_beside_the_gallery(self, qtbot, view):
        view.show_empty(False)
        view.show()
        view.resize(WIDE_PX + 100, 600)
        QApplication.processEvents()
        assert view.splitter.orientation().name == "Horizontal"

    def test_every_key_has_an_action_and_a_line(self, view):
        said = []
        view.bind_keys({key.action: lambda k=key: said.append(k) for key in CELLS_KEYS})
        assert len({key.key for key in CELLS_KEYS}) == len(CELLS_KEYS)
        text = view.tabs.widget(view.tabs.count() - 1).widget().text()
        assert all(key.title in text for key in (*CELLS_KEYS, *CELL_KEYS))


class TestEmpty:
    def test_it_says_what_comes_next(self, view):
        assert not view.steps.isHidden()
        assert view.splitter.isHidden()
        assert view.source.text.text() == NO_IMAGES
        assert not view.source.cut.isEnabled()
        view.show_empty(False)
        assert view.steps.isHidden()
        assert not view.splitter.isHidden()


class TestSource:
    def test_layers_are_offered_and_chosen_by_key(self, view):
        said = heard(view.source.layers_changed)
        view.source.offer(CHANNELS, LABELS, Roles("1:1", "", "2"))
        assert view.source.roles == Roles("1:1", "", "2")
        assert view.source.layers.marker.currentText() == "none"
        assert not said
        view.source.layers.marker.setCurrentIndex(1)
        view.source.layers.marker.activated.emit(1)
        assert view.source.roles == Roles("1:1", "1:0", "2")
        assert len(said) == 1

    def test_size_and_options_make_a_config(self, view):
        view.source.size.setValue(48)
        config = view.source.cells_config(protein="0", marker=None)
        assert (config.size, config.protein, config.marker) == (48, "0", None)
        assert view.source.more.text() == "48 px"
        assert view.source.segment_config().smallest == 50

    def test_a_bad_option_is_one_sentence(self, view):
        view.source.show_values({"crops": {"pixel_size": "wide"}})
        with pytest.raises(InputError, match="pixel_size"):
            view.source.cells_config(protein="0")

    def test_kept_values_come_back_without_a_signal(self, view):
        view.source.size.setValue(80)
        kept = view.source.values()
        said = heard(view.source.changed)
        view.source.show_values({"size": 32})
        view.source.show_values(kept)
        assert view.source.size.value() == 80
        assert not said

    def test_a_job_can_be_stopped(self, view):
        view.source.begin_job("Cutting cells.")
        assert view.source.cut.isEnabled()
        assert "Stop" in view.source.cut.text()
        view.source.end_job()
        assert "Cut cells" in view.source.cut.text()


class TestCheck:
    def test_errors_are_lines_that_can_be_clicked(self, qtbot):
        tab = CheckTab()
        qtbot.addWidget(tab)
        assert tab.text.text() == NOTHING
        assert tab.table.isHidden()
        doubts = [Doubt(7, "Cell 8", "ER", "Golgi", 0.04, "#E69F00")]
        tab.show_doubts(doubts, "One is likely wrong.")
        chosen, taken = heard(tab.chosen), heard(tab.take_requested)
        assert not tab.take.isEnabled()
        tab.table.selectRow(0)
        tab.table.clicked.emit(tab.table.model().index(0, 0))
        assert chosen == [7]
        tab.take.click()
        assert taken == [(7, "Golgi")]
        assert "4 %" in doubts[0].tip()


class TestMap:
    def test_proteins_come_first_where_they_are_known(self, qtbot):
        tab = MapTab(dict(offers().encoders), WheelGuard())
        qtbot.addWidget(tab)
        tab.show_source("12 cells.", 0)
        assert tab.chosen[0] == "cell"
        assert "no proteins" in tab.text.text()
        tab.show_source("12 cells of 3 proteins.", 3)
        assert tab.chosen[0] == "protein"
        tab.by.setCurrentIndex(1)
        tab.show_source("14 cells of 3 proteins.", 3)
        assert tab.chosen[0] == "cell"  # the choice stays

    def test_the_network_in_use_is_offered(self, qtbot):
        tab = MapTab(dict(offers().encoders), WheelGuard())
        qtbot.addWidget(tab)
        tab.show_classifier("deeploc")
        tab.encoder.setCurrentIndex(tab.encoder.findData(CLASSIFIER))
        assert tab.chosen[1] == CLASSIFIER
        tab.show_classifier("")
        assert tab.chosen[1] in offers().encoders
        assert tab.config().name == tab.chosen[1]
