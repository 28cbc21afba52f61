"""Rows of a map among the points of a layer."""

from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import LayerLock

from napari_cryoml import io
from napari_cryoml._errors import InputError
from napari_cryoml._napari._image_layers import image_layers
from napari_cryoml._napari._map_layers import LayerLink, layer_pairs, layer_source
from napari_cryoml._napari._map_link import MapLink
from napari_cryoml._napari._map_link_labels import label_all, labels_of, with_labels
from napari_cryoml._napari._map_link_mouse import LEFT, LinkMouse
from napari_cryoml._napari._map_link_rows import (
    GROUP_COLUMN,
    RowPaint,
    RowPainter,
    RowPlaces,
    plotter_columns,
    values_at,
)
from napari_cryoml._napari._picker_display import prepare_display
from napari_cryoml._napari._picker_dots import NEGATIVE_COLOUR, PICK_COLOUR
from napari_cryoml._napari._picker_edits import LabelSet
from napari_cryoml._napari._picker_layers import PickerLayers
from napari_cryoml.data import (
    NEGATIVE,
    POSITIVE,
    UNLABELLED,
    Annotations,
    ArrayImage,
    Embedding,
    Picks,
)

RED, GREEN, BLUE = [1.0, 0, 0, 1], [0, 1.0, 0, 1], [0, 0, 1.0, 1]
NOTHING = [0.0] * 4
PALETTE = np.array([RED, GREEN, BLUE], np.float32)
PIXEL = 2.0


@pytest.fixture(params=[2, 3])
def ndim(request):
    return request.param


def line(n, ndim=2, start=10.0, step=10.0):
    """n places along the diagonal."""
    return np.repeat(start + step * np.arange(n)[:, None], ndim, axis=1)


def rows_of(positions, image="a", n_other=2):
    """The places of an image as rows, after some rows of another image."""
    other = np.ones((n_other, positions.shape[1]))
    names = ["other"] * n_other + [image] * len(positions)
    ids = [f"{name}@{row}" for row, name in enumerate(names)]
    return RowPlaces(names, np.concatenate([other, positions]), ids)


def hex_of(colours):
    return ["#" + "".join(f"{round(255 * channel):02X}" for channel in row[:3]) for row in colours]


# Rows


def test_rows_are_found_by_place(ndim):
    places = rows_of(line(3, ndim))
    offset = np.zeros(ndim)
    offset[0] = 0.5
    assert places.at("a", line(3, ndim)[::-1] + offset).tolist() == [4, 3, 2]
    offset[0] = 0.7
    assert places.at("a", line(3, ndim) + offset).tolist() == [-1, -1, -1]
    assert places.at("a", line(3, ndim) + offset, reach_px=0.7).tolist() == [2, 3, 4]
    assert places.at("nowhere", line(1, ndim)).tolist() == [-1]
    assert places.at("a", np.empty((0, ndim))).tolist() == []
    assert places.at("a", np.full((1, ndim), np.nan)).tolist() == [-1]


def test_rows_are_grouped_by_image_in_any_order():
    places = RowPlaces(["b", "a", "b", "a"], line(4), list("wxyz"))
    assert places.rows_in("a").tolist() == [1, 3]
    assert places.rows_in("b").tolist() == [0, 2]
    assert places.rows_in("c").tolist() == places.rows_in(None).tolist() == []
    found = places.by_image([3, 0, 3])
    assert {name: rows.tolist() for name, rows in found.items()} == {
        "a": [[40, 40]],
        "b": [[10, 10]],
    }
    assert places.by_image([]) == {}


def test_places_without_a_number_are_never_found():
    places = RowPlaces(["a"] * 2, [[np.nan, 1], [10, 10]], ["x", "y"])
    assert places.at("a", [[10, 10]]).tolist() == [1]
    assert RowPlaces(["a"], [[np.nan, 1]], ["x"]).at("a", [[10, 10]]).tolist() == [-1]


