import re

import numpy as np
import pytest
from tests.averaging.conftest import particles, spread_deg

from napari_cryoml.averaging import AverageConfig
from napari_cryoml.averaging._alignment import (
    FINE_ROUNDS,
    Pace,
    aligned,
    fine_search,
    joining,
    rounds_of,
    whitened,
)
from napari_cryoml.jobs import run_inline


def carried_out(images, config, seed=0, **how):
    pace = Pace(rounds_of(config))
    rng = np.random.default_rng(seed)
    return run_inline(aligned(images, config, rng, pace), **how), pace


@pytest.mark.parametrize(("snr", "median_deg"), [(20, 1.5), (1.0, 4.0)])
def test_poses_are_found_up_to_a_common_one(quick, snr, median_deg):
    made = particles(40, snr)
    (poses, _), _ = carried_out(made.crops, quick)
    assert np.median(spread_deg(poses.angles + made.angles)) < median_deg


@pytest.mark.parametrize("step", [2.0, 4.0, 10.0])
def test_the_finest_detail_is_that_which_the_option_tells(step):
    told = re.search(
        r"about (\d+) / step periods", AverageConfig.model_fields["angular_step"].description
    )
    search = fine_search((200, 200), AverageConfig(angular_step=step))
    assert search.grid.radii[-1] == pytest.approx(int(told[1]) / step)


def test_all_rounds_are_told_of(quick):
    made = particles(8, 5)
    events = []
    _, pace = carried_out(made.crops, quick, on_event=events.append)
    assert [event.done for event in events] == list(range(1, pace.total + 1))
    assert events[-1].total == pace.total == 2 * 6 + FINE_ROUNDS


def test_a_stop_ends_the_rounds_and_keeps_what_there_is(quick):
    made = particles(8, 5)
    events = []
    (poses, reference), _ = carried_out(
        made.crops, quick, on_event=events.append, should_stop=lambda: True
    )
    assert len(events) <= 3
    assert np.isfinite(poses.angles).all()
    assert np.isfinite(reference.spectrum).all()


def test_references_of_other_crops_are_laid_on_each_other(quick):
    made = particles(60, 5)
    found = [carried_out(made.crops[part::2], quick, seed=part)[0] for part in (0, 1)]
    search = fine_search(made.crops.shape[1:], quick, further=2)
    joint = joining(found[0][1], found[1][1], search)
    poses = [found[0][0], found[1][0].followed_by(joint)]
    angles = np.empty(60)
    angles[0::2], angles[1::2] = poses[0].angles, poses[1].angles
    assert np.median(spread_deg(angles + made.angles)) < 4


def test_mirrored_crops_are_found_where_they_may_be(quick):
    mirrored = range(0, 30, 2)
    made = particles(30, 20, mirrored=mirrored)
    config = quick.model_copy(update={"mirror": True})
    (poses, _), _ = carried_out(made.crops, config)
    expected = np.isin(np.arange(30), mirrored)
    agree = (poses.mirrored == expected).mean()
    assert agree in (0, 1)  # which of the two is the mirror image, nobody can say
    (poses, _), _ = carried_out(made.crops, quick)
    assert not poses.mirrored.any()


def test_whitened_spectra_have_a_mean_power_of_one_on_each_ring():
    spectra = np.random.default_rng(0).normal(size=(5, 3, 8)) * np.array([1, 10, 0.1])[:, None]
    power = np.square(np.abs(whitened(spectra.astype(np.complex64)))).mean(axis=(0, 2))
    assert power == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("step", [2, 7, 30])
@pytest.mark.parametrize("shape", [(8, 8), (33, 40)])
def test_any_angular_step_makes_a_grid_of_even_size_within_the_box(step, shape):
    grid = fine_search(shape, AverageConfig(angular_step=step)).grid
    assert grid.n_angles % 2 == 0
    assert 1 <= grid.n_rings < min(shape) / 2
