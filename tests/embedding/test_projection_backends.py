"""Packages that may make a map in our place: who is chosen, and what they are given."""

import sys
from types import ModuleType

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.embedding import _backends as module
from napari_cryoml.embedding._projection import TsneConfig, UmapConfig, project
from napari_cryoml.jobs import run_inline


class _OnGpu:
    """An array as TorchDR returns one: it must come to the host first."""

    def __init__(self, values, on_host=False):
        self._values, self._on_host = values, on_host

    def detach(self):
        return _OnGpu(self._values)

    def cpu(self):
        return _OnGpu(self._values, on_host=True)

    def __array__(self, dtype=None, copy=None):
        assert self._on_host
        return np.asarray(self._values, dtype=dtype)


@pytest.fixture
def machine(monkeypatch):
    """Return a function that says which packages there are, and whether a GPU is."""

    def set_up(*packages, gpu):
        installed = {"cuml": "cuml", "torchdr": "torchdr"}
        monkeypatch.setattr(module, "_installed", lambda name: installed.get(name) in packages)
        monkeypatch.setattr(module, "has_gpu", lambda: gpu)

    return set_up


@pytest.fixture
def torchdr(monkeypatch, machine):
    """Put a package in the place of TorchDR; return what its classes were called with."""
    machine("torchdr", gpu=True)
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    calls = []

    def maker(kind):
        def make(**options):
            calls.append((kind, options))
            fitted = ModuleType(kind)
            fitted.fit_transform = lambda vectors: _OnGpu(np.asarray(vectors)[:, :2] * 2)
            return fitted

        return make

    fake = ModuleType("torchdr")
    fake.UMAP, fake.TSNE = maker("UMAP"), maker("TSNE")
    monkeypatch.setitem(sys.modules, "torchdr", fake)
    return calls


@pytest.mark.parametrize(
    ("packages", "gpu", "chosen"),
    [
        ((), False, "cpu"),
        ((), True, "cpu"),
        (("torchdr", "cuml"), False, "cpu"),
        (("torchdr",), True, "torchdr"),
        (("torchdr", "cuml"), True, "cuml"),
    ],
)
def test_auto_takes_what_is_there(machine, packages, gpu, chosen):
    machine(*packages, gpu=gpu)
    assert module.choose_backend("auto") == chosen
    assert module.choose_backend("cpu") == "cpu"


@pytest.mark.parametrize("name", ["torchdr", "cuml"])
def test_what_is_absent_is_said(machine, name):
    machine(gpu=True)
    with pytest.raises(InputError, match="is not installed"):
        next(project(np.eye(10), UmapConfig(backend=name)))
    machine(name, gpu=False)
    with pytest.raises(InputError, match="needs an NVIDIA GPU"):
        next(project(np.eye(10), TsneConfig(backend=name)))


def test_a_package_that_is_not_there_is_not_found():
    assert not module._installed("cuml") or module.has_gpu()


@pytest.mark.parametrize("kind", ["UMAP", "TSNE"])
def test_a_map_made_elsewhere(torchdr, kind):
    config = UmapConfig(seed=7) if kind == "UMAP" else TsneConfig(seed=7)
    vectors = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    found = run_inline(project(vectors, config))
    (called, options), *others = torchdr
    assert (called, others) == (kind, [])
    assert options["random_state"] == 7
    assert options["device"] == "cuda"
    assert options["backend"] is None  # there is no faiss here
    assert options.get("perplexity", 29 / 3) == pytest.approx(29 / 3)
    assert found.layout.dtype == np.float32
    centred = vectors - vectors.mean(axis=0)
    wanted = 2 * centred[:, :2] / np.abs(centred).max()
    np.testing.assert_allclose(found.layout, wanted, atol=1e-5)
    assert found.origin == "Made by TorchDR: intermediate maps are not shown."


@pytest.mark.slow
def test_umap_learn_itself():
    group = np.arange(60) % 2
    vectors = 10 * group[:, None] + np.random.default_rng(0).normal(size=(60, 3))
    found = run_inline(project(vectors, UmapConfig(backend="umap-learn")))
    centres = [found.layout[group == g].mean(axis=0) for g in (0, 1)]
    assert np.linalg.norm(centres[0] - centres[1]) > 2 * found.layout[group == 0].std()
    assert "umap-learn" in found.notes[0]
