from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_cryoml._errors import InputError
from napari_cryoml._napari._picker_camera import PickerCamera
from napari_cryoml._napari._picker_display import heat_limits, prepare_display
from napari_cryoml._napari._picker_edits import LabelSet
from napari_cryoml._napari._picker_layer_book import TAG, TITLES
from napari_cryoml._napari._picker_layers import NOT_IN_SLICES, PickerLayers
from napari_cryoml._napari._picker_mouse import LEFT, RIGHT, PickerMouse
from napari_cryoml.data import NEGATIVE, POSITIVE, Annotations, ArrayImage, Picks, ScoreMap

PIXEL = 2.0


class Store:
    """Labels as a project keeps them."""

    def __init__(self, ndim=2):
        self.ndim, self.rows, self.number, self.edits = ndim, {}, 0, 0
        self.refuse = False

    def commit(self, edit):
        if self.refuse:
            raise InputError("The disk is full.")
        self.edits += 1
        for identity in edit.remove:
            del self.rows[identity]
        for position, label in zip(edit.add.positions, edit.add.labels, strict=True):
            self.number += 1
            self.rows[self.number] = (position, label)
        return self.labels()

    def labels(self):
        positions = np.array([row[0] for row in self.rows.values()]).reshape(-1, self.ndim)
        marks = np.array([row[1] for row in self.rows.values()], np.int8)
        return LabelSet(Annotations(positions, marks), np.array(list(self.rows), np.int64))


def display(shape=(120, 100), name="a", pixel_size=PIXEL):
    pixels = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    return prepare_display(ArrayImage(pixels, name, pixel_size))


def picks(n=10, ndim=2, scores=None):
    positions = np.random.default_rng(1).uniform(0, 40, (n, ndim))
    return Picks("a", positions, np.linspace(3, -3, n) if scores is None else scores)


@pytest.fixture(params=[2, 3])
def ndim(request):
    return request.param


@pytest.fixture
def store(ndim):
    return Store(ndim)


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def layers(viewer, store, ndim):
    made = PickerLayers(viewer, store.commit)
    made.show_image(display((120, 100) if ndim == 2 else (60, 120, 100)))
    made.settle()
    made.set_diameter(20)
    made.start_labelling()
    return made


def at(ndim, value):
    return np.full(ndim, float(value))


def test_layers_are_made_once_in_their_order(viewer, layers, ndim):
    names = [layer.name for layer in viewer.layers]
    image = "Micrograph" if ndim == 2 else "Tomogram"
    assert names == [image, "Heat map", "Picks", "Labels"]
    before = list(viewer.layers)
    layers.show_image(display((100, 120) if ndim == 2 else (60, 100, 120), "b"))
    layers.show_picks(picks(ndim=ndim))
    layers.show_scores(ScoreMap(np.zeros((5,) * ndim, np.float32), at(ndim, 8), at(ndim, 0)))
    assert list(viewer.layers) == before


def test_all_layers_lie_on_each_other_in_angstrom(layers, ndim):
    image = layers.layer("image")
    score_map = ScoreMap(np.eye(6, dtype=np.float32), np.array([8.0, 8.0]), np.array([3.0, 1.0]))
    if ndim == 3:
        values = np.zeros((6, 6, 6), np.float32)
        score_map = ScoreMap(values, np.array([8.0, 8.0, 8.0]), np.array([2.0, 3.0, 1.0]))
    layers.show_scores(score_map)
    scores = layers.layer("scores")
    grid = np.array([[2.0] * ndim])
    world = scores.data_to_world(grid[0])
    assert np.allclose(world, score_map.to_image(grid)[0] * PIXEL)
    pixel = at(ndim, 7)
    assert np.allclose(layers.layer("labels").data_to_world(pixel), pixel * PIXEL)
    assert np.allclose(image.data_to_world(pixel), pixel * PIXEL)
    assert {str(unit) for unit in scores.units + image.units} == {"angstrom"}


def test_a_binned_image_keeps_its_place(viewer):
    layers = PickerLayers(viewer, Store().commit)
    layers.show_image(display((4200, 2100)))
    image = layers.layer("image")
    assert layers.image.binning == 3
    # The centre of the first shown pixel is the middle one of three.
    assert np.allclose(image.data_to_world((0, 0)), PIXEL)
    assert np.allclose(image.data_to_world((10, 10)), 31 * PIXEL)


