import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from toy_system import ToyClassifier, ToyConfig

from napari_cryoml import checkpoint
from napari_cryoml._errors import InputError
from napari_cryoml.classification import load_classifier, systems
from napari_cryoml.data import MissingWedge
from napari_cryoml.evaluation import ClassificationReport


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setitem(systems._classes, "toy", ToyConfig)
    report = ClassificationReport.of([0, 1, 1], [0, 1, 0], ("dark", "bright"))
    return ToyClassifier(
        classes=("dark", "bright"),
        system=ToyConfig(),
        shape=(4, 4, 4),
        pixel_size=10.0,
        wedge=MissingWedge(-40, 60, "x"),
        temperature=1.5,
        report=report,
        notes=("A note.",),
        gain=2.0,
    )


def test_all_comes_back(toy, tmp_path):
    toy.save(tmp_path / "toy.safetensors")
    again = load_classifier(tmp_path / "toy.safetensors")
    for name in ("classes", "system", "shape", "pixel_size", "wedge", "temperature", "notes"):
        assert getattr(again, name) == getattr(toy, name)
    assert again.report.confusion.tolist() == toy.report.confusion.tolist()
    images = np.ones((2, 1, 4, 4, 4), np.float32)
    assert np.array_equal(again.predict(images), toy.predict(images))


def test_what_is_not_known_stays_unknown(toy, tmp_path):
    bare = replace(toy, pixel_size=None, wedge=None, report=None, notes=())
    bare.save(tmp_path / "toy.safetensors")
    again = load_classifier(tmp_path / "toy.safetensors")
    assert (again.pixel_size, again.wedge, again.report, again.notes) == (None, None, None, ())


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ({"kind": "picker"}, "holds a picker, no classifier"),
        ({"kind": "encoder of crops"}, "holds an encoder without classes, no classifier"),
        ({}, "holds something else"),
        ({"kind": "classifier of crops", "classes": ["a"]}, "damaged: a part of its header"),
    ],
)
def test_other_files_are_named(header, sentence, tmp_path):
    checkpoint.save(tmp_path / "x.safetensors", {"a": torch.zeros(1)}, header)
    with pytest.raises(InputError, match=sentence):
        load_classifier(tmp_path / "x.safetensors")


def test_a_missing_file_and_a_pickle_are_named(tmp_path):
    with pytest.raises(InputError, match="There is no checkpoint"):
        load_classifier(tmp_path / "x.safetensors")
    torch.save({"a": torch.zeros(1)}, tmp_path / "x.pt")
    with pytest.raises(InputError, match="is a pickle"):
        load_classifier(tmp_path / "x.pt")


def test_systems_and_requests_need_no_torch():
    code = (
        "import sys; from napari_cryoml.classification import FitRequest, systems; "
        "systems.create('moco'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
