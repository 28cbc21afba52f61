import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QWheelEvent
from qtpy.QtWidgets import QApplication

from napari_cryoml._widgets.embedding._canvas import EMPTY, EmbeddingCanvas
from napari_cryoml._widgets.embedding._canvas_hover import as_image
from napari_cryoml._widgets.frame import ThemeColours
from napari_cryoml.embedding.drawing import MapView

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
ALT, CONTROL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier

POINTS = np.array([[0, 0], [10, 0], [0, 10], [10, 10], [np.nan, 0]], np.float32)


@pytest.fixture
def canvas(qtbot):
    """Return a map with a point at each corner of a square, and a fifth that is nowhere."""
    made = EmbeddingCanvas()
    qtbot.addWidget(made)
    made.resize(300, 300)
    made.set_layout(POINTS)
    made.show()
    return made


@pytest.fixture
def said(canvas):
    """Return a list of what the map says: signal and arguments."""
    heard = []
    for name in ("hovered", "clicked", "selected", "legend_clicked", "view_changed"):
        getattr(canvas, name).connect(lambda *words, name=name: heard.append((name, *words)))
    return heard


def pixel(canvas, row):
    return QPointF(*canvas.scene.view.to_screen(canvas.scene.coordinates[row]))


def drag(qtbot, canvas, *places, button=LEFT, modifier=NONE, release=True):
    """Drag through pixels xy."""
    points = [QPoint(round(x), round(y)) for x, y in places]
    qtbot.mousePress(canvas, button, modifier, points[0])
    for point in points[1:]:
        qtbot.mouseMove(canvas, point)
    if release:
        qtbot.mouseRelease(canvas, button, modifier, points[-1])


def around(canvas, *rows, margin=12):
    """Return the corners of a box around rows, pixels."""
    places = np.array([(pixel(canvas, row).x(), pixel(canvas, row).y()) for row in rows])
    (left, top), (right, bottom) = places.min(axis=0) - margin, places.max(axis=0) + margin
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def selections(said):
    return [(words[1].tolist(), words[2]) for words in said if words[0] == "selected"]


def picture(widget):
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGBA8888)
    pixels = np.frombuffer(image.constBits().asstring(image.sizeInBytes()), np.uint8)
    return pixels.reshape(image.height(), image.width(), 4)[..., :3].astype(int)


def has_colour(widget, colour, tolerance=30):
    rgb = QColor(colour)
    distance = np.abs(picture(widget) - (rgb.red(), rgb.green(), rgb.blue())).max(axis=2)
    return bool((distance < tolerance).any())


# What is shown


def test_without_a_map_it_says_what_to_do(qtbot):
    canvas = EmbeddingCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(300, 200)
    words = picture(canvas)
    canvas.set_layout(np.full((3, 2), np.nan))
    np.testing.assert_array_equal(picture(canvas), words)
    canvas.set_hint("Open a file")
    assert (picture(canvas) != words).any()
    canvas.set_hint(EMPTY)
    np.testing.assert_array_equal(picture(canvas), words)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_ground_is_that_of_the_theme(canvas, theme):
    colours = ThemeColours.of(theme)
    canvas.set_theme(colours)
    assert tuple(picture(canvas)[150, 150]) == colours.background.getRgb()[:3]
    assert has_colour(canvas, "#56B4E9")


def test_categories_are_painted_and_listed(canvas):
    canvas.set_codes(
        np.array([0, 1, 1, -1, 0]),
        ["ice", "ribosome"],
        np.array([[255, 0, 0], [0, 0, 255]], np.uint8),
        "Class",
    )
    assert has_colour(canvas, "#ff0000")
    assert has_colour(canvas, "#0000ff")
    legend = canvas._corner.legend
    entries = [(entry.name, entry.count) for entry in legend.entries]
    assert entries == [("ice", 2), ("ribosome", 2), ("none", 1)]
    canvas.set_codes(None)
    assert legend.isHidden()


def test_values_have_a_colour_bar_instead(canvas):
    canvas.set_codes(np.zeros(5, int), ["ice"])
    canvas.set_values(np.array([0, 1, 2, np.nan, 4.0]), "novelty")
    assert canvas._corner.legend.isHidden()
    assert not canvas._corner.bar.isHidden()
    canvas.set_codes(np.zeros(5, int), ["ice"])
    assert canvas._corner.bar.isHidden()


