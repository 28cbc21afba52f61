import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from napari_cryoml._widgets.frame import ThemeColours
from napari_cryoml._widgets.jobs import TrainingCurve
from napari_cryoml._widgets.jobs._curve import MAX_POINTS
from napari_cryoml._widgets.picker._histogram import ThresholdHistogram


@pytest.fixture
def histogram(qtbot):
    made = ThresholdHistogram()
    qtbot.addWidget(made)
    made.resize(300, 80)
    made.set_scores(np.linspace(-5, 5, 101).astype(np.float32))
    made.show()
    return made


def test_the_line_follows_the_mouse_and_tells_when_it_is_let_go(histogram, qtbot):
    moved, released = [], []
    histogram.moved.connect(moved.append)
    histogram.released.connect(released.append)
    qtbot.mousePress(histogram, Qt.MouseButton.LeftButton, pos=QPoint(150, 20))
    assert moved == [pytest.approx(0.0, abs=0.05)]
    assert released == []
    qtbot.mouseRelease(histogram, Qt.MouseButton.LeftButton, pos=QPoint(150, 20))
    assert released == moved[-1:]


def test_the_line_cannot_leave_the_axis(histogram, qtbot):
    qtbot.mouseClick(histogram, Qt.MouseButton.LeftButton, pos=QPoint(299, 20))
    assert histogram.threshold == 5.0
    histogram.step(1)
    assert histogram.threshold == 5.0


def test_arrow_keys_move_the_line_and_letters_are_left_to_napari(histogram, qtbot):
    qtbot.keyClick(histogram, Qt.Key.Key_Right)
    assert histogram.threshold == pytest.approx(0.1)
    qtbot.keyClick(histogram, Qt.Key.Key_Q)
    assert histogram.threshold == pytest.approx(0.1)


@pytest.mark.parametrize("scores", [[], [1.0], [2.0, 2.0], [np.nan, np.inf, 1.0]])
def test_odd_scores_are_painted(histogram, scores):
    histogram.set_scores(np.array(scores, np.float32))
    low, high = histogram.score_range
    assert low < high
    assert not histogram.grab().isNull()


def test_scores_and_threshold_lie_on_the_axis(histogram):
    histogram.set_threshold(-9.0)
    assert histogram.score_range == (-9.0, 5.0)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_text_and_background_differ_in_both_themes(histogram, theme):
    colours = ThemeColours.of(theme)
    histogram.set_colours(colours)
    assert abs(colours.text.lightness() - colours.background.lightness()) > 80
    assert abs(colours.muted.lightness() - colours.background.lightness()) > 15


def test_a_long_run_is_thinned_out_and_keeps_its_course(qtbot):
    curve = TrainingCurve()
    qtbot.addWidget(curve)
    for number in range(5000):
        curve.add(number, 1.0 - number / 5000, None)
    assert len(curve.losses) <= MAX_POINTS
    losses = [loss for _, loss in curve.losses]
    assert losses == sorted(losses, reverse=True)


def test_a_loss_that_is_no_number_is_left_out(qtbot):
    curve = TrainingCurve()
    qtbot.addWidget(curve)
    curve.add(1, np.nan, np.nan)
    assert (curve.losses, curve.validations) == ([], [])
    curve.add(2, 0.5, 0.75)
    assert not curve.grab().isNull()
    assert curve.validations == [(2.0, 0.75)]
    curve.clear()
    assert curve.losses == []


def test_the_colour_bar_runs_from_dark_to_light_between_its_limits(qtbot) -> None:
    histogram = ThresholdHistogram()
    qtbot.addWidget(histogram)
    histogram.resize(260, histogram.minimumHeight())
    histogram.set_scores(np.linspace(-6, 6, 200, dtype=np.float32))
    row = histogram.height() - 18

    def lightness() -> list[int]:
        image = histogram.grab().toImage()
        return [image.pixelColor(x, row).lightness() for x in (12, 100, 248)]

    histogram.set_colour_bar((-6.0, 6.0))
    dark, middle, light = lightness()
    assert dark < middle < light
    histogram.set_colour_bar(None)
    assert len(set(lightness())) == 1
