import itertools
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import FileImage

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations
from napari_cryoml.project import Project


def places(n, shape, label=1):
    positions = np.arange(n * len(shape), dtype=float).reshape(n, -1) + 0.25
    return Annotations(positions, np.full(n, label))


def test_labels_come_back_exactly(project, project_path, shape):
    position = np.full((1, len(shape)), np.pi)
    made = project.annotate("a", add=Annotations(position, [0]))
    project.annotate("a", add=places(2, shape))
    project.close()
    with Project.open(project_path) as again:
        labels = again.annotations("a")
        assert np.array_equal(labels.positions, np.vstack([position, places(2, shape).positions]))
        assert labels.labels.tolist() == [0, 1, 1]
        assert again.annotation_ids("a")[0] == made.added_ids[0]
        assert again.annotations("b").positions.shape == (0, 2)


def test_unlabelled_image_has_no_labels_of_its_own_rank(project, shape):
    assert project.annotations("a").positions.shape == (0, len(shape))
    assert project.annotation_ids("a").shape == (0,)


def test_edit_tells_what_has_changed_each_way(project, shape):
    first = project.annotate("a", add=places(3, shape))
    moved = project.annotate("a", add=places(1, shape, label=0), remove=first.added_ids[1:2])
    assert (moved.action, moved.image, len(moved.added), len(moved.removed)) == ("made", "a", 1, 1)
    undone = project.undo()
    assert (undone.action, undone.id) == ("undone", moved.id)
    assert undone.added_ids.tolist() == moved.removed_ids.tolist() == [first.added_ids[1]]
    assert undone.removed_ids.tolist() == moved.added_ids.tolist()
    assert np.array_equal(undone.added.positions, moved.removed.positions)
    redone = project.redo()
    assert redone.action == "redone"
    assert redone.added_ids.tolist() == moved.added_ids.tolist()


def test_undo_goes_on_after_reopening(project, project_path, shape):
    project.annotate("a", add=places(1, shape))
    project.annotate("a", add=places(1, shape, label=0))
    project.undo()
    project.close()
    with Project.open(project_path) as again:
        assert again.can_undo
        assert again.can_redo
        assert again.redo() is not None
        assert again.counts()["a"] == (1, 1)
        assert again.undo() is not None
        assert again.undo() is not None
        assert again.undo() is None
        assert not again.can_undo
        assert again.counts()["a"] == (0, 0)


def test_edit_after_undo_ends_what_could_be_redone(project, shape):
    project.annotate("a", add=places(1, shape))
    project.undo()
    project.annotate("a", add=places(2, shape))
    assert not project.can_redo
    assert project.redo() is None
    project.undo()
    project.redo()
    assert project.counts()["a"] == (2, 0)


def test_nothing_is_ever_deleted(project, shape):
    made = project.annotate("a", add=places(3, shape))
    project.annotate("a", remove=made.added_ids)
    project.undo()
    project.annotate("a", remove=made.added_ids[:1])
    assert project._store.rows("SELECT count(*) FROM labels") == [(3,)]
    assert project._store.rows("SELECT count(*) FROM edits") == [(3,)]


def test_counts_name_every_image(project, shape):
    assert project.counts() == {"a": (0, 0), "b": (0, 0)}
    project.annotate("a", add=places(3, shape))
    project.annotate("b", add=places(2, (1, 1), label=0))
    assert project.counts() == {"a": (3, 0), "b": (0, 2)}


def test_edit_number_names_the_state_of_the_labels(project, shape):
    assert project.edit_number == 0
    first = project.annotate("a", add=places(1, shape))
    project.set_setting("diameter", 100, undoable=True)
    assert project.edit_number == first.id
    second = project.annotate("a", add=places(1, shape))
    assert project.edit_number == second.id
    project.undo()
    assert project.edit_number == first.id
    third = project.annotate("a", add=places(1, shape))
    assert project.edit_number == third.id != second.id


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "at least one"),
        ({"add": Annotations.empty(2)}, "at least one"),
        ({"remove": [99]}, "not in 'b'"),
        ({"add": Annotations.of_positives([[1.0, 2, 3]])}, "need 2 coordinates"),
        ({"add": Annotations.of_positives([[np.nan, 2]])}, "no finite position"),
    ],
)
def test_edits_that_make_no_sense_are_refused(project, change, words):
    with pytest.raises(InputError, match=words):
        project.annotate("b", **change)
    assert not project.can_undo


