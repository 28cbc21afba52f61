"""Rows of a map among the picks of the Picker."""

from types import SimpleNamespace

import numpy as np
import pytest
from tests._widgets.conftest import PIXEL_SIZE

from napari_cryoml._errors import InputError
from napari_cryoml._napari._map_link import MapLink
from napari_cryoml._napari._map_link_rows import RowPaint, RowPlaces
from napari_cryoml._napari._picker_dots import PICK_COLOUR
from napari_cryoml._widgets.link import PickerLink
from napari_cryoml._widgets.picker import PickerWidget, open_picker, pickers
from napari_cryoml.data import NEGATIVE, POSITIVE, UNLABELLED, Annotations, Picks

RED, GREEN = [1.0, 0, 0, 1], [0, 1.0, 0, 1]
PALETTE = np.array([RED, GREEN], np.float32)
PLACES = np.array([[20.0, 20], [40, 40], [60, 60], [80, 80]])


def rows(n_images=3):
    """Four rows in each image, a.mrc first."""
    names = [f"{letter}.mrc" for letter in "abc"[:n_images] for _ in PLACES]
    ids = [f"{name}@{row}" for row, name in enumerate(names)]
    return RowPlaces(names, np.tile(PLACES, (n_images, 1)), ids)


@pytest.fixture
def picked(opened):
    """Return the Picker with four picks an image, live picking off."""
    session = opened.session
    session.set_diameter_in("a.mrc", 16)
    for name in "abc":
        scores = np.array([4.0, 3, 2, 1], np.float32)
        session.project.set_picks(f"{name}.mrc", Picks(f"{name}.mrc", PLACES, scores))
        session.count_again(f"{name}.mrc")
    opened.desk.show_diameter()
    opened.desk.show_picks(0.0)
    return opened


@pytest.fixture
def link(viewer, picked):
    made = PickerLink(viewer, picked)
    made.set_rows(rows())
    yield made
    made.close()


@pytest.fixture
def said(link):
    heard = []
    for name in ("hovered", "clicked", "changed", "edited", "lost", "closed"):
        getattr(link, name).connect(lambda *args, name=name: heard.append((name, *args)))
    return heard


def painted(controller):
    return controller.layers.layer("picks").border_color.tolist()


def test_the_link_keeps_the_promise(link):
    assert isinstance(link, MapLink)
    assert (link.title, link.can_label, link.ndim) == ("Picker", True, 2)
    assert (link.images, link.shown) == (["a.mrc", "b.mrc", "c.mrc"], "a.mrc")


def test_a_picker_without_images_is_linked_to(viewer, controller):
    link = PickerLink(viewer, controller)
    assert (link.images, link.shown, link.ndim, link.project) == ([], None, 2, None)
    with pytest.raises(InputError, match="open some first"):
        link.picks_source()
    link.set_rows(rows())
    link.paint(RowPaint(np.zeros(12, int), PALETTE))
    assert link.labels().tolist() == [UNLABELLED] * 12
    with pytest.raises(InputError, match="open some first"):
        link.label([0], NEGATIVE)
    link.close()


def test_paint_goes_with_the_image(link, picked, idle):
    codes = np.repeat([0, 1], [4, 8])
    codes[5] = 0
    link.paint(RowPaint(codes, PALETTE))
    assert painted(picked) == [RED] * 4
    picked.choose("b.mrc")
    idle()
    assert painted(picked) == [GREEN, RED, GREEN, GREEN]
    link.paint(None)
    colours = np.array(painted(picked))[0, :3] * 255
    assert "#" + "".join(f"{round(value):02X}" for value in colours) == PICK_COLOUR


def test_paint_stays_in_the_picker_s_own_changes(link, picked):
    link.paint(RowPaint(np.zeros(12, int), PALETTE, np.arange(12) % 4 < 3))
    picked.results.move_threshold(1.5)
    layer = picked.layers.layer("picks")
    assert layer.border_color.tolist() == [RED] * 3
    picked.layers.click_at(PLACES[0] * PIXEL_SIZE, NEGATIVE)
    assert [str(one) for one in layer.symbol] == ["x", "disc", "disc"]
    assert layer.border_color[1:].tolist() == [RED, RED]
    picked.results.move_threshold(0.0)
    assert layer.border_color[:, 3].tolist() == [1, 1, 1, 0]