def test_an_image_without_a_pixel_size_is_shown_in_pixels(viewer):
    layers = PickerLayers(viewer, Store().commit)
    layers.show_image(display(pixel_size=None))
    assert np.allclose(layers.to_image((5, 6)), (5, 6))
    assert {str(unit) for unit in layers.layer("image").units} == {"pixel"}


def test_clicks_drags_and_deletions_are_committed(layers, store, ndim):
    labels = layers.layer("labels")
    labels.add(at(ndim, 10))
    labels.add(at(ndim, 50))
    assert store.labels().annotations.positives.tolist() == [[10.0] * ndim, [50.0] * ndim]
    labels.selected_data = {0}
    labels.remove_selected()
    assert store.labels().annotations.positions.tolist() == [[50.0] * ndim]
    assert labels.features["id"].tolist() == list(store.rows)


@pytest.mark.parametrize("ndim", [2])  # napari 0.9 cannot paste 3-D points
def test_a_pasted_label_is_committed(layers, store, ndim):
    labels = layers.layer("labels")
    labels.add(at(labels.ndim, 10))
    labels.add(at(labels.ndim, 30))
    labels.selected_data = {0, 1}
    labels._copy_data()
    labels._clipboard["data"] = labels._clipboard["data"] + 9
    labels._paste_data()
    assert len(store.rows) == 4
    assert len(labels.data) == 4


def test_the_first_click_after_an_undo_is_numbered_afresh(layers, store, ndim):
    labels = layers.layer("labels")
    labels.add(at(ndim, 10))
    store.rows.clear()
    layers.show_labels(store.labels())
    assert len(labels.data) == 0
    labels.add(at(ndim, 20))
    assert labels.features["id"].tolist() == [2]


def test_negatives_are_filled_crosses_and_positives_rings(layers, ndim):
    layers.click_at(at(ndim, 10 * PIXEL), POSITIVE)
    layers.click_at(at(ndim, 50 * PIXEL), NEGATIVE)
    labels = layers.layer("labels")
    assert [str(symbol) for symbol in labels.symbol] == ["disc", "x"]
    assert labels.face_color[:, 3].tolist() == [0.0, 1.0]
    assert labels.size.tolist() == [20.0, 8.0]
    assert labels.features["label"].tolist() == ["particle", "not a particle"]


def test_a_refused_edit_is_taken_back_and_explained(layers, store, ndim):
    notes = []
    layers.noted.connect(notes.append)
    store.refuse = True
    layers.layer("labels").add(at(ndim, 10))
    assert len(layers.layer("labels").data) == 0
    assert notes[-1] == "The disk is full."


def test_a_click_outside_is_taken_back(layers, store, ndim):
    layers.layer("labels").add(at(ndim, -30))
    assert len(layers.layer("labels").data) == 0
    assert store.edits == 0


def test_the_threshold_hides_poor_picks(layers, ndim):
    layers.set_threshold(0.0)
    layers.show_picks(picks(10, ndim))
    layer = layers.layer("picks")
    assert layer.features["score"].tolist() == picks(10, ndim).scores[:5].tolist()
    assert np.array_equal(layer.data, picks(10, ndim).positions[:5])
    layers.set_threshold(-10)
    assert len(layer.data) == 10


def test_what_has_not_changed_is_not_drawn_again(layers, ndim):
    table, marks = picks(6, ndim), np.arange(6) == 2
    layers.layer("labels").add(at(ndim, 10))
    layers.show_picks(table, marks)
    changes = []
    for role in ("picks", "labels"):
        layer = layers.layer(role)
        layer.events.connect(lambda event: changes.append(event.type))
    layers.show_picks(picks(6, ndim), marks.copy())
    layers.show_labels(layers.labels)
    layers.set_threshold(layers._threshold)
    layers.set_diameter(layers.diameter_px)
    assert "set_data" not in changes


def test_rejected_picks_are_crosses(layers, ndim):
    layers.set_threshold(-10)
    layers.show_picks(picks(4, ndim), np.array([False, True, False, False]))
    layer = layers.layer("picks")
    assert [str(symbol) for symbol in layer.symbol] == ["disc", "x", "disc", "disc"]


