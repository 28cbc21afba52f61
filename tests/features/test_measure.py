import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.features import MEASUREMENT_GROUPS, measure, measurement_sets

ALL = tuple(MEASUREMENT_GROUPS)
SIDE = {2: 33, 3: 17}


def ball(ndim=2, radius=10.0, side=None):
    """Return a disc or ball in the middle of a crop, bool."""
    shape = (side or SIDE[ndim],) * ndim
    return np.square(np.indices(shape) - (shape[0] // 2)).sum(axis=0) <= radius**2


def cells(n=3, n_channels=2, ndim=2, seed=0, side=None):
    """Return textured cells on a noisy background, and their masks."""
    from scipy import ndimage

    rng = np.random.default_rng(seed)
    mask = ball(ndim, SIDE[ndim] / 3, side)
    rough = ndimage.gaussian_filter(
        rng.normal(size=(n, n_channels, *mask.shape)), (0, 0, *[1.5] * ndim)
    )
    images = 100 + 400 * mask * (1 + 1.5 * rough) + rng.normal(size=rough.shape)
    return images.astype(np.float32), np.repeat(mask[None], n, axis=0)


def one(images, masks=None, name="", groups=ALL, channels=("a",)):
    """Return the values of one measurement."""
    found = measure(images, masks, channels, groups)
    return found.values[:, found.names.index(name)]


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("with_masks", [False, True])
def test_every_measurement_is_finite_and_named_once(ndim, with_masks):
    images, masks = cells(ndim=ndim)
    found = measure(images, masks if with_masks else None, groups=ALL)
    assert found.values.dtype == np.float32
    assert len(set(found.names)) == len(found.names) == found.values.shape[1]
    assert np.isfinite(found.values).all()
    assert any(name.startswith("shape") for name in found.names) == with_masks


@pytest.mark.parametrize("ndim", [2, 3])
def test_every_name_begins_with_a_stem_that_is_explained(ndim):
    stems = {stem for group in MEASUREMENT_GROUPS.values() for stem in group.texts}
    images, masks = cells(ndim=ndim)
    found = measure(images, masks, ("p", "m"), ALL)
    met = {max((s for s in stems if name.startswith(s)), key=len) for name in found.names}
    if ndim == 2:
        assert met == stems
    assert len(met) > 30
    for group in MEASUREMENT_GROUPS.values():
        assert all(stem.startswith(group.name) for stem in group.texts)


@pytest.mark.parametrize("with_masks", [False, True])
def test_gain_and_offset_of_the_camera_change_brightness_alone(with_masks):
    images, masks = cells()
    given = masks if with_masks else None
    plain, other = measure(images, given, groups=ALL), measure(7 * images + 300, given, groups=ALL)
    absolute = np.array([name.startswith("brightness") for name in plain.names])
    np.testing.assert_allclose(
        plain.values[:, ~absolute], other.values[:, ~absolute], rtol=0.02, atol=5e-3
    )
    assert (np.abs(other.values - plain.values) > plain.values)[:, absolute].mean() > 0.9


def test_a_quarter_turn_and_a_mirror_image_change_nothing():
    images, masks = cells(side=32)  # an odd last pixel takes no part in the coarser openings
    plain = measure(images, masks, groups=ALL).values
    for change in (lambda x: np.rot90(x, axes=(-2, -1)), lambda x: x[..., ::-1]):
        turned = measure(change(images), change(masks), groups=ALL).values
        np.testing.assert_allclose(turned, plain, rtol=2e-3, atol=2e-3)


def test_a_cell_is_measured_by_itself():
    images, masks = cells(n=40)
    whole = measure(images, masks, groups=ALL).values
    np.testing.assert_allclose(
        measure(images[[31]], masks[[31]], groups=ALL).values[0], whole[31], rtol=1e-4, atol=1e-4
    )


def test_neighbours_outside_the_mask_are_not_seen():
    images, masks = cells(n=1, n_channels=1)
    beside = images.copy()
    beside[..., :4, :4] = 3000
    changed = measure(beside, masks).values - measure(images, masks).values
    assert np.abs(changed).max() < 1e-2


def test_brightness_is_that_of_plain_numpy():
    images, masks = cells(n=2, n_channels=1)
    for row in range(2):
        inside = images[row, 0][masks[row]]
        expected = {
            "brightness_mean_a": inside.mean(),
            "brightness_sd_a": inside.std(),
            "brightness_quantile_25_a": np.quantile(inside, 0.25),
            "brightness_quantile_99_a": np.quantile(inside, 0.99),
        }
        for name, value in expected.items():
            assert one(images, masks, name)[row] == pytest.approx(value, rel=1e-3), name


def test_moments_of_intensity_are_those_of_scipy():
    from scipy import stats

    images, masks = cells(n=2, n_channels=1)
    inside = [image[0][mask] for image, mask in zip(images, masks, strict=True)]
    np.testing.assert_allclose(
        one(images, masks, "intensity_skew_a"), [stats.skew(row) for row in inside], rtol=1e-3
    )
    np.testing.assert_allclose(
        one(images, masks, "intensity_kurtosis_a"),
        [stats.kurtosis(row) for row in inside],
        rtol=1e-3,
        atol=1e-3,
    )


def test_a_disc_is_round_and_a_bar_is_not():
    bar = np.zeros((33, 33), bool)
    bar[12:21, 4:29] = True
    masks = np.stack([ball(radius=10.0), bar])
    images = np.where(masks, 5.0, 1.0)[:, None].astype(np.float32)
    assert one(images, masks, "shape_area").tolist() == [ball(radius=10.0).sum(), 9 * 25]
    assert one(images, masks, "shape_axis_1") == pytest.approx([20.0, 25 * 2 / 3**0.5], rel=0.03)
    assert one(images, masks, "shape_elongation") == pytest.approx([0.0, 1 - 9 / 25], abs=0.01)
    order = one(images, masks, "shape_order_2")
    assert order[0] < 0.01
    assert order[1] > 0.3
    assert one(images, masks, "shape_extent")[0] == pytest.approx(1, abs=0.03)


def test_protein_at_the_border_and_in_the_middle_are_told_apart():
    inside, core = ball(radius=12.0), ball(radius=4.0)
    rim = inside & ~ball(radius=10.0)
    images = np.stack([1.0 + 9 * core, 1.0 + 9 * rim, 1.0 + 9 * inside])[:, None]
    masks = np.stack([inside] * 3)
    radius = one(images, masks, "position_radius_a")
    assert radius[0] < 0.4 < radius[2] < radius[1]
    assert radius[2] == pytest.approx(2 / 3, abs=0.03)
    share = one(images, masks, "radial_fraction_1_a")
    assert share[0] > 5 * share[1]
    assert one(images, masks, "position_offset_a") == pytest.approx(0, abs=0.01)


def test_a_patch_on_one_side_has_order_one_and_lies_off_the_middle():
    inside = ball(radius=12.0)
    half = inside & (np.arange(33) > 16)
    images = np.stack([1.0 + 9 * half, 1.0 + 9 * inside])[:, None]
    masks = np.stack([inside] * 2)
    amplitude = one(images, masks, "radial_order_1_4_a")
    assert amplitude[0] > 20 * amplitude[1]
    offset = one(images, masks, "position_offset_a")
    assert offset[0] == pytest.approx(4 / (3 * np.pi), abs=0.05)
    assert offset[1] < 0.01


def test_spots_are_counted():
    from scipy import ndimage

    rng = np.random.default_rng(0)
    inside = ball(radius=14.0)
    spots = np.zeros((33, 33))
    spots[[10, 16, 22, 16], [16, 9, 16, 23]] = 1
    images = 1 + 5 * inside + 40 * ndimage.gaussian_filter(spots, 1.0)
    images = images + 0.02 * rng.normal(size=images.shape)
    found = one(images[None, None], inside[None], "puncta_number_1px_a")
    assert found.tolist() == [4]
    assert one(images[None, None], inside[None], "puncta_radius_1px_a")[0] == pytest.approx(
        6.5 / 14, abs=0.08
    )


def test_coarse_texture_is_told_from_fine():
    from scipy import ndimage

    rng = np.random.default_rng(0)
    noise = rng.normal(size=(2, 1, 32, 32))
    images = np.stack([noise[0], ndimage.gaussian_filter(noise[1], (0, 3, 3))])
    assert np.subtract(*one(images, None, "texture_correlation_2px_a")) < -0.1
    assert np.subtract(*one(images, None, "texture_contrast_1px_a")) > 1
    low, high = (one(images, None, f"spectrum_power_{band}_a") for band in (2, 15))
    assert low[1] - high[1] > 2 > abs(low[0] - high[0])


def plain_co_occurrence(levels, offsets, n_levels):
    counts = np.zeros((n_levels, n_levels))
    for place in np.ndindex(levels.shape):
        for offset in offsets:
            other = tuple(np.add(place, offset))
            if all(0 <= a < b for a, b in zip(other, levels.shape, strict=True)):
                first, second = levels[place], levels[other]
                if first >= 0 and second >= 0:
                    counts[first, second] += 1
                    counts[second, first] += 1
    return counts / max(counts.sum(), 1)


@pytest.mark.parametrize("shape", [(7, 6), (4, 5, 3)])
def test_co_occurrence_is_that_of_plain_loops(shape):
    from napari_cryoml.features._measure_kernels import co_occurrence
    from napari_cryoml.features._measure_texture import _offsets

    rng = np.random.default_rng(0)
    levels = rng.integers(-1, 4, (2, 1, *shape)).astype(np.int8)
    offsets = _offsets(len(shape), 2)
    assert len(offsets) == (3 ** len(shape) - 1) // 2
    found = co_occurrence(levels, offsets, 4, 2)
    for row in range(2):
        expected = plain_co_occurrence(levels[row, 0], offsets, 4)
        np.testing.assert_allclose(found[row, 0], expected, rtol=1e-5)


def test_patterns_are_those_of_scikit_image():
    from skimage.feature import local_binary_pattern

    from napari_cryoml.features._measure_kernels import binary_patterns

    # Neighbours between the axes lie on pixels where values change along the axes alone.
    rng = np.random.default_rng(0)
    image = rng.permutation(400).reshape(20, 20).astype(np.float32)
    found = binary_patterns(image[None, None], np.ones((1, 20, 20), bool), 1)[0, 0]
    assert found.sum() == pytest.approx(1)
    flat = np.full((20, 20), 3, np.float32)
    codes = local_binary_pattern(flat.astype(np.uint8), 8, 1, "uniform")[1:-1, 1:-1]
    expected = np.bincount(codes.astype(int).ravel(), minlength=10) / 18**2
    same = binary_patterns(flat[None, None], np.ones((1, 20, 20), bool), 1)[0, 0]
    np.testing.assert_allclose(same, expected)


def test_channels_that_are_alike_correlate():
    images, masks = cells(n=2, n_channels=1)
    both = np.concatenate([images, 2 * images + 5], axis=1)
    assert one(both, masks, "pair_correlation_a_b", channels="ab") == pytest.approx(1, abs=1e-4)
    assert one(both, masks, "pair_difference_a_b", channels="ab") == pytest.approx(0, abs=1e-3)
    assert one(both, masks, "pair_distance_a_b", channels="ab") == pytest.approx(0, abs=1e-3)
    apart, _ = cells(n=2, n_channels=2, seed=5)
    assert (np.abs(one(apart, masks, "pair_correlation_a_b", channels="ab")) < 0.5).all()


def test_manders_is_the_share_that_lies_on_the_other():
    inside = ball(radius=12.0)
    left, right = inside & (np.arange(33) < 16), inside & (np.arange(33) > 16)
    images = np.stack([1.0 + 9 * left, 1.0 + 9 * right])[None]
    for name in ("pair_manders_1_a_b", "pair_manders_2_a_b"):
        assert one(images, inside[None], name, channels="ab") == pytest.approx(0, abs=0.01)
    same = np.stack([1.0 + 9 * left, 1.0 + 9 * left])[None]
    assert one(same, inside[None], "pair_manders_1_a_b", channels="ab") == pytest.approx(1)


def test_a_channel_that_shows_nothing_has_no_relative_values():
    images, masks = cells(n=2)
    images[1, 1] = 7.0
    found = measure(images, masks, ("p", "m"), ALL)
    lost = np.isnan(found.values[1])
    for name, is_lost in zip(found.names, lost, strict=True):
        of_marker = name.endswith("_m") or name.startswith("pair")
        absolute = name.startswith(("brightness", "shape"))
        assert is_lost == (of_marker and not absolute), name
    assert np.isfinite(found.values[0]).all()


def test_an_empty_mask_and_a_crop_without_finite_pixels_have_no_values():
    images, masks = cells(n=4)
    masks = masks.copy()
    masks[1] = False
    images[2] = np.nan
    images[3, 0, 0, :3] = np.nan
    found = measure(images, masks, groups=ALL).values
    assert np.isnan(found[[1, 2]]).all()
    assert np.isfinite(found[[0, 3]]).all()


def test_saturated_cells_are_measured_and_said_to_be():
    images, masks = cells(n=2, n_channels=1)
    level = np.quantile(images[1][:, masks[1]], 0.5)
    images[1] = np.minimum(images[1], level)
    assert np.isfinite(measure(images, masks, groups=ALL).values).all()
    clipped = one(images, masks, "intensity_clipped_a")
    assert clipped[1] == pytest.approx(0.5, abs=0.02)
    assert clipped[0] < 0.01


@pytest.mark.parametrize("shape", [(1, 3), (2, 2), (5, 4), (1, 4, 3)])
def test_tiny_crops_are_measured(shape):
    images = np.random.default_rng(0).normal(size=(2, 2, *shape))
    assert np.isfinite(measure(images, np.ones((2, *shape), bool), groups=ALL).values).all()


def test_whole_numbers_and_no_cells_are_fine():
    images, masks = cells(n=2)
    whole = measure(images.astype(np.uint16), masks)
    np.testing.assert_allclose(whole.values, measure(np.floor(images), masks).values, atol=1e-4)
    none = measure(images[:0], masks[:0])
    assert none.names == whole.names
    assert none.values.shape == (0, len(whole.names))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"images": np.zeros((3, 8, 8))}, "axes .n, channel, y, x."),
        ({"masks": np.ones((2, 9, 9), bool)}, "Masks of these cells need the shape"),
        ({"channels": ["p"]}, "as many different names; 1"),
        ({"channels": ["p", "p"]}, "as many different names"),
        ({"groups": ["colour"]}, "no group of measurements named 'colour'"),
        ({"groups": ["shape"]}, "needs masks"),
        ({"groups": []}, "nothing to measure"),
    ],
)
def test_what_does_not_fit_is_a_sentence(options, sentence):
    images = np.zeros((2, 2, 8, 8), np.float32)
    with pytest.raises(InputError, match=sentence):
        measure(**({"images": images} | options))


def test_the_sets_are_configs():
    assert list(measurement_sets) == ["builtin", "cellprofiler"]
    for name in measurement_sets:
        config = measurement_sets.create(name)
        assert config.name == name
        assert type(config).model_validate_json(config.model_dump_json()) == config
    images, masks = cells()
    builtin = measurement_sets.create("builtin", groups=["brightness", "pair"])
    assert {name.split("_")[0] for name in builtin.measure(images, masks).names} == {
        "brightness",
        "pair",
    }