def test_no_rows_at_all():
    places = RowPlaces([], np.empty((0, 2)), [])
    assert len(places) == 0
    assert places.rows_in("a").tolist() == []
    assert places.at("a", [[1, 1]]).tolist() == [-1]


def test_rows_come_from_an_embedding_with_images():
    vectors, ids = np.zeros((2, 3), np.float32), ["x", "y"]
    places = RowPlaces.of(Embedding(vectors, ids, ["a", "a"], line(2)))
    assert places.rows_in("a").tolist() == [0, 1]
    with pytest.raises(InputError, match="lie in no images"):
        RowPlaces.of(Embedding(vectors, ids))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([1.5, 2.5], np.float32), [2.5, np.nan]),
        (np.array([3, 4], np.int32), [4, -1]),
        (np.array([3, 4], np.uint8), [4, 0]),
        (np.array([True, True]), [True, False]),
        (np.array(["x", "long"]), ["long", ""]),
    ],
)
def test_places_without_a_row_have_no_value(values, expected):
    found = values_at(values, np.array([1, -1]))
    np.testing.assert_array_equal(found, expected)
    assert found.dtype.kind == values.dtype.kind
    np.testing.assert_array_equal(values_at(values[:0], np.array([-1])), expected[1:])


def test_columns_for_the_clusters_plotter():
    layout = np.array([[0.5, 1], [2, 3]])
    columns = plotter_columns(layout, np.array([-1, 4]), "tSNE")
    assert list(columns) == ["tSNE0", "tSNE1", GROUP_COLUMN]
    assert columns["tSNE1"].tolist() == [1, 3]
    assert columns[GROUP_COLUMN].tolist() == [0, 5]
    assert plotter_columns(layout)[GROUP_COLUMN].tolist() == [0, 0]


def test_a_painter_knows_nothing_of_other_images_and_ranks():
    painter = RowPainter()
    assert painter("a", line(2)).colours is None
    painter.places = rows_of(line(2))
    painter.paint = RowPaint(np.array([0, 0, 1, 2]), PALETTE)
    assert painter("a", line(2)).colours.tolist() == [GREEN, BLUE]
    assert np.isnan(painter("b", line(2)).colours).all()
    assert painter("a", line(2, 3)).colours is None


# Labels of many places


def known(positions, labels):
    return LabelSet(Annotations(positions, np.array(labels, np.int8)), np.arange(len(labels)) + 7)


def test_many_places_are_labelled_at_once(ndim):
    shape = (100,) * ndim
    edit = label_all(LabelSet.empty(ndim), line(3, ndim), NEGATIVE, shape=shape, reach_px=5)
    assert edit.add.positions.tolist() == line(3, ndim).tolist()
    assert edit.add.labels.tolist() == [NEGATIVE] * 3
    assert edit.remove == []


def test_labels_of_the_other_kind_are_turned_over_where_they_stand(ndim):
    shape = (100,) * ndim
    before = known(line(3, ndim), [POSITIVE, NEGATIVE, POSITIVE])
    edit = label_all(before, line(2, ndim) + 1, NEGATIVE, shape=shape, reach_px=5)
    assert edit.remove == [7]
    assert edit.add.positions.tolist() == line(1, ndim).tolist()
    # Beyond the reach it is another place.
    far = label_all(before, line(2, ndim) + 1, NEGATIVE, shape=shape, reach_px=0.5)
    assert (far.remove, len(far.add)) == ([], 2)


def test_a_label_that_two_places_reach_is_turned_over_once():
    before = known(line(1), [POSITIVE])
    edit = label_all(before, [[9, 10], [11, 10]], NEGATIVE, shape=(50, 50), reach_px=5)
    assert (edit.remove, edit.add.positions.tolist()) == ([7], [[10, 10]])


