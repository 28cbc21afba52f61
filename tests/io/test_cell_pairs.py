import numpy as np
import pytest
import tifffile

from napari_cryoml._errors import InputError
from napari_cryoml.io import open_cell_images, pair_labels, read_cell_labels, write_cell_labels


def _save(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        tifffile.imwrite(folder / name, np.zeros((4, 5), np.uint8))
    return folder


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (["a.tif", "b.tif"], ["b_labels.tif", "a_labels.tif"]),
        (["a.tif", "b.tif"], ["a_cp_masks.tif", "b_cp_masks.tif"]),
        (["a.tif", "b.tif"], ["a.tif", "b.tif"]),
        (["A.ome.tif", "b.tif"], ["a-mask.tif", "B_seg.tif"]),
        (
            ["a_gfp.tif", "a_rfp.tif", "b_gfp.tif", "b_rfp.tif"],
            ["a_rfp_cp_masks.tif", "b_labels.tif"],
        ),
        (["only.tif"], ["whatever.tif"]),
    ],
)
def test_labels_find_their_image(tmp_path, images, labels) -> None:
    opened = open_cell_images(_save(tmp_path / "images", *images))
    found = pair_labels(opened, _save(tmp_path / "labels", *labels))
    assert [image.name for image, _ in found] == [image.name for image in opened]
    if len(opened) > 1:
        assert [path.name[0].lower() for _, path in found] == ["a", "b"]


def test_labels_beside_their_images(tmp_path) -> None:
    _save(tmp_path, "a.tif", "b.tif", "a_labels.tif", "b_labels.tif")
    opened = open_cell_images(tmp_path)
    assert [image.name for image in opened] == ["a.tif", "b.tif"]
    found = pair_labels(opened, tmp_path)
    assert [path.name for _, path in found] == ["a_labels.tif", "b_labels.tif"]


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (["a_labels.tif"], r"1 of 2 images have no labels \(b.tif\)"),
        (["x.tif", "y.tif"], "2 of 2 images have no labels"),
        (["a_labels.tif", "a_masks.tif", "b_masks.tif"], "2 files of labels fit the image a.tif"),
    ],
)
def test_labels_that_do_not_fit_are_a_sentence(tmp_path, labels, sentence) -> None:
    opened = open_cell_images(_save(tmp_path / "images", "a.tif", "b.tif"))
    with pytest.raises(InputError, match=sentence):
        pair_labels(opened, _save(tmp_path / "labels", *labels))


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint16])
def test_labels_are_written_and_read(tmp_path, dtype) -> None:
    labels = np.arange(20).reshape(4, 5).astype(dtype)
    path = write_cell_labels(tmp_path / "new" / "a_labels.tif", labels)
    again = read_cell_labels(path)
    assert again.dtype == dtype
    np.testing.assert_array_equal(again, labels)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError):
        write_cell_labels(tmp_path / "file" / "a.tif", labels)
