"""What all tests share: torch before Qt, and the real data where it is present."""

import os
from pathlib import Path

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
