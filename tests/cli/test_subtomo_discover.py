import json

import numpy as np
import pandas as pd
import pytest
from tests.averaging.phantoms import WEDGE, particle, subtomograms

from napari_cryoml import io
from napari_cryoml.data import ArrayCrops

QUICK = [
    *("--set", "least=5", "--set", "classes.n_classes=1", "--set", "classes.iterations=1"),
    *("--set", "classes.starts=1", "--set", "classes.align.angular_step=24"),
    *("--set", "classes.align.high=6", "--device", "cpu", "--clusters", "2"),
]


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("boxes")
    boxes = [subtomograms(8, 2.0, seed=n, blobs=b).boxes for n, b in enumerate(("boot", "bent"))]
    crops = ArrayCrops.of(np.concatenate(boxes)[:, None], pixel_size=10.0, wedge=WEDGE)
    io.write_crops(folder / "boxes.npz", crops)
    io.write_mrc(folder / "boot.mrc", particle(), 10.0)
    return folder


def test_discover_writes_averages_particles_and_a_ranking(stack, tmp_path, shell):
    out = tmp_path / "found"
    words = ["subtomo", "discover", str(stack / "boxes.npz"), "--out", str(out)]
    said = shell(*words, "--known", str(stack / "boot.mrc"), *QUICK, "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert told["n_left"] == 0
    table = pd.read_csv(out / "candidates.csv")
    assert len(table) == len(told["candidates"]) >= 1
    assert set(table["nearest"]) == {"boot"}
    assert (table["resolution"].isna() | (table["resolution"] >= 20)).all()
    assert set(table["resolution_is_bound"]) <= {True, False}
    average = io.open_image(out / "candidate_001.mrc")
    assert average.shape == (20, 20, 20)
    particles = io.read_picks(out / "particles.star")
    assert particles.n_picks == table["n"].sum()
    assert particles.picks[0].rotations is not None


def test_labels_of_other_particles_are_refused(stack, tmp_path, shell):
    labels = tmp_path / "labels.csv"
    pd.DataFrame({"id": ["nothing"], "class": ["boot"]}).to_csv(labels, index=False)
    words = ["subtomo", "discover", str(stack / "boxes.npz"), "--out", str(tmp_path / "found")]
    said = shell(*words, "--labels", str(labels), *QUICK)
    assert said.code == 2
    assert "labels" in said.err
