"""Training on several devices through the shell, on two processes of the CPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from napari_cryoml._errors import InputError
from napari_cryoml.classification import systems
from napari_cryoml.cli._training import check_network
from napari_cryoml.training import DevicesConfig

TINY = ("--set=network.units=4", "--set=training.crops=4", "--steps=2", "--device=cpu")


def _words(micrographs: Path, out: Path, *more: str) -> list[str]:
    labels = f"--labels={micrographs / 'particles.star'}"
    return [
        "pick",
        "train",
        str(micrographs),
        labels,
        "--diameter=24",
        f"--out={out}",
        *TINY,
        *more,
    ]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--devices", "several"], "devices: Input should be"),
        (["--devices", "0"], "devices: Input should be"),
        (["--devices", "2", "--device", "mps"], "give --device cpu, cuda or auto"),
        (["--nodes", "2"], "Training on 2 computers starts on each of them"),
    ],
)
def test_devices_that_make_no_sense_are_one_sentence(shell, micrographs, tmp_path, words, sentence):
    said = shell(*_words(micrographs, tmp_path / "m.safetensors", *words))
    assert said.code != 0
    assert sentence in said.err
    assert len(said.sentences) == 1


def test_several_devices_are_for_networks():
    with pytest.raises(InputError, match=r"few_shot trains no network.*leave --devices out"):
        check_network(systems.create("few_shot"), DevicesConfig(devices=2))
    check_network(systems.create("few_shot"), DevicesConfig())
    check_network(systems.create("contrastive"), DevicesConfig(devices=2))


def _assert_alike(found: Path, wanted: Path) -> None:
    weights = load_file(found)
    for name, value in load_file(wanted).items():
        np.testing.assert_allclose(weights[name], value, rtol=1e-3, atol=1e-5, err_msg=name)


@pytest.mark.slow
def test_two_processes_write_the_picker_of_one(shell, micrographs, tmp_path):
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    alone = shell(*_words(micrographs, one, "--json"))
    together = shell(*_words(micrographs, two, "--devices=2", "--json"))
    assert together.code == 0, together.err
    assert together.json["loss"] == pytest.approx(alone.json["loss"], rel=1e-4)
    assert together.json["device"].startswith("2 × CPU")
    _assert_alike(two, one)


@pytest.mark.slow
def test_torchrun_starts_processes_of_which_one_speaks(shell, micrographs, tmp_path):
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    shell(*_words(micrographs, one))
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    words = _words(micrographs, two, "--devices=2", "--json")
    said = subprocess.run(
        [*run, "-m", "napari_cryoml", *words],
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["device"].startswith("2 × CPU")  # one line, of one process
    _assert_alike(two, one)
