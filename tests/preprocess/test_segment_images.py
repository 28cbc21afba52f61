import numpy as np
import pytest
import tifffile

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.io import read_cell_image, read_cell_labels
from napari_cryoml.jobs import Command, run_inline
from napari_cryoml.preprocess import SegmentConfig, segment_cells, segment_images


def _image(folder, name, n):
    pixels = np.full((2, 40, 60), 10, np.uint16)
    for number in range(n):
        pixels[1, 10:22, 5 + 20 * number : 17 + 20 * number] = 200
    tifffile.imwrite(folder / name, pixels, photometric="minisblack")
    return read_cell_image(folder / name, ["gfp", "rfp"])


def test_labels_are_kept_in_files(tmp_path) -> None:
    images = [_image(tmp_path, "a.tif", 2), _image(tmp_path, "b.tif", 3)]
    config = SegmentConfig(smallest=20)
    found = run_inline(segment_images(images, "rfp", tmp_path / "out", config, pixel_size=3.0))
    assert [one.labels.name for one in found] == ["a_labels.tif", "b_labels.tif"]
    assert [one.read_labels().max() for one in found] == [2, 3]
    assert found[0].sampling == 3.0
    np.testing.assert_array_equal(
        read_cell_labels(found[1].labels), segment_cells(images[1][1], config)
    )


def test_images_without_cells_are_counted(tmp_path) -> None:
    images = [_image(tmp_path, "a.tif", 0), _image(tmp_path, "b.tif", 1)]
    with pytest.warns(InputWarning, match=r"No cell was found in 1 of 2 images, as a\.tif"):
        found = run_inline(segment_images(images, "1", tmp_path / "out"))
    assert [one.image.name for one in found] == ["b.tif"]
    with pytest.raises(
        InputError, match=r"No cell was found in channel 'gfp' of a\.tif and 1 more"
    ):
        run_inline(segment_images(images, "gfp", tmp_path / "out"))
    with pytest.raises(InputError, match="no channel 'dapi'"):
        run_inline(segment_images(images, "dapi", tmp_path / "out"))


def test_stopped_the_job_gives_the_images_so_far(tmp_path) -> None:
    images = [_image(tmp_path, "a.tif", 1), _image(tmp_path, "b.tif", 1)]
    job = segment_images(images, "rfp", tmp_path)
    assert next(job).message == "1 cells in 1 of 2 images"
    with pytest.raises(StopIteration) as stop:
        job.send(Command.STOP)
    assert [one.image.name for one in stop.value.value] == ["a.tif"]


def test_names_of_one_stem_keep_their_endings(tmp_path) -> None:
    images = [_image(tmp_path, "a.tif", 1), _image(tmp_path, "a.tiff", 1)]
    found = run_inline(segment_images(images, "rfp", tmp_path / "out"))
    assert len({one.labels for one in found}) == 2
