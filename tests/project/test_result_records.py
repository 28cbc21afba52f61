import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, Picks, ScoreMap
from napari_cryoml.project import Project, _result_records


def some_picks(ndim, scores=(0.5, 1.5, -2.0), **more):
    positions = np.arange(len(scores) * ndim).reshape(len(scores), ndim) / 3
    return Picks("their name", positions, np.array(scores, np.float32), **more)


def some_map(shape):
    values = np.linspace(-5, 5, np.prod(shape), dtype=np.float32).reshape(shape)
    return ScoreMap(values, np.full(len(shape), 10.1), np.full(len(shape), 0.5))


def test_picks_come_back_exactly(project, project_path, shape):
    columns = {"angle": np.array([1.5, np.nan, 3]), "class": np.array([1, 2, 3], np.int32)}
    columns["name"] = np.array(["x", "é", ""], object)
    picks = some_picks(len(shape), pixel_size=1.1, diameter=80.0, columns=columns)
    project.set_picks("a", picks)
    project.close()
    with Project.open(project_path) as again:
        back = again.picks("a")
    assert back.image == "a"
    assert np.array_equal(back.positions, picks.positions)
    assert np.array_equal(back.scores, picks.scores)
    assert back.scores.dtype == np.float32
    assert (back.pixel_size, back.diameter) == (1.1, 80.0)
    assert np.array_equal(back.columns["angle"], columns["angle"], equal_nan=True)
    assert back.columns["class"].dtype == np.int32
    assert back.columns["name"].tolist() == ["x", "é", ""]
    back.positions[:] = 0  # ours to change


def test_orientations_come_back_exactly_and_go_with_their_picks(project, project_path):
    if project.image("a").ndim != 3:
        pytest.skip("particles of micrographs have none")
    turns = Rotation.from_euler("zyx", [[10, 20, 30], [1, 2, 3], [0, 0, 0]]).as_matrix()
    turns[1] = np.nan
    project.set_picks("a", some_picks(3, rotations=turns))
    project.close()
    with Project.open(project_path) as again:
        assert np.array_equal(again.picks("a").rotations, turns, equal_nan=True)
        again.set_picks("a", some_picks(3, scores=(1.0,), rotations=turns[:1]))
        assert np.array_equal(again.picks("a").rotations, turns[:1])
        again.set_picks("a", some_picks(3))
        assert again.picks("a").rotations is None
        again.set_picks("a", some_picks(3, rotations=turns))
        again.clear_picks("a")
        assert again._store.rows("SELECT * FROM pick_rotations") == []


@pytest.mark.parametrize("blob", [b"xy", "text", bytes(72), bytes(3 * 72)])
def test_damaged_orientations_are_a_sentence(project, shape, blob):
    if len(shape) != 3:
        pytest.skip("particles of micrographs have none")
    project.set_picks("a", some_picks(3, rotations=np.tile(np.eye(3), (3, 1, 1))))
    project._store.write("UPDATE pick_rotations SET rotations = ?", blob)
    with pytest.raises(InputError, match=r"The picks of 'a' .*is damaged"):
        project.picks("a")


def test_images_without_picks_have_none_and_empty_picks_are_some(project, shape):
    assert project.picks("a") is None
    project.set_picks("a", some_picks(len(shape), scores=()))
    assert project.picks("a").positions.shape == (0, len(shape))
    assert project.pick_counts(0) == {"a": 0}


def test_newer_picks_replace_older_ones(project, shape):
    project.set_picks("a", some_picks(len(shape)))
    project.set_picks("a", some_picks(len(shape), scores=(9.0,)))
    assert len(project.picks("a")) == 1


def test_counts_follow_the_threshold(project, shape):
    project.set_picks("a", some_picks(len(shape)))
    assert project.pick_counts(-9) == {"a": 3}
    assert project.pick_counts(0.5) == {"a": 2}
    assert project.pick_counts(2) == {"a": 0}
    project.set_picks("b", Picks("b", np.zeros((4, 2))))
    assert project.pick_counts(2) == {"a": 0, "b": 4}