def test_places_that_repeat_or_lie_outside_are_left_out():
    places = [[5, 5], [5, 5], [-3, 5], [np.nan, 1], [49.4, 0]]
    edit = label_all(LabelSet.empty(2), places, POSITIVE, shape=(50, 50), reach_px=5)
    assert edit.add.positions.tolist() == [[5, 5], [49.4, 0]]
    assert not label_all(LabelSet.empty(2), [], POSITIVE, shape=(50, 50), reach_px=5)


def test_the_nearest_label_within_half_a_diameter_is_that_of_a_place(ndim):
    labels = Annotations(line(2, ndim), [POSITIVE, NEGATIVE])
    near = np.zeros(ndim)
    near[0] = 4.9
    found = labels_of(
        np.vstack([line(3, ndim), line(1, ndim) - near, line(1, ndim) * np.nan]), labels, 10
    )
    assert found.tolist() == [POSITIVE, NEGATIVE, UNLABELLED, POSITIVE, UNLABELLED]
    assert labels_of(line(2, ndim), Annotations.empty(ndim), 10).tolist() == [UNLABELLED] * 2
    picks = with_labels(Picks("a", line(3, ndim)), labels, 10)
    assert picks.columns["label"].tolist() == ["particle", "not a particle", ""]


# The layers of the Picker


@pytest.fixture
def layers(ndim):
    made = PickerLayers(ViewerModel(), lambda edit: LabelSet.empty(ndim))
    pixels = np.random.default_rng(0).normal(size=(80,) * ndim).astype(np.float32)
    made.show_image(prepare_display(ArrayImage(pixels, "a", PIXEL)))
    made.settle()
    made.set_diameter(8)
    made.show_picks(Picks("a", line(4, ndim), np.array([4.0, 3, 2, 1])))
    return made


def painter_of(ndim, codes=(0, 0, 0, 1, 2, 0), shown=None, n=4):
    painter = RowPainter()
    painter.places = rows_of(line(n, ndim))
    painter.paint = RowPaint(np.array(codes), PALETTE, shown)
    return painter


def test_picks_take_the_colours_of_their_rows(layers, ndim):
    layers.paint_picks(painter_of(ndim))
    layer = layers.layer("picks")
    assert layer.border_color.tolist() == [RED, GREEN, BLUE, RED]
    assert (layer.face_color[:, 3] == 0).all()
    assert layer.selected_data == set()
    layers.paint_picks(None)
    assert set(hex_of(layer.border_color)) == {PICK_COLOUR}


def test_later_painters_paint_over_earlier_ones_where_they_have_colours(layers, ndim):
    layers.paint_picks(painter_of(ndim), "first")
    layers.paint_picks(painter_of(ndim, (2, 2, 2, 2), n=2), "second")
    layer = layers.layer("picks")
    assert layer.border_color.tolist() == [BLUE, BLUE, BLUE, RED]
    layers.paint_picks(None, "second")
    assert layer.border_color.tolist() == [RED, GREEN, BLUE, RED]
    layers.paint_picks(None, "first")
    assert set(hex_of(layer.border_color)) == {PICK_COLOUR}


def test_picks_that_are_no_rows_keep_their_colour(layers, ndim):
    layers.paint_picks(painter_of(ndim, (0, 0, 1, 1), n=2))
    assert hex_of(layers.layer("picks").border_color)[2:] == [PICK_COLOUR] * 2


def test_a_filter_hides_other_rows_and_what_is_no_row(layers, ndim):
    shown = np.array([True, True, False, True, True])
    layers.paint_picks(painter_of(ndim, (0, 0, 0, 0, 0), shown, n=3))
    assert layers.layer("picks").border_color[:, 3].tolist() == [0, 1, 1, 0]
    layers.paint_picks(None)
    assert layers.layer("picks").border_color[:, 3].tolist() == [1] * 4


