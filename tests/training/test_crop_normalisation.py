import numpy as np
import pytest

from napari_cryoml.training import CropStore, normalised, standardised

KINDS = ("channel", "joint", "min_max", "percentile")
SHAPES = [(9, 7), (4, 5, 6)]


def _crops(shape: tuple[int, ...]) -> np.ndarray:
    rng = np.random.default_rng(0)
    crops = rng.gamma(2, 50, (5, 2, *shape)).astype(np.float32)
    crops[:, 1] = crops[:, 1] * 0.001 + 7  # another gain and offset, a range below 1
    return crops


def _channel(crop: np.ndarray) -> np.ndarray:
    return np.stack([(channel - channel.mean()) / channel.std() for channel in crop])


def _min_max(crop: np.ndarray) -> np.ndarray:
    return np.stack([(channel - channel.min()) / np.ptp(channel) for channel in crop])


def _joint(crop: np.ndarray) -> np.ndarray:
    stretched = _min_max(crop)
    return (stretched - stretched.mean()) / stretched.std()


def _percentile(crop: np.ndarray) -> np.ndarray:
    channels = []
    for channel in crop:
        low, high = np.percentile(channel, [0.1, 99.9])
        shifted = np.clip(channel, low, high) - low
        channels.append(shifted / (high - low) if high - low > 1 else shifted)
    return np.stack(channels)


PLAIN = {"channel": _channel, "joint": _joint, "min_max": _min_max, "percentile": _percentile}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_what_the_formula_says(kind: str, shape: tuple[int, ...]) -> None:
    crops = _crops(shape)
    before = crops.copy()
    expected = np.stack([PLAIN[kind](crop.astype(np.float64)) for crop in crops])
    found = normalised(crops, kind)
    assert found.dtype == np.float32
    assert np.allclose(found, expected, atol=2e-4)
    assert np.array_equal(crops, before)


@pytest.mark.parametrize("kind", ["channel", "joint", "min_max"])
def test_gain_and_offset_of_a_channel_do_not_count(kind: str) -> None:
    crops = _crops((9, 7))
    other = crops.copy()
    other[:, 0] = 3 * other[:, 0] + 100
    assert np.allclose(normalised(other, kind), normalised(crops, kind), atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_crop_does_not_depend_on_the_others(kind: str) -> None:
    crops = _crops((9, 7))
    assert np.array_equal(normalised(crops, kind)[2:3], normalised(crops[2:3], kind))


@pytest.mark.parametrize("kind", KINDS)
def test_constant_channels_and_gaps_are_finite(kind: str) -> None:
    crops = _crops((9, 7))
    crops[0, 0], crops[1] = 300, np.nan
    crops[2, 0, 3, 3] = np.inf
    found = normalised(crops, kind)
    assert np.isfinite(found).all()
    assert np.ptp(found[0, 0]) == 0
    assert (found[1] == 0).all()
    filled = crops.copy()
    filled[2, 0, 3, 3] = np.mean(np.delete(crops[2, 0].ravel(), 3 * 7 + 3))
    assert np.allclose(found[2], normalised(filled, kind)[2], atol=1e-4)


def test_the_usual_one_is_of_each_channel() -> None:
    crops = _crops((9, 7))
    assert np.array_equal(normalised(crops), normalised(crops, "channel"))
    assert np.array_equal(standardised(crops), normalised(crops, "channel"))
    assert np.array_equal(CropStore(crops).read([1, 0]), normalised(crops[[1, 0]]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_normalises_as_it_is_told(kind: str) -> None:
    crops = _crops((9, 7))
    assert np.array_equal(
        CropStore(crops, normalisation=kind).read([3]), normalised(crops[[3]], kind)
    )
