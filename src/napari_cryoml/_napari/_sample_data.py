"""Sample data that needs no download."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, TypeVar

import numpy.typing as npt
from napari.utils import progress

from napari_cryoml._napari._image_layers import KEY, LayerData, image_layers
from napari_cryoml._napari._picker_display import contrast_limits
from napari_cryoml._napari._points_layers import points_layers
from napari_cryoml._napari._points_poses import watch_new_points
from napari_cryoml.io import open_image, open_images, read_picks
from napari_cryoml.jobs import Event, Job, run_inline

ResultT = TypeVar("ResultT")

_N_MICROGRAPHS = 3
_TOMOGRAM = {"shape": (48, 160, 160), "n_particles": 60, "snr": 0.5, "box": 24, "dark": True}
_N_COMPLEXES = 4
_CELL_FIELD = {"n_proteins": 34, "n_fields": 1, "cells_per_field": 120, "crowding": 0.6}


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


def simulated_cells() -> list[LayerData]:
    """Return an image of simulated cells in two channels, and the cells as labels.

    The image is a file in a new temporary folder; the columns ``protein`` and ``class`` of the
    labels say what each cell truly is.
    """
    from napari_cryoml.preprocess import dense_table
    from napari_cryoml.simulate import CellFieldsConfig, cell_fields_job, write_cell_field

    folder = Path(tempfile.mkdtemp(prefix="napari-cryoml-sample-"))
    config = CellFieldsConfig(**_CELL_FIELD)
    (field,) = _with_progress(cell_fields_job(config, seed=0), "Simulating cells").fields
    path, _ = write_cell_field(folder, field)
    known = {"image": path.name, "path": str(path), "pixel_size": None}
    protein, marker = field.image
    columns = {name: field.columns[name] for name in ("protein", "class")}
    features = dense_table(field.columns["label"], columns, image_name=path.name)
    return [
        _channel_layer(marker, "marker", "magenta", known),
        _channel_layer(protein, "protein", "green", known),
        (field.labels, {"name": "cells", "opacity": 0.3, "features": features}, "labels"),
    ]


def _channel_layer(
    pixels: npt.NDArray[Any], name: str, colormap: str, known: dict[str, Any]
) -> LayerData:
    """Return one channel of an image as a layer that adds its light to those below."""
    attributes = {
        "name": name,
        "colormap": colormap,
        "blending": "additive",
        "contrast_limits": contrast_limits(pixels),
        "metadata": {KEY: known},
    }
    return pixels, attributes, "image"


def _with_progress(job: Job[ResultT], title: str) -> ResultT:
    """Carry out a job with a bar in napari's window."""
    with progress(desc=title) as bar:

        def show(event: Event) -> None:
            bar.total = event.total
            bar.update(event.done - bar.n)

        return run_inline(job, show)
