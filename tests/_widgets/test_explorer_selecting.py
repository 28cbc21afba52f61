"""Lassos, labels, classes, and one undo for all of them."""

import numpy as np
import pytest
from tests._widgets.explorer_rows import N, embedding, mask, note, show

from napari_cryoml._errors import InputError
from napari_cryoml._napari._map_link import LinkState
from napari_cryoml.data import NEGATIVE, POSITIVE, UNLABELLED
from napari_cryoml.project import Project


class FakeLink(LinkState):
    """Images that take labels and remember what they are asked for."""

    title, ndim, shown, can_label = "Fake", 2, "a.mrc", True

    def __init__(self, project=None):
        super().__init__()
        self.images = ["a.mrc", "b.mrc", "c.mrc"]
        self.project = project
        self.marks = np.full(N, UNLABELLED, np.int8)
        self.looked, self.is_closed = [], False

    def _redraw(self):
        pass

    def picks_source(self):
        raise InputError("There are no picks.")

    def look_at(self, image, position):
        self.looked.append((image, tuple(position)))

    def labels(self):
        return self.marks.copy()

    def label(self, rows, label):
        if (self.marks[rows] == label).all():
            return None
        self.marks[rows] = label
        self.project.set_setting("mark", [label, *map(int, rows)], undoable=True)
        return object()

    def close(self):
        self.is_closed = True


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "p.cryoml") as made:
        yield made


@pytest.fixture
def mapped(qtbot, explorer, project):
    """Return the Explorer with rows, a project and images that take labels."""
    explorer.keeping.use(project)
    explorer.linking.use(FakeLink(project))
    show(explorer)
    yield explorer
    explorer.keeping.leave()


def selected(explorer):
    return explorer.desk.state.selected.tolist()


class TestSelection:
    def test_a_lasso_selects_and_says_how_many_in_how_many_images(self, mapped):
        mapped.selecting.take(mask(0, 1, 3), "replace")
        assert selected(mapped) == [0, 1, 3]
        text, n_rows = mapped.view.show_counts.call_args.args
        assert text == "3 of 12 selected in 2 images."
        assert n_rows == 3

    def test_a_lasso_of_nothing_says_so_and_leaves_the_selection(self, mapped):
        mapped.selecting.take(mask(0), "replace")
        mapped.selecting.take(mask(), "replace")
        assert note(mapped.view)[0] == "There are no points in that outline; the selection stays."
        assert selected(mapped) == [0]

    def test_shift_adds_and_alt_takes_away(self, mapped):
        mapped.selecting.take(mask(0, 1), "replace")
        mapped.selecting.take(mask(2), "add")
        mapped.selecting.take(mask(0), "subtract")
        assert selected(mapped) == [1, 2]

    def test_a_click_selects_one_row_and_one_beside_all_none(self, mapped):
        mapped.selecting.click(5, "replace")
        assert selected(mapped) == [5]
        mapped.selecting.click(-1, "add")
        assert selected(mapped) == [5]
        mapped.selecting.click(-1, "replace")
        assert selected(mapped) == []

    def test_a_category_of_the_legend_is_selected(self, mapped):
        mapped.desk.state.columns["kind"] = np.array(["x"] * 4 + ["y"] * 8)
        mapped.choose_colour("kind")
        mapped.selecting.category("x")
        assert selected(mapped) == [0, 1, 2, 3]
        mapped.selecting.category("not there")
        assert selected(mapped) == [0, 1, 2, 3]

    def test_a_group_is_selected_and_so_is_what_is_in_none(self, mapped):
        mapped.desk.state.columns["cluster"] = np.array([0] * 3 + [1] * 8 + [-1])
        mapped.selecting.group(0)
        assert selected(mapped) == [0, 1, 2]
        mapped.selecting.group(-1)
        assert selected(mapped) == [11]

    def test_without_rows_nothing_can_be_selected(self, explorer):
        explorer.selecting.take(mask(0), "replace")
        assert note(explorer.view) == (
            "There is no map yet: map the picks, or open a file of vectors.",
            True,
        )
        explorer.selecting.clear()


