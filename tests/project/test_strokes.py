"""Labels of several images in one edit."""

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations
from napari_cryoml.project import Project, Relabel


def places(n, ndim=2, label=1, start=0.0):
    positions = np.arange(n * ndim, dtype=float).reshape(n, ndim) + start
    return Annotations(positions, np.full(n, label))


def both(project, shape):
    """Three junk places in a, two in b."""
    return project.annotate_many(
        {"a": Relabel(places(3, len(shape), 0)), "b": Relabel(places(2, 2, 0))}
    )


def test_one_undo_takes_a_stroke_back_everywhere(project, shape):
    made = both(project, shape)
    assert project.counts() == {"a": (0, 3), "b": (0, 2)}
    undone = project.undo()
    assert (undone.id, undone.images) == (made.id, ("a", "b"))
    assert project.counts() == {"a": (0, 0), "b": (0, 0)}
    assert not project.can_undo
    redone = project.redo()
    assert redone.images == ("a", "b")
    assert project.counts() == {"a": (0, 3), "b": (0, 2)}
    assert not project.can_redo


def test_a_stroke_tells_what_has_changed_in_each_image(project, shape):
    made = both(project, shape)
    assert [len(made.changes[name].added) for name in made.images] == [3, 2]
    assert made.changes["b"].added_ids.tolist() == project.annotation_ids("b").tolist()
    # The first image speaks for the edit where only one is asked for.
    assert (made.image, len(made.added), len(made.removed)) == ("a", 3, 0)
    undone = project.undo()
    assert [len(undone.changes[name].removed) for name in undone.images] == [3, 2]
    assert np.array_equal(undone.changes["b"].removed.positions, places(2).positions)


def test_a_stroke_turns_labels_over(project, shape):
    first = project.annotate("a", add=places(2, len(shape)))
    change = Relabel(places(1, len(shape), 0), first.added_ids[:1])
    edit = project.annotate_many({"a": change, "b": Relabel(places(1, 2, 0))})
    assert edit.changes["a"].removed_ids.tolist() == first.added_ids[:1].tolist()
    assert project.counts() == {"a": (1, 1), "b": (0, 1)}
    project.undo()
    assert project.annotation_ids("a").tolist() == first.added_ids.tolist()


def test_an_image_whose_labels_only_go_is_concerned(project, shape):
    first = both(project, shape)
    edit = project.annotate_many({"b": Relabel(remove=first.changes["b"].added_ids)})
    assert edit.images == ("b",)
    assert len(edit.removed) == 2
    assert project.undo().images == ("b",)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (Relabel(places(1, 3)), "coordinates each"),
        (Relabel(remove=[99]), "not in 'b'"),
        (Relabel(Annotations(np.array([[np.nan, 1.0]]), [0])), "no finite position"),
    ],
)
def test_a_bad_part_keeps_out_the_whole(project, change, sentence):
    with pytest.raises(InputError, match=sentence):
        project.annotate_many({"a": Relabel(places(1)), "b": change})
    assert project.counts() == {"a": (0, 0), "b": (0, 0)}
    assert not project.can_undo


def test_nothing_to_do_is_a_sentence(project):
    for changes in ({}, {"a": Relabel()}, {"a": Relabel(), "b": Relabel()}):
        with pytest.raises(InputError, match="at least one place"):
            project.annotate_many(changes)
    with pytest.raises(InputError, match="no image 'c'"):
        project.annotate_many({"c": Relabel(places(1))})


def test_a_stroke_makes_picks_stale_until_it_is_undone(project, shape):
    before = project.edit_number
    made = both(project, shape)
    assert project.edit_number == project.last_edit == made.id > before
    project.undo()
    assert project.edit_number == before


def test_strokes_outlive_closing(project, project_path, shape):
    both(project, shape)
    project.undo()
    project.close()
    with Project.open(project_path) as again:
        assert again.redo().images == ("a", "b")
        assert again.counts() == {"a": (0, 3), "b": (0, 2)}