def test_colours_and_marks_of_another_number_of_rows_are_dropped(canvas):
    canvas.set_codes(np.zeros(5, int), ["ice"])
    canvas.set_selection(np.arange(5) < 2)
    canvas.ring([4])
    canvas.set_layout(np.random.default_rng(0).normal(size=(3, 2)))
    assert canvas._corner.legend.isHidden()
    assert canvas.scene.n_selected == 0
    assert has_colour(canvas, "#56B4E9")
    canvas.set_layout(None)
    assert canvas.scene.n_placed == 0
    assert not has_colour(canvas, "#56B4E9")


def test_colours_may_come_before_the_rows(canvas):
    canvas.set_codes(np.zeros(2, int), ["ice"], np.array([[255, 0, 0]], np.uint8))
    canvas.set_selection(np.ones(2, bool))
    assert not has_colour(canvas, "#ff0000")
    canvas.set_layout(POINTS[:2])
    assert has_colour(canvas, "#ff0000")
    assert not canvas._corner.legend.isHidden()


def test_a_selection_is_counted_and_seen(canvas):
    canvas.set_selection(np.array([True, False, False, False, False]))
    assert canvas.scene.n_selected == 1
    assert has_colour(canvas, "#CC79A7")
    canvas.set_selection(np.zeros(5, bool))
    assert not has_colour(canvas, "#CC79A7")


def test_hidden_rows_are_nowhere(canvas, qtbot, said):
    canvas.set_shown(np.array([False, True, True, True, True]))
    assert canvas.scene.n_placed == 3
    qtbot.mouseClick(canvas, LEFT, pos=pixel(canvas, 0).toPoint())
    drag(qtbot, canvas, *around(canvas, 0, 1, 2, 3))
    assert [name for name, *_ in said if name == "clicked"] == []
    assert selections(said) == [([False, True, True, True, False], "replace")]


def test_rings_are_around_their_rows(canvas):
    before = picture(canvas)
    canvas.ring([3, 4])
    changed = np.argwhere((picture(canvas) != before).any(axis=2))
    centre = pixel(canvas, 3)
    assert np.abs(changed.mean(axis=0) - (centre.y(), centre.x())).max() < 3
    canvas.ring([])
    np.testing.assert_array_equal(picture(canvas), before)


def test_clouds_come_soon_and_go_at_once(canvas, qtbot):
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(size=(50, 2)), rng.normal(size=(50, 2)) + 20])
    canvas.set_layout(points)
    canvas.set_codes(np.repeat([0, 1], 50), ["ice", "ribosome"])
    before = picture(canvas)
    canvas.set_clouds(True)
    qtbot.waitUntil(lambda: canvas._clouds.visible, timeout=5000)
    assert [cloud.count for cloud in canvas._clouds.clouds] == [50, 50]
    assert (picture(canvas) != before).any()
    canvas.set_clouds(False)
    np.testing.assert_array_equal(picture(canvas), before)


def test_clouds_need_categories(canvas):
    canvas.set_clouds(True)
    canvas.set_values(np.arange(5.0))
    assert not canvas._clouds.visible


# The view


def test_the_whole_map_stays_whole(canvas):
    canvas.resize(200, 400)
    canvas.set_layout(POINTS * 100, keep_view=True)
    places = canvas.scene.view.to_screen(POINTS[:4] * 100)
    assert ((places > 0) & (places < (200, 400))).all()


def test_a_part_of_the_map_stays_on_show_if_that_is_wanted(canvas):
    canvas.scene.move(canvas.scene.view.zoomed(3))
    view = canvas.scene.view
    canvas.set_layout(POINTS + 1, keep_view=True)
    assert canvas.scene.view == view
    canvas.set_layout(POINTS + 1, keep_view=False)
    assert canvas.scene.view != view


def test_the_legend_does_not_cover_the_map(canvas):
    canvas.resize(600, 300)
    canvas.set_codes(np.arange(5) % 2, ["ice", "ribosome"])
    free = canvas._corner.legend.geometry().left()
    assert canvas.scene.view.to_screen(POINTS[:4])[:, 0].max() < free


