import numpy as np
import pytest

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import ArrayImage, Picks, PicksTable
from napari_cryoml.preprocess import PickCrops

RNG = np.random.default_rng(0)


def cut(shape, positions, pixel_sizes=(None, None)):
    image = ArrayImage(np.zeros(shape, np.float32), "t.mrc", pixel_sizes[0])
    picks = Picks("t", np.asarray(positions, float), pixel_size=pixel_sizes[1])
    return PickCrops([image], PicksTable.of([picks]), 8)


def within(shape, n=50):
    return RNG.uniform(0, np.array(shape) - 1, (n, len(shape)))


@pytest.mark.parametrize(
    ("made_on", "given", "words"),
    [
        ((20, 90, 80), (90, 20, 80), "z and y look swapped"),
        ((20, 90, 80), (80, 90, 20), "z and x look swapped"),
        ((20, 60, 90), (90, 20, 60), "the axes look cycled"),
        ((40, 90), (90, 40), "y and x look swapped"),
    ],
)
def test_swapped_axes_are_told(made_on, given, words):
    with pytest.raises(InputError, match=words) as error:
        cut(given, within(made_on))
    assert " x ".join(map(str, given)) in str(error.value)


@pytest.mark.parametrize("shape", [(20, 90, 80), (40, 90)])
def test_picks_in_their_image_are_fine(shape, recwarn):
    cut(shape, within(shape))
    assert not recwarn.list


def test_some_picks_outside_are_a_warning():
    positions = within((20, 30, 40))
    positions[:2] += 100
    with pytest.warns(InputWarning, match="2 of 50 picks lie outside their image"):
        assert len(cut((20, 30, 40), positions)) == 50


def test_all_picks_outside_are_a_mistake():
    with pytest.raises(InputError, match=r"All 50 picks lie outside .* 20 x 30 x 40 pixels"):
        cut((20, 30, 40), within((20, 30, 40)) + 1000)


def test_another_sampling_is_told():
    positions = within((20, 30, 40))
    words = r"tell 1.35 angstrom a pixel, and the image 10.8; .* scale them by 0.125"
    with pytest.warns(InputWarning, match=f"The picks of t.mrc {words}"):
        cut((20, 30, 40), positions, (10.8, 1.35))
    with pytest.raises(InputError, match=f"All 50 picks lie outside.*{words}"):
        cut((20, 30, 40), positions * 8 + 320, (10.8, 1.35))


def test_nearly_one_sampling_is_one(recwarn):
    cut((20, 30, 40), within((20, 30, 40)), (10.8, 10.7))
    assert not recwarn.list