def test_picks_shrink_and_grow_with_their_scores(layers, ndim):
    layers.set_threshold(-10)
    for n in (10, 3, 0, 12, 1):
        layers.show_picks(picks(n, ndim))
        layer = layers.layer("picks")
        assert len(layer.data) == len(layer.features) == n
    layers.show_picks(None)
    assert len(layers.layer("picks").data) == 0


def test_the_dot_that_warms_up_the_canvas_is_clear_and_goes(viewer):
    layers = PickerLayers(viewer, Store().commit)
    layers.show_image(display())
    layer = layers.layer("picks")
    assert layer.border_color[:, 3].tolist() == layer.face_color[:, 3].tolist() == [0.0]
    layers.show_picks(None)
    assert len(layer.data) == 1
    layers.settle()
    assert len(layer.data) == 0
    layers.show_picks(picks(4))
    layers.settle()
    assert len(layer.data) == 2


def test_picks_cannot_be_edited_by_hand(layers, ndim):
    layers.show_picks(picks(4, ndim))
    assert not layers.layer("picks").editable


def test_layers_are_found_after_they_were_renamed_and_reordered(viewer, layers):
    found = {role: layers.layer(role) for role in ("image", "scores", "picks", "labels")}
    for layer in viewer.layers:
        layer.name = "x"
    viewer.layers.move(0, 3)
    assert {role: layers.layer(role) for role in found} == found


def test_a_deleted_layer_comes_back_as_it_was(viewer, layers, store, ndim):
    lost = []
    layers.lost.connect(lost.append)
    layers.layer("labels").add(at(ndim, 10))
    layers.set_threshold(-10)
    layers.show_picks(picks(6, ndim))
    viewer.layers.clear()
    assert sorted(lost) == ["image", "labels", "picks", "scores"]
    layers.restore()
    assert [layer.name for layer in viewer.layers] == [
        "Micrograph" if ndim == 2 else "Tomogram",
        "Heat map",
        "Picks",
        "Labels",
    ]
    assert layers.layer("labels").features["id"].tolist() == list(store.rows)
    layers.layer("labels").add(at(ndim, 40))
    assert len(store.rows) == 2
    assert len(layers.layer("picks").data) == 6


def test_nothing_fails_while_layers_are_gone(viewer, layers, ndim):
    viewer.layers.clear()
    layers.set_threshold(1.0)
    layers.set_diameter(30)
    layers.toggle("scores")
    layers.set_opacity(0.3)
    layers.start_labelling()
    layers.click_at(at(ndim, 20), POSITIVE)
    assert layers.layer("labels") is not None


def test_heat_map_has_opacity_and_colours(layers, ndim):
    values = np.random.default_rng(0).normal(size=(20,) * ndim).astype(np.float32)
    layers.show_scores(ScoreMap(values, at(ndim, 8), at(ndim, 0)))
    layer = layers.layer("scores")
    assert layer.data.dtype == np.float32
    assert (layer.colormap.name, str(layer.blending)) == ("inferno", "additive")
    layers.set_opacity(0.25)
    assert layer.opacity == 0.25
    layers.show_scores(None)
    assert not layer.data.any()


@pytest.mark.parametrize("shape", [(900, 1100), (90, 100, 110)])
def test_limits_of_a_large_heat_map_are_those_of_a_sample(shape):
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    found = heat_limits(values)
    assert np.allclose(found, np.percentile(values, (50, 99.8)), atol=0.1)


@pytest.mark.parametrize("fill", [0.0, np.nan])
def test_limits_of_an_empty_heat_map_differ(fill):
    low, high = heat_limits(np.full((5, 5), fill, np.float32))
    assert low < high


def test_micrographs_and_tomograms_take_turns(viewer):
    stores = {2: Store(2), 3: Store(3)}
    current = [2]
    layers = PickerLayers(viewer, lambda edit: stores[current[0]].commit(edit))
    layers.show_image(display((120, 100)))
    layers.layer("labels").add([10, 10])
    current[0] = 3
    layers.show_image(display((20, 30, 40), "t"))
    assert layers.layer("labels").ndim == 3
    layers.layer("labels").add([1, 2, 3])
    assert len(stores[3].rows) == 1
    layers.show_image(display((120, 100), "b"))
    assert layers.layer("labels").ndim == 2
    assert [layer.visible for layer in viewer.layers].count(True) == 4