def wheel(canvas, at, notches):
    args = (at, QPointF(canvas.mapToGlobal(at.toPoint())), QPoint(), QPoint(0, 120 * notches))
    rest = (Qt.MouseButton.NoButton, NONE, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(canvas, QWheelEvent(*args, *rest))


def test_the_wheel_zooms_about_the_mouse(canvas, said):
    at, units = pixel(canvas, 3), canvas.scene.view.units_per_pixel
    wheel(canvas, at, 3)
    assert canvas.scene.view.units_per_pixel < units
    assert pixel(canvas, 3).x() == pytest.approx(at.x())
    assert ("view_changed",) in said


def test_nobody_gets_lost_by_zooming(canvas):
    for _ in range(60):
        wheel(canvas, QPointF(10, 10), -5)
    assert canvas.scene.view.units_per_pixel < 10
    for _ in range(60):
        wheel(canvas, QPointF(150, 150), 20)
    assert canvas.scene.view.units_per_pixel > 1e-6


@pytest.mark.parametrize("button", [RIGHT, Qt.MouseButton.MiddleButton])
def test_other_buttons_pan_whatever_the_tool(canvas, qtbot, said, button):
    before = pixel(canvas, 0)
    drag(qtbot, canvas, (100, 100), (110, 100), (130, 90), button=button)
    assert pixel(canvas, 0) - before == QPointF(30, -10)
    assert {name for name, *_ in said} == {"view_changed"}


def test_the_pan_tool_pans_and_still_clicks(canvas, qtbot, said):
    canvas.set_tool("pan")
    before = pixel(canvas, 0)
    drag(qtbot, canvas, (100, 100), (110, 100), (130, 120))
    assert pixel(canvas, 0) - before == QPointF(30, 20)
    qtbot.mouseClick(canvas, LEFT, pos=pixel(canvas, 0).toPoint())
    assert ("clicked", 0, "replace") in said


def test_the_space_bar_pans_while_it_is_held(canvas, qtbot, said):
    before = pixel(canvas, 0)
    qtbot.keyPress(canvas, Qt.Key.Key_Space)
    drag(qtbot, canvas, (100, 100), (140, 100))
    assert pixel(canvas, 0) - before == QPointF(40, 0)
    qtbot.keyRelease(canvas, Qt.Key.Key_Space)
    drag(qtbot, canvas, *around(canvas, 0))
    assert len(selections(said)) == 1


def test_an_unknown_tool_is_an_error(canvas):
    with pytest.raises(ValueError, match="hammer"):
        canvas.set_tool("hammer")
    assert canvas.tool == "lasso"


@pytest.mark.parametrize(
    ("key", "moved"),
    [(Qt.Key.Key_Left, (1, 0)), (Qt.Key.Key_Right, (-1, 0)), (Qt.Key.Key_Up, (0, 1))],
)
def test_arrows_pan(canvas, qtbot, key, moved):
    before = pixel(canvas, 0)
    qtbot.keyClick(canvas, key)
    offset = pixel(canvas, 0) - before
    assert (np.sign(round(offset.x(), 6)), np.sign(round(offset.y(), 6))) == moved


def test_plus_minus_and_f(canvas, qtbot):
    whole = canvas.scene.view
    qtbot.keyClick(canvas, Qt.Key.Key_Plus)
    assert canvas.scene.view.units_per_pixel < whole.units_per_pixel
    qtbot.keyClick(canvas, Qt.Key.Key_Minus)
    assert canvas.scene.view.units_per_pixel == pytest.approx(whole.units_per_pixel)
    qtbot.keyClick(canvas, Qt.Key.Key_F)
    assert canvas.scene.view == whole


@pytest.mark.parametrize(("key", "modifier"), [(Qt.Key.Key_G, NONE), (Qt.Key.Key_Z, CONTROL)])
def test_other_keys_are_left_to_the_dock(canvas, key, modifier):
    event = QKeyEvent(QEvent.Type.KeyPress, key, modifier)
    QApplication.sendEvent(canvas, event)
    assert not event.isAccepted()


def test_a_double_click_shows_the_whole_map_and_selects_nothing(canvas, qtbot, said):
    whole = canvas.scene.view
    canvas.scene.move(whole.zoomed(2))
    qtbot.mouseClick(canvas, LEFT, pos=QPoint(150, 150))
    qtbot.mouseDClick(canvas, LEFT, pos=QPoint(150, 150))
    qtbot.mouseRelease(canvas, LEFT, pos=QPoint(150, 150))
    qtbot.wait(QApplication.doubleClickInterval() + 100)
    assert canvas.scene.view == whole
    assert [name for name, *_ in said if name != "view_changed"] == []


# Selecting


@pytest.mark.parametrize(
    ("modifier", "mode"),
    [(NONE, "replace"), (SHIFT, "add"), (ALT, "subtract"), (CONTROL, "subtract")],
)
@pytest.mark.parametrize("tool", ["lasso", "rectangle"])
def test_an_outline_tells_which_rows_are_in_it(canvas, qtbot, said, tool, modifier, mode):
    canvas.set_tool(tool)
    corners = around(canvas, 0, 1)
    drag(qtbot, canvas, *(corners if tool == "lasso" else corners[::2]), modifier=modifier)
    assert selections(said) == [([True, True, False, False, False], mode)]


def test_an_outline_around_nothing_is_told_too(canvas, qtbot, said):
    drag(qtbot, canvas, (140, 140), (160, 140), (160, 160))
    assert selections(said) == [([False] * 5, "replace")]


def test_escape_drops_the_outline(canvas, qtbot, said):
    before = picture(canvas)
    drag(qtbot, canvas, *around(canvas, 0, 1), release=False)
    assert (picture(canvas) != before).any()
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    np.testing.assert_array_equal(picture(canvas), before)
    qtbot.mouseRelease(canvas, LEFT, pos=QPoint(10, 10))
    assert selections(said) == []


def test_escape_without_an_outline_is_left_to_the_dock(canvas):
    event = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Escape, NONE)
    QApplication.sendEvent(canvas, event)
    assert not event.isAccepted()


