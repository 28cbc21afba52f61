import subprocess
import sys

import numpy as np
import pytest
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QScrollBar,
    QSlider,
    QTableView,
    QWidget,
)
from superqt import QCollapsible

from napari_cryoml._widgets.picker import PickerView
from napari_cryoml._widgets.picker._image_table import ImageRow
from napari_cryoml.picking import PickerConfig

CONTROLS = (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QSlider, QTableView)
ROWS = [ImageRow("a.mrc", 12, 1, 30), ImageRow("b.mrc", picks=3, stale=True), ImageRow("c.mrc")]


@pytest.fixture
def view(qtbot):
    made = PickerView(PickerConfig, leave_out=("diameter", "ndim"))
    qtbot.addWidget(made)
    return made


def controls(view):
    inside = (QAbstractSpinBox, QComboBox, QTableView, QScrollBar)
    for widget in view.findChildren(QWidget):
        own = not isinstance(widget, QScrollBar) and not isinstance(widget.parent(), inside)
        if own and isinstance(widget, CONTROLS):
            yield widget


def test_every_control_has_a_tooltip(view):
    found = list(controls(view))
    assert len(found) > 30
    without = [widget for widget in found if not widget.toolTip()]
    assert without == []


def test_few_controls_are_seen_before_advanced(view):
    view.show_images(ROWS, "a.mrc")
    view.show()
    groups = (view.images, view.label, view.train, view.picks, view.export)
    steps = [group.column for group in groups]
    rows = sum(
        1
        for column in steps
        for index in range(column.count())
        if column.itemAt(index).layout() is not None
    )
    assert rows <= 7
    assert not any(section.isExpanded() for section in view.findChildren(QCollapsible))


def test_it_fits_a_small_screen(view):
    view.show_images(ROWS, "a.mrc")
    assert view.minimumSizeHint().width() <= 320
    assert view.minimumSizeHint().height() <= 400
    inner = view.findChild(QWidget, "inner")
    assert inner.minimumSizeHint().width() <= 300


def test_an_empty_picker_says_what_to_do(view):
    view.show()
    view.show_images([], None)
    assert view.images.empty.isVisible()
    assert not view.images.table.isVisible()
    assert not view.train.isEnabled()
    view.show_images(ROWS, "a.mrc")
    assert not view.images.empty.isVisible()
    assert view.train.isEnabled()


def test_the_list_has_counts_and_marks_old_picks(view):
    assert [ROWS[0].cell(column) for column in range(3)] == ["a.mrc", "12 +1×", "30"]
    assert [ROWS[1].cell(column) for column in range(3)] == ["b.mrc", "–", "3 old"]
    assert ROWS[2].cell(2) == "–"
    assert "not picked yet" in ROWS[2].tip()


def test_choosing_an_image_is_told_once_and_setting_it_is_not(view, qtbot):
    chosen = []
    view.image_chosen.connect(chosen.append)
    view.show_images(ROWS, "a.mrc")
    view.show_images(ROWS, "b.mrc")
    assert chosen == []
    view.images.table.selectRow(2)
    assert chosen == ["c.mrc"]


def test_counts_that_change_do_not_move_the_choice(view):
    view.show_images(ROWS, "b.mrc")
    view.show_images([ImageRow("a.mrc", 13), *ROWS[1:]], "b.mrc")
    assert view.images.table.currentIndex().row() == 1
    assert view.images.table.rows[0].positives == 13


def test_a_shown_diameter_is_not_taken_for_a_typed_one(view, qtbot):
    entered = []
    view.diameter_entered.connect(entered.append)
    view.show_diameter(180.0, "Å")
    assert entered == []
    assert view.label.diameter.text() == "180.0 Å"
    view.label.diameter.setValue(190.0)
    assert entered == [190.0]


@pytest.mark.parametrize(
    ("kind", "text", "cancel"),
    [
        ("", "Train picker [Q]", False),
        ("training", "Stop and keep [Q]", True),
        ("picking", "Stop and keep [Q]", True),
        ("stopping", "Stopping…", True),
    ],
)
def test_the_train_button_says_what_it_does(view, kind, text, cancel):
    view.show()
    view.show_images(ROWS, "a.mrc")
    view.show_job(kind)
    assert view.train.train.text() == text
    assert view.train.cancel.isVisible() == cancel
    assert view.picks.pick_all.isEnabled() == (not kind)


def test_progress_is_shown_in_place(view):
    view.begin_job("training")
    view.add_step(1, 0.5, None)
    view.show_progress(1, 10, "Step 1.")
    assert view.train.job.text.startswith("Step 1.")
    view.end_job("Model 1 is ready.")
    assert view.train.job.text == "Model 1 is ready."
    view.begin_job("training")
    assert view.train.curve.losses == []


def test_messages_come_and_go(view):
    view.show()
    view.show_message("All is lost.", error=True)
    assert view.message.isVisible()
    assert view.message.text() == "⚠ All is lost."
    view.show_message("")
    assert not view.message.isVisible()


def test_dropped_files_are_opened(view, tmp_path):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    paths = []
    view.paths_opened.connect(paths.extend)
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    plain = Qt.KeyboardModifier.NoModifier
    view.dropEvent(QDropEvent(QPointF(5, 5), copy, data, left, plain))
    assert paths == [tmp_path]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_both_themes_are_painted(view, theme):
    view.set_theme(theme)
    view.show_images(ROWS, "a.mrc")
    view.show_histogram(np.linspace(-3, 3, 20).astype(np.float32), 0.5)
    assert not view.grab().isNull()


def test_opening_the_menu_imports_no_heavy_library():
    code = (
        "import sys; from napari_cryoml._widgets.picker import PickerWidget; "
        "print([m for m in ('torch', 'sklearn', 'umap') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