def test_paint_follows_the_threshold_and_new_picks(layers, ndim):
    layers.paint_picks(painter_of(ndim))
    layer = layers.layer("picks")
    layers.set_threshold(2.5)
    assert layer.border_color.tolist() == [RED, GREEN]
    layers.set_threshold(0)
    assert layer.border_color.tolist() == [RED, GREEN, BLUE, RED]
    layers.show_picks(Picks("a", line(4, ndim)[::-1] + 0.1, np.array([4.0, 3, 2, 1])))
    assert layer.border_color.tolist() == [RED, BLUE, GREEN, RED]
    layers.show_picks(None)
    assert len(layer.data) == 0


def test_rejected_picks_stay_crosses(layers, ndim):
    layers.paint_picks(painter_of(ndim))
    rejected = np.array([False, True, False, False])
    layers.show_picks(Picks("a", line(4, ndim), np.array([4.0, 3, 2, 1])), rejected)
    layer = layers.layer("picks")
    assert [str(symbol) for symbol in layer.symbol] == ["disc", "x", "disc", "disc"]
    assert hex_of(layer.border_color)[1] == NEGATIVE_COLOUR
    assert layer.border_color[[0, 2]].tolist() == [RED, BLUE]


def test_paint_follows_the_image(layers, ndim):
    layers.paint_picks(painter_of(ndim))
    pixels = np.zeros((80,) * ndim, np.float32)
    layers.show_image(prepare_display(ArrayImage(pixels, "b", PIXEL)))
    layers.show_picks(Picks("b", line(4, ndim), np.array([4.0, 3, 2, 1])))
    assert set(hex_of(layers.layer("picks").border_color)) == {PICK_COLOUR}
    layers.show_image(prepare_display(ArrayImage(pixels, "a", PIXEL)))
    layers.show_picks(Picks("a", line(4, ndim), np.array([4.0, 3, 2, 1])))
    assert layers.layer("picks").border_color.tolist() == [RED, GREEN, BLUE, RED]


def test_columns_come_to_the_features_and_go(layers, ndim):
    painter = painter_of(ndim, n=3, codes=np.zeros(5, int))
    layout, groups = np.arange(10, dtype=float).reshape(5, 2), np.array([0, 0, -1, 1, 2])
    painter.columns = plotter_columns(layout, groups)
    layers.paint_picks(painter)
    features = layers.layer("picks").features
    assert list(features) == ["score", "UMAP0", "UMAP1", GROUP_COLUMN, "id"]
    np.testing.assert_array_equal(features["UMAP0"], [4, 6, 8, np.nan])
    assert str(features[GROUP_COLUMN].dtype) == "category"
    assert features[GROUP_COLUMN].tolist() == [0, 2, 3, 0]
    assert features["id"].tolist() == ["a@2", "a@3", "a@4", ""]
    painter.columns = {}
    layers.paint_picks(painter)
    assert list(layers.layer("picks").features) == ["score"]


def test_what_has_not_changed_is_not_drawn_again(layers, ndim):
    painter = painter_of(ndim, n=3, codes=np.zeros(5, int))
    painter.columns = {"UMAP0": np.arange(5.0), GROUP_COLUMN: np.arange(5)}
    layers.paint_picks(painter)
    seen = []
    layer = layers.layer("picks")
    for name in ("features", "border_color", "data"):
        getattr(layer.events, name).connect(lambda event: seen.append(event.type))
    layers.paint_picks(painter)
    assert seen == []


def test_a_deleted_layer_comes_back_painted(layers, ndim):
    layers.paint_picks(painter_of(ndim))
    layers._viewer.layers.remove(layers.layer("picks"))
    layers.restore()
    assert layers.layer("picks").border_color.tolist() == [RED, GREEN, BLUE, RED]


# The mouse


def event(world, pos=(0, 0), button=LEFT, modifiers=(), kind="mouse_press"):
    return SimpleNamespace(
        type=kind, position=tuple(world), button=button, pos=np.array(pos), modifiers=modifiers
    )


@pytest.fixture
def mouse():
    viewer = ViewerModel()
    made = LinkMouse(viewer, lambda world: 3 if world[-1] < 10 else -1)
    made.seen = []
    made.hovered.connect(made.seen.append)
    made.clicked.connect(lambda row, mode: made.seen.append((row, mode)))
    return made