@pytest.mark.parametrize(
    ("modifier", "mode"), [(NONE, "replace"), (SHIFT, "add"), (ALT, "subtract")]
)
def test_a_click_tells_the_point(canvas, qtbot, said, modifier, mode):
    at = pixel(canvas, 2).toPoint() + QPoint(3, 2)
    qtbot.mouseClick(canvas, LEFT, modifier, at)
    assert ("clicked", 2, mode) in said


def test_a_click_on_nothing_clears_after_a_moment(canvas, qtbot, said):
    qtbot.mouseClick(canvas, LEFT, pos=QPoint(150, 150))
    assert said == []
    qtbot.waitUntil(lambda: ("clicked", -1, "replace") in said, timeout=3000)


def test_a_click_on_nothing_that_adds_says_nothing(canvas, qtbot, said):
    qtbot.mouseClick(canvas, LEFT, SHIFT, QPoint(150, 150))
    qtbot.wait(QApplication.doubleClickInterval() + 100)
    assert said == []


def test_gestures_on_an_empty_map_do_no_harm(canvas, qtbot, said):
    canvas.set_layout(None)
    drag(qtbot, canvas, (50, 50), (200, 50), (200, 200))
    assert selections(said) == [([], "replace")]
    wheel(canvas, QPointF(50, 50), 2)
    canvas.fit()


# Hovering


def point_at(widget, at):
    """Move the mouse there; Qt's own helper says nothing if its pointer was there before."""
    button = Qt.MouseButton.NoButton
    event = QMouseEvent(QEvent.Type.MouseMove, at, at, button, button, NONE)
    QApplication.sendEvent(widget, event)


def hover(canvas, qtbot, row):
    point_at(canvas, pixel(canvas, row))
    qtbot.waitUntil(lambda: canvas._hover.row == row, timeout=2000)


def test_the_point_under_the_mouse_is_told_once(canvas, qtbot, said):
    hover(canvas, qtbot, 1)
    point_at(canvas, pixel(canvas, 1) + QPointF(1, 1))
    qtbot.wait(120)
    assert [words for words in said if words[0] == "hovered"] == [("hovered", 1)]
    QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))
    assert said[-1] == ("hovered", -1)


