"""How many crops lie together in a file, which says how they are best read."""

import h5py
import numpy as np
import pytest
import zarr

from napari_cryoml.io import read_cells
from napari_cryoml.io._crop_files import LazyBoxes
from napari_cryoml.training import CropStore

CROPS = np.random.default_rng(0).normal(size=(20, 2, 24, 24)).astype(np.float32)


def test_of_zarr_and_hdf5_it_is_the_chunk(tmp_path):
    group = zarr.open_group(tmp_path / "c.zarr", mode="w", zarr_format=2)
    group.create_array("crops", data=CROPS, chunks=(6, 2, 24, 24))
    with h5py.File(tmp_path / "c.h5", "w") as file:
        file.create_dataset("crops", data=CROPS, chunks=(4, 2, 24, 24))
    with h5py.File(tmp_path / "plain.h5", "w") as file:
        file.create_dataset("crops", data=CROPS)
    for name, block in (("c.zarr", 6), ("c.h5", 4), ("plain.h5", 1)):
        crops = read_cells(tmp_path / name)
        assert crops.array.rows_per_chunk == block
        assert CropStore(crops).block == block
    np.save(tmp_path / "c.npy", CROPS)
    assert CropStore(read_cells(tmp_path / "c.npy")).block == 1


class Numbered(LazyBoxes):
    def read(self, rows):
        return np.broadcast_to(rows.reshape(-1, 1, 1, 1), (len(rows), *self.shape[1:]))


@pytest.mark.parametrize(
    ("index", "rows"),
    [
        (np.array([3, -1, 0]), [3, 9, 0]),
        (slice(7, None), [7, 8, 9]),
        (np.arange(10) > 7, [8, 9]),
        (np.array([], np.intp), []),
        ([1, 2], [1, 2]),
    ],
)
def test_rows_are_taken_as_by_an_array(index, rows):
    assert Numbered((10, 1, 2, 2))[index][:, 0, 0, 0].tolist() == rows


def test_one_row_and_rows_that_are_not_there():
    boxes = Numbered((10, 1, 2, 2))
    assert boxes[4].shape == boxes[np.int64(4)].shape == (1, 2, 2)
    with pytest.raises(IndexError):
        boxes[np.array([10])]