def test_picks_that_do_not_suit_are_refused(project):
    with pytest.raises(InputError, match="need 2 coordinates"):
        project.set_picks("b", some_picks(3))
    with pytest.raises(InputError, match="no finite position"):
        project.set_picks("b", Picks("b", np.array([[np.inf, 0]])))
    with pytest.raises(InputError, match="no model 5"):
        project.set_picks("b", some_picks(2), model=5)
    assert project.picks("b") is None


def test_score_map_comes_back_as_float32(project, shape):
    grid = (*shape[:-1], 7)
    score_map = some_map(grid)
    project.set_picks("a", some_picks(len(shape)), score_map=score_map)
    back = project.score_map("a")
    assert back.values.dtype == np.float32
    assert np.allclose(back.values, score_map.values, rtol=1e-3)
    assert np.array_equal(back.scale, score_map.scale)
    assert np.array_equal(back.offset, score_map.offset)
    assert project.score_map("b") is None


def test_scores_beyond_half_precision_are_clipped(project):
    values = np.array([[1e9, -np.inf]], np.float32)
    assert project.set_score_map("b", ScoreMap(values, np.ones(2), np.zeros(2)))
    assert project.score_map("b").values.tolist() == [[65504, -65504]]


def test_huge_score_map_is_not_kept_and_takes_the_old_one_along(project, monkeypatch):
    assert project.set_score_map("b", some_map((4, 4)))
    monkeypatch.setattr(_result_records, "SCORE_MAP_LIMIT", 10)
    assert not project.set_score_map("b", some_map((4, 4)))
    assert project.score_map("b") is None


def test_score_map_of_other_rank_is_refused(project):
    with pytest.raises(InputError, match="needs 2 axes"):
        project.set_score_map("b", some_map((2, 3, 4)))


def test_clearing_takes_one_image_or_all(project, shape):
    for image, ndim in (("a", len(shape)), ("b", 2)):
        project.set_picks(image, some_picks(ndim), score_map=some_map((2,) * ndim))
    project.clear_picks("a")
    assert project.picks("a") is None
    assert project.score_map("a") is None
    assert project.picks("b") is not None
    project.clear_picks()
    assert project.pick_counts(-9) == {}


def test_picks_are_stale_when_labels_or_model_change(project):
    label = Annotations.of_positives([[1.0, 2.0]])
    first = project.add_model(b"one", {})
    project.set_picks("b", some_picks(2), model=first)
    assert not project.is_stale("b")
    project.annotate("b", add=label)
    assert project.is_stale("b")
    project.undo()
    assert not project.is_stale("b")
    project.add_model(b"two", {})
    assert project.is_stale("b")
    project.set_current_model(first)
    assert not project.is_stale("b")
    project.set_current_model(None)
    assert project.stale_images() == {"b"}


def test_labels_made_during_training_make_its_picks_stale(project):
    before = project.edit_number
    project.annotate("b", add=Annotations.of_positives([[1.0, 2.0]]))
    project.set_picks("b", some_picks(2), model=project.add_model(b"one", {}, edit=before))
    assert project.is_stale("b")


def test_picks_from_elsewhere_and_no_picks_are_not_stale(project):
    project.set_picks("b", some_picks(2))
    project.add_model(b"one", {})
    project.annotate("b", add=Annotations.of_positives([[1.0, 2.0]]))
    assert not project.is_stale("b")
    assert not project.is_stale("a")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("picks SET positions = x'0102'", "picks"),
        ("picks SET scores = x'0102030405060708'", "picks"),
        ("picks SET columns = '[]'", "picks"),
        ("""picks SET columns = '{"a": ["O", [1]]}'""", "picks"),
        ("picks SET positions = 'text'", "picks"),
        ("score_maps SET scores = x'00'", "score map"),
        ("score_maps SET shape = '[100000, 100000]'", "score map"),
        ("score_maps SET shape = '[2, 2, 2]'", "score map"),
        ("score_maps SET scale = '[1, null]'", "score map"),
        ("score_maps SET origin = '[1]'", "score map"),
    ],
)
def test_damaged_results_are_a_sentence(project, change, what):
    project.set_picks("b", some_picks(2), score_map=some_map((2, 4)))
    project._store.write(f"UPDATE {change}")
    with pytest.raises(InputError, match=rf"The {what}.* of 'b' .*is damaged"):
        project.picks("b")
        project.score_map("b")