def press(mouse, start, moved_px=0, **how):
    now = event(start, **how)
    generator = mouse._on_press(None, now)
    if next(generator, "done") != "done":
        now.type, now.pos = "mouse_move", np.array([moved_px, 0])
        next(generator)
        now.type = "mouse_release"
        next(generator, None)


def test_only_another_row_is_news(mouse):
    for x in (50, 5, 6, 50, 60, 5):
        mouse._on_move(None, event([0, x]))
    assert mouse.seen == [3, -1, 3]


def test_a_click_is_one_on_a_row_without_a_drag(mouse):
    press(mouse, [0, 5])
    press(mouse, [0, 5], moved_px=20)
    press(mouse, [0, 50])
    press(mouse, [0, 5], button=2)
    press(mouse, [0, 5], modifiers=("Shift",))
    press(mouse, [0, 5], modifiers=("Alt",))
    press(mouse, [0, 5], modifiers=("Control",))
    assert mouse.seen == [(3, "replace"), (3, "add"), (3, "subtract"), (3, "replace")]


def test_the_mouse_is_given_back(mouse):
    viewer = mouse._viewer
    moves, drags = len(viewer.mouse_move_callbacks), len(viewer.mouse_drag_callbacks)
    mouse.close()
    mouse.close()
    assert len(viewer.mouse_move_callbacks) == moves - 1
    assert len(viewer.mouse_drag_callbacks) == drags - 1


# Points layers of the user's


class Said(list):
    """What the signals of a link have said."""

    def __init__(self, link):
        for name in ("hovered", "clicked", "changed", "lost"):
            getattr(link, name).connect(lambda *args, name=name: self.append((name, *args)))


@pytest.fixture
def viewer():
    return ViewerModel()


def pair(viewer, ndim=2, n=4, **attributes):
    """An image of 2 Å a pixel that begins at (6, 6), and points over it in nanometres."""
    common = {"units": ("angstrom",) * ndim}
    pixels = np.random.default_rng(0).normal(size=(80,) * ndim).astype(np.float32)
    image = viewer.add_image(
        pixels, name="a", scale=(PIXEL,) * ndim, translate=(6.0,) * ndim, **common
    )
    # The same places as `line` in the image.
    points = viewer.add_points(
        (line(n, ndim) * PIXEL + 6) / 10,
        name="points",
        scale=(10.0,) * ndim,
        size=1.6,
        **common,
        **attributes,
    )
    return points, image


@pytest.fixture
def link(viewer, ndim):
    made = LayerLink(viewer, *pair(viewer, ndim))
    made.set_rows(rows_of(line(4, ndim)))
    yield made
    made.close()


def test_both_links_keep_the_promise(link):
    assert isinstance(link, MapLink)
    assert (link.title, link.images, link.shown) == ("points", ["a"], "a")
    assert not link.can_label


def test_pairs_are_points_over_an_image(viewer):
    assert layer_pairs(viewer) == []
    lonely = viewer.add_points(line(2))
    image = viewer.add_image(np.zeros((9, 9), np.float32))
    upper = viewer.add_image(np.zeros((9, 9), np.float32))
    points = viewer.add_points(line(2))
    viewer.add_points(line(2, 3))
    viewer.add_points(line(2, 4))
    assert layer_pairs(viewer) == [(points, upper)]
    viewer.layers.move(0, len(viewer.layers))
    assert layer_pairs(viewer) == [(points, upper), (lonely, upper)]
    assert image not in layer_pairs(viewer)[0]


def test_layers_of_the_picker_are_no_pairs(layers):
    assert layer_pairs(layers._viewer) == []


def test_a_stack_of_images_is_no_tomogram(viewer, tmp_path):
    viewer.add_image(
        np.zeros((3, 9, 9), np.float32), metadata={"napari_cryoml": {"images": ["a", "b", "c"]}}
    )
    viewer.add_points(line(2, 3))
    assert layer_pairs(viewer) == []


