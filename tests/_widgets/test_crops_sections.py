"""Sections through volumes, marks of predictions, and keys that erase."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from tests._widgets.classify_parts import heard

from napari_cryoml._widgets.crops import AveragePanel, GalleryGrid, Mark, SectionRow
from napari_cryoml._widgets.crops import central_sections as sections_of
from napari_cryoml.averaging import (
    RigidPoses,
    ShellCorrelation,
    SubtomogramAverage,
)
from napari_cryoml.averaging._masked_correlation import MaskedCorrelation

WIDTH = 308


@pytest.fixture
def row(qtbot):
    made = SectionRow()
    qtbot.addWidget(made)
    made.resize(WIDTH, 100)
    made.show()
    return made


def pixel(widget, x, y):
    return widget.grab().toImage().pixelColor(x, y)


def volume_with_a_plane(axis):
    volume = np.zeros((9, 9, 9), np.float32)
    index = [slice(None)] * 3
    index[axis] = 4
    volume[tuple(index)] = 1
    return volume


class TestSections:
    @pytest.mark.parametrize("axis", [0, 1, 2])
    def test_the_sections_go_through_the_middle_across_z_y_and_x(self, axis):
        sections = sections_of(volume_with_a_plane(axis))
        assert [float(section.mean()) == 1 for section in sections] == [i == axis for i in range(3)]

    def test_an_image_is_its_own_section(self):
        image = np.arange(6.0).reshape(2, 3)
        (only,) = sections_of(image)
        np.testing.assert_array_equal(only, image)

    def test_the_middle_of_an_even_side_is_voxel_n_half(self):
        volume = np.zeros((4, 6, 8))
        volume[2] = 1
        assert sections_of(volume)[0].all()


class TestSectionRow:
    def test_three_pictures_of_a_volume_one_of_an_image_none_of_nothing(self, row):
        for shape, n in (((8, 8, 8), 3), ((8, 8), 1)):
            row.set_volume(np.random.default_rng(0).normal(size=shape))
            assert row.n_sections == n
        row.set_volume(None)
        assert row.n_sections == 0
        assert not row.grab().isNull()

    def test_all_sections_have_one_contrast(self, row):
        row.set_volume(volume_with_a_plane(0))
        third = WIDTH // 3
        assert pixel(row, third // 2, 30).lightness() > 200
        assert pixel(row, third + 20, 5).lightness() < 60

    def test_pictures_fill_the_width(self, row):
        row.set_volume(np.zeros((8, 8, 8)))
        assert row.height() == pytest.approx((WIDTH - 8) / 3 + 14, abs=1)
        row.resize(200, row.height())
        assert row.height() < 90

    def test_what_lies_over_a_crop_is_seen_where_it_is_high_and_as_opaque_as_told(self, row):
        row.set_volume(np.zeros((8, 8)))
        plain = pixel(row, 20, 20)
        over = np.zeros((8, 8))
        over[:4, :4] = 1
        row.set_overlay(over)
        row.set_opacity(1.0)
        assert row.has_overlay
        strong = pixel(row, 20, 20)
        assert strong != plain
        assert pixel(row, 130, 130) == plain
        row.set_opacity(0.3)
        assert plain.lightness() <= pixel(row, 20, 20).lightness() < strong.lightness()
        row.set_overlay(None)
        assert pixel(row, 20, 20) == plain

    def test_another_crop_takes_away_what_lay_over_the_one_before(self, row):
        row.set_volume(np.zeros((8, 8)))
        row.set_overlay(np.ones((8, 8)))
        row.set_volume(np.zeros((8, 8)))
        assert not row.has_overlay

    @pytest.mark.parametrize("value", [np.nan, 0.0, 7.0])
    def test_even_and_missing_values_are_painted_grey_or_black(self, row, value):
        row.set_volume(np.full((8, 8), value))
        assert pixel(row, 20, 20).saturation() == 0


class TestMarks:
    @pytest.fixture
    def grid(self, qtbot):
        made = GalleryGrid()
        qtbot.addWidget(made)
        made.resize(300, 160)
        made.show()
        made.set_rows([0, 1, 2])
        made.set_thumbnails([0, 1, 2], np.full((3, 64, 64), 90, np.uint8))
        return made

    def share_of(self, grid, colour):
        image = grid.grab().toImage()
        wanted = QColor(*colour).name()
        places = [(x, y) for x in range(4, 70) for y in range(4, 70)]
        return np.mean([image.pixelColor(x, y).name() == wanted for x, y in places])

    def test_a_label_is_filled_a_prediction_an_outline_and_an_unsure_one_is_dotted(self, grid):
        colour = (230, 159, 0)
        shares = []
        for mark in (
            Mark("class", "a", colour),
            Mark("predicted", "a", colour),
            Mark("predicted", "a", colour, sure=False),
        ):
            grid.set_marks({0: mark})
            shares.append(self.share_of(grid, colour))
        assert shares[0] > shares[1] > shares[2] > 0

    @pytest.mark.parametrize("key", [Qt.Key.Key_Backspace, Qt.Key.Key_Delete])
    def test_backspace_takes_the_class_of_the_current_crop_away(self, qtbot, grid, key):
        said = heard(grid.erase_requested)
        qtbot.keyClick(grid, key)
        assert not said
        qtbot.keyClick(grid, Qt.Key.Key_Right)
        qtbot.keyClick(grid, key)
        assert said == [0]

    def test_keys_go_on_to_the_next_crop_up_to_the_last(self, qtbot, grid):
        grid.advance()
        assert grid.current == -1
        qtbot.keyClick(grid, Qt.Key.Key_Right)
        for current in (1, 2, 2):
            grid.advance()
            assert grid.current == current


class TestAverageOfVolumes:
    def average(self, gold_standard=True):
        frequency = np.linspace(0, 0.5, 9)
        curve = ShellCorrelation(frequency, 1 - 2 * frequency, np.ones(9, int), 10.0)
        volume = np.random.default_rng(0).normal(size=(16, 16, 16)).astype(np.float32)
        return SubtomogramAverage(
            average=volume,
            weights=np.ones((16, 16, 9), np.float32),
            halves=np.stack([volume, volume]),
            curves=MaskedCorrelation(curve, curve, curve, curve, 3),
            poses=RigidPoses(np.tile(np.eye(3), (4, 1, 1)), np.zeros((4, 3)), np.ones(4)),
            half=np.array([0, 1, 0, -1], np.int8),
            gold_standard=gold_standard,
            pixel_size=10.0,
            notes=("One box could not be read.",),
        )

    def test_three_sections_the_curve_and_a_line_are_shown(self, qtbot):
        panel = AveragePanel(sections=True)
        qtbot.addWidget(panel)
        assert panel.curve.isHidden()
        assert panel.save.isHidden()
        panel.show_average(self.average())
        assert panel.picture.n_sections == 3
        assert "3 crops" in panel.text.text()
        assert "Å at 0.143" in panel.text.text()
        assert panel.notes.text() == "One box could not be read."
        assert not panel.curve.isHidden()
        panel.clear("Nothing.")
        assert panel.curve.isHidden()
        assert panel.text.text() == "Nothing."

    def test_a_narrow_dock_shows_the_middle_of_the_volume(self, qtbot):
        panel = AveragePanel()
        qtbot.addWidget(panel)
        empty = panel.picture.grab().toImage()
        panel.show_average(self.average())
        assert panel.picture.grab().toImage() != empty
