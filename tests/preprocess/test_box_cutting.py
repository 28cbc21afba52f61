import numpy as np
import pytest
from scipy import ndimage

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import ArrayImage, MissingWedge, Picks, PicksTable
from napari_cryoml.preprocess import BoxCutting, CropsConfig, PickCrops

SHAPES = [(40, 44), (24, 28, 32)]


def blob(shape, centre, sigma=2.0):
    """Return a Gaussian at a place between pixels, on a high background."""
    grid = np.indices(shape)
    squared = sum((axis - at) ** 2 for axis, at in zip(grid, centre, strict=True))
    return ArrayImage((100 + np.exp(-squared / (2 * sigma**2))).astype(np.float32), "t", 10.0)


def cut(image, positions, box=12, size=None, **options):
    table = PicksTable.of([Picks("t", np.asarray(positions, float))])
    return PickCrops([image], table, box, size, cutting=BoxCutting(**options))


def middle(crop):
    """Return the centre of mass of a crop above its background, relative to its middle pixel."""
    contrast = crop - crop.min()
    return np.array(ndimage.center_of_mass(contrast)) - np.array(crop.shape) // 2


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fraction", [0.0, 0.3, -0.45, 0.5])
def test_the_pick_comes_to_lie_in_the_middle(shape, fraction):
    place = np.array(shape) // 2 + fraction * np.array([1, -1, 0.5])[: len(shape)]
    image = blob(shape, place)
    whole = cut(image, [place], 13)
    below = cut(image, [place], 13, sub_voxel=True)
    np.testing.assert_allclose(middle(below.read([0])[0, 0]), 0, atol=0.02)
    np.testing.assert_allclose(middle(whole.read([0])[0, 0]), whole.offsets[0], atol=0.06)
    assert not below.offsets.any()
    expected = blob(shape, np.array(shape) // 2).array
    inner = tuple(slice(n // 2 - 6, n // 2 + 7) for n in shape)
    np.testing.assert_allclose(below.read([0])[0, 0], expected[inner], atol=5e-3)


@pytest.mark.parametrize("shape", SHAPES)
def test_whole_pixels_are_not_touched(shape):
    image = ArrayImage(np.random.default_rng(0).normal(50, 1, shape).astype(np.float32), "t")
    place = [np.array(shape) // 2]
    exact, filtered = cut(image, place), cut(image, place, sub_voxel=True)
    np.testing.assert_allclose(filtered.read([0]), exact.read([0]), atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_smoothing_is_a_gaussian(shape):
    rng = np.random.default_rng(0)
    image = ArrayImage(rng.normal(50, 1, shape).astype(np.float32), "t", 10.0)
    place = [np.array(shape) // 2]
    smooth = cut(image, place, smooth_px=1.5).read([0])[0, 0]
    inner = tuple(slice(n // 2 - 6, n // 2 + 6) for n in shape)
    expected = ndimage.gaussian_filter(image.array, 1.5)[inner]
    np.testing.assert_allclose(smooth, expected, atol=0.02)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_mean_lies_beyond_the_border(shape):
    rng = np.random.default_rng(0)
    image = ArrayImage(rng.normal(5, 1, shape).astype(np.float32), "t")
    crop = cut(image, [np.zeros(len(shape))], 8, border="mean").read([0])[0, 0]
    inside = (slice(4, None),) * len(shape)
    known = image.array[(slice(0, 4),) * len(shape)]
    np.testing.assert_array_equal(crop[inside], known)
    outside = np.ones(crop.shape, bool)
    outside[inside] = False
    np.testing.assert_allclose(crop[outside], known.mean(), rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_boxes_that_leave_the_image_are_dropped_and_counted(shape):
    image = blob(shape, np.array(shape) // 2)
    places = np.array([np.array(shape) // 2, np.full(len(shape), 6), np.full(len(shape), 5)])
    with pytest.warns(InputWarning, match="1 of 3 picks were left out: their boxes of 12 pixels"):
        crops = cut(image, places, border="drop")
    np.testing.assert_array_equal(crops.positions, places[:2])
    with pytest.raises(InputError, match="All boxes of 12 pixels leave their image"):
        cut(image, places[2:], border="drop")


def test_dark_becomes_bright():
    image = blob((40, 44), (20, 22))
    crops, inverted = cut(image, [[20, 22]]), cut(image, [[20, 22]], invert=True)
    np.testing.assert_array_equal(inverted.read([0]), -crops.read([0]))


def test_all_at_once_and_reduced():
    place = np.array([12.3, 14.6, 15.8])
    image = blob((24, 28, 32), place, 2.5)
    crop = cut(image, [place], 16, 8, sub_voxel=True, smooth_px=1.0, invert=True).read([0])[0, 0]
    np.testing.assert_allclose(middle(-crop), 0, atol=0.05)


def test_regions_alone_are_read_of_a_tomogram():
    class Watched(ArrayImage):
        def read(self, region=None):
            assert region is not None
            assert all(axis.stop - axis.start <= 20 for axis in region)
            return super().read(region)

    image = Watched(np.zeros((60, 60, 60), np.float32), "t")
    crops = cut(image, [[30.2, 30, 30], [2.5, 2, 58]], sub_voxel=True)
    assert crops.read([0, 1]).shape == (2, 1, 12, 12, 12)


def test_holes_are_mended_before_the_filters():
    array = np.random.default_rng(0).normal(size=(40, 44)).astype(np.float32)
    array[20, 20] = np.nan
    crops = cut(ArrayImage(array, "t"), [[20.4, 20]], sub_voxel=True, smooth_px=1.0)
    assert np.isfinite(crops.read([0])).all()
    nothing = ArrayImage(np.full((40, 44), np.nan, np.float32), "t")
    for border in ("mirror", "mean"):
        assert np.isnan(cut(nothing, [[1, 1]], sub_voxel=True, border=border).read([0])).all()


def test_orientations_and_tilts_go_along():
    rotations = np.stack([np.eye(3), np.full((3, 3), np.nan), -np.eye(3)[::-1]])
    places = np.array([[10.0, 10, 10], [10, 10, 10.01], [12, 12, 12]])
    picks = Picks("t", places, rotations=rotations)
    table = PicksTable.of([picks, Picks("u", np.full((1, 3), 9.0))])
    images = [ArrayImage(np.zeros((24, 24, 24), np.float32), name) for name in "tu"]
    with pytest.warns(InputWarning, match="within a tenth of a pixel"):
        crops = PickCrops(images, table, 8, wedge=MissingWedge(-40, 40), pixel_size=5.0)
    assert crops.wedge == MissingWedge(-40, 40)
    assert (crops.pixel_size, crops.image_pixel_size) == (5, 5)
    np.testing.assert_array_equal(crops.rotations[:2], rotations[[0, 2]])
    assert np.isnan(crops.rotations[2]).all()
    assert PickCrops(images, PicksTable.of([Picks("t", places[:1])]), 8).rotations is None


def test_the_config_takes_nanometres():
    image = blob((40, 44), (20, 22))
    table = PicksTable.of([Picks("t", [[20.0, 22.0]])])
    smooth = CropsConfig(box=12, smooth_nm=1.5).cut([image], table)
    expected = cut(image, [[20, 22]], smooth_px=1.5)
    np.testing.assert_array_equal(smooth.read([0]), expected.read([0]))
    told = CropsConfig(box=12, smooth_nm=3).cut([image], table, pixel_size=20.0)
    np.testing.assert_array_equal(told.read([0]), expected.read([0]))
    bare = ArrayImage(image.array, "t")
    with pytest.raises(InputError, match="Smoothing by 2 nm needs the pixel size"):
        CropsConfig(box=12, smooth_nm=2).cut([bare], table)


def test_by_default_nothing_is_done():
    assert CropsConfig().model_dump() == {
        "diameter": None,
        "box": None,
        "size": None,
        "sub_voxel": False,
        "border": "mirror",
        "smooth_nm": 0.0,
        "invert": False,
    }
    assert BoxCutting().margin == 0