def test_points_are_painted_and_given_back(link, viewer):
    layer = viewer.layers["points"]
    borders, faces = layer.border_color.copy(), layer.face_color.copy()
    link.paint(RowPaint(np.array([0, 0, 0, 1, 2, 0]), PALETTE, np.arange(6) != 5))
    assert layer.border_color.tolist() == layer.face_color.tolist() == [RED, GREEN, BLUE, NOTHING]
    assert not layer.selected_data
    link.paint(None)
    assert np.array_equal(layer.border_color, borders)
    assert np.array_equal(layer.face_color, faces)


def test_what_the_user_hides_stays_hidden(viewer):
    shown = [True, False, True, True]
    points, image = pair(viewer, shown=np.array(shown))
    link = LayerLink(viewer, points, image)
    link.set_rows(rows_of(line(4)))
    link.paint(RowPaint(np.zeros(6, int), PALETTE, np.arange(6) < 5))
    assert points.shown.tolist() == shown
    assert points.face_color[:, 3].tolist() == [1, 1, 1, 0]
    link.close()
    assert points.shown.tolist() == shown
    link.close()


def test_a_linked_layer_is_not_deleted_by_mistake(viewer):
    points, image = pair(viewer)
    before = points.locked
    link = LayerLink(viewer, points, image)
    assert points.locked == LayerLock.DELETION != before
    link.close()
    assert points.locked == before


def test_rings_stay_rings(viewer):
    points, image = pair(viewer, face_color="transparent")
    link = LayerLink(viewer, points, image)
    link.set_rows(rows_of(line(4)))
    link.paint(RowPaint(np.zeros(6, int), PALETTE))
    assert points.border_color.tolist() == [RED] * 4
    assert (points.face_color[:, 3] == 0).all()
    link.close()


def test_points_that_come_and_go_keep_the_others_in_step(link, viewer, ndim):
    layer, said = viewer.layers["points"], Said(link)
    usual = layer.border_color[0].tolist()
    link.paint(RowPaint(np.array([0, 0, 0, 1, 2, 0]), PALETTE, np.arange(6) != 3))
    layer.add(np.full(ndim, 1.0))
    assert said == [("changed",)]
    assert layer.border_color[:4].tolist() == [RED, NOTHING, BLUE, RED]
    # What has come is no row.
    assert layer.border_color[4, 3] == 0
    layer.selected_data = {0}
    layer.remove_selected()
    assert layer.border_color[:, 3].tolist() == [0, 1, 1, 0]
    layer.data = layer.data[1:]
    assert layer.border_color[:2].tolist() == [BLUE, RED]
    link.close()
    assert layer.border_color.tolist() == [usual] * len(layer.data)
    assert len(layer.data) == 3


def test_an_emptied_layer_is_no_matter(link, viewer, ndim):
    layer = viewer.layers["points"]
    link.paint(RowPaint(np.zeros(6, int), PALETTE))
    layer.data = np.empty((0, ndim))
    link.paint(RowPaint(np.ones(6, int), PALETTE))
    layer.add((line(1, ndim) * PIXEL + 6) / 10)
    assert layer.border_color.tolist() == [GREEN]


def test_columns_and_classes_are_written(link, viewer):
    layer = viewer.layers["points"]
    columns = plotter_columns(np.arange(12.0).reshape(6, 2), np.arange(6))
    link.write_columns({**columns, "class": np.array(["", "", "x", "", "y", "y"])})
    assert list(layer.features) == ["UMAP0", "UMAP1", GROUP_COLUMN, "class", "id"]
    assert layer.features["class"].tolist() == ["x", "", "y", "y"]
    assert layer.features[GROUP_COLUMN].tolist() == [3, 4, 5, 6]
    assert str(layer.features[GROUP_COLUMN].dtype) == "category"
    link.write_columns(None)
    assert list(layer.features) == []