def test_columns_are_kept_in_step(link, picked, idle):
    link.write_columns({"UMAP0": np.arange(12.0), "MANUAL_CLUSTER_ID": np.arange(12)})
    picked.choose("b.mrc")
    idle()
    features = picked.layers.layer("picks").features
    assert features["UMAP0"].tolist() == [4, 5, 6, 7]
    assert features["MANUAL_CLUSTER_ID"].tolist() == [4, 5, 6, 7]
    assert features["id"].tolist() == [f"b.mrc@{row}" for row in range(4, 8)]
    link.write_columns(None)
    assert list(features) != list(picked.layers.layer("picks").features) == ["score"]


def test_looking_at_a_row_shows_its_image_first(link, picked, viewer, idle, said):
    link.look_at("a.mrc", PLACES[1])
    assert viewer.scene.camera.center[-2:] == pytest.approx(PLACES[1] * PIXEL_SIZE)
    link.look_at("c.mrc", PLACES[3])
    assert viewer.scene.camera.center[-2:] == pytest.approx(PLACES[1] * PIXEL_SIZE)
    idle()
    assert link.shown == "c.mrc"
    assert viewer.scene.camera.center[-2:] == pytest.approx(PLACES[3] * PIXEL_SIZE)
    assert ("changed",) in said


def test_who_goes_elsewhere_meanwhile_is_left_there(link, picked, viewer, idle):
    link.look_at("c.mrc", PLACES[3])
    picked.choose("b.mrc")
    idle()
    centre = viewer.scene.camera.center
    picked.choose("c.mrc")
    idle()
    assert viewer.scene.camera.center == centre


def test_an_image_that_is_gone_is_said_in_the_picker(link, picked, view):
    del picked.session.sources["c.mrc"]
    assert link.images == ["a.mrc", "b.mrc"]
    link.look_at("c.mrc", PLACES[0])
    assert view.show_message.call_args.kwargs.get("error")


def move(viewer, link, position):
    event = SimpleNamespace(position=tuple(np.asarray(position) * PIXEL_SIZE))
    link._mouse._on_move(viewer, event)


def test_the_mouse_near_a_row_is_heard_of(link, viewer, picked, said, idle):
    move(viewer, link, PLACES[2] + 5)
    move(viewer, link, PLACES[2] + 7)
    picked.choose("b.mrc")
    idle()
    move(viewer, link, PLACES[2])
    assert [one for one in said if one[0] == "hovered"] == [
        ("hovered", 2),
        ("hovered", -1),
        ("hovered", 6),
    ]


# Labels


def test_a_lasso_over_junk_is_one_edit_of_several_images(link, picked, view):
    edit = link.label([0, 1, 6, 11], NEGATIVE)
    assert edit.images == ("a.mrc", "b.mrc", "c.mrc")
    assert picked.session.label_counts() == {
        "a.mrc": (0, 2),
        "b.mrc": (0, 1),
        "c.mrc": (0, 1),
    }
    # The Picker shows it: labels, rejected picks, counts.
    assert picked.layers.labels.annotations.negatives.tolist() == PLACES[:2].tolist()
    assert [str(one) for one in picked.layers.layer("picks").symbol] == ["x", "x", "disc", "disc"]
    shown = {row.name: (row.negatives, row.picks) for row in view.show_images.call_args.args[0]}
    assert shown == {"a.mrc": (2, 2), "b.mrc": (1, 3), "c.mrc": (1, 3)}
    assert link.labels().tolist() == [
        *(NEGATIVE, NEGATIVE, UNLABELLED, UNLABELLED),
        *(UNLABELLED, UNLABELLED, NEGATIVE, UNLABELLED),
        *(UNLABELLED, UNLABELLED, UNLABELLED, NEGATIVE),
    ]


def test_one_undo_in_the_dock_takes_a_stroke_back(link, picked, view, said):
    link.label([0, 1, 6, 11], NEGATIVE)
    assert not [one for one in said if one[0] == "edited"]
    picked.undo()
    ((_, edit),) = [one for one in said if one[0] == "edited"]
    assert (edit.action, edit.images) == ("undone", ("a.mrc", "b.mrc", "c.mrc"))
    assert sum(map(sum, picked.session.label_counts().values())) == 0
    assert len(picked.layers.labels.ids) == 0
    assert {row.picks for row in view.show_images.call_args.args[0]} == {4}
    assert "3 images" in view.show_message.call_args.args[0]
    picked.redo()
    assert len(picked.layers.labels.ids) == 2


