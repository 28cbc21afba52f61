import numpy as np
import pytest
from toy_system import ToyClassifier, ToyConfig

from napari_cryoml._errors import InputError
from napari_cryoml.classification import Predictions, classify, fitting_crops
from napari_cryoml.data import ArrayCrops, Picks, PicksTable
from napari_cryoml.io import read_picks, write_picks
from napari_cryoml.jobs import Command, run_inline
from napari_cryoml.preprocess import PickCrops

CLASSES = ("dark", "bright")


def toy(shape=(4, 4), pixel_size=None):
    return ToyClassifier(classes=CLASSES, system=ToyConfig(), shape=shape, pixel_size=pixel_size)


def flat(levels, shape=(4, 4), **about):
    array = np.broadcast_to(
        np.reshape(levels, (-1, 1) + (1,) * len(shape)), (len(levels), 1, *shape)
    )
    return ArrayCrops.of(np.array(array, np.float32), **about)


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4)])
def test_crops_get_classes(shape):
    found = run_inline(classify(flat([5, -5, 9], shape), toy(shape), batch=2))
    assert found.named.tolist() == ["bright", "dark", "bright"]
    assert found.labels.tolist() == [1, 0, 1]
    assert (found.confidence > 0.99).all()
    assert found.per_class()["bright"].tolist() == [0, 2]


def test_a_stopped_job_returns_what_is_done():
    job = classify(flat(np.arange(10)), toy(), batch=4)
    assert next(job).done == 0
    assert next(job).done == 4
    with pytest.raises(StopIteration) as end:
        job.send(Command.STOP)
    assert end.value.value.ids.tolist() == ["0", "1", "2", "3"]


def test_crops_without_an_answer_have_no_class():
    found = Predictions(np.array(["a", "b"]), np.array([[np.nan, np.nan], [0.3, 0.7]]), CLASSES)
    assert found.named.tolist() == ["", "bright"]
    assert np.isnan(found.confidence[0])
    assert list(found.per_class()) == ["bright"]


def test_the_margin_is_small_where_two_classes_are_as_likely():
    chances = np.array([[0.5, 0.3, 0.2], [0.4, 0.4, 0.2], [np.nan] * 3])
    found = Predictions(np.array(["a", "b", "c"]), chances, ("x", "y", "z"))
    np.testing.assert_allclose(found.margin[:2], [0.2, 0.0], atol=1e-6)
    assert np.isnan(found.columns()["margin"][2])


def test_columns_have_names_that_files_can_hold():
    found = Predictions(np.array(["a"]), np.full((1, 3), 1 / 3), ("20S core", "20S-core", "x"))
    assert list(found.columns()) == [
        "class",
        "confidence",
        "margin",
        "probability_20S_core",
        "probability_20S_core__1",
        "probability_x",
    ]


class Image:
    """An image of two halves, dark and bright."""

    name, shape, pixel_size = "t.mrc", (20, 20), 2.0

    def read(self, region=...):
        pixels = np.full(self.shape, -5, np.float32)
        pixels[10:] = 5
        return pixels[region]


def test_picks_get_columns_that_survive_a_file(tmp_path):
    positions = np.array([[4.0, 5.0], [15.0, 6.0]])
    picks = Picks("t.mrc", positions, np.array([1.0, 2.0]), 2.0, 8.0)
    crops = PickCrops([Image()], PicksTable.of([picks]), 4)
    found = run_inline(classify(crops, toy(pixel_size=2.0)))
    table = found.table(crops)
    (written,) = table
    assert written.positions.tolist() == positions.tolist()
    assert written.scores.tolist() == [1, 2]
    assert (written.pixel_size, written.diameter) == (2.0, 8.0)
    write_picks(table, tmp_path / "picks.csv")
    (back,) = read_picks(tmp_path / "picks.csv")
    assert back.columns["class"].tolist() == ["dark", "bright"]
    assert np.allclose(back.columns["probability_dark"], found.probabilities[:, 0], atol=1e-4)


def test_a_stack_gives_no_picks():
    found = run_inline(classify(flat([1, 2]), toy()))
    with pytest.raises(InputError, match="no positions in images"):
        found.table(flat([1, 2]))


@pytest.mark.parametrize(
    ("crops", "sentence"),
    [
        (flat([1, 2], (5, 5)), "crops of 4 x 4 pixels of 10 A; these are of 5 x 5 pixels of unk"),
        (flat([1], (4, 4), pixel_size=20), "these are of 4 x 4 pixels of 20 A"),
        (flat([1], (6, 6), pixel_size=5), "these are of 6 x 6 pixels of 5 A"),
        (flat([1], (4, 4, 4)), "trained on 2-D crops, but these have 3 axes"),
        (ArrayCrops.of(np.zeros((2, 3, 4, 4))), "trained on crops of one channel; these have 3"),
    ],
)
def test_crops_of_another_kind_are_refused(crops, sentence):
    with pytest.raises(InputError, match=sentence):
        run_inline(classify(crops, toy(pixel_size=10)))


@pytest.mark.parametrize("ndim", [2, 3])
def test_finer_crops_are_rescaled_about_their_centre(ndim):
    array = np.zeros((1, 1, *(20,) * ndim), np.float32)
    array[(0, 0, *(slice(8, 13),) * ndim)] = 1
    crops = ArrayCrops.of(array, pixel_size=5)
    fitting = fitting_crops(crops, toy((8,) * ndim, 10))
    small = fitting.read([0])[0, 0]
    assert small.shape == (8,) * ndim
    assert np.unravel_index(small.argmax(), small.shape) == (4,) * ndim


@pytest.mark.parametrize(
    ("size", "shape", "advice"),
    [
        (20, (8, 8), "from images of 10 A per pixel or finer, with boxes of 40 A"),
        (5, (6, 6), "with boxes of 8 of their pixels"),
        (10, (3, 3), "with boxes of 4 of their pixels"),
        (None, (5, 5), "give that of the crops"),
    ],
)
def test_crops_that_do_not_fit_say_how_to_cut_them(size, shape, advice):
    with pytest.raises(InputError, match=advice):
        fitting_crops(flat([1], shape, pixel_size=size), toy(pixel_size=10))


def test_of_wider_crops_the_middle_is_kept():
    array = np.zeros((1, 1, 9, 9), np.float32)
    array[0, 0, 4, 4] = 1
    fitting = fitting_crops(ArrayCrops.of(array, pixel_size=10), toy((4, 4), 10))
    small = fitting.read([0])[0, 0]
    assert np.unravel_index(small.argmax(), small.shape) == (2, 2)
    assert small.max() == pytest.approx(1)


def test_a_crop_without_a_finite_pixel_gets_no_class():
    crops = flat([1, 2, 3])
    crops.array[1] = np.nan
    found = run_inline(classify(crops, toy()))
    assert found.known.tolist() == [True, False, True]


def test_crops_that_fit_are_left_alone():
    crops = flat([1, 2], pixel_size=10.1)
    assert fitting_crops(crops, toy(pixel_size=10)) is crops