class TestLabels:
    def test_the_selection_becomes_negatives_in_one_edit(self, mapped, project):
        mapped.selecting.take(mask(1, 2, 3), "replace")
        before = project.last_edit
        mapped.naming.negatives()
        assert mapped.desk.link.marks.tolist().count(NEGATIVE) == 3
        assert project.last_edit == before + 1
        assert note(mapped.view)[0].startswith("3 picks in 3 images are labelled as no particles.")

    def test_labels_colour_the_map(self, mapped):
        mapped.selecting.take(mask(1), "replace")
        mapped.naming.particles()
        assert mapped.desk.state.labels[1] == POSITIVE
        assert "label" in mapped.desk.state.names

    def test_what_has_the_label_already_is_no_edit(self, mapped):
        mapped.selecting.take(mask(1), "replace")
        mapped.naming.particles()
        mapped.naming.particles()
        assert note(mapped.view)[0] == "All 1 were labelled as particles before."

    def test_nothing_selected_is_said(self, mapped):
        mapped.naming.negatives()
        sentence, is_error = note(mapped.view)
        assert is_error
        assert "Nothing is selected" in sentence

    def test_without_a_picker_labels_have_nowhere_to_go(self, explorer):
        show(explorer)
        explorer.selecting.take(mask(1), "replace")
        explorer.naming.particles()
        sentence, is_error = note(explorer.view)
        assert is_error
        assert "open it with the images" in sentence

    def test_one_crop_is_labelled_by_a_click(self, mapped):
        mapped.naming.label_row(4, POSITIVE)
        assert mapped.desk.link.marks[4] == POSITIVE


class TestClasses:
    def test_the_selection_gets_a_class_that_is_kept(self, mapped, project):
        mapped.selecting.take(mask(1, 2), "replace")
        mapped.naming.classify("ice")
        assert project.classes() == {"row 1": "ice", "row 2": "ice"}
        assert mapped.desk.state.colour == "class"
        mapped.view.show_classes.assert_called_with({"ice": 2})
        assert note(mapped.view)[0] == "2 rows are “ice” now."

    def test_a_class_is_taken_away(self, mapped, project):
        mapped.selecting.take(mask(1, 2), "replace")
        mapped.naming.classify("ice")
        mapped.naming.classify("")
        assert project.classes() == {}
        assert note(mapped.view)[0] == "2 rows have no class now."

    def test_a_digit_gives_the_class_of_that_number(self, mapped, project):
        mapped.selecting.take(mask(1), "replace")
        mapped.naming.classify("ice")
        mapped.naming.classify_by_digit(5, 1)
        assert project.classes()["row 5"] == "ice"
        mapped.naming.classify_by_digit(5, 0)
        assert "row 5" not in project.classes()
        mapped.naming.classify_by_digit(5, 7)
        assert note(mapped.view) == ("There are 1 classes: 7 is none of them.", True)

    def test_without_a_project_classes_are_given_but_not_kept(self, explorer):
        show(explorer)
        explorer.selecting.take(mask(1), "replace")
        explorer.naming.classify("ice")
        assert explorer.desk.state.classes.counts == {"ice": 1}
        assert "not kept" in note(explorer.view)[0]


class TestUndo:
    def test_undo_goes_back_through_lassos_and_labels_as_they_were_made(self, mapped, project):
        mapped.selecting.take(mask(1, 2), "replace")
        mapped.naming.classify("ice")
        mapped.selecting.take(mask(7), "replace")
        mapped.selecting.undo()
        assert selected(mapped) == [1, 2]
        assert project.classes() != {}
        mapped.selecting.undo()
        assert project.classes() == {}
        assert mapped.desk.state.classes.counts == {}
        assert selected(mapped) == [1, 2]
        mapped.selecting.undo()
        assert selected(mapped) == []
        mapped.selecting.undo()
        assert note(mapped.view)[0] == "There is nothing to undo."

    def test_redo_makes_them_again_in_their_order(self, mapped, project):
        mapped.selecting.take(mask(1, 2), "replace")
        mapped.naming.classify("ice")
        mapped.selecting.take(mask(7), "replace")
        for _ in range(3):
            mapped.selecting.undo()
        mapped.selecting.redo()
        assert selected(mapped) == [1, 2]
        mapped.selecting.redo()
        assert project.classes() == {"row 1": "ice", "row 2": "ice"}
        assert mapped.desk.state.classes.counts == {"ice": 2}
        mapped.selecting.redo()
        assert selected(mapped) == [7]
        mapped.selecting.redo()
        assert note(mapped.view)[0] == "There is nothing to redo."

    def test_an_edit_made_elsewhere_after_the_lasso_is_undone_before_it(self, mapped, project):
        mapped.selecting.take(mask(1), "replace")
        project.set_setting("diameter_px", 30.0, undoable=True)
        mapped.selecting.undo()
        assert project.setting("diameter_px") is None
        assert selected(mapped) == [1]

    def test_an_edit_that_was_undone_elsewhere_is_not_undone_again(self, mapped, project):
        project.set_setting("diameter_px", 30.0, undoable=True)
        mapped.selecting.take(mask(1), "replace")
        project.undo()
        mapped.selecting.undo()
        assert selected(mapped) == []

    def test_the_buttons_say_what_can_be_done(self, mapped):
        mapped.view.show_undo.assert_called_with(False, False)
        mapped.selecting.take(mask(1), "replace")
        mapped.view.show_undo.assert_called_with(True, False)
        mapped.selecting.undo()
        mapped.view.show_undo.assert_called_with(False, True)

    def test_what_was_undone_is_said(self, mapped):
        mapped.selecting.take(mask(1, 2), "replace")
        mapped.naming.classify("ice")
        mapped.selecting.undo()
        assert note(mapped.view)[0] == "The classes of 2 rows were taken back."

    def test_classes_of_other_maps_come_back_without_harm(self, mapped, project):
        project.classify(["elsewhere"], "ice")
        mapped.selecting.undo()
        assert project.classes() == {}


