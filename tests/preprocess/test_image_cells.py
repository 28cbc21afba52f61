import pickle
import warnings

import numpy as np
import pytest
import tifffile

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import Crops
from napari_cryoml.io import read_cell_image, read_cells, write_crops
from napari_cryoml.jobs import Command, run_inline
from napari_cryoml.preprocess import CellsConfig, LabelledImage, cut_cells, find_cells

SHAPE = (2, 30, 36)


def _labels(*places):
    labels = np.zeros(SHAPE[1:], np.uint16)
    for number, (y, x) in enumerate(places, start=2):
        labels[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3] = 3 * number
    return labels


LABELS = [_labels((8, 9), (20, 25)), _labels((1, 1), (15, 15), (25, 30)), _labels((12, 20))]


def _pixels(number):
    return np.random.default_rng(number).integers(50, 60, SHAPE).astype(np.uint16)


def _pair(folder, number, labels, pixels=None, **options):
    path = folder / f"f{number}.tif"
    pixels = _pixels(number) if pixels is None else pixels
    tifffile.imwrite(path, pixels, photometric="minisblack")
    np.save(folder / f"l{number}.npy", labels)
    return LabelledImage(read_cell_image(path), folder / f"l{number}.npy", **options)


@pytest.fixture
def images(tmp_path):
    return [_pair(tmp_path, number, labels) for number, labels in enumerate(LABELS)]