def test_closing_leaves_plain_layers(viewer, layers, store, ndim):
    layers.close()
    assert all(TAG not in layer.metadata for layer in viewer.layers)
    assert not any(layer.locked for layer in viewer.layers)
    next(layer for layer in viewer.layers if layer.name == "Labels").add(at(ndim, 5))
    assert store.edits == 0


def test_every_role_has_a_title():
    assert set(TITLES) == {"image", "scores", "picks", "labels", "diameter", "box"}


# Slices of volumes


@pytest.fixture
def volume(viewer):
    layers = PickerLayers(viewer, Store(3).commit)
    layers.show_image(display((60, 120, 100)))
    layers.settle()
    layers.set_diameter(20)
    return layers


def slice_at(viewer, layer, axis, pixel):
    """Return the rows of a Points layer that are seen in a slice, and their sizes there."""
    viewer.dims.order = (axis, *(other for other in range(3) if other != axis))
    viewer.dims.set_point(axis, pixel * PIXEL)
    return dict(zip(layer._view_indices.tolist(), layer._view_size.tolist(), strict=True))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_ball_is_seen_in_every_slice_that_cuts_it(viewer, volume, axis):
    volume.show_picks(Picks("a", np.full((1, 3), 40.0), np.ones(1)))
    layer = volume.layer("picks")
    assert slice_at(viewer, layer, axis, 40) == {0: 20}
    off = slice_at(viewer, layer, axis, 46)
    assert off[0] == pytest.approx(16)  # 6, 8, 10
    assert slice_at(viewer, layer, axis, 51) == {}


def test_slices_are_as_thick_as_a_particle_until_the_picker_goes(viewer, volume):
    assert tuple(viewer.dims.margin_left) == (10 * PIXEL,) * 3
    assert volume.layer("image").projection_mode == "none"
    volume.set_diameter(30)
    assert tuple(viewer.dims.margin_right) == (15 * PIXEL,) * 3
    volume.close()
    assert tuple(viewer.dims.margin_left) == (0,) * 3


def test_the_first_dot_does_not_widen_the_view(viewer):
    layers = PickerLayers(viewer, Store(3).commit)
    layers.show_image(display((20, 30, 40)))
    assert np.allclose(viewer.scene.camera.center[1:], [29, 39])


def test_a_label_is_not_taken_from_a_volume_as_a_whole(viewer, volume):
    notes = []
    volume.noted.connect(notes.append)
    viewer.dims.ndisplay = 3
    volume.layer("labels").add([10.0, 10, 10])
    volume.click_at([10.0, 10, 10], NEGATIVE)
    assert len(volume.labels.ids) == len(volume.layer("labels").data) == 0
    assert notes == [NOT_IN_SLICES] * 2


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_an_outline_is_cut_by_the_slice_on_show(viewer, volume, axis):
    plane = [other for other in range(3) if other != axis]
    viewer.dims.order = (axis, *plane)
    volume.show_circle(np.full(3, 50.0), 10)
    viewer.dims.set_point(axis, 56 * PIXEL)
    layer = volume.layer("diameter")
    corners = layer.data[0]
    assert corners[:, axis].tolist() == [56] * 4
    assert corners[:, plane].min(axis=0).tolist() == [42, 42]
    assert corners[:, plane].max(axis=0).tolist() == [58, 58]
    viewer.dims.set_point(axis, 39 * PIXEL)
    assert not layer.visible
    viewer.dims.set_point(axis, 50 * PIXEL)
    assert layer.visible
    volume.show_circle(None, 0)
    viewer.dims.set_point(axis, 49 * PIXEL)
    assert not layer.visible


def test_a_box_has_one_size_in_all_its_slices(viewer, volume):
    volume.show_box(np.array([10.0, 20, 30]), np.array([20.0, 60, 90]))
    assert volume.layer("box") is None
    for z in (10, 13, 20):
        viewer.dims.set_point(0, z * PIXEL)
        layer = volume.layer("box")
        assert layer.visible
        assert layer.data[0].min(axis=0).tolist() == [z, 20, 30]
        assert layer.data[0].max(axis=0).tolist() == [z, 60, 90]


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_the_camera_goes_to_a_place_in_the_slices_on_show(viewer, volume, order):
    viewer.dims.order = order
    camera = PickerCamera(viewer, volume)
    before = viewer.dims.point
    camera.remember()
    camera.look_at([30.0, 50, 70])
    world = np.array([30.0, 50, 70]) * PIXEL
    assert viewer.dims.point[order[0]] == world[order[0]]
    assert np.allclose(viewer.scene.camera.center[1:], world[list(order[1:])])
    camera.give_back()
    assert viewer.dims.point == before


