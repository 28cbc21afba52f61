import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtGui import QColor, QHelpEvent, QKeyEvent
from qtpy.QtWidgets import QApplication, QToolTip, QWidget

from napari_cryoml._widgets.crops._average_curve import CorrelationCurve
from napari_cryoml._widgets.crops._average_panel import AveragePanel
from napari_cryoml._widgets.crops._gallery import EMPTY, ORDERS, CropGallery
from napari_cryoml._widgets.crops._gallery_flow import (
    GAP,
    MOST_KEPT,
    Flow,
    PictureShelf,
    as_qimage,
)
from napari_cryoml._widgets.crops._gallery_grid import GalleryGrid
from napari_cryoml._widgets.crops._gallery_marks import Mark
from napari_cryoml._widgets.frame import NEGATIVE, PICK, POSITIVE, ThemeColours
from napari_cryoml.averaging import AverageConfig, ShellCorrelation, class_average

COLUMNS, SIDE = 4, 64
WIDTH = COLUMNS * (SIDE + GAP) + GAP


@pytest.fixture
def grid(qtbot):
    """Return a grid of four columns and three lines without a scroll bar's width to reckon with."""
    made = GalleryGrid()
    qtbot.addWidget(made)
    made.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    made.resize(WIDTH, 3 * (SIDE + GAP) + GAP)
    made.show()
    return made


@pytest.fixture
def gallery(qtbot):
    made = CropGallery()
    qtbot.addWidget(made)
    made.resize(320, 300)
    made.show()
    return made


def centre_of(index, columns=COLUMNS, side=SIDE):
    line, column = divmod(index, columns)
    step = side + GAP
    return QPoint(GAP + column * step + side // 2, GAP + line * step + side // 2)


def told(signal):
    heard = []
    signal.connect(lambda *values: heard.append(values[0] if len(values) == 1 else values))
    return heard


def pictures(n, side=SIDE, value=200):
    return np.full((n, side, side), value, np.uint8)


def colours_in(widget, box=None):
    image = widget.grab(box).toImage() if box is not None else widget.grab().toImage()
    return {
        image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())
    }


class TestFlow:
    flow = Flow(n=10, side=20, width=3 * 24 + GAP)

    def test_places_are_where_the_mouse_finds_them(self):
        assert self.flow.columns == 3
        for index in range(10):
            left, top = self.flow.place(index)
            assert self.flow.index_at(left, top) == index
            assert self.flow.index_at(left + 19, top + 19) == index

    def test_there_is_nothing_beyond_the_last_and_beside_the_columns(self):
        assert self.flow.index_at(GAP + 24 + 5, GAP + 3 * 24 + 5) == -1
        assert self.flow.index_at(3 * 24 + GAP, 10) == -1
        assert self.flow.index_at(-3, 10) == -1

    def test_all_lines_have_room(self):
        assert self.flow.height == 4 * 24 + GAP
        assert Flow(0, 20, 100).height == GAP

    def test_lines_that_reach_into_the_view_are_in_it(self):
        assert list(self.flow.between(0, 23)) == [0, 1, 2]
        assert list(self.flow.between(23, 25)) == [0, 1, 2]
        assert list(self.flow.between(24, 2 * 24)) == [3, 4, 5]
        assert list(self.flow.between(24, 2 * 24 + GAP + 1)) == [3, 4, 5, 6, 7, 8]
        assert list(self.flow.between(1000, 2000)) == []

    def test_a_view_narrower_than_a_picture_has_one_column(self):
        assert Flow(5, 96, 10).columns == 1


class TestShelf:
    def test_knows_which_pictures_of_a_size_it_lacks(self):
        shelf = PictureShelf()
        shelf.put(1, as_qimage(pictures(1)[0]))
        assert shelf.lacking([0, 1, 2], SIDE) == [0, 2]
        assert shelf.lacking([1], 48) == [1]
        shelf.clear()
        assert shelf.lacking([1], SIDE) == [1]

    def test_forgets_what_was_shown_longest_ago(self):
        shelf = PictureShelf()
        picture = as_qimage(pictures(1, 8)[0])
        for row in range(MOST_KEPT):
            shelf.put(row, picture)
        shelf.get(0)
        shelf.put(MOST_KEPT, picture)
        assert len(shelf) == MOST_KEPT
        assert shelf.lacking([0, 1, 2], 8) == [1]


