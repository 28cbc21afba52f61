import json

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.io import open_image, read_picks
from napari_cryoml.jobs import Command
from napari_cryoml.simulate import (
    MicrographConfig,
    simulate_micrograph,
    simulate_micrographs,
    write_micrographs,
)
from napari_cryoml.simulate._data_sets import _seed_of

SMALL = MicrographConfig(shape=(96, 128), diameter=16, n_particles=5)


def test_a_folder_holds_images_truth_and_record(tmp_path):
    out = tmp_path / "a" / "set"
    paths = write_micrographs(out, 2, SMALL, seed=3)
    assert [p.name for p in paths] == ["micrograph_000.mrc", "micrograph_001.mrc"]
    record = json.loads((out / "simulation.json").read_text())
    assert record["seed"] == 3
    assert MicrographConfig(**record["config"]) == SMALL
    truth = read_picks(out / "particles.star")
    for path, entry in zip(paths, record["micrographs"], strict=True):
        again = simulate_micrograph(SMALL, entry["seed"], name=path.name)
        image = open_image(path)
        np.testing.assert_array_equal(image.read(), again.image)
        assert image.pixel_size == pytest.approx(4.0)
        np.testing.assert_allclose(truth[path.name].positions, again.picks.positions, atol=1e-3)
        assert entry["particles"] == len(again.picks)


def test_every_micrograph_is_an_event_and_stop_keeps_what_is_done(tmp_path):
    job = simulate_micrographs(tmp_path, 5, SMALL, seed=0)
    first = next(job)
    assert (first.done, first.total) == (1, 5)
    assert first.message.startswith("micrograph_000.mrc")
    assert next(job).done == 2
    with pytest.raises(StopIteration) as end:
        job.send(Command.STOP)
    assert end.value.value == sorted(tmp_path.glob("*.mrc"))
    assert read_picks(tmp_path / "particles.star").images == [p.name for p in end.value.value]


def test_sets_of_neighbouring_seeds_share_no_micrograph():
    seeds = {_seed_of(seed, number) for seed in range(10) for number in range(10)}
    assert len(seeds) == 100


def test_images_without_particles_can_be_written(tmp_path):
    empty = SMALL.model_copy(update={"n_particles": 0})
    paths = write_micrographs(tmp_path, 1, empty, seed=0)
    assert len(paths) == 1
    assert read_picks(tmp_path / "particles.star").n_picks == 0


@pytest.mark.parametrize(("n", "seed"), [(0, 0), (1, -1)])
def test_numbers_out_of_range_are_refused(tmp_path, n, seed):
    with pytest.raises(InputError, match="data set needs"):
        write_micrographs(tmp_path, n, SMALL, seed)


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        write_micrographs(tmp_path / "file" / "set", 1, SMALL, 0)
