"""The number of particles from a box in which all of them are labelled."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, ArrayImage
from napari_cryoml.picking.live import LiveConfig, LivePicker, MarkedBox
from napari_cryoml.simulate import MicrographConfig, simulate_micrograph

SIZE, DIAMETER = 240, 16.0


@pytest.fixture(scope="module")
def micrograph():
    config = MicrographConfig(
        shape=(SIZE, SIZE), diameter=DIAMETER, n_particles=40, count="fixed", snr=0.2, pixel_size=6
    )
    return simulate_micrograph(config, seed=3, name="a")


@pytest.fixture(scope="module")
def picker(micrograph):
    return LivePicker.of([ArrayImage(micrograph.image, "a")])


def _left_half(micrograph):
    positions = micrograph.picks.positions
    return {"a": Annotations.of_positives(positions[positions[:, 1] <= SIZE / 2])}


def test_a_box_holds_what_lies_between_its_corners():
    box = MarkedBox(image="a", low=(1, 2), high=(3, 4))
    positions = np.array([[1, 2], [3, 4], [2, 3], [0.9, 3], [2, 4.1]])
    assert box.holds(positions).tolist() == [True, True, True, False, False]


@pytest.mark.parametrize("corners", [((3, 2), (1, 4)), ((1, 2), (1, 4)), ((1, 2), (3, 4, 5))])
def test_a_box_needs_two_opposite_corners(corners):
    with pytest.raises(ValueError, match="opposite corners"):
        MarkedBox(image="a", low=corners[0], high=corners[1])


def test_a_marked_half_tells_the_number_more_surely(picker, micrograph):
    labels = _left_half(micrograph)
    plain = picker.fit(labels, LiveConfig(diameter=DIAMETER)).prior
    box = MarkedBox(image="a", low=(0, 0), high=(SIZE, SIZE / 2))
    marked = picker.fit(labels, LiveConfig(diameter=DIAMETER, marked=box)).prior
    assert marked.high - marked.low < plain.high - plain.low
    assert marked.low <= 40 <= marked.high


def test_a_sparse_box_says_that_there_are_few(picker, micrograph):
    """The same labels, once as all there are and once as some: all there are is fewer."""
    every = micrograph.picks.positions
    labels = {"a": Annotations.of_positives(every[:4])}
    box = MarkedBox(image="a", low=(0, 0), high=(SIZE, SIZE))
    marked = picker.fit(labels, LiveConfig(diameter=DIAMETER, marked=box)).prior
    assert marked.value < picker.fit(labels, LiveConfig(diameter=DIAMETER)).prior.value


def test_a_box_in_an_image_without_labels_is_refused(picker, micrograph):
    box = MarkedBox(image="b", low=(0, 0), high=(9, 9))
    with pytest.raises(InputError, match="'b' is said to be labelled"):
        picker.fit(_left_half(micrograph), LiveConfig(diameter=DIAMETER, marked=box))


def test_a_box_of_other_axes_is_refused(picker, micrograph):
    box = MarkedBox(image="a", low=(0, 0, 0), high=(9, 9, 9))
    with pytest.raises(InputError, match="3 axes"):
        picker.fit(_left_half(micrograph), LiveConfig(diameter=DIAMETER, marked=box))