@pytest.mark.parametrize("colour", [False, True])
def test_pictures_keep_their_pixels(colour):
    image = np.arange(9 * 7, dtype=np.uint8).reshape(9, 7)
    if colour:
        image = np.stack([image, 255 - image, image // 2], axis=-1)
    made = as_qimage(image)
    assert (made.width(), made.height()) == (7, 9)
    found = made.pixelColor(5, 3)
    expected = image[3, 5] if colour else [image[3, 5]] * 3
    assert [found.red(), found.green(), found.blue()] == [int(value) for value in expected]


class TestAsking:
    def test_what_is_in_view_and_on_the_next_page_is_asked_for(self, grid, qtbot):
        with qtbot.waitSignal(grid.needed) as asked:
            grid.set_rows(np.arange(1000, 0, -1))
        assert asked.args[0] == list(range(1000, 1000 - len(asked.args[0]), -1))
        assert 6 * COLUMNS <= len(asked.args[0]) <= 7 * COLUMNS

    def test_what_is_there_is_not_asked_for_again(self, grid, qtbot):
        with qtbot.waitSignal(grid.needed) as asked:
            grid.set_rows(np.arange(8))
        grid.set_thumbnails(asked.args[0], pictures(8))
        with qtbot.assertNotEmitted(grid.needed, wait=150):
            grid.resize(grid.width() + 3, grid.height())

    def test_what_has_not_come_yet_is_asked_for_with_the_rest(self, grid, qtbot):
        with qtbot.waitSignal(grid.needed):
            grid.set_rows(np.arange(1000))
        grid.set_thumbnails([4, 5], pictures(2))
        with qtbot.waitSignal(grid.needed) as asked:
            grid.verticalScrollBar().setValue(SIDE + GAP)
        assert asked.args[0][:4] == [6, 7, 8, 9]

    def test_scrolling_asks_for_what_comes_into_view(self, grid, qtbot):
        with qtbot.waitSignal(grid.needed):
            grid.set_rows(np.arange(100_000))
        with qtbot.waitSignal(grid.needed) as asked:
            grid.verticalScrollBar().setValue(grid.verticalScrollBar().maximum())
        assert max(asked.args[0]) == 99_999
        assert len(asked.args[0]) <= 8 * COLUMNS

    def test_quick_scrolling_asks_for_the_last_place_only(self, grid, qtbot):
        with qtbot.waitSignal(grid.needed):
            grid.set_rows(np.arange(100_000))
        heard = told(grid.needed)
        for value in range(0, 500_000, 50_000):
            grid.verticalScrollBar().setValue(value)
        qtbot.waitUntil(lambda: len(heard) > 0)
        assert len(heard) == 1

    def test_another_size_asks_for_other_pictures_and_stays_at_its_place(self, grid, qtbot):
        with qtbot.waitSignal(grid.needed) as asked:
            grid.set_rows(np.arange(4000))
        grid.set_thumbnails(asked.args[0], pictures(len(asked.args[0])))
        with qtbot.waitSignal(grid.needed):
            grid.verticalScrollBar().setValue(500 * (SIDE + GAP))
        with qtbot.waitSignal(grid.needed) as asked:
            grid.set_side(48)
        assert min(asked.args[0]) == 2000

    def test_other_crops_have_other_pictures(self, grid, qtbot):
        with qtbot.waitSignal(grid.needed) as asked:
            grid.set_rows([3, 4])
        grid.set_thumbnails([3, 4], pictures(2))
        with qtbot.waitSignal(grid.needed) as asked:
            grid.forget_thumbnails()
        assert asked.args[0] == [3, 4]


class TestRows:
    def test_new_ones_are_shown_from_the_first_on(self, grid):
        grid.set_rows(np.arange(1000))
        grid.verticalScrollBar().setValue(500)
        grid.set_rows(np.arange(900))
        assert grid.verticalScrollBar().value() == 0

    def test_the_same_ones_stay_where_they_are(self, grid, qtbot):
        grid.set_rows(np.arange(1000))
        qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=centre_of(2))
        grid.verticalScrollBar().setValue(500)
        grid.set_rows(np.arange(1000))
        assert grid.verticalScrollBar().value() == 500
        assert grid.current == 2

    def test_a_hundred_thousand_make_no_widgets(self, grid):
        grid.set_rows(np.arange(100_000))
        grid.grab()
        assert len(grid.viewport().findChildren(QWidget)) == 0


class TestMouse:
    @pytest.mark.parametrize(
        ("button", "held", "how"),
        [
            (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, "left"),
            (Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier, "right"),
            (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, "shift+left"),
            (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.AltModifier, "alt+left"),
        ],
    )
    def test_a_click_says_on_which_row_and_how(self, grid, qtbot, button, held, how):
        grid.set_rows([30, 20, 10, 40, 50])
        heard = told(grid.clicked)
        qtbot.mouseClick(grid.viewport(), button, held, centre_of(4))
        assert heard == [(50, how)]
        assert grid.current == 50

    def test_a_click_beside_the_pictures_says_nothing_and_lets_go(self, grid, qtbot):
        grid.set_rows([30, 20])
        qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=centre_of(1))
        heard = told(grid.clicked)
        qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=centre_of(2))
        assert heard == []
        assert grid.current == -1

    def test_hovering_says_each_row_once_and_when_the_mouse_has_gone(self, grid, qtbot):
        grid.set_rows([30, 20])
        heard = told(grid.hovered)
        for index in (0, 0, 1):
            qtbot.mouseMove(grid.viewport(), centre_of(index))
            qtbot.mouseMove(grid.viewport(), centre_of(index) + QPoint(2, 2))
        QApplication.sendEvent(grid.viewport(), QEvent(QEvent.Type.Leave))
        assert heard == [30, 20, -1]

    def test_the_tooltip_is_the_text_of_the_row(self, grid):
        grid.set_rows([30, 20])
        asked = []

        def text_of(row):
            asked.append(row)
            return f"crop {row}"

        grid.set_texts(text_of)
        at = centre_of(1)
        QApplication.sendEvent(
            grid.viewport(), QHelpEvent(QEvent.Type.ToolTip, at, grid.mapToGlobal(at))
        )
        assert asked == [20]
        assert QToolTip.text() == "crop 20"