def _found(images, config=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        return run_inline(find_cells(images, config, **options))


def _cut(config, numbers=(0, 1, 2), **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        return [
            cut_cells(_pixels(k), LABELS[k], config, image_name=f"f{k}.tif", **options)
            for k in numbers
        ]


CONFIGS = [
    CellsConfig(size=8),
    CellsConfig(size=8, mask=True, edge="pad"),
    CellsConfig(size=9, edge="drop", protein="1"),
    CellsConfig(size=8, pixel_size=3.0, marker="1"),
]


@pytest.mark.parametrize("config", CONFIGS)
def test_cells_are_those_that_are_cut_one_image_at_a_time(images, config) -> None:
    images = [LabelledImage(one.image, one.labels, 2.0) for one in images]
    cells = _found(images, config)
    expected = _cut(config, pixel_size=2.0)
    assert isinstance(cells, Crops)
    rows = np.arange(len(cells))
    np.testing.assert_array_equal(cells.read(rows), np.concatenate([c.array for c in expected]))
    np.testing.assert_array_equal(
        np.asarray(cells.masks), np.concatenate([c.masks for c in expected])
    )
    assert cells.ids.tolist() == [one for c in expected for one in c.ids]
    assert cells.images.tolist() == cells.columns["roi_id"].tolist()
    np.testing.assert_array_equal(cells.positions, np.concatenate([c.positions for c in expected]))
    for name, values in cells.columns.items():
        np.testing.assert_array_equal(values, np.concatenate([c.columns[name] for c in expected]))
    assert (cells.channels, cells.box) == (expected[0].channels, expected[0].box)
    assert cells.pixel_size == expected[0].pixel_size
    assert (cells.n_channels, cells.shape) == (2, expected[0].shape)


def test_rows_come_in_the_order_that_is_asked_for(images) -> None:
    cells = _found(images, CellsConfig(size=8))
    every = cells.read(range(6))
    np.testing.assert_array_equal(cells.read([5, 0, 3, 0]), every[[5, 0, 3, 0]])
    np.testing.assert_array_equal(np.concatenate(list(cells.batches(4))), np.arange(6))
    some = cells.take([4, 1])
    np.testing.assert_array_equal(some.read([0, 1]), every[[4, 1]])
    assert some.ids.tolist() == cells.ids[[4, 1]].tolist()
    assert [rows.tolist() for rows in some.batches(1)] == [[1], [0]]
    np.testing.assert_array_equal(some.masks[1], cells.masks[1])
    np.testing.assert_array_equal(cells.masks[2:4, 3], np.asarray(cells.masks)[2:4, 3])
    assert cells.take(cells.columns["area"] > 24).ids.tolist() == np.delete(cells.ids, 2).tolist()
    assert cells.read([]).shape == (0, 2, 8, 8)


def test_pixels_are_not_pickled(images) -> None:
    cells = _found(images, CellsConfig(size=8))
    cells.read([0, 5])
    packed = pickle.dumps(cells)
    assert len(packed) < 4000 < 3 * np.prod(SHAPE) * 2
    np.testing.assert_array_equal(pickle.loads(packed).read([3]), cells.read([3]))  # noqa: S301


def test_they_are_written_and_read_again(images, tmp_path) -> None:
    cells = _found(images, CellsConfig(size=8))
    write_crops(tmp_path / "cells.zarr", cells)
    again = read_cells(tmp_path / "cells.zarr")
    np.testing.assert_array_equal(again.read(range(6)), cells.read(range(6)))
    np.testing.assert_array_equal(np.asarray(again.masks), np.asarray(cells.masks))
    np.testing.assert_array_equal(again.positions, cells.positions)
    assert again.ids.tolist() == cells.ids.tolist()
    assert again.channels == cells.channels
    assert again.columns["roi_id"].tolist() == cells.columns["roi_id"].tolist()


def test_labels_may_lie_in_memory(images) -> None:
    cells = _found([LabelledImage(images[0].image, LABELS[0])], CellsConfig(size=8))
    np.testing.assert_array_equal(cells.read([0, 1]), _cut(CellsConfig(size=8), [0])[0].array)


def test_ids_survive_in_each_image(images) -> None:
    before = _found(images, CellsConfig(size=8)).ids
    moved = [
        LabelledImage(one.image, np.roll(k, 1, axis=1))
        for one, k in zip(images, LABELS, strict=True)
    ]
    assert _found(moved, CellsConfig(size=8)).ids.tolist() != before.tolist()
    assert _found(moved, CellsConfig(size=8), known=before).ids.tolist() == before.tolist()


def test_stopped_the_job_gives_the_images_so_far(images) -> None:
    job = find_cells(images, CellsConfig(size=8))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        assert next(job).total == 3
        event = job.send(None)
        assert (event.done, event.message) == (2, "5 cells in 2 of 3 images")
        with pytest.raises(StopIteration) as stop:
            job.send(Command.STOP)
    assert len(stop.value.value) == 5


def test_images_that_cannot_be_used_are_counted(tmp_path, images) -> None:
    nothing = _pair(tmp_path, 7, np.zeros(SHAPE[1:], int))
    other = _pair(tmp_path, 8, np.ones((5, 5), int))
    with pytest.warns(InputWarning) as said:
        cells = run_inline(find_cells([nothing, other, *images, other], CellsConfig(size=8)))
    told = [str(one.message) for one in said]
    assert len(cells) == 6
    assert any("Left out: f8.tif has the shape" in one and "1 more" in one for one in told)
    assert any(one.startswith("1 images have no cell in their labels") for one in told)


def test_cells_dropped_in_all_images_are_one_sentence(images) -> None:
    with pytest.warns(InputWarning, match="2 of 6 cells of 3 images were dropped"):
        cells = run_inline(find_cells(images, CellsConfig(size=12, edge="drop")))
    assert len(cells) == 4


def test_other_pixel_sizes_are_told(images) -> None:
    sizes = [
        LabelledImage(one.image, one.labels, size)
        for one, size in zip(images, (1, 2, 2), strict=True)
    ]
    with pytest.warns(InputWarning, match="different pixel sizes"):
        cells = run_inline(find_cells(sizes, CellsConfig(size=8)))
    assert cells.pixel_size is None
    one = _found(sizes, CellsConfig(size=8, pixel_size=2.0))
    assert one.pixel_size == 2.0
    np.testing.assert_array_equal(
        one.read([0]), _cut(CellsConfig(size=8, pixel_size=2.0), [0], pixel_size=1.0)[0].array[:1]
    )


@pytest.mark.filterwarnings("ignore::napari_cryoml._errors.InputWarning")
@pytest.mark.parametrize(
    ("labels", "config", "sentence"),
    [
        ([np.zeros(SHAPE[1:], int)], {}, r"labels of f0.tif hold no cell"),
        ([np.zeros(SHAPE[1:], int)] * 2, {}, "labels of all 2 images hold no cell"),
        ([np.ones((3, 3), int)] * 2, {}, r"f0.tif has the shape .* \(1 more image like it"),
        (LABELS, {"protein": "gfp"}, "no channel 'gfp' in f0.tif"),
        (LABELS, {"pixel_size": 2}, "need the pixel size of f0.tif"),
        (LABELS[:1], {"size": 40, "edge": "drop"}, r"all 2 cells of f0.tif leave"),
        (LABELS, {"size": 40, "edge": "drop"}, "all 6 cells of 3 images leave"),
    ],
)
def test_no_cells_at_all_are_a_sentence(tmp_path, labels, config, sentence) -> None:
    images = [_pair(tmp_path, number, one) for number, one in enumerate(labels)]
    with pytest.raises(InputError, match=sentence):
        run_inline(find_cells(images, CellsConfig(**({"size": 8} | config))))


def test_images_of_other_channels_are_a_sentence(tmp_path, images) -> None:
    odd = _pair(tmp_path, 9, LABELS[0], pixels=np.zeros((3, *SHAPE[1:]), np.uint8))
    with pytest.raises(InputError, match=r"f9.tif has 3 channels, and f0.tif has 2"):
        _found([images[0], odd], CellsConfig(size=8))
    named = read_cell_image(images[1].image.paths[0], ["x", "y"])
    with pytest.raises(InputError, match=r"channels of f1.tif are x, y"):
        _found([images[0], LabelledImage(named, LABELS[1])], CellsConfig(size=8))
    with pytest.raises(InputError, match="no images to cut cells"):
        _found([])
