"""Channels and masks of crops in the files that hold them."""

import pickle

import numpy as np
import pytest
import zarr

from napari_cryoml.data import ArrayCrops, CropPlaces
from napari_cryoml.io import read_crops, write_crops
from napari_cryoml.io._crop_writing import stream_crops
from napari_cryoml.jobs import Command

STORES = ["cells.zarr", "cells.npz"]


def cells(n=5, n_channels=2, size=6):
    rng = np.random.default_rng(0)
    array = rng.normal(size=(n, n_channels, size, size)).astype(np.float32)
    positions = rng.uniform(0, 50, (n, 2))
    return ArrayCrops.of(
        array,
        [f"a@{row}.0,1.0" for row in range(n)],
        {"protein": np.array(["AAC1"] * n), "area": np.arange(n)},
        pixel_size=1600.0,
        places=CropPlaces(np.array(["a"] * n), positions, box=12),
        channels=["gfp", "rfp", "dapi"][:n_channels],
        masks=array[:, 0] > 0,
    )


@pytest.mark.parametrize("name", STORES)
def test_channels_and_masks_are_kept(tmp_path, name):
    before = cells()
    written = write_crops(tmp_path / name, before)
    assert written == [tmp_path / name]
    after = read_crops(tmp_path / name)
    assert after.channels == ("gfp", "rfp")
    assert (after.pixel_size, after.box) == (1600.0, 12)
    assert set(after.columns) == {"protein", "area"}
    np.testing.assert_array_equal(after.read(range(5)), before.array)
    np.testing.assert_array_equal(np.asarray(after.masks), before.masks)
    np.testing.assert_array_equal(after.positions, before.positions)
    some = after.take([4, 1])
    np.testing.assert_array_equal(np.asarray(some.masks), before.masks[[4, 1]])
    np.testing.assert_array_equal(some.read([0, 1]), before.array[[4, 1]])
    np.testing.assert_array_equal(some.masks[1], before.masks[1])


def test_masks_in_zarr_stay_there(tmp_path):
    write_crops(tmp_path / "c.zarr", cells(n=40, size=64))
    after = read_crops(tmp_path / "c.zarr")
    assert len(pickle.dumps(after)) < 10_000
    again = pickle.loads(pickle.dumps(after.take([7])))  # noqa: S301
    np.testing.assert_array_equal(np.asarray(again.masks[0]), cells(n=40, size=64).masks[7])
    assert (after.masks.dtype, after.masks.ndim, len(after.masks)) == (np.dtype(bool), 3, 40)


@pytest.mark.parametrize("name", STORES)
def test_as_many_channels_as_cells(tmp_path, name):
    write_crops(tmp_path / name, cells(n=3, n_channels=3))
    after = read_crops(tmp_path / name)
    assert after.channels == ("gfp", "rfp", "dapi")
    assert "channels" not in after.columns


@pytest.mark.parametrize("name", STORES)
def test_stopped_early_masks_have_the_length_of_the_crops(tmp_path, name):
    job = stream_crops(tmp_path / name, cells(), batch=2)
    next(job)
    with pytest.raises(StopIteration):
        job.send(Command.STOP)
    after = read_crops(tmp_path / name)
    assert (len(after), len(after.masks)) == (2, 2)


def test_files_without_channels_and_masks_are_read_as_ever(tmp_path):
    plain = ArrayCrops.of(np.ones((3, 2, 4, 5), np.float32))
    for name in STORES:
        write_crops(tmp_path / name, plain)
        after = read_crops(tmp_path / name)
        assert (after.channels, after.masks) == (None, None)


@pytest.mark.parametrize(
    ("channels", "masks"),
    [(["a"], np.ones((4, 4), bool)), ([1, 2], np.ones((3, 4, 4))), ("ab", None)],
)
def test_what_does_not_fit_is_passed_over(tmp_path, channels, masks):
    group = zarr.open_group(tmp_path / "c.zarr", mode="w", zarr_format=2)
    group.create_array("crops", data=np.ones((3, 2, 4, 4), np.float32))
    group.attrs["channels"] = channels
    if masks is not None:
        group.create_array("masks", data=masks)
    after = read_crops(tmp_path / "c.zarr")
    assert (after.channels, after.masks) == (None, None)


def test_a_column_may_not_take_the_name_of_the_masks(tmp_path):
    crops = ArrayCrops.of(np.ones((2, 1, 4, 4)), columns={"masks": np.arange(2)})
    with pytest.raises(ValueError, match="column named 'masks'"):
        write_crops(tmp_path / "c.npz", crops)
