import numpy as np
import pytest

from napari_cryoml.averaging._likelihood import Reference, Search
from napari_cryoml.averaging._mask import soft_mask
from napari_cryoml.averaging._polar import PolarGrid, whole_circle
from napari_cryoml.averaging._poses import Poses, placed, turns
from napari_cryoml.averaging._refinement import refined_poses


@pytest.mark.parametrize("mirrored", [False, True])
def test_poses_between_those_that_were_tried_are_found(mirrored):
    side = 48
    rng = np.random.default_rng(0)
    y, x = np.indices((side, side)) - side // 2
    image = sum(
        np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 12) for cy, cx in rng.uniform(-11, 11, (7, 2))
    )
    image = (image * soft_mask((side, side))).astype(np.float32)
    grid = PolarGrid(side, 8, 48)
    search = Search.within(grid, 4.0, mirror=mirrored, share=1.0)
    reference = Reference(whole_circle(grid.samples(image[None]))[0], np.ones(8))

    angle, shift = np.deg2rad(rng.uniform(-180, 180, 5)), rng.uniform(-2, 2, (5, 2))
    flips = np.tile(np.diag([-1.0, 1.0]) if mirrored else np.eye(2), (5, 1, 1))
    moved = placed(np.tile(image, (5, 1, 1)), Poses(turns(angle) @ flips, shift))
    found = refined_poses(grid.samples(moved), reference, search)
    expected = Poses.undoing(angle, shift, np.full(5, mirrored))
    off = (found.angles - expected.angles + 180) % 360 - 180
    assert np.abs(off).max() < 1.0
    assert found.shift == pytest.approx(expected.shift, abs=0.15)
    assert found.mirrored.tolist() == [mirrored] * 5
