import numpy as np
import pytest
from tests.averaging.phantoms import WEDGE, particle, subtomograms

from napari_cryoml._errors import InputError
from napari_cryoml.averaging import AlignConfig, ClassesConfig
from napari_cryoml.averaging.discovery import (
    ClusterDone,
    DiscoveryConfig,
    discover,
)
from napari_cryoml.data import ArrayCrops
from napari_cryoml.embedding import NoveltyConfig
from napari_cryoml.jobs import Command, run_inline

QUICK = DiscoveryConfig(
    clusters=2,
    least=5,
    same_angstrom=1,
    classes=ClassesConfig(
        n_classes=1, iterations=1, starts=1, align=AlignConfig(angular_step=24, high=6)
    ),
    novelty=NoveltyConfig(method="neighbours"),
)
N = 8


@pytest.fixture(scope="module")
def crops():
    boxes = [subtomograms(N, 2.0, seed=n, blobs=b).boxes for n, b in enumerate(("boot", "bent"))]
    return ArrayCrops.of(np.concatenate(boxes)[:, None], wedge=WEDGE)


@pytest.fixture
def vectors():
    kinds = np.repeat([[0.0, 5.0], [5.0, 0.0]], N, axis=0)
    return kinds + np.random.default_rng(0).normal(scale=0.1, size=kinds.shape)


def run(crops, vectors, config=QUICK, on_event=None, **options):
    job = discover(crops, vectors, config, wedge=WEDGE, device="cpu", **options)
    return run_inline(job, on_event)


def test_both_structures_are_found_and_named(crops, vectors):
    events = []
    known = {"boot": particle(blobs="boot"), "bent": particle(blobs="bent")}
    found = run(crops, vectors, on_event=events.append, known=known, pixel_size=10.0)
    assert sorted(one.rows.tolist() for one in found.candidates) == [
        list(range(N)),
        list(range(N, 2 * N)),
    ]
    for one in found.candidates:
        assert one.nearest == ("boot" if one.rows[0] == 0 else "bent")
        assert one.discrepancy < 70
        assert one.same_as is None
        assert 0.5 < one.reproducibility <= 1
    assert len([event for event in events if isinstance(event, ClusterDone)]) == 2
    assert found.n_left == 0


def test_what_nobody_labelled_is_looked_into_first(crops, vectors):
    apart = np.concatenate([vectors[:N], vectors[N:], vectors[:N] + np.array([0, 40])])
    boxes = np.concatenate([crops.array, crops.array[:N]])
    names = ["boot"] * 4 + [""] * 4 + ["bent"] * 4 + [""] * 4 + [""] * N
    config = QUICK.model_copy(update={"clusters": 3, "most_clusters": 1})
    found = run(ArrayCrops.of(boxes), apart, config, labels=names)
    assert [one.rows.tolist() for one in found.candidates] == [list(range(2 * N, 3 * N))]
    assert found.candidates[0].novelty > 0.9
    assert found.candidates[0].labelled == {}
    assert found.novelty[:N].mean() < 0.5


def test_averages_of_one_structure_are_told(crops, vectors):
    boxes = np.concatenate([crops.array[:N], crops.array[:N]])
    config = QUICK.model_copy(update={"same_angstrom": 70.0})
    found = run(ArrayCrops.of(boxes), vectors, config, pixel_size=10.0)
    assert [one.same_as for one in found.candidates] == [None, 0]
    assert found.structures == found.candidates[:1]


def test_a_search_that_was_stopped_goes_on(crops, vectors, tmp_path):
    job = discover(crops, vectors, QUICK, wedge=WEDGE, store=tmp_path / "s", device="cpu")
    event = next(job)
    while not isinstance(event, ClusterDone):
        event = next(job)
    first = event.found
    try:
        event = job.send(Command.STOP)
        while True:
            event = next(job)
    except StopIteration as end:
        part = end.value
    assert part.n_left == 1
    assert [one.cluster for one in part.candidates] == [one.cluster for one in first]
    assert len(list((tmp_path / "s").glob("cluster_*"))) == 1
    events = []
    whole = run(crops, vectors, on_event=events.append, store=tmp_path / "s")
    assert whole.n_left == 0
    assert len(whole.candidates) == 2
    again = next(one for one in whole.candidates if one.cluster == first[0].cluster)
    np.testing.assert_allclose(again.average.average, first[0].average.average, atol=1e-5)


def test_a_folder_of_another_search_is_refused(crops, vectors, tmp_path):
    stopped = discover(crops, vectors, QUICK, store=tmp_path)
    next(stopped)
    stopped.close()
    with pytest.raises(InputError, match="another folder"):
        run(crops, vectors + 1, store=tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda crops, vectors: (crops, vectors[:3]), "16 crops need as many vectors"),
        (lambda crops, vectors: (ArrayCrops.of(crops.array[:, :, 0]), vectors), "three axes"),
        (lambda crops, vectors: (ArrayCrops.of(crops.array[:2]), vectors[:2]), "5 particles"),
    ],
)
def test_what_cannot_be_searched(crops, vectors, change, message):
    with pytest.raises(InputError, match=message):
        run(*change(crops, vectors))
