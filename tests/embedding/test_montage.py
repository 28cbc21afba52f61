import io

import numpy as np
from PIL import Image

from napari_cryoml.data import ArrayCrops, Embedding
from napari_cryoml.embedding import central_thumbnails
from napari_cryoml.embedding._montage import png_of


def test_a_png_holds_the_pixels():
    grey = np.random.default_rng(0).integers(0, 256, (5, 7), np.uint8)
    shown = Image.open(io.BytesIO(png_of(grey)))
    assert shown.mode == "L"
    assert np.array_equal(np.array(shown), grey)


def test_the_most_central_cells_come_first():
    vectors = np.array([[0.0], [10], [4], [7]])  # the mean of a is 14 / 3
    names = ["a", "a", "a", "b"]
    cells = Embedding(vectors, ["c0", "c1", "c2", "c3"], table={"protein": names})
    pixels = np.zeros((4, 2, 4, 4))
    pixels[0, 0, 0], pixels[1, 0, :, 0], pixels[2, 0, 2, 2] = 1, 2, 3
    crops = ArrayCrops.of(pixels, ["c1", "c2", "c0", "far"])  # in another order
    found = central_thumbnails(cells, crops, ["a", "b"], n=2)
    assert sorted(found) == ["a"]
    first = np.array(Image.open(io.BytesIO(found["a"])))
    assert first.shape == (4, 8)
    assert (first[:, 0] == 255).all()  # c2, a bright column
    assert (np.flatnonzero(first[:, 4:]) == [2 * 4 + 2]).all()  # c0, a point
    only = central_thumbnails(cells, crops, ["a"], rows=[1])
    assert np.array(Image.open(io.BytesIO(only["a"]))).shape == (4, 4)


def test_volumes_show_their_middle_and_large_crops_are_reduced():
    pixels = np.zeros((1, 1, 6, 100, 100))
    pixels[0, 0, 3, :50] = 1
    cells = Embedding(np.zeros((1, 2)), ["c"], table={"protein": ["a"]})
    found = central_thumbnails(cells, ArrayCrops.of(pixels, ["c"]), ["a"])
    shown = np.array(Image.open(io.BytesIO(found["a"])))
    assert shown.shape == (34, 34)
    assert shown[0].min() == 255
    assert shown[-1].max() == 0