def test_a_picture_and_words_are_beside_the_point(canvas, qtbot):
    hover(canvas, qtbot, 0)
    before = picture(canvas)
    canvas.set_thumbnail(0, np.full((8, 8, 3), (250, 10, 10), np.uint8))
    assert has_colour(canvas, "#fa0a0a")
    canvas.set_thumbnail(0, None)
    np.testing.assert_array_equal(picture(canvas), before)
    canvas.set_hover_text("ribosome\nmicrograph 7")
    assert (picture(canvas) != before).any()


def test_a_picture_that_comes_too_late_is_not_shown(canvas, qtbot):
    hover(canvas, qtbot, 0)
    before = picture(canvas)
    canvas.set_thumbnail(1, np.full((8, 8), 200, np.uint8))
    np.testing.assert_array_equal(picture(canvas), before)


@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 3), (3, 5, 4)])
def test_arrays_become_images_of_their_size(shape):
    image = as_image(np.full(shape, 77, np.uint8)[:, ::1])
    assert (image.width(), image.height()) == (5, 3)
    assert QColor(image.pixel(4, 2)).red() == 77


# The legend


@pytest.fixture
def legend(canvas):
    canvas.resize(600, 300)
    canvas.set_codes(np.arange(5), [f"group {k}" for k in range(5)], title="Group")
    return canvas._corner.legend


def line(legend, index):
    return QPoint(20, round(6 + (index + 0.5) * legend._line()))


def test_a_click_on_a_category_names_it(legend, qtbot, said):
    qtbot.mouseClick(legend, LEFT, pos=line(legend, 3))
    assert ("legend_clicked", "group 2") in said
    assert not selections(said)


def test_a_click_on_the_title_folds_and_unfolds(legend, qtbot, canvas):
    height = legend.height()
    qtbot.mouseClick(legend, LEFT, pos=line(legend, 0))
    assert legend.is_folded
    assert legend.height() < height / 2
    qtbot.mouseClick(legend, LEFT, pos=line(legend, 0))
    assert legend.height() == height


def test_a_narrow_map_has_the_legend_folded(legend, canvas):
    assert not legend.is_folded
    canvas.resize(250, 300)
    assert legend.is_folded


def test_many_categories_scroll(canvas, qtbot, said):
    canvas.resize(600, 200)
    canvas.set_layout(np.random.default_rng(0).normal(size=(60, 2)))
    canvas.set_codes(np.arange(60), [f"group {k}" for k in range(60)])
    legend = canvas._corner.legend
    assert legend.height() < 200
    wheel(legend, QPointF(line(legend, 2)), -1)
    qtbot.mouseClick(legend, LEFT, pos=line(legend, 1))
    assert ("legend_clicked", "group 3") in said
    wheel(legend, QPointF(line(legend, 2)), -500)
    qtbot.mouseClick(legend, LEFT, pos=line(legend, legend._n_lines()))
    assert ("legend_clicked", "group 59") in said
    assert canvas.scene.fitted


def test_tooltips_say_what_a_click_does(legend):
    point_at(legend, QPointF(line(legend, 2)))
    assert legend.toolTip() == "group 1: 1 rows. Click to select them."


# Figures


def test_the_figure_shows_the_part_that_is_on_show(canvas, tmp_path):
    canvas.set_codes(np.array([0, 1, 1, 0, 0]), ["ice", "ribosome"])
    canvas.set_axes("PCA 1", "PCA 2")
    text = canvas.export(tmp_path / "map.svg").read_text()
    assert ">PCA 1<" in text
    assert ">ribosome (2)<" in text
    everything = text.count("<use ")
    canvas.scene.move(MapView((10.0, 10.0), 0.01, canvas.scene.view.size))
    assert canvas.export(tmp_path / "part.svg").read_text().count("<use ") == everything - 3


def test_the_figure_is_as_dark_as_the_map(canvas, tmp_path):
    canvas.set_theme(ThemeColours.of("dark"))
    dark = np.array(Image.open(canvas.export(tmp_path / "dark.png")).convert("L")).mean()
    canvas.set_theme(ThemeColours.of("light"))
    light = np.array(Image.open(canvas.export(tmp_path / "light.png")).convert("L")).mean()
    assert dark < 80 < 180 < light
