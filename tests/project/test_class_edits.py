"""Classes of rows of embeddings, and the way back."""

import sqlite3
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations
from napari_cryoml.project import ClassEntry, Project
from napari_cryoml.project._packing import pack_texts, unpack_texts

LABEL = Annotations.of_positives([[1.0, 2.0]])


def test_rows_have_the_class_they_were_given_last(project):
    project.classify(["a", "b"], "junk")
    project.classify(["b", "c"], "ribosome")
    assert project.classes() == {"a": "junk", "b": "ribosome", "c": "ribosome"}


@pytest.mark.parametrize("none", [None, ""])
def test_a_class_can_be_taken_away(project, none):
    project.classify(["a", "b"], "junk")
    edit = project.classify(["a"], none)
    assert project.classes() == {"b": "junk"}
    assert (edit.classified, edit.classes) == (("a",), ("",))
    project.undo()
    assert project.classes() == {"a": "junk", "b": "junk"}


def test_one_edit_can_give_each_row_its_own(project):
    edit = project.classify(["a", "b", "c"], ["x", "y", ""])
    assert (edit.classified, edit.classes) == (("a", "b"), ("x", "y"))
    assert project.classes() == {"a": "x", "b": "y"}


def test_undo_and_redo_tell_the_rows_and_what_they_are_now(project):
    project.classify(["a"], "x")
    made = project.classify(["a", "b"], "y")
    undone = project.undo()
    assert (undone.id, undone.action) == (made.id, "undone")
    assert dict(zip(undone.classified, undone.classes, strict=True)) == {"a": "x", "b": ""}
    assert (undone.images, undone.image, len(undone.added)) == ((), None, 0)
    assert project.classes() == {"a": "x"}
    redone = project.redo()
    assert dict(zip(redone.classified, redone.classes, strict=True)) == {"a": "y", "b": "y"}
    assert project.classes() == {"a": "y", "b": "y"}


def test_what_is_so_already_is_no_edit(project):
    made = project.classify(["a"], "x")
    assert project.classify(["a"], "x") is None
    assert project.classify(["b"], None) is None
    assert project.classify(["a", "b"], "x").classified == ("b",)
    assert project.undo().id > made.id


def test_a_row_that_comes_twice_has_its_last_class(project):
    project.classify(["a", "a"], ["x", "y"])
    assert project.classes() == {"a": "y"}


@pytest.mark.parametrize(("ids", "classes"), [([], "x"), (["a"], ["x", "y"]), (["a", "b"], ["x"])])
def test_rows_without_a_class_each_are_a_sentence(project, ids, classes):
    with pytest.raises(InputError, match="select some rows"):
        project.classify(ids, classes)
    assert not project.can_undo


def test_ids_may_be_any_text(project, project_path):
    ids = ["", "ä\n\t\x00", 'say "x"', "a@1.0,2.5", "\U0001f600"]
    project.classify(ids, "кlass\n2")
    project.close()
    with Project.open(project_path) as again:
        assert again.classes() == dict.fromkeys(ids, "кlass\n2")


def test_numpy_text_is_taken(project):
    project.classify(np.array(["a", "b"]), np.array(["x", "y"]))
    assert project.classes() == {"a": "x", "b": "y"}
    assert all(type(one) is str for pair in project.classes().items() for one in pair)


def test_picks_do_not_grow_stale_by_classes(project):
    project.annotate("a", add=LABEL)
    labelled = project.edit_number
    edit = project.classify(["a"], "x")
    assert project.edit_number == labelled
    assert project.last_edit == edit.id
    project.undo()
    assert project.last_edit == labelled


def test_labels_and_classes_share_one_way_back(project):
    project.classify(["a"], "x")
    project.annotate("a", add=LABEL)
    project.set_setting("diameter", 3, undoable=True)
    assert project.undo().setting == "diameter"
    assert project.undo().images == ("a",)
    assert project.undo().classified == ("a",)
    assert project.undo() is None
    assert project.last_edit == 0


def test_what_is_returned_is_a_copy(project):
    project.classify(["a"], "x")
    project.classes()["a"] = "y"
    assert project.classes() == {"a": "x"}


def test_a_transaction_that_fails_leaves_the_classes(project):
    project.classify(["a"], "x")
    with pytest.raises(RuntimeError), project.transaction():
        project.classify(["a"], "y")
        assert project.classes() == {"a": "y"}
        raise RuntimeError
    assert project.classes() == {"a": "x"}
    # The number of the edit that failed is given again.
    project.classify(["b"], "z")
    assert project.classes() == {"a": "x", "b": "z"}
    project.undo()
    assert project.classes() == {"a": "x"}