class TestKeys:
    @pytest.fixture
    def at_first(self, grid, qtbot):
        grid.set_rows(np.arange(100, 200))
        qtbot.keyClick(grid, Qt.Key.Key_Right)
        assert grid.current == 100
        return grid

    def test_arrows_walk(self, at_first, qtbot):
        heard = told(at_first.hovered)
        for key, row in (("Right", 101), ("Down", 105), ("Left", 104), ("Up", 100), ("Up", 100)):
            qtbot.keyClick(at_first, getattr(Qt.Key, f"Key_{key}"))
            assert at_first.current == row
        assert heard == [101, 105, 104, 100]

    def test_the_current_picture_comes_into_view(self, at_first, qtbot):
        qtbot.keyClick(at_first, Qt.Key.Key_End)
        assert at_first.current == 199
        assert at_first.verticalScrollBar().value() == at_first.verticalScrollBar().maximum()
        qtbot.keyClick(at_first, Qt.Key.Key_Home)
        assert at_first.verticalScrollBar().value() == 0
        qtbot.keyClick(at_first, Qt.Key.Key_PageDown)
        assert at_first.current == 100 + 3 * COLUMNS

    @pytest.mark.parametrize(
        ("key", "label"), [("Return", "positive"), ("G", "positive"), ("W", "negative")]
    )
    def test_letters_label_the_current_picture(self, at_first, qtbot, key, label):
        heard = told(at_first.label_requested)
        qtbot.keyClick(at_first, getattr(Qt.Key, f"Key_{key}"))
        assert heard == [(100, label)]

    def test_digits_are_passed_on(self, at_first, qtbot):
        heard = told(at_first.key_pressed)
        qtbot.keyClick(at_first, Qt.Key.Key_3)
        assert heard == [(100, 3)]

    def test_escape_lets_go(self, at_first, qtbot):
        qtbot.keyClick(at_first, Qt.Key.Key_Escape)
        assert at_first.current == -1
        heard = told(at_first.label_requested)
        qtbot.keyClick(at_first, Qt.Key.Key_W)
        assert heard == []

    @pytest.mark.parametrize("held", ["NoModifier", "ControlModifier"])
    @pytest.mark.parametrize("picked", [True, False])
    def test_shortcuts_of_the_dock_wait_only_while_a_picture_is_current(
        self, at_first, qtbot, picked, held
    ):
        if not picked:
            qtbot.keyClick(at_first, Qt.Key.Key_Escape)
        event = QKeyEvent(
            QEvent.Type.ShortcutOverride, Qt.Key.Key_W, getattr(Qt.KeyboardModifier, held)
        )
        event.ignore()
        QApplication.sendEvent(at_first, event)
        assert event.isAccepted() == (picked and held == "NoModifier")

    def test_keys_on_an_empty_gallery_do_nothing(self, grid, qtbot):
        for key in (Qt.Key.Key_Right, Qt.Key.Key_End, Qt.Key.Key_W, Qt.Key.Key_5):
            qtbot.keyClick(grid, key)
        assert grid.current == -1


