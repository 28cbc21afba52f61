import numpy as np
import pytest

from napari_cryoml.data import UNLABELLED
from napari_cryoml.training import paint_labels


@pytest.mark.parametrize(("ndim", "pixels"), [(2, 29), (3, 123)])
def test_a_disc_of_radius_three(ndim: int, pixels: int) -> None:
    labels = paint_labels((11,) * ndim, [[5] * ndim], [], 3)
    assert (labels == 1).sum() == pixels
    assert (labels == UNLABELLED).sum() == 11**ndim - pixels


def test_a_disc_at_the_border_is_cut_off_and_does_not_wrap() -> None:
    labels = paint_labels((8, 8), [[0, 7]], [], 1)
    assert np.argwhere(labels == 1).tolist() == [[0, 6], [0, 7], [1, 7]]


def test_positives_win_over_negatives() -> None:
    labels = paint_labels((5, 5), [[2, 2]], [[2, 2], [0, 0]], 0.5)
    assert labels[2, 2] == 1
    assert labels[0, 0] == 0


def test_a_position_between_pixels_labels_one_at_least() -> None:
    assert (paint_labels((5, 5), [[2.5, 2.5]], [], 0.1) == 1).sum() == 1


def test_positions_outside_label_nothing() -> None:
    labels = paint_labels((5, 5), [[-9, 2], [2, 99]], [[50, 50]], 2)
    assert (labels == UNLABELLED).all()
