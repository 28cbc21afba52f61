"""A map service whose compiler takes as long as a file is there; made by name in a child."""

import time
from pathlib import Path

from napari_cryoml.embedding import _service
from napari_cryoml.embedding._service import MapService


def slow_to_compile(vectors, gate):
    def warm_up():
        while Path(gate).exists():
            time.sleep(0.005)

    _service._warm_up = warm_up
    return MapService(vectors)