def test_labels_are_removed_once_and_from_their_own_image(project, shape):
    ids = project.annotate("a", add=places(1, shape)).added_ids
    with pytest.raises(InputError, match="not in 'b'"):
        project.annotate("b", remove=ids)
    project.annotate("a", remove=[*ids, *ids])
    with pytest.raises(InputError, match="not in 'a'"):
        project.annotate("a", remove=ids)


def test_settings_share_the_undo_stack_if_wanted(project, shape):
    assert project.set_setting("diameter", 80.0, undoable=True).value == 80.0
    project.annotate("a", add=places(1, shape))
    edit = project.set_setting("diameter", 120.0, undoable=True)
    assert (edit.setting, edit.image) == ("diameter", None)
    undone = project.undo()
    assert (undone.setting, undone.value, undone.action) == ("diameter", 80.0, "undone")
    assert project.setting("diameter") == 80.0
    assert project.undo().image == "a"
    assert project.undo().value is None
    assert project.setting("diameter", "unset") == "unset"
    assert project.redo().value == 80.0
    assert project.setting("diameter") == 80.0


def test_plain_and_unchanged_settings_are_no_edits(project):
    assert project.set_setting("threshold", 1.5) is None
    assert project.set_setting("threshold", 1.5, undoable=True) is None
    assert not project.can_undo
    assert project.setting("threshold") == 1.5


def test_damaged_label_is_a_sentence(project, shape):
    project.annotate("a", add=places(1, shape))
    project._store.write("UPDATE labels SET x = 'left'")
    with pytest.raises(InputError, match=r"A label .* is damaged"):
        project.annotations("a")


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 3), st.sampled_from([0, 1])),
        st.tuples(st.just("remove"), st.integers(0, 9)),
        st.tuples(st.just("move"), st.integers(0, 9)),
        st.tuples(st.sampled_from(["undo", "redo", "reopen"])),
    ),
    max_size=14,
)


class PlainLog:
    """What undo and redo mean, said with lists of whole states."""

    def __init__(self):
        self.states, self.now = [[]], 0

    @property
    def labels(self):
        return self.states[self.now]

    def change(self, labels):
        self.states = [*self.states[: self.now + 1], sorted(labels)]
        self.now += 1

    def undo(self):
        self.now = max(0, self.now - 1)

    def redo(self):
        self.now = min(len(self.states) - 1, self.now + 1)


def found(project):
    labels = project.annotations("a")
    rows = zip(labels.positions[:, 0].tolist(), labels.labels.tolist(), strict=True)
    return sorted(rows)


@settings(max_examples=20, deadline=None)
@given(steps)
def test_any_sequence_of_edits_agrees_with_plain_lists(sequence):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.cryoml"
        project = Project.create(path)
        project.add_images([FileImage("a", Path(folder) / "a")])
        plain, fresh = PlainLog(), itertools.count()
        for step in sequence:
            project = carry_out(step, project, plain, fresh)
            assert found(project) == plain.labels
            assert project.can_undo == (plain.now > 0)
            assert project.can_redo == (plain.now < len(plain.states) - 1)
        project.close()


def carry_out(step, project, plain, fresh):
    kind = step[0]
    if kind == "reopen":
        project.close()
        return Project.open(project.path)
    if kind in ("undo", "redo"):
        getattr(project, kind)()
        getattr(plain, kind)()
        return project
    add, remove = [], []
    if kind == "add":
        add = [(float(next(fresh)), step[2]) for _ in range(step[1])]
    elif not plain.labels:
        return project
    else:
        remove = [found(project)[step[1] % len(plain.labels)]]
        add = [(float(next(fresh)), remove[0][1])] if kind == "move" else []
    ids = project.annotation_ids("a")[
        np.isin(project.annotations("a").positions[:, 0], [y for y, _ in remove])
    ]
    positions = np.array([[y, 0.0] for y, _ in add]).reshape(-1, 2)
    project.annotate("a", add=Annotations(positions, [label for _, label in add]), remove=ids)
    plain.change([label for label in plain.labels if label not in remove] + add)
    return project