# The mouse


def event(kind, world, button, pos):
    return SimpleNamespace(
        type=kind, position=tuple(world), button=button, pos=np.array(pos), handled=False
    )


def drag(mouse, button, start, end, moves=3):
    now = event("mouse_press", start, button, (0, 0))
    generator = mouse._on_press(None, now)
    running = next(generator, "done") != "done"
    for step in range(1, moves + 1):
        share = step / moves
        now.type = "mouse_move"
        now.position = tuple(np.array(start) + share * (np.array(end) - np.array(start)))
        now.pos = np.array([100 * share, 0]) if moves > 0 else now.pos
        running = running and next(generator, "done") != "done"
    now.type = "mouse_release"
    if running:
        next(generator, "done")
    return now


def test_a_right_click_is_a_negative_and_a_right_drag_is_not(viewer, layers, store, ndim):
    mouse = PickerMouse(viewer, layers)
    viewer.layers.selection.active = layers.layer("image")
    drag(mouse, RIGHT, at(ndim, 20), at(ndim, 20), moves=0)
    assert store.labels().annotations.negatives.tolist() == [[10.0] * ndim]
    drag(mouse, RIGHT, at(ndim, 60), at(ndim, 90))
    assert len(store.rows) == 1


def test_a_right_click_while_adding_makes_napari_s_own_point_a_negative(
    viewer, layers, store, ndim
):
    mouse = PickerMouse(viewer, layers)
    drag(mouse, RIGHT, at(ndim, 20), at(ndim, 20), moves=0)
    assert len(store.rows) == 0
    layers.layer("labels").add(at(ndim, 10))
    assert store.labels().annotations.labels.tolist() == [NEGATIVE]
    layers.layer("labels").add(at(ndim, 50))
    assert store.labels().annotations.labels.tolist() == [NEGATIVE, POSITIVE]


def test_a_drag_draws_the_diameter(viewer, layers, store, ndim):
    mouse = PickerMouse(viewer, layers)
    drawn = []
    mouse.diameter_drawn.connect(drawn.append)
    mouse.start_drawing()
    assert not layers.is_adding
    centre = at(ndim, 100)
    edge = centre.copy()
    edge[-1] += 30 * PIXEL
    now = drag(mouse, LEFT, centre, edge)
    assert now.handled
    assert drawn == [pytest.approx(60.0)]
    assert not mouse.drawing
    assert not layers.layer("diameter").visible
    assert layers.is_adding
    assert store.edits == 0


def test_a_drag_draws_a_box_from_any_corner(viewer, layers, store, ndim):
    mouse = PickerMouse(viewer, layers)
    drawn = []
    mouse.box_drawn.connect(lambda low, high: drawn.append((low.tolist(), high.tolist())))
    mouse.start_drawing(box=True)
    start, end = at(ndim, 100), at(ndim, 100)
    viewer.dims.set_point(0, 100)
    end[-1] -= 60 * PIXEL
    end[-2] += 20 * PIXEL
    drag(mouse, LEFT, start, end)
    corner, opposite = layers.to_image(start), layers.to_image(end)
    assert drawn == [(np.minimum(corner, opposite).tolist(), np.maximum(corner, opposite).tolist())]
    assert not mouse.drawing
    assert layers.is_adding
    assert store.edits == 0
    shown = layers.layer("box")
    assert shown.visible
    assert shown.data[0][:, -2:].min(axis=0).tolist() == drawn[0][0][-2:]
    layers.show_box(None, None)
    assert not shown.visible


def test_a_click_without_a_drag_draws_nothing(viewer, layers, ndim):
    mouse = PickerMouse(viewer, layers)
    drawn = []
    mouse.diameter_drawn.connect(drawn.append)
    mouse.start_drawing()
    drag(mouse, LEFT, at(ndim, 100), at(ndim, 100), moves=0)
    assert drawn == []


def test_the_mouse_is_given_back(viewer, layers):
    before = list(viewer.mouse_drag_callbacks)
    mouse = PickerMouse(viewer, layers)
    mouse.close()
    mouse.close()
    assert list(viewer.mouse_drag_callbacks) == before
