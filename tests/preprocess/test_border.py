import numpy as np
import pytest

from napari_cryoml.preprocess import mirrored_index, mirrored_region


def test_an_axis_goes_back_and_forth() -> None:
    assert mirrored_index(-3, 6, 3).tolist() == [2, 1, 0, 0, 1, 2, 2, 1, 0]
    assert mirrored_index(-7, 2, 1).tolist() == [0] * 9


@pytest.mark.parametrize("shape", [(5, 4), (1, 3), (3, 4, 2)])
@pytest.mark.parametrize("margin", [0, 1, 9])
def test_a_region_is_that_of_the_padded_image(shape: tuple[int, ...], margin: int) -> None:
    image = np.random.default_rng(0).random(shape)
    start, extent = [-margin] * len(shape), [size + 2 * margin for size in shape]
    expected = np.pad(image, margin, mode="symmetric")
    assert np.array_equal(mirrored_region(image, start, extent), expected)


def test_only_the_region_is_read() -> None:
    class Watched:
        shape = (100, 100)

        def __getitem__(self, part: tuple[slice, ...]) -> np.ndarray:
            self.part = part
            return np.zeros([s.stop - s.start for s in part])

    image = Watched()
    mirrored_region(image, (-2, 90), (10, 20))
    assert image.part == (slice(0, 8), slice(90, 100))


def test_a_region_is_a_copy() -> None:
    image = np.zeros((4, 4))
    mirrored_region(image, (0, 0), (4, 4))[:] = 1
    assert image.max() == 0