def test_columns_of_the_user_s_own_are_left_alone(viewer):
    points, image = pair(viewer, features={"id": [7, 8, 9, 10], "UMAP0": [1.0, 2, 3, 4]})
    link = LayerLink(viewer, points, image)
    link.set_rows(rows_of(line(4)))
    link.write_columns(plotter_columns(np.zeros((6, 2))))
    assert points.features["id"].tolist() == [7, 8, 9, 10]
    assert points.features["UMAP0"].tolist() == [1, 2, 3, 4]
    link.set_rows(None)
    assert list(points.features) == ["id", "UMAP0"]
    link.close()


def test_points_with_the_id_of_a_row_are_that_row_wherever_they_are(viewer):
    points, image = pair(viewer, features={"id": ["a@5", "nobody", "a@2", "a@2"]})
    link = LayerLink(viewer, points, image)
    link.set_rows(rows_of(line(4)))
    link.paint(RowPaint(np.array([0, 0, 0, 1, 1, 2]), PALETTE))
    assert points.border_color.tolist() == [BLUE, GREEN, RED, RED]
    link.close()


def test_what_does_not_fit_the_rows_is_a_sentence(link):
    with pytest.raises(InputError, match="6 rows need 6 colours, not 5"):
        link.paint(RowPaint(np.zeros(5, int), PALETTE))
    with pytest.raises(InputError, match="6 rows need 6 marks"):
        link.paint(RowPaint(np.zeros(6, int), PALETTE, np.ones(7, bool)))
    with pytest.raises(InputError, match="6 rows need 6 values of 'x'"):
        link.write_columns({"x": np.zeros(3)})
    link.set_rows(None)
    with pytest.raises(InputError, match="no map yet"):
        link.paint(RowPaint(np.zeros(6, int), PALETTE))


def test_a_layer_takes_no_labels(link):
    with pytest.raises(InputError, match="open these images there"):
        link.label([2], NEGATIVE)
    assert link.labels().tolist() == [UNLABELLED] * 6


def test_the_mouse_finds_rows_in_the_world(link, viewer, ndim):
    said = Said(link)
    at = line(4, ndim)[1] * PIXEL + 6
    (move,) = [one for one in viewer.mouse_move_callbacks if one.__self__ is link._mouse]
    move(viewer, event(at + 1))
    move(viewer, event(at + 5 * PIXEL))
    assert said == [("hovered", 3), ("hovered", -1)]


def test_a_place_is_brought_to_the_middle(link, viewer, ndim):
    link.look_at("a", line(4, ndim)[2])
    centre = viewer.scene.camera.center
    assert centre[-2:] == pytest.approx((66.0, 66.0))
    if ndim == 3:
        assert viewer.dims.point[0] == pytest.approx(66.0, abs=PIXEL)
    link.look_at("other", line(4, ndim)[0])
    assert viewer.scene.camera.center == centre


@pytest.mark.parametrize("which", ["points", "a"])
def test_deleting_a_layer_is_said_and_the_link_lives_on(link, viewer, which):
    said, layer = Said(link), viewer.layers[which]
    at = viewer.layers.index(layer)
    viewer.layers.remove(layer)
    assert said[0] == ("lost", f"The layer {which!r} was deleted: the map goes on without it.")
    assert (link.images, link.shown) == ([], None)
    link.paint(RowPaint(np.zeros(6, int), PALETTE))
    link.look_at("a", [1.0] * link.ndim)
    viewer.layers.insert(at, layer)
    assert link.shown == "a"
    assert viewer.layers["points"].border_color.tolist() == [RED] * 4
    link.close()


def test_a_closed_link_touches_nothing(link, viewer, ndim):
    layer = viewer.layers["points"]
    link.close()
    before = layer.border_color.copy()
    link.paint(RowPaint(np.zeros(6, int), PALETTE))
    layer.add(np.full(ndim, 1.0))
    assert np.array_equal(layer.border_color[:4], before)


# What can be embedded


