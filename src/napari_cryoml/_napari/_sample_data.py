"""Sample data that needs no download."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TypeVar

from napari.utils import progress

from napari_cryoml._napari._image_layers import LayerData, image_layers
from napari_cryoml._napari._points_layers import points_layers
from napari_cryoml._napari._points_poses import watch_new_points
from napari_cryoml.io import open_image, open_images, read_picks
from napari_cryoml.jobs import Event, Job, run_inline

ResultT = TypeVar("ResultT")

_N_MICROGRAPHS = 3
_TOMOGRAM = {"shape": (48, 160, 160), "n_particles": 60, "snr": 0.5, "box": 24, "dark": True}
_N_COMPLEXES = 4


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


def simulated_tomogram() -> list[LayerData]:
    """Return a simulated tomogram and its particles as napari layer data.

    Both are files in a new temporary folder; the column ``class`` of the points says which of
    four made-up complexes each particle is.
    """
    from napari_cryoml.simulate import (
        TomogramConfig,
        procedural_maps,
        tomogram_job,
        write_tomogram,
    )

    folder = Path(tempfile.mkdtemp(prefix="napari-cryoml-sample-"))
    config = TomogramConfig(**_TOMOGRAM)
    maps = procedural_maps(_N_COMPLEXES, config.box, config.pixel_size)
    made = _with_progress(tomogram_job(maps, config, seed=0), "Simulating a tomogram")
    path, truth, _ = write_tomogram(folder, made, config, seed=0)
    image = open_image(path)
    watch_new_points()
    table = read_picks(truth, shapes={image.name: image.shape})
    return [
        *image_layers([image]),
        *points_layers(table, truth, {image.name: image.pixel_size}),
    ]


def _with_progress(job: Job[ResultT], title: str) -> ResultT:
    """Carry out a job with a bar in napari's window."""
    with progress(desc=title) as bar:

        def show(event: Event) -> None:
            bar.total = event.total
            bar.update(event.done - bar.n)

        return run_inline(job, show)