class TestPainting:
    def test_thumbnails_are_seen(self, grid):
        grid.set_rows([7])
        assert QColor(200, 200, 200).name() not in colours_in(grid)
        grid.set_thumbnails([7], pictures(1))
        assert QColor(200, 200, 200).name() in colours_in(grid)

    @pytest.mark.parametrize(
        ("mark", "colour"),
        [
            (Mark("positive"), POSITIVE.name()),
            (Mark("negative"), NEGATIVE.name()),
            (Mark("class", "ribosome", (10, 20, 230)), QColor(10, 20, 230).name()),
        ],
    )
    def test_labels_are_seen_by_colour(self, grid, mark, colour):
        grid.set_rows([7, 8])
        assert colour not in colours_in(grid)
        grid.set_marks({7: mark})
        assert colour in colours_in(grid)

    def test_labels_are_told_apart_without_colour(self, grid):
        grid.set_rows([7])
        shapes = set()
        for kind in ("positive", "negative", "class"):
            grid.set_marks({7: Mark(kind, "a", (128, 128, 128))})
            grey = grid.grab().toImage().convertToFormat(as_qimage(pictures(1)[0]).format())
            dark = [
                grey.pixelColor(x, y).value() < 60 for x in range(SIDE) for y in range(SIDE // 2)
            ]
            shapes.add(tuple(dark))
        assert len(shapes) == 3

    @pytest.mark.parametrize("theme", ["dark", "light"])
    def test_the_background_is_that_of_the_theme(self, grid, theme):
        colours = ThemeColours.of(theme)
        grid.set_colours(colours)
        assert grid.grab().toImage().pixelColor(1, 1).name() == colours.background.name()


class TestGallery:
    def test_says_what_to_do_while_it_is_empty(self, gallery):
        gallery.set_rows([], "centrality", 0)
        assert gallery.grid._empty_text == EMPTY
        assert gallery.count.text() == "0 crops"

    def test_counts(self, gallery):
        gallery.set_rows(np.arange(20), "score", 20)
        assert gallery.count.text() == "20 crops"
        gallery.set_rows(np.arange(20), "score", 4312)
        assert gallery.count.text() == "20 / 4,312"
        assert gallery.rows.tolist() == list(range(20))

    def test_the_order_is_set_without_a_signal_and_chosen_with_one(self, gallery):
        heard = told(gallery.sort_changed)
        gallery.set_rows([1, 2], "novelty", 2)
        assert gallery.order.currentData() == "novelty"
        assert heard == []
        gallery.order.setCurrentIndex(list(ORDERS).index("random"))
        assert heard == ["random"]

    def test_orders_that_make_no_sense_can_be_taken_away(self, gallery):
        heard = told(gallery.sort_changed)
        gallery.set_rows([1], "novelty", 1)
        gallery.set_orders(["centrality", "random"])
        assert gallery.order.count() == 2
        gallery.set_orders(["centrality", "random"])
        assert gallery.order.currentData() == "centrality"
        assert heard == []

    def test_the_size_is_chosen_and_pictures_of_it_are_asked_for(self, gallery, qtbot):
        gallery.set_rows([1, 2], "random", 2)
        with qtbot.waitSignals([gallery.side_changed, gallery.needed]):
            gallery.size_box.setCurrentIndex(2)
        assert gallery.side == 96

    def test_passes_on_what_happens_in_the_grid(self, gallery, qtbot):
        gallery.set_rows([5], "random", 1)
        heard = [told(getattr(gallery, name)) for name in ("clicked", "label_requested")]
        qtbot.mouseClick(gallery.grid.viewport(), Qt.MouseButton.LeftButton, pos=centre_of(0))
        qtbot.keyClick(gallery.grid, Qt.Key.Key_W)
        assert heard == [[(5, "left")], [(5, "negative")]]

    def test_fits_a_narrow_dock(self, gallery):
        gallery.set_rows(np.arange(20), "centrality", 1_234_567)
        assert gallery.minimumSizeHint().width() <= 280


@pytest.fixture(scope="module")
def average():
    crops = np.random.default_rng(0).normal(size=(12, 16, 16)) + np.eye(16)
    return class_average(crops, AverageConfig(iterations=1, starts=1, angular_step=30))


class TestAveragePanel:
    @pytest.fixture
    def panel(self, qtbot):
        made = AveragePanel()
        qtbot.addWidget(made)
        made.resize(300, 170)
        made.show()
        return made

    def test_has_nothing_to_save_at_first(self, panel):
        assert "once a few are selected" in panel.text.text()
        assert not panel.save.isEnabled()
        assert not panel.notes.isVisible()

    def test_shows_number_resolutions_and_notes(self, panel, average):
        panel.show_average(average)
        assert panel.text.text().startswith("12 crops · ")
        assert "at 0.143" in panel.text.text()
        assert "at 0.5" in panel.text.text()
        assert panel.notes.text() == average.notes[0]
        assert panel.notes.isVisible()
        assert len(colours_in(panel.picture)) > 20

    def test_says_that_it_works_and_keeps_the_last_average(self, panel, average):
        panel.show_average(average)
        panel.show_busy(1)
        assert panel.text.text() == "Averaging 1 crop…"
        panel.show_busy(1234, 3, 12)
        assert panel.text.text() == "Averaging 1,234 crops… 25\N{NO-BREAK SPACE}%"
        assert not panel.save.isEnabled()
        assert len(colours_in(panel.picture)) > 5
        panel.clear("Nothing is selected.")
        assert panel.text.text() == "Nothing is selected."
        assert len(colours_in(panel.picture)) == 1

    def test_asks_to_save(self, panel, average, qtbot):
        panel.show_average(average)
        with qtbot.waitSignal(panel.save_requested):
            qtbot.mouseClick(panel.save, Qt.MouseButton.LeftButton)

    def test_a_single_crop_has_no_resolution(self, panel):
        crop = np.random.default_rng(0).normal(size=(1, 16, 16))
        panel.show_average(class_average(crop, AverageConfig(iterations=1, starts=1)))
        assert panel.text.text() == "1 crop"

    def test_a_volume_shows_a_section(self, panel):
        crops = np.random.default_rng(0).normal(size=(3, 10, 12, 12))
        panel.show_average(class_average(crops))
        assert len(colours_in(panel.picture)) > 20

    @pytest.mark.parametrize("theme", ["dark", "light"])
    def test_takes_the_colours_of_a_theme(self, panel, theme):
        colours = ThemeColours.of(theme)
        panel.set_colours(colours)
        assert colours.background.name() in colours_in(panel.picture)
        assert colours.background.name() in colours_in(panel.curve)


def test_the_curve_falls_from_left_to_right(qtbot):
    made = CorrelationCurve()
    qtbot.addWidget(made)
    made.resize(200, 104)
    frequency = np.linspace(0, 0.5, 20)
    assert PICK.name() not in colours_in(made)
    made.set_curve(ShellCorrelation(frequency, 1 - 2 * frequency, np.ones(20, int), 3.0))
    image = made.grab().toImage()
    heights = {}
    for x in (60, 110, 160):
        column = [y for y in range(104) if image.pixelColor(x, y).name() == PICK.name()]
        heights[x] = np.mean(column)
    assert heights[60] < heights[110] < heights[160]
