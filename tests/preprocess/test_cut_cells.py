import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.preprocess import CellsConfig, cut_cells, pick_id

SHAPE = (40, 50)


def _labels(places, shape=SHAPE, side=5, dtype=np.int32):
    """Return squares of odd side around places, labelled by the keys."""
    labels = np.zeros(shape, dtype)
    for number, (y, x) in places.items():
        half = side // 2
        labels[max(y - half, 0) : y + half + 1, max(x - half, 0) : x + half + 1] = number
    return labels


def _image(n_channels=2, shape=SHAPE):
    return np.random.default_rng(0).normal(100, 10, (n_channels, *shape)).astype(np.float32)


PLACES = {3: (10, 12), 7: (20, 30), 12: (30, 8)}
QUIET = pytest.mark.filterwarnings("ignore::napari_cryoml._errors.InputWarning")


def _quietly(*arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        return cut_cells(*arguments, **options)


def test_cells_are_cut_around_their_centroids() -> None:
    image = _image()
    crops = _quietly(image, _labels(PLACES), CellsConfig(size=8), image_name="plate1")
    assert crops.array.shape == (3, 2, 8, 8)
    assert crops.columns["label"].tolist() == [3, 7, 12]
    assert crops.columns["index"].tolist() == [3, 7, 12]
    assert crops.columns["roi_id"].tolist() == ["plate1"] * 3
    assert crops.columns["area"].tolist() == [25] * 3
    assert crops.positions.tolist() == [[10, 12], [20, 30], [30, 8]]
    assert crops.ids.tolist() == [pick_id("plate1", place) for place in PLACES.values()]
    np.testing.assert_array_equal(crops.array[1], image[:, 16:24, 26:34])
    assert crops.masks.shape == (3, 8, 8)
    assert crops.masks.sum(axis=(1, 2)).tolist() == [25] * 3
    assert crops.masks[0, 2:7, 2:7].all()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_pixel_of_a_crop_is_that_of_the_image_at_its_offset(data) -> None:
    shape = data.draw(st.tuples(st.integers(3, 17), st.integers(3, 17)))
    size = data.draw(st.integers(2, min(20, 4 * max(shape))))
    edge = data.draw(st.sampled_from(["mirror", "pad", "drop"]))
    y, x = (data.draw(st.integers(0, length - 1)) for length in shape)
    labels = np.zeros(shape, np.uint8)
    labels[y, x] = 9
    image = np.arange(1, 2 * shape[0] * shape[1] + 1, dtype=np.float32).reshape(2, *shape)
    config = CellsConfig(size=size, edge=edge)
    offsets = np.arange(size) - size // 2
    rows, columns = y + offsets, x + offsets
    here = ((rows >= 0) & (rows < shape[0]))[:, None] & ((columns >= 0) & (columns < shape[1]))
    if edge == "drop" and not here.all():
        with pytest.raises(InputError, match="leave the image"):
            _quietly(image, labels, config)
        return
    crop = _quietly(image, labels, config)
    mode = {"mirror": "symmetric", "pad": "constant", "drop": "constant"}[edge]
    around = np.pad(image, ((0, 0), (size, size), (size, size)), mode=mode)
    expected = around[:, rows + size][:, :, columns + size]
    np.testing.assert_array_equal(crop.array[0], expected)
    assert np.argwhere(crop.masks[0]).tolist() == [[size // 2, size // 2]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64, np.uint64, np.float32])
def test_labels_of_any_type_and_with_gaps(dtype) -> None:
    crops = _quietly(_image(), _labels(PLACES, dtype=dtype), CellsConfig(size=8))
    assert crops.columns["label"].tolist() == [3, 7, 12]


def test_labels_beyond_any_table() -> None:
    labels = _labels({2**40: (10, 12), 2**62: (20, 30), -5: (30, 8)}, dtype=np.int64)
    crops = _quietly(_image(), labels, CellsConfig(size=8))
    assert crops.columns["label"].tolist() == [2**40, 2**62]
    assert crops.masks.sum(axis=(1, 2)).tolist() == [25, 25]


@pytest.mark.parametrize("edge", ["mirror", "pad"])
def test_what_is_not_the_cell_is_zero_if_asked(edge) -> None:
    labels = _labels({1: (0, 0), 2: (4, 4)})
    crops = _quietly(_image(), labels, CellsConfig(size=12, mask=True, edge=edge))
    for row in range(2):
        assert not crops.array[row][:, ~crops.masks[row]].any()
        assert crops.array[row][:, crops.masks[row]].all()
    assert crops.masks[0].sum() == (labels == 1).sum()


@pytest.mark.parametrize("ratio", [2, 3])
def test_coarser_crops_keep_the_centre_and_the_mean(ratio) -> None:
    image = np.full((1, 60, 60), 7.0, np.float32)
    image[0, 30, 30] = 107.0
    labels = _labels({1: (30, 30)}, (60, 60))
    config = CellsConfig(size=9, pixel_size=ratio * 1000.0)
    crops = _quietly(image, labels, config, pixel_size=1000.0)
    assert crops.pixel_size == ratio * 1000.0
    assert crops.box == 9 * ratio
    crop = crops.array[0, 0]
    assert np.unravel_index(crop.argmax(), crop.shape) == (4, 4)
    # What was in one pixel is spread over the pixels whose weights reach it.
    np.testing.assert_allclose((crop - 7).sum() * ratio**2, 100, rtol=1e-4)


@pytest.mark.parametrize("ratio", [0.5, 1.5, 2.5])
def test_rescaled_crops_sample_where_the_true_ratio_says(ratio) -> None:
    y, x = np.indices((80, 90), np.float32)
    labels = _labels({1: (40, 45)}, (80, 90))
    config = CellsConfig(size=16, pixel_size=ratio)
    crops = _quietly(np.stack([y, x]), labels, config, pixel_size=1.0)
    offsets = (np.arange(16) - 8) * ratio
    np.testing.assert_allclose(crops.array[0, 0], (40 + offsets)[:, None] + np.zeros(16), atol=1e-3)
    np.testing.assert_allclose(
        crops.array[0, 1], (45 + offsets)[None] + np.zeros((16, 1)), atol=1e-3
    )
    inside = np.abs(np.floor(offsets + 0.5)) <= 2
    np.testing.assert_array_equal(crops.masks[0], inside[:, None] & inside[None])


def test_the_protein_comes_first_and_the_marker_second() -> None:
    image = _image(3)
    labels = _labels(PLACES)
    names = ["DAPI", "gfp", "rfp"]
    config = CellsConfig(size=8, protein="GFP", marker="2")
    crops = _quietly(image, labels, config, channels=names)
    assert crops.channels == ("gfp", "rfp", "DAPI")
    whole = _quietly(image, labels, CellsConfig(size=8), channels=names)
    assert whole.channels == ("DAPI", "gfp", "rfp")
    np.testing.assert_array_equal(crops.array, whole.array[:, [1, 2, 0]])
    two = _quietly(image, labels, CellsConfig(size=8, protein="1", marker="0", others=False))
    assert two.channels == ("protein", "marker")
    np.testing.assert_array_equal(two.array, whole.array[:, [1, 0]])
    assert _quietly(image, labels, CellsConfig(size=8)).channels[1:] == ("channel 1", "channel 2")


def test_one_channel_needs_no_axis() -> None:
    image = _image(1)
    crops = _quietly(image[0], _labels(PLACES), CellsConfig(size=8))
    assert crops.channels == ("protein",)
    np.testing.assert_array_equal(crops.array[0, 0], image[0, 6:14, 8:16])


def test_ids_survive_a_new_segmentation() -> None:
    before = _quietly(_image(), _labels(PLACES), CellsConfig(size=8), image_name="a")
    moved = {1: (10, 13), 2: (21, 30), 5: (20, 42)}
    labels = _labels(moved)
    after = _quietly(_image(), labels, CellsConfig(size=8), image_name="a", known=before.ids)
    assert after.ids.tolist()[0] == before.ids[0]
    assert before.ids[1] in after.ids
    assert pick_id("a", (20, 42)) in after.ids
    other = _quietly(_image(), labels, CellsConfig(size=8), image_name="b", known=before.ids)
    assert not set(other.ids) & set(before.ids)


def test_quality_tells_bad_cells() -> None:
    rng = np.random.default_rng(1)
    image = rng.normal(100, 5, (2, 40, 50))
    labels = _labels({1: (8, 8), 2: (8, 30), 3: (30, 8), 4: (30, 30)})
    image[0][labels == 1] += 100
    image[0][labels == 2] = 65535
    image = np.rint(image).astype(np.uint16)
    image[1][labels == 3] = 50
    with pytest.warns(InputWarning) as said:
        crops = cut_cells(image, labels, CellsConfig(size=8))
    columns = crops.columns
    assert columns["empty"].tolist() == [False, False, True, True]
    assert columns["saturated"].tolist() == [0, 1, 0, 0]
    assert columns["constant"].tolist() == [False, True, True, False]
    assert columns["signal"][1] > columns["signal"][0] > 10
    told = "\n".join(str(one.message) for one in said)
    for sentence in ("2 of 4 cells have a channel of one value", "1 of 4 cells are saturated"):
        assert sentence in told
    assert "2 of 4 cells have no signal in the channel 'protein'" in told


def test_a_blurred_cell_has_less_focus() -> None:
    from scipy import ndimage

    sharp = np.zeros((40, 80), np.float32)
    sharp[15:25:3, 15:25:3] = sharp[15:25:3, 55:65:3] = 100
    blurred = ndimage.gaussian_filter(sharp, 2)
    image = np.where(np.arange(80) < 40, sharp, blurred)
    labels = _labels({1: (20, 20), 2: (20, 60)}, (40, 80), side=13)
    focus = _quietly(image, labels, CellsConfig(size=16)).columns["focus"]
    assert focus[0] > 3 * focus[1] > 0
    np.testing.assert_allclose(
        focus, _quietly(7 * image, labels, CellsConfig(size=16)).columns["focus"], rtol=1e-4
    )


def test_labels_without_background_leave_the_signal_open() -> None:
    labels = np.ones(SHAPE, int)
    labels[:, 25:] = 2
    columns = _quietly(_image(), labels, CellsConfig(size=8)).columns
    assert np.isnan(columns["signal"]).all()
    assert not columns["empty"].any()


@pytest.mark.parametrize("edge", ["drop"])
def test_cells_at_the_border_are_counted(edge) -> None:
    labels = _labels(PLACES | {20: (2, 2)})
    with pytest.warns(InputWarning, match=r"1 of 4 cells of a were dropped"):
        crops = cut_cells(_image(), labels, CellsConfig(size=8, edge=edge), image_name="a")
    assert crops.columns["label"].tolist() == [3, 7, 12]


def test_cells_around_each_other_are_told() -> None:
    labels = _labels({1: (20, 20)}, side=9)
    labels[18:23, 18:23] = 2
    with pytest.warns(InputWarning, match="1 cells of image have the centroid of another"):
        crops = cut_cells(_image(), labels, CellsConfig(size=8))
    assert crops.columns["label"].tolist() == [1]


@QUIET
def test_pixels_that_are_not_finite_get_the_median_of_their_crop() -> None:
    image = _image()
    image[0, 10, 12] = np.nan
    crop = cut_cells(image, _labels(PLACES), CellsConfig(size=8)).array[0, 0]
    rest = np.delete(image[0, 6:14, 8:16].ravel(), 4 * 8 + 4)
    assert crop[4, 4] == np.median(rest)


@QUIET
@pytest.mark.parametrize(
    ("image", "labels", "options", "sentence"),
    [
        (_image(), np.zeros(SHAPE, int), {}, "hold no cell"),
        (_image(), np.ones((40, 51), int), {}, "has the shape .* and its labels"),
        (_image(), np.ones(SHAPE[::-1], int), {}, "look swapped"),
        (np.zeros((*SHAPE, 3)), np.ones(SHAPE, int), {}, "channels are its last axis"),
        (_image(), np.ones(SHAPE, bool), {}, "truth values, a mask"),
        (_image(), np.full(SHAPE, 0.5), {}, "whole numbers"),
        (_image(), np.ones((2, *SHAPE), int), {}, "its labels"),
        (np.zeros((2, 2, *SHAPE)), np.ones(SHAPE, int), {}, "axes"),
        (_image(), _labels(PLACES), {"channels": ["a"]}, "has 2 channels; 1 names"),
        (_image(), _labels(PLACES), {"config": CellsConfig(marker="rfp")}, "no channel 'rfp'"),
        (_image(), _labels(PLACES), {"config": CellsConfig(protein="2")}, "from 0 to 1"),
        (_image(), _labels(PLACES), {"config": CellsConfig(marker="0")}, "at once"),
        (
            _image(),
            _labels(PLACES),
            {"channels": ["a", "A"], "config": CellsConfig(protein="a")},
            "2 channels of image are named",
        ),
        (_image(), _labels(PLACES), {"config": CellsConfig(pixel_size=3)}, "need the pixel size"),
        (
            _image(),
            _labels(PLACES),
            {"config": CellsConfig(pixel_size=1000), "pixel_size": 0.1},
            "640000 pixels wide",
        ),
        (_image(), _labels(PLACES), {"config": CellsConfig(size=64, edge="drop")}, "all 3 cells"),
    ],
)
def test_bad_input_is_a_sentence(image, labels, options, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        cut_cells(image, labels, options.pop("config", None), **options)


@QUIET
def test_crops_travel_to_a_child_process() -> None:
    crops = cut_cells(_image(), _labels(PLACES), CellsConfig(size=8), channels=["a", "b"])
    copy = pickle.loads(pickle.dumps(crops))  # noqa: S301
    np.testing.assert_array_equal(copy.array, crops.array)
    np.testing.assert_array_equal(copy.masks, crops.masks)
    assert (copy.channels, copy.box) == (("a", "b"), 8)