class TestLink:
    def test_a_selection_is_painted_on_the_picks(self, mapped):
        mapped.selecting.take(mask(3), "replace")
        paint = mapped.desk.link._painter.paint
        assert np.flatnonzero(paint.codes).tolist() == [3]
        assert paint.shown is None
        mapped.linking.choose_paint("filter")
        assert np.flatnonzero(mapped.desk.link._painter.paint.shown).tolist() == [3]
        mapped.linking.choose_paint("leave")
        assert mapped.desk.link._painter.paint is None

    def test_no_selection_leaves_the_picks_as_they_are(self, mapped):
        mapped.selecting.take(mask(3), "replace")
        mapped.selecting.clear()
        assert mapped.desk.link._painter.paint is None

    def test_a_pick_under_the_mouse_is_ringed_on_the_map(self, mapped):
        mapped.desk.link.hovered.emit(4)
        mapped.view.ring.assert_called_with([4])
        mapped.desk.link.hovered.emit(-1)
        mapped.view.ring.assert_called_with([])

    def test_a_click_on_a_pick_rings_it_and_selects_it_with_shift_only(self, mapped):
        mapped.desk.link.clicked.emit(4, "replace")
        mapped.view.ring.assert_called_with([4])
        assert selected(mapped) == []
        mapped.desk.link.clicked.emit(4, "add")
        assert selected(mapped) == [4]

    def test_the_image_follows_the_point_under_the_mouse_if_that_is_on(self, qtbot, mapped):
        mapped.linking.point_at(3)
        qtbot.wait(120)
        assert mapped.desk.link.looked == []
        mapped.linking.set_follow(True)
        for row in (3, 4, 5):
            mapped.linking.point_at(row)
        qtbot.waitUntil(lambda: len(mapped.desk.link.looked) > 0)
        assert mapped.desk.link.looked == [("c.mrc", (30.0, 40.0))]

    def test_a_row_whose_image_is_not_open_is_not_looked_for(self, mapped):
        mapped.desk.link.images = ["b.mrc"]
        mapped.linking.look_at(0)
        assert mapped.desk.link.looked == []

    def test_the_map_is_written_to_the_features_of_the_picks(self, mapped):
        mapped.desk.state.set_layout("umap", np.zeros((N, 2)))
        mapped.desk.state.method = "umap"
        mapped.desk.state.columns["cluster"] = np.arange(N)
        mapped.linking.write_columns()
        columns = mapped.desk.link._painter.columns
        assert list(columns) == ["UMAP0", "UMAP1", "MANUAL_CLUSTER_ID"]
        assert columns["MANUAL_CLUSTER_ID"].tolist() == list(range(1, N + 1))

    def test_a_lost_layer_is_one_sentence_and_the_map_goes_on(self, mapped):
        mapped.desk.link.lost.emit("The layer of the picks was deleted.")
        assert note(mapped.view) == ("The layer of the picks was deleted.", True)
        mapped.selecting.take(mask(1), "replace")
        assert selected(mapped) == [1]

    def test_when_the_images_close_the_map_goes_on(self, mapped):
        link = mapped.desk.link
        link.closed.emit()
        assert link.is_closed
        assert mapped.desk.link is None
        assert "the map goes on" in note(mapped.view)[0]
        mapped.selecting.take(mask(1), "replace")
        assert selected(mapped) == [1]

    def test_a_map_of_rows_without_images_is_linked_to_nothing(self, mapped):
        show(mapped, embedding(images=None))
        assert mapped.desk.link._painter.places is None
        mapped.selecting.take(mask(1), "replace")
        assert "lie in no images" in mapped.view.show_link.call_args.args[0]
        mapped.naming.particles()

    def test_the_link_says_how_many_rows_lie_in_its_images(self, mapped):
        mapped.desk.link.images = ["a.mrc"]
        mapped.linking.attach()
        assert mapped.view.show_link.call_args.args[0] == (
            "Linked to Fake: 1 image. 4 of 12 rows lie in them."
        )
