"""Sample data that needs no download."""

from __future__ import annotations

import tempfile
from pathlib import Path

from napari_cryoml._napari._image_layers import LayerData, image_layers
from napari_cryoml.io import open_images

_N_MICROGRAPHS = 3


def simulated_micrographs() -> list[LayerData]:
    """Return simulated micrographs as napari layer data.

    They are files in a new temporary folder, so that the Picker can work on them; their particles
    lie beside them in ``particles.star``.
    """
    from napari_cryoml.simulate import MicrographConfig, write_micrographs

    folder = Path(tempfile.mkdtemp(prefix="napari-cryoml-sample-"))
    return image_layers(
        open_images(write_micrographs(folder, _N_MICROGRAPHS, MicrographConfig(), seed=0))
    )
