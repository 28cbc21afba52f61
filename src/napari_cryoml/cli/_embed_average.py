"""napari-cryoml embed average."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from napari_cryoml._errors import InputError
from napari_cryoml.averaging import AverageConfig, ClassAverage
from napari_cryoml.cli._embed_files import EMBEDDING
from napari_cryoml.cli._embed_rows import COLUMN, INVERT, VALUES, CutAs, picks_of, selected
from napari_cryoml.cli._options import (
    IMAGES,
    JSON,
    SEED,
    check_output,
    config_of,
    field_help,
    open_inputs,
    with_settings,
)
from napari_cryoml.cli._output import report, run_job, say
from napari_cryoml.cli._resolution import resolution_figures
from napari_cryoml.data import Embedding, ImageSource
from napari_cryoml.preprocess import CropsConfig, PickCrops


def average(
    embedding: EMBEDDING,
    images: Annotated[list[str], IMAGES],
    out: Annotated[Path, typer.Option(help="The average to write, as MRC.")],
    column: COLUMN = None,
    values: VALUES = None,
    invert: INVERT = False,
    box: Annotated[
        int | None,
        typer.Option(help="Side of the crops in pixels of the image; by default as embedded."),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(help="Side of the crops once they are reduced; by default as embedded."),
    ] = None,
    most: Annotated[int, typer.Option(help=field_help(AverageConfig, "most"))] = 500,
    seed: Annotated[int, SEED] = 0,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any other option, as max_shift=4.")
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Align and average the crops of some clusters or classes."""
    from napari_cryoml.averaging import AverageRequest, CropService
    from napari_cryoml.io import read_embedding, save_or_rescue, write_mrc

    check_output(out)
    config = with_settings(config_of(AverageConfig, most=most, seed=seed), settings or [])
    rows = selected(read_embedding(embedding), column, values, invert)
    crops = _crops_of(rows, open_inputs(images), box, size)
    job: Any = CropService(crops).answer(AverageRequest(np.arange(len(crops)), config))
    found: ClassAverage = run_job(job, "Averaging")
    save_or_rescue(lambda path: write_mrc(path, found.average, found.pixel_size), out)
    for note in found.notes:
        say(note)
    curve = {} if found.frc is None else {"frc": found.frc.values.round(4).tolist()}
    report(_figures(found, len(crops), out) | (curve if as_json else {}), as_json=as_json)


def _crops_of(
    rows: Embedding, sources: Sequence[ImageSource], box: int | None, size: int | None
) -> PickCrops:
    """Cut the rows out again, by default as they were when they were embedded."""
    cut = CutAs.of(rows)
    if box is None and cut.box is None:
        raise InputError("The embedding does not tell how wide its crops were: give --box.")
    if box is None and size is None:
        size = cut.size
    return config_of(CropsConfig, box=box or cut.box, size=size).cut(sources, picks_of(rows))


def _figures(found: ClassAverage, n: int, out: Path) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "average": str(out),
        "n_averaged": len(found.used),
        "of": n,
        "pixel_size": found.pixel_size,
        **resolution_figures(found.frc),
    }
    return figures | ({"notes": list(found.notes)} if found.notes else {})
