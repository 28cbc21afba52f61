"""napari-cryoml cells crop: one crop a cell out of fluorescence images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from napari_cryoml._errors import InputError
from napari_cryoml.cli._options import (
    JSON,
    PIXEL_SIZE,
    check_folder,
    config_of,
    field_help,
    with_settings,
)
from napari_cryoml.cli._output import report, run_job, say
from napari_cryoml.data import Crops
from napari_cryoml.preprocess import (
    CellsConfig,
    ImageCells,
    LabelledImage,
    SegmentConfig,
    find_cells,
    segment_images,
)

_SUFFIXES = (".zarr", ".npz")
_SATURATED_SHARE = 0.01


def crop(
    images: Annotated[
        list[str],
        typer.Argument(
            help="Images of one or several channels: files, folders or patterns in quotes; one "
            "file a channel, as a_gfp.tif and a_rfp.tif, too.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="What to write: cells.zarr, or cells.npz.")],
    labels: Annotated[
        list[str] | None,
        typer.Option(
            help="Labels images, one number a cell: files, folders or patterns; they are found by "
            "the names of the images. May be given several times."
        ),
    ] = None,
    segment: Annotated[
        bool, typer.Option("--segment", help="Find the cells in the marker channel instead.")
    ] = False,
    labels_out: Annotated[
        Path | None,
        typer.Option(help="Folder for the labels that are found; by default beside the crops."),
    ] = None,
    protein: Annotated[str, typer.Option(help=field_help(CellsConfig, "protein"))] = "0",
    marker: Annotated[str | None, typer.Option(help=field_help(CellsConfig, "marker"))] = None,
    channels: Annotated[
        str | None,
        typer.Option(
            help="Names of the channels in their order, as gfp,rfp; of one file a channel, the "
            "words in the names."
        ),
    ] = None,
    size: Annotated[int, typer.Option(help=field_help(CellsConfig, "size"))] = 64,
    edge: Annotated[
        str, typer.Option(help=field_help(CellsConfig, "edge", ("mirror", "pad", "drop")))
    ] = "mirror",
    mask: Annotated[bool, typer.Option("--mask", help=field_help(CellsConfig, "mask"))] = False,
    rescale: Annotated[
        float | None, typer.Option(help=field_help(CellsConfig, "pixel_size"))
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            help="CSV, TSV or Parquet with a row an image (file, protein, plate, class), or a row "
            "a cell, found by its place (y, x) or its label."
        ),
    ] = None,
    known: Annotated[
        Path | None,
        typer.Option(help="Crops that were cut before; cells found again keep the ids of these."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Any other option of the cutting or, as segment.threshold=0.8, "
            "of the segmentation.",
        ),
    ] = None,
    pixel_size: Annotated[float | None, PIXEL_SIZE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Cut cells out of images: one crop a cell, with ids that stay, channels, masks and quality."""
    _check(out, labels, segment)
    of_segment, of_cells = _divided(settings or [])
    options = {"size": size, "edge": edge, "mask": mask, "protein": protein, "marker": marker}
    config = with_settings(config_of(CellsConfig, **options, pixel_size=rescale), of_cells)
    finding = with_settings(SegmentConfig(), of_segment)
    opened = _opened(images, channels)
    before = _known(known)
    if segment:
        folder = labels_out or out.with_name(f"{out.stem}_labels")
        job = segment_images(
            opened,
            config.protein if config.marker is None else config.marker,
            check_folder(folder),
            finding,
            pixel_size=pixel_size,
        )
        labelled = run_job(job, "Finding cells")
    else:
        labelled = _paired(opened, labels or [], pixel_size)
    cells = run_job(find_cells(labelled, config, known=before), "Looking at cells")
    columns = {} if table is None else _told(table, cells)
    result = _written(out, cells, columns)
    if segment:
        result["labels"] = str(folder)
    report(result, as_json=as_json)


def _check(out: Path, labels: Sequence[str] | None, segment: bool) -> None:
    """Complain of what cannot be done, before long work."""
    if bool(labels) == segment:
        raise InputError("Cells are told by --labels, or found by --segment: give one of the two.")
    if out.suffix.lower() not in _SUFFIXES:
        raise InputError(
            f"{out.name} tells no kind of file: end its name in {' or '.join(_SUFFIXES)}."
        )
    check_folder(out.parent)


def _divided(settings: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the settings of the segmentation, and those of the cutting."""
    ours = [one.removeprefix("segment.") for one in settings if one.startswith("segment.")]
    return ours, [one for one in settings if not one.startswith("segment.")]


def _opened(paths: Sequence[str], channels: str | None) -> list[Any]:
    """Return the images, their channels named as was asked for."""
    from dataclasses import replace

    from napari_cryoml.io import open_cell_images

    names = [one.strip() for one in (channels or "").split(",") if one.strip()]
    images = open_cell_images(paths, names)
    for image in images:
        if names and len(names) != image.shape[0]:
            raise InputError(
                f"{image.name} has {image.shape[0]} channels; --channels names {len(names)}."
            )
    return [replace(image, channels=tuple(names)) for image in images] if names else images


def _paired(
    images: Sequence[Any], labels: Sequence[str], pixel_size: float | None
) -> list[LabelledImage]:
    from napari_cryoml.io import pair_labels

    return [LabelledImage(image, path, pixel_size) for image, path in pair_labels(images, labels)]


def _known(path: Path | None) -> list[str]:
    """Return the ids of crops that were cut before."""
    if path is None:
        return []
    from napari_cryoml.io import read_cells

    return [str(one) for one in read_cells(path).ids]


def _told(table: Path, cells: ImageCells) -> dict[str, npt.NDArray[Any]]:
    """Return what a table of images or of cells tells of each cell."""
    from napari_cryoml.io import read_places_table

    own = cells.columns
    reach_px = float(np.sqrt(np.median(own["area"]) / np.pi))  # a radius
    told = read_places_table(table, cells.images, cells.positions, own["label"], reach_px)
    return {name: values for name, values in told.items() if name not in own}


def _written(out: Path, cells: ImageCells, columns: dict[str, npt.NDArray[Any]]) -> dict[str, Any]:
    from napari_cryoml.io import stream_crops

    done = [0]
    job = stream_crops(out, cells, columns=columns)
    run_job(job, "Cutting", lambda event: done.append(event.done))
    n = max(done)
    if n < len(cells):
        say(f"Stopped after {n} of {len(cells)} cells.")
    return _described(out, cells, columns, n)


def _described(
    out: Path, cells: ImageCells, columns: dict[str, npt.NDArray[Any]], n: int
) -> dict[str, Any]:
    own = {name: values[:n] for name, values in cells.columns.items()}
    crops: Crops = cells
    result: dict[str, Any] = {
        "cells": str(out),
        "n": n,
        "images": len(set(own["roi_id"].tolist())),
        "size": crops.shape[0],
        "channels": list(cells.channels),
        "pixel_size": cells.pixel_size,
        "median_area": float(np.median(own["area"])) if n else None,
        "saturated": int((own["saturated"] >= _SATURATED_SHARE).sum()),
        "constant": int(own["constant"].sum()),
        "empty": int(own["empty"].sum()),
    }
    if "protein" in columns:
        result["proteins"] = len(set(columns["protein"][:n].tolist()) - {""})
    return result