def test_an_undo_in_a_transaction_that_fails_leaves_the_classes(project):
    project.classify(["a"], "x")
    project.classify(["a"], "y")
    with pytest.raises(RuntimeError), project.transaction():
        project.undo()
        raise RuntimeError
    assert project.undo().classes == ("x",)
    assert project.classes() == {"a": "x"}
    assert project.redo().classes == ("y",)
    assert project.classes() == {"a": "y"}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.lists(st.sampled_from("abcd"), min_size=1), st.sampled_from(["x", "y", ""])),
        st.sampled_from(["undo", "redo", "label", "reopen"]),
    ),
    max_size=15,
)


@settings(max_examples=15, deadline=None)
@given(steps=STEPS)
def test_classes_follow_a_plain_list_of_states(tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("p") / "p.cryoml"
    project = Project.create(path)
    states, at = [{}], 0
    for step in steps:
        if step == "undo":
            assert (project.undo() is None) == (at == 0)
            at = max(at - 1, 0)
        elif step == "redo":
            assert (project.redo() is None) == (at == len(states) - 1)
            at = min(at + 1, len(states) - 1)
        elif step == "reopen":
            project.close()
            project = Project.open(path)
        elif step == "label":
            project.set_setting("k", len(states) + at / 1000, undoable=True)
            states, at = [*states[: at + 1], states[at]], at + 1
        else:
            ids, name = step
            after = {**states[at], **dict.fromkeys(ids, name)}
            after = {one: value for one, value in after.items() if value}
            if project.classify(ids, name) is not None:
                states, at = [*states[: at + 1], after], at + 1
            assert after == states[at]
        assert project.classes() == states[at]
    project.close()


def test_the_list_of_classes_is_an_edit(project, project_path):
    entries = [ClassEntry("junk", "#D55E00", "1"), ClassEntry("ribosome", "#009E73")]
    assert project.class_list() == []
    assert project.set_class_list(entries) is not None
    assert project.set_class_list(entries) is None
    project.set_class_list(entries[:1])
    project.undo()
    project.close()
    with Project.open(project_path) as again:
        assert again.class_list() == entries
        again.undo()
        assert again.class_list() == []


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ([ClassEntry("", "#000000")], "needs a name"),
        ([ClassEntry("a", "#000000"), ClassEntry("a", "#111111")], "one name"),
        ([ClassEntry("a", "red")], "#RRGGBB"),
    ],
)
def test_lists_of_classes_are_checked(project, entries, sentence):
    with pytest.raises(InputError, match=sentence):
        project.set_class_list(entries)
    assert project.class_list() == []


@pytest.mark.parametrize(
    "value", ["7", '[["a"]]', '[["a", "red", ""]]', '{"a": 1}', '[["a", "#000000", "", ""]]']
)
def test_a_strange_list_of_classes_is_a_sentence(project, project_path, value):
    project.close()
    change(project_path, "INSERT INTO settings VALUES ('classes', ?)", value)
    with Project.open(project_path) as again, pytest.raises(InputError, match="damaged"):
        again.class_list()


def change(path, statement, *values):
    connection = sqlite3.connect(path)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"rubbish",
        zlib.compress(b'{"a": 1}'),
        zlib.compress(b"[1, 2, 3]"),
        zlib.compress(b'["a"]'),
        zlib.compress(b'["a", "b"]')[:-3],
        zlib.compress(b"[" * 100_000),
        7,
    ],
)
@pytest.mark.parametrize("column", ["ids", "before", "after"])
def test_hostile_classes_are_a_sentence(project, project_path, column, content):
    project.classify(["a", "b", "c"], "x")
    project.close()
    change(project_path, f"UPDATE class_edits SET {column} = ?", content)  # noqa: S608
    with Project.open(project_path) as again:
        with pytest.raises(InputError, match="damaged"):
            again.undo() if column == "before" else again.classes()
        assert again.counts() == {"a": (0, 0), "b": (0, 0)}


def test_texts_come_back_and_bombs_do_not(monkeypatch):
    assert unpack_texts(pack_texts(["a", "", "ä"]), 3) == ["a", "", "ä"]
    assert unpack_texts(pack_texts([])) == []
    monkeypatch.setattr("napari_cryoml.project._packing.TEXTS_LIMIT", 1000)
    with pytest.raises(ValueError, match="too long"):
        unpack_texts(pack_texts(["a" * 2000]))