def test_undo_of_a_stroke_elsewhere_goes_there(link, picked, idle):
    link.label([4, 8], NEGATIVE)
    assert link.shown == "a.mrc"
    assert link.undo().images == ("b.mrc", "c.mrc")
    idle()
    assert link.shown == "b.mrc"
    picked.choose("c.mrc")
    idle()
    link.redo()
    idle()
    assert link.shown == "c.mrc"


def test_a_label_of_the_other_kind_is_turned_over(link, picked):
    position = PLACES[:1] + 3.0
    picked.session.project.annotate("a.mrc", add=Annotations.of_positives(position))
    edit = link.label([0], NEGATIVE)
    assert edit.added.positions.tolist() == position.tolist()
    assert len(edit.removed) == 1
    # A positive reaches less far, as a click does.
    edit = link.label([0], POSITIVE)
    assert (edit.added.positions.tolist(), len(edit.removed)) == (PLACES[:1].tolist(), 0)


def test_what_has_the_label_already_is_no_edit(link, picked):
    link.label([0, 1], NEGATIVE)
    last = picked.session.project.last_edit
    assert link.label([0, 1], NEGATIVE) is None
    assert link.label([], NEGATIVE) is None
    assert picked.session.project.last_edit == last
    assert len(link.label([0, 1, 2], NEGATIVE).added) == 1


def test_rows_of_other_images_cannot_be_labelled(link, picked):
    link.set_rows(RowPlaces(["elsewhere.mrc"], PLACES[:1], ["x"]))
    with pytest.raises(InputError, match=r"no image 'elsewhere\.mrc'"):
        link.label([0], NEGATIVE)


def test_classes_are_undone_in_the_dock_with_a_word(link, picked, view, said):
    picked.session.project.classify(["x", "y"], "ribosome")
    picked.undo()
    assert "classes of 2 rows" in view.show_message.call_args.args[0]
    ((_, edit),) = [one for one in said if one[0] == "edited"]
    assert edit.classified == ("x", "y")
    assert link.shown == "a.mrc"


def test_live_picking_follows_a_stroke(viewer, live, services, qtbot):
    live.session.set_diameter_in("a.mrc", 16)
    live.session.project.annotate("a.mrc", add=Annotations.of_positives(PLACES[:1]))
    live.desk.refresh()
    link = PickerLink(viewer, live)
    link.set_rows(rows())
    asked = len(services[-1].asked)
    link.label([1, 5], NEGATIVE)
    qtbot.waitUntil(lambda: len(services[-1].asked) > asked)
    request, _ = services[-1].asked[-1]
    assert len(request.labels["b.mrc"].negatives) == 1
    link.close()


# What can be embedded


def test_picks_above_the_threshold_come_with_their_labels(link, picked):
    project = picked.session.project
    project.annotate("a.mrc", add=Annotations(PLACES[:2] + 2, [POSITIVE, NEGATIVE]))
    picked.results.set_threshold(1.5)
    source = link.picks_source()
    assert source.table.images == ["a.mrc", "b.mrc", "c.mrc"]
    assert [one.name for one in source.sources] == source.table.images
    assert source.table["a.mrc"].scores.tolist() == [4, 3, 2]
    assert source.table["a.mrc"].columns["label"].tolist() == ["particle", "not a particle", ""]
    assert source.table["b.mrc"].columns["label"].tolist() == [""] * 3
    assert source.diameters == dict.fromkeys(source.table.images, 16.0)


def test_picks_come_with_what_a_file_said_of_them(link, picked):
    columns = {"class": np.array(["a", "b"])}
    picked.session.project.set_imported("b.mrc", Picks("b.mrc", PLACES[1:3] + 3, columns=columns))
    table = link.picks_source().table
    assert table["b.mrc"].columns["class"].tolist() == ["", "a", "b", ""]
    assert "class" not in table["a.mrc"].columns


def test_without_picks_there_is_nothing_to_embed(viewer, opened):
    link = PickerLink(viewer, opened)
    with pytest.raises(InputError, match="no picks yet"):
        link.picks_source()
    link.close()


def test_images_that_are_gone_are_left_out(link, picked):
    del picked.session.sources["b.mrc"]
    assert link.picks_source().table.images == ["a.mrc", "c.mrc"]


# Coming and going


