import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import ArrayImage, Crops, Picks, PicksTable
from napari_cryoml.io import open_image, write_mrc
from napari_cryoml.preprocess import CropsConfig, PickCrops, fourier_rescale, pick_id

SHAPES = [(20, 24), (12, 20, 24)]


class Watched:
    """An image that notes what is read of it."""

    def __init__(self, array, name: str = "a.mrc", pixel_size: float | None = 2.0) -> None:
        self.array, self.name, self.pixel_size = np.asarray(array, np.float32), name, pixel_size
        self.path = None
        self.regions: list[tuple[slice, ...] | None] = []

    @property
    def shape(self):
        return self.array.shape

    def read(self, region=None):
        self.regions.append(region)
        return self.array[region if region is not None else ...].copy()


def image(shape, name: str = "a.mrc", pixel_size: float | None = 2.0) -> ArrayImage:
    rng = np.random.default_rng(len(name))
    return ArrayImage(rng.normal(50, 1, shape).astype(np.float32), name, pixel_size)


def table(*picks: Picks) -> PicksTable:
    return PicksTable.of(picks)


def centre(shape) -> np.ndarray:
    return np.array([shape], np.float64) // 2


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("box", [4, 5])
def test_a_box_lies_around_the_nearest_pixel(shape, box: int) -> None:
    source = image(shape)
    crops = PickCrops([source], table(Picks("a", centre(shape) + 0.3)), box)
    assert isinstance(crops, Crops)
    assert crops.shape == (box,) * len(shape)
    (crop,) = crops.read([0])
    start = [n // 2 - box // 2 for n in shape]
    inside = source.array[tuple(slice(a, a + box) for a in start)]
    np.testing.assert_array_equal(crop[0], inside)
    assert crop[(0, *[box // 2] * len(shape))] == source.array[tuple(n // 2 for n in shape)]


@pytest.mark.parametrize("shape", SHAPES)
def test_beyond_the_border_is_the_mirror_image(shape) -> None:
    source = image(shape)
    crops = PickCrops([source], table(Picks("a.mrc", np.zeros((1, len(shape))))), 8)
    padded = np.pad(source.array, 4, mode="symmetric")
    expected = padded[tuple(slice(0, 8) for _ in shape)]
    np.testing.assert_array_equal(crops.read([0])[0, 0], expected)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("box", "size"), [(8, 4), (9, 6), (10, 5), (7, 3), (8, 8)])
def test_fewer_pixels_are_those_of_each_box_rescaled(shape, box: int, size: int) -> None:
    source = image(shape)
    positions = centre(shape) + np.arange(3)[:, None]
    large = PickCrops([source], table(Picks("a", positions)), box).read([0, 1, 2])
    crops = PickCrops([source], table(Picks("a", positions)), box, size)
    expected = [fourier_rescale(crop[0], (size,) * len(shape)) for crop in large]
    np.testing.assert_allclose(crops.read([0, 1, 2])[:, 0], expected, rtol=1e-5, atol=1e-5)
    assert crops.shape == (size,) * len(shape)
    assert crops.pixel_size == pytest.approx(2 * box / size)


def test_crops_come_in_the_order_asked_for() -> None:
    a, b = image((30, 30), "a.mrc"), image((24, 40), "bb.mrc")
    spots = np.array([[10.0, 11], [5, 6], [20, 9]])
    crops = PickCrops([a, b], table(Picks("bb", spots), Picks("a", spots)), 6)
    assert crops.images.tolist() == ["bb.mrc"] * 3 + ["a.mrc"] * 3
    together = crops.read([4, 0, 3, 2])
    for crop, row in zip(together, [4, 0, 3, 2], strict=True):
        np.testing.assert_array_equal(crop, crops.read([row])[0])
    assert crops.read([]).shape == (0, 1, 6, 6)


def test_batches_hold_each_row_once_and_images_together() -> None:
    sources = [image((30, 30), "a.mrc"), image((30, 30), "b.mrc")]
    spots = np.random.default_rng(0).uniform(5, 25, (4, 2))
    parts = [Picks("a", spots[:2]), Picks("b", spots), Picks("a", spots[2:])]
    crops = PickCrops(sources, table(*parts), 6)
    batches = [rows.tolist() for rows in crops.batches(3)]
    assert [len(rows) for rows in batches] == [3, 3, 2]
    order = [row for rows in batches for row in rows]
    assert sorted(order) == list(range(8))
    assert crops.images[order].tolist() == ["a.mrc"] * 4 + ["b.mrc"] * 4


def test_an_image_is_read_once_for_many_crops_and_in_part_for_few() -> None:
    source = Watched(np.random.default_rng(0).normal(size=(40, 40)))
    spots = np.array([[y, x] for y in range(5, 35, 5) for x in range(5, 35, 5)], float)
    crops = PickCrops([source], table(Picks("a", spots)), 10)
    crops.read([3])
    assert source.regions == [(slice(0, 10), slice(15, 25))]
    for rows in crops.batches(12):
        crops.read(rows)
    assert source.regions[1:] == [None]
    np.testing.assert_array_equal(crops.read([3])[0, 0], source.array[0:10, 15:25])
    assert len(source.regions) == 2


def test_the_pickle_carries_no_pixels_of_files(tmp_path) -> None:
    path = write_mrc(tmp_path / "a.mrc", np.random.default_rng(0).normal(size=(90, 90)), 1.5)
    crops = PickCrops([open_image(path)], table(Picks("a", np.full((1, 2), 45.0))), 80)
    before = crops.read([0])
    content = pickle.dumps(crops)
    assert len(content) < 4000
    np.testing.assert_array_equal(pickle.loads(content).read([0]), before)  # noqa: S301
    path.unlink()
    with pytest.raises(InputError, match="There is no file"):
        pickle.loads(content).read([0])  # noqa: S301


def test_names_of_images_are_made_once_and_not_pickled() -> None:
    images = [image((20, 24), name) for name in ("a" * 40, "b" * 40)]
    spots = np.argwhere(np.ones((20, 24))).astype(float)
    crops = PickCrops(images, table(*(Picks(each.name, spots) for each in images)), 4)
    content = pickle.dumps(crops)
    assert crops.images.tolist() == ["a" * 40] * 480 + ["b" * 40] * 480
    assert crops.images is crops.images
    with pytest.raises(ValueError, match="read-only"):
        crops.images[0] = "c"
    assert len(pickle.dumps(crops)) == len(content)
    again = pickle.loads(pickle.dumps(crops))  # noqa: S301
    np.testing.assert_array_equal(again.images, crops.images)


def test_holes_are_filled_and_nothing_stays_nothing() -> None:
    array = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32)
    array[5, 5], array[:, 18:] = np.nan, np.nan
    spots = np.array([[6.0, 6], [10, 25]])
    crops = PickCrops([ArrayImage(array, "a")], table(Picks("a", spots)), 8, 4).read([0, 1])
    assert np.isfinite(crops[0]).all()
    assert np.isnan(crops[1]).all()


@pytest.mark.parametrize(
    ("position", "name"),
    [
        ((1, 2), "m@1.0,2.0"),
        ((10.26, 3.04), "m@10.3,3.0"),
        ((-0.04, 7), "m@0.0,7.0"),
        ((1, 2, 3.5), "m@1.0,2.0,3.5"),
    ],
)
def test_names_of_picks(position, name: str) -> None:
    assert pick_id("m", position) == name


def test_ids_are_those_of_pick_id_under_the_name_of_the_source() -> None:
    spots = np.array([[3.33, 4.0], [8, 9.99]])
    crops = PickCrops([image((20, 20))], table(Picks("run1/a_autopick.star", spots)), 4)
    assert crops.ids.tolist() == [pick_id("a.mrc", row) for row in spots]
    np.testing.assert_array_equal(crops.positions, spots)


def test_of_picks_in_one_place_the_first_is_kept() -> None:
    spots = np.array([[5.0, 5], [5.04, 5], [7, 7], [5, 4.96]])
    picks = Picks("a", spots, np.array([1, 2, 3, 4]))
    with pytest.warns(InputWarning, match="2 picks lie within a tenth"):
        crops = PickCrops([image((20, 20))], table(picks), 4)
    assert crops.columns["score"].tolist() == [1, 3]
    assert len(crops) == 2


def test_the_columns_of_all_images_are_one_table() -> None:
    a = Picks("a", np.array([[5.0, 5]]), np.array([0.5]), columns={"n": [7], "who": ["me"]})
    b = Picks("b", np.array([[5.0, 5]]), columns={"n": [8], "both": [[1, 2]], "o": [None]})
    sources = [image((20, 20), "a"), image((20, 20), "b")]
    columns = PickCrops(sources, table(a, b), 4).columns
    assert columns["n"].tolist() == [7, 8]
    assert columns["who"].tolist() == ["me", ""]
    assert columns["o"].tolist() == ["", ""]
    assert columns["score"][0] == 0.5
    assert np.isnan(columns["score"][1])
    assert "both" not in columns
    assert "score" not in PickCrops(sources, table(b), 4).columns


def test_what_is_odd_is_said() -> None:
    sources = [image((20, 20), "a"), image((20, 20), "b", 3.0)]
    spots = np.array([[5.0, 5], [np.nan, 1], [25, 3]])
    with pytest.warns(InputWarning) as said:
        crops = PickCrops(sources, table(*[Picks(n, spots) for n in "abc"]), 4)
    words = " ".join(str(entry.message) for entry in said)
    assert "of 1 image(s) that are not open were left out: 'c'" in words
    assert "2 picks without a position" in words
    assert "2 of 4 picks lie outside their image" in words
    assert "2 to 3 angstrom" in words
    assert crops.pixel_size is None
    assert np.isfinite(crops.read(range(4))).all()


@pytest.mark.parametrize(
    ("picks", "options", "sentence"),
    [
        (
            Picks("other", np.ones((2, 2))),
            {"box": 4},
            r"None of the 1 .*\('other'\) is among the 1 .*\('a.mrc'\)",
        ),
        (Picks("a", np.ones((0, 2))), {"box": 4}, "no picks to cut out"),
        (Picks("a", np.ones((1, 3))), {"box": 4}, "2 axes, its picks have 3"),
        (Picks("a", np.ones((1, 2))), {"box": 25}, "between 2 and 24 pixels"),
        (Picks("a", np.ones((1, 2))), {"box": 1}, "between 2 and 24 pixels"),
        (Picks("a", np.ones((1, 2))), {"box": 8, "size": 9}, "a size of 9 was asked for"),
    ],
)
def test_mistakes_are_sentences(picks, options, sentence: str) -> None:
    with warnings.catch_warnings(), pytest.raises(InputError, match=sentence):
        warnings.simplefilter("error")
        PickCrops([image((20, 24))], table(picks), **options)


@pytest.mark.parametrize(
    ("options", "told", "box", "size"),
    [
        ({"diameter": 10}, None, 16, 16),
        ({"diameter": 60}, 20.0, 90, 64),
        ({}, 20.0, 30, 30),
        ({"box": 31}, None, 31, 31),
        ({"box": 80, "size": 20}, 20.0, 80, 20),
    ],
)
def test_boxes_of_a_diameter(options, told, box: int, size: int) -> None:
    picks = Picks("a", np.full((1, 2), 50.0), diameter=told)
    crops = CropsConfig(**options).cut([image((100, 100))], table(picks))
    assert (crops.box, crops.shape) == (box, (size, size))
    assert crops.diameter == options.get("diameter", told)


def test_volumes_are_reduced_further() -> None:
    picks = Picks("a", np.full((1, 3), 20.0))
    crops = CropsConfig(diameter=30).cut([image((50, 50, 50))], table(picks))
    assert (crops.box, crops.shape) == (44, (32, 32, 32))


def test_a_box_needs_a_diameter() -> None:
    with pytest.raises(InputError, match="do not tell how large the particles are"):
        CropsConfig().cut([image((20, 20))], table(Picks("a", np.ones((1, 2)))))


def test_the_import_loads_no_tables():
    code = (
        "import sys, napari_cryoml.preprocess; "
        "sys.exit(' '.join({'pandas', 'pyarrow'} & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_picks_that_moved_a_little_have_the_ids_they_had():
    image = ArrayImage(np.zeros((40, 40), np.float32), "a.mrc")
    before = PickCrops([image], PicksTable.of([Picks("a.mrc", [[10.0, 10.0], [30.0, 30.0]])]), 12)
    moved = PicksTable.of([Picks("a.mrc", [[11.0, 10.0], [33.0, 30.0]])])
    crops = PickCrops([image], moved, 12)  # of particles of 8 pixels
    again = crops.known_as(before.ids.tolist())
    assert again.ids.tolist() == [before.ids[0], crops.ids[1]]
    assert (again.positions == crops.positions).all()
    assert crops.ids.tolist() == ["a.mrc@11.0,10.0", "a.mrc@33.0,30.0"]
