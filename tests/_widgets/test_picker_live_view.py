"""The controls of live picking and of questions."""

import pytest
from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QTableView, QWidget

from napari_cryoml._widgets.picker import PickerView
from napari_cryoml._widgets.picker._image_table import ImageRow
from napari_cryoml.picking import PickerConfig

MOST_CONTROLS = 7


@pytest.fixture
def view(qtbot):
    made = PickerView(PickerConfig, leave_out=("diameter", "ndim"))
    qtbot.addWidget(made)
    made.show_images([ImageRow("a.mrc")], "a.mrc")
    made.show()
    return made


def test_no_group_has_more_controls_than_the_eye_takes_in(view):
    groups = (view.images, view.label, view.live, view.train, view.picks, view.export)
    view.show_offer(True)
    for group in groups:
        found = [
            widget
            for widget in group.findChildren(QWidget)
            if isinstance(widget, QAbstractButton | QAbstractSpinBox | QTableView)
            and widget.isVisible()
            and not isinstance(widget.parent(), QTableView)
        ]
        assert 1 <= len(found) <= MOST_CONTROLS


def test_the_toggle_tells_and_is_set_without_a_signal(view, qtbot):
    heard = []
    view.live.toggled.connect(heard.append)
    view.live.show_state(True)
    assert view.live.live.isChecked()
    assert heard == []
    view.live.live.click()
    assert heard == [False]
    view.live.show_state(False)
    assert not view.live.ask.isEnabled()
    assert not view.live.particles.isEnabled()


def test_the_number_of_particles_is_estimated_until_it_is_typed(view):
    heard = []
    view.live.pinned.connect(heard.append)
    assert view.live.particles.text() == "estimated"
    view.live.particles.setValue(120)
    assert heard == [120]
    view.live.show_particles(0)
    assert view.live.particles.text() == "estimated"
    assert heard == [120]


def test_lines_without_words_take_no_room(view):
    view.live.show_status("")
    view.live.show_notes(())
    assert not view.live.status.isVisible()
    assert not view.live.notes.isVisible()
    view.live.show_notes(("One.", "Two."))
    assert view.live.notes.text() == "⚠ One.\n⚠ Two."
    assert view.live.notes.isVisible()


def test_a_question_is_answered_by_its_buttons_and_goes(view):
    heard = []
    view.question.answered.connect(heard.append)
    assert not view.question.isVisible()
    view.question.ask("Is it a particle?", "Shift+N")
    assert view.question.isVisible()
    assert view.question.text == "Is it a particle?"
    assert view.question.stop.text() == "Stop [Shift+N]"
    for name in ("yes", "no", "skip", "stop"):
        getattr(view.question, name).click()
    assert heard == ["yes", "no", "skip", "stop"]
    view.question.withdraw()
    assert not view.question.isVisible()


def test_a_question_fits_a_narrow_dock(view):
    view.question.ask("Is the place in the yellow circle a particle?", "Shift+G")
    assert view.findChild(QWidget, "inner").minimumSizeHint().width() <= 300


def test_a_certificate_is_shown_once_there_is_one(view):
    assert not view.picks.certificate.isVisible()
    view.show_certificate("At least 90 % are particles.")
    assert view.picks.certificate.isVisible()
    assert view.picks.certificate.text() == "At least 90 % are particles."
    view.show_certificate("")
    assert not view.picks.certificate.isVisible()


def test_options_of_live_picking_go_through_the_form(view):
    assert view.live_config(diameter=20.0).diameter == 20.0
    heard = []
    view.live_options_changed.connect(lambda: heard.append(view.live_options()))
    view.set_live_options({"head": "linear"})
    assert heard[-1]["head"] == "linear"
    assert view.live_config(diameter=20.0).head == "linear"
    assert {"diameter", "ndim", "particles_per_image"}.isdisjoint(view.live_options())
