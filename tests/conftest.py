"""What all tests share: torch before Qt, and the real data where it is present."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch  # before Qt and OpenGL: their LLVMs clash otherwise
import torch._dynamo

torch.set_num_threads(1)

DATA = Path(os.environ.get("NAPARI_CRYOML_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data, or skip the test where there is none."""
    if not DATA.is_dir():
        pytest.skip(f"no real data at {DATA}: set NAPARI_CRYOML_DATA")
    return DATA


@dataclass(frozen=True)
class Said:
    """What a command left behind: its exit code and its words."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The object in the last line."""
        return json.loads(self.out.splitlines()[-1])

    @property
    def sentences(self) -> list[str]:
        """The lines on stderr."""
        return self.err.splitlines()


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Return a function that carries out a command of ``napari-cryoml`` in this process."""
    from napari_cryoml.cli import main

    def run(*words: object) -> Said:
        capsys.readouterr()
        code = main([str(word) for word in words])
        return Said(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def micrographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of two small simulated micrographs and their particles; do not change it."""
    from napari_cryoml.simulate import MicrographConfig, write_micrographs

    folder = tmp_path_factory.mktemp("micrographs")
    config = MicrographConfig(shape=(256, 240), diameter=24, n_particles=14, count="fixed", snr=2)
    write_micrographs(folder, 2, config, seed=1)
    return folder


TINY = [f"--set={setting}" for setting in ("network.units=4", "training.crops=2", "separation=1")]
"""Options of a network that takes a second to train and a moment to run."""


@pytest.fixture(scope="session")
def model(micrographs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a picker that the shell has trained on them for a few steps; do not change it."""
    from napari_cryoml.cli import main

    path = tmp_path_factory.mktemp("model") / "picker.safetensors"
    words = ["--labels", micrographs / "particles.star", "--diameter", 24, "--steps", 5]
    words = ["pick", "train", micrographs, *words, "--device", "cpu", *TINY, "--out", path]
    assert main([str(word) for word in words]) == 0
    return path