def test_a_deleted_layer_is_said_and_comes_back_painted(link, picked, viewer, said, qtbot):
    link.paint(RowPaint(np.zeros(12, int), PALETTE))
    viewer.layers.remove(picked.layers.layer("picks"))
    assert [one for one in said if one[0] == "lost"] == [
        (
            "lost",
            "The layer of the picks was deleted; the Picker brings it back, and the map goes on.",
        )
    ]
    qtbot.waitUntil(lambda: picked.layers.layer("picks") is not None)
    qtbot.waitUntil(lambda: painted(picked) == [RED] * 4)


def test_another_project_is_heard_of_before_the_old_one_closes(link, picked, said, idle, tmp_path):
    numbers = []
    old = link.project
    last = old.last_edit
    link.changed.connect(lambda: numbers.append(old.last_edit if link.project is None else "new"))
    from napari_cryoml.project import Project

    Project.create(tmp_path / "other.cryoml").close()
    picked.open_paths([tmp_path / "other.cryoml"])
    idle()
    assert numbers[:2] == [last, "new"]
    assert link.project.path == tmp_path / "other.cryoml"
    assert link.images == []


def test_the_end_of_the_picker_is_heard_of_and_paint_goes(link, picked, said, viewer):
    link.paint(RowPaint(np.zeros(12, int), PALETTE))
    layer = picked.layers.layer("picks")
    picked.teardown()
    assert said[-1] == ("closed",)
    assert [one[0] for one in said].count("closed") == 1
    assert RED not in layer.border_color.tolist()
    assert not any(
        hasattr(one, "__self__") and one.__self__ is link._mouse
        for one in viewer.mouse_move_callbacks
    )
    link.paint(RowPaint(np.zeros(12, int), PALETTE))
    link.close()


def test_a_closed_link_hears_and_paints_nothing(link, picked, said):
    link.close()
    link.paint(RowPaint(np.zeros(12, int), PALETTE))
    assert RED not in painted(picked)
    picked.desk.refresh()
    picked.undo()
    assert said == []


def test_open_pickers_are_found_by_their_viewer(qtbot, viewer):
    heard = []
    pickers.opened.connect(lambda *args: heard.append(args))
    pickers.closed.connect(lambda *args: heard.append(args))
    assert open_picker(viewer) is None
    widget = PickerWidget(viewer)
    qtbot.addWidget(widget)
    controller = widget.controller
    assert open_picker(viewer) is controller
    assert open_picker(SimpleNamespace(__wrapped__=viewer)) is controller
    second = PickerWidget(viewer)
    qtbot.addWidget(second)
    assert second.controller is None
    controller.desk.closing.connect(lambda: heard.append(open_picker(viewer)))
    widget._teardown()
    widget._teardown()
    assert heard == [(viewer, controller), (controller,), None]
    pickers.opened.disconnect()
    pickers.closed.disconnect()


def red_pixels(viewer):
    red, green, blue, _ = np.moveaxis(viewer.screenshot(canvas_only=True, flash=False), -1, 0)
    return int(((red > 200) & (green < 60) & (blue < 60)).sum())


@pytest.mark.viewer
def test_a_real_window_paints_and_survives_a_deleted_layer(make_napari_viewer, folder, qtbot):
    viewer = make_napari_viewer(show=True)
    _, widget = viewer.window.add_plugin_dock_widget("napari-cryoml", "Picker")
    controller = open_picker(viewer)
    assert controller is widget.controller
    controller.open_paths([folder])
    qtbot.waitUntil(lambda: controller.desk.shown is not None, timeout=10_000)
    controller.live.toggle(False)
    controller.session.project.set_picks("a.mrc", Picks("a.mrc", PLACES, np.ones(4)))
    controller.desk.show_picks(0.0)
    link = PickerLink(viewer, controller)
    link.set_rows(rows())
    assert red_pixels(viewer) == 0
    link.paint(RowPaint(np.zeros(12, int), PALETTE))
    all_rings = red_pixels(viewer)
    link.paint(RowPaint(np.zeros(12, int), PALETTE, np.arange(12) % 4 < 1))
    assert all_rings > red_pixels(viewer) > 100
    link.paint(RowPaint(np.zeros(12, int), PALETTE, np.zeros(12, bool)))
    assert red_pixels(viewer) == 0
    viewer.layers.remove(controller.layers.layer("picks"))
    qtbot.waitUntil(lambda: controller.layers.layer("picks") is not None)
    link.look_at("b.mrc", PLACES[0])
    qtbot.waitUntil(lambda: link.shown == "b.mrc", timeout=10_000)
    viewer.screenshot(canvas_only=True, flash=False)
    link.close()
    widget.controller.teardown()