def test_points_become_picks_in_pixels_of_the_image(viewer, ndim):
    features = {"score": [1.0, 2, 3, 4], "label": ["x", "", "", ""], "id": [1, 2, 3, 4]}
    points, image = pair(viewer, ndim, features=features)
    found = layer_source(points, image)
    (source,), (picks,) = found.sources, found.table
    np.testing.assert_allclose(picks.positions, line(4, ndim), atol=1e-9)
    assert picks.scores.tolist() == [1, 2, 3, 4]
    assert picks.columns["label"].tolist() == ["x", "", "", ""]
    assert list(picks.columns) == ["label"]
    assert (source.name, picks.image, source.pixel_size) == ("a", "a", PIXEL)
    assert np.array_equal(source.read(), image.data)
    assert found.diameters == {"a": pytest.approx(8.0)}


def test_units_that_are_no_lengths_give_no_pixel_size(viewer):
    image = viewer.add_image(np.zeros((50, 50), np.float32))
    points = viewer.add_points(line(2))
    assert layer_source(points, image).sources[0].pixel_size is None


def test_points_of_other_images_are_left_out(viewer):
    points, image = pair(viewer, features={"image": ["a", "b", "a", "b"]})
    assert layer_source(points, image).table["a"].positions.tolist() == line(4)[::2].tolist()
    image.name = "c"
    assert len(layer_source(points, image).table["c"]) == 4


def test_an_image_of_a_file_is_found_again_by_its_name(viewer, tmp_path):
    pixels = np.random.default_rng(0).normal(size=(40, 50)).astype(np.float32)
    io.write_mrc(tmp_path / "m.mrc", pixels, 3.0)
    ((data, attributes, _),) = image_layers(io.open_images([tmp_path / "m.mrc"]))
    image = viewer.add_image(data, **attributes)
    points = viewer.add_points(line(2), scale=(3, 3), units=("angstrom",) * 2)
    found = layer_source(points, image)
    assert found.sources[0].path == tmp_path / "m.mrc"
    assert found.table.images == ["m.mrc"]
    (tmp_path / "m.mrc").unlink()
    assert found.table.images == layer_source(points, image).table.images
    assert isinstance(layer_source(points, image).sources[0], ArrayImage)


def test_pyramids_give_their_largest_image(viewer):
    pyramid = [np.ones((64, 64), np.float32), np.ones((32, 32), np.float32)]
    image = viewer.add_image(pyramid, multiscale=True)
    found = layer_source(viewer.add_points(line(2)), image)
    assert found.sources[0].shape == (64, 64)


def test_colours_and_no_points_are_sentences(viewer):
    rgb = viewer.add_image(np.zeros((9, 9, 3), np.uint8), rgb=True)
    points = viewer.add_points(line(2))
    with pytest.raises(InputError, match="has colours"):
        layer_source(points, rgb)
    image = viewer.add_image(np.zeros((9, 9), np.float32))
    with pytest.raises(InputError, match="No point of"):
        layer_source(viewer.add_points(ndim=2, name="none"), image)


@pytest.mark.viewer
def test_a_real_window_shows_the_paint_and_lives_when_the_layer_goes(make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    points, image = pair(viewer)
    link = LayerLink(viewer, points, image)
    link.set_rows(rows_of(line(4)))
    for shown, is_seen in ((None, True), (np.zeros(6, bool), False), (np.ones(6, bool), True)):
        link.paint(RowPaint(np.zeros(6, int), PALETTE, shown))
        red, green, blue, _ = np.moveaxis(viewer.screenshot(canvas_only=True, flash=False), -1, 0)
        assert ((red > 200) & (green < 60) & (blue < 60)).any() == is_seen
    viewer.layers.remove(points)
    link.paint(RowPaint(np.ones(6, int), PALETTE))
    viewer.scene.camera.center = (0, 5, 5)
    viewer.screenshot(canvas_only=True, flash=False)
    assert link.shown is None
    link.close()
