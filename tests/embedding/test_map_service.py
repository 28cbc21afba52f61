"""One process answers whatever is asked about a table of vectors."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from napari_cryoml._errors import InputError
from napari_cryoml.embedding import _service
from napari_cryoml.embedding._clusters import KMeansConfig, cluster
from napari_cryoml.embedding._few_shot import few_shot
from napari_cryoml.embedding._messages import (
    ClusterRequest,
    FewShotRequest,
    NoveltyRequest,
    PlaceRequest,
    ProjectRequest,
    SpreadRequest,
)
from napari_cryoml.embedding._novelty import NoveltyConfig, novelty
from napari_cryoml.embedding._projection import PcaConfig, UmapConfig, project
from napari_cryoml.embedding._service import COMPILING, MapService
from napari_cryoml.embedding._spreading import SpreadConfig, spread_labels
from napari_cryoml.jobs import ChildService, run_inline

LONG = 120


@pytest.fixture(scope="module")
def blobs():
    rng = np.random.default_rng(0)
    kind = rng.permutation(np.repeat(np.arange(3), 40))
    return (12 * np.eye(3, 6)[kind] + rng.normal(size=(120, 6))).astype(np.float16), kind


@pytest.fixture(scope="module")
def child(blobs, tmp_path_factory):
    path = tmp_path_factory.mktemp("vectors") / "vectors.npy"
    np.save(path, blobs[0])
    with ChildService.start(MapService, path) as service:
        yield service


@pytest.fixture
def no_compiler(monkeypatch):
    monkeypatch.setattr(_service, "_warm_up", lambda: None)


def reply_to(service, request):
    answer = service.wait(service.ask(request), LONG)
    assert answer.error is None, answer.traceback
    return answer.reply


def classes_of(kind, every=3):
    return np.where(np.arange(len(kind)) % every == 0, np.array(["a", "b", "c"])[kind], "")


def test_answers_from_a_child_are_those_of_the_functions(child, blobs):
    vectors, kind = blobs
    config = KMeansConfig(k=3)
    clusters = reply_to(child, ClusterRequest(config))
    np.testing.assert_array_equal(clusters.labels, run_inline(cluster(vectors, config)).labels)
    found = reply_to(child, FewShotRequest([0, 1], [2]))
    np.testing.assert_array_equal(found.probability, few_shot(vectors, [0, 1], [2]).probability)
    classes = classes_of(kind)
    spread = reply_to(child, SpreadRequest(classes, SpreadConfig()))
    np.testing.assert_array_equal(spread.classes, spread_labels(vectors, classes).classes)
    new = reply_to(child, NoveltyRequest(classes, NoveltyConfig(method="neighbours")))
    plain = novelty(vectors, classes, NoveltyConfig(method="neighbours"))
    np.testing.assert_allclose(new.scores, plain.scores, rtol=1e-5)


def test_map_and_its_events_come_from_a_child(child, blobs):
    vectors, _ = blobs
    ticket = child.ask(ProjectRequest(PcaConfig()))
    layout = child.wait(ticket, LONG).reply.layout
    np.testing.assert_allclose(layout, run_inline(project(vectors, PcaConfig())).layout, atol=1e-3)
    events = [answer.event for answer in child.poll() if answer.ticket == ticket]
    assert events[-1].layout.shape == (120, 2)
    placed = reply_to(child, PlaceRequest(layout, vectors[:5], PcaConfig()))
    np.testing.assert_allclose(placed, layout[:5], atol=0.05 * np.ptp(layout))


def test_errors_are_sentences_and_the_next_request_is_answered(child):
    answer = child.wait(child.ask(FewShotRequest([])), LONG)
    assert "at least one row" in answer.error
    answer = child.wait(child.ask(NoveltyRequest(np.array(["a"]), NoveltyConfig())), LONG)
    assert "needs a class" in answer.error
    assert len(reply_to(child, ClusterRequest(KMeansConfig(k=2)))) == 2


def test_some_rows_alone_are_sorted_and_mapped(blobs, no_compiler):
    vectors, kind = blobs
    service, rows = MapService(vectors), np.flatnonzero(kind < 2)
    clusters = run_inline(service.answer(ClusterRequest(KMeansConfig(k=2), rows)))
    assert clusters.labels.shape == rows.shape
    assert adjusted_rand_score(kind[rows], clusters.labels) == 1
    mapped = run_inline(service.answer(ProjectRequest(PcaConfig(), rows)))
    assert mapped.layout.shape == (80, 2)


def test_file_is_mapped_and_not_copied(blobs, tmp_path):
    np.save(tmp_path / "vectors.npy", blobs[0])
    service = MapService(tmp_path / "vectors.npy")
    assert isinstance(service._vectors, np.memmap)
    assert MapService(str(tmp_path / "vectors.npy"))._vectors.dtype == np.float16


@pytest.mark.parametrize("content", [np.zeros(3), np.zeros((2, 2), int), np.array([{}]), None])
def test_files_that_cannot_be_used_are_refused(content, tmp_path):
    path = tmp_path / "vectors.npy"
    if content is not None:
        np.save(path, content, allow_pickle=True)
    with pytest.raises(InputError, match=r"vectors\.npy: "):
        MapService(path)


def test_archive_is_refused(tmp_path):
    np.savez(tmp_path / "vectors.npz", a=np.zeros((2, 2)))
    with pytest.raises(InputError, match=r"vectors\.npz: a table of n rows"):
        MapService(tmp_path / "vectors.npz")


def test_umap_waits_for_its_compiler_and_says_so(blobs, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)
    import map_services

    gate = tmp_path / "gate"
    gate.write_text("")
    config = UmapConfig(epochs=20)
    with ChildService.start(map_services.slow_to_compile, blobs[0], gate) as service:
        ticket = service.ask(ProjectRequest(config))
        first = service.ask(ClusterRequest(KMeansConfig(k=2)))
        events = []
        while not events:
            events += [answer.event for answer in service.poll() if answer.event]
        assert {event.message for event in events} == {COMPILING}
        service.stop(ticket)
        stopped = service.wait(ticket, LONG)
        assert stopped.reply.layout.shape == (120, 2)
        assert gate.exists()
        assert len(service.wait(first, LONG).reply) == 2
        gate.unlink()


def test_idle_begins_to_compile_once(blobs, monkeypatch):
    warmed = []
    monkeypatch.setattr(_service, "_warm_up", lambda: warmed.append(1))
    service = MapService(blobs[0])
    assert service.idle() is False
    service._warming.join(LONG)
    assert service.idle() is False
    assert warmed == [1]


def test_compiler_that_fails_is_logged(blobs, monkeypatch, capsys):
    from napari_cryoml.embedding import _projection

    def broken():
        raise RuntimeError("no compiler today")

    monkeypatch.setattr(_projection, "warm_up", broken)
    _service._warm_up()
    assert "no compiler today" in capsys.readouterr().err


def test_service_and_messages_import_nothing_heavy():
    code = (
        "import sys, napari_cryoml.embedding._service, napari_cryoml.embedding._messages;"
        "heavy = {'torch', 'sklearn', 'scipy', 'numba', 'umap', 'openTSNE', 'sknetwork'};"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
