"""napari-cryoml subtomo extract: boxes around the particles of tomograms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from napari_cryoml._errors import InputError
from napari_cryoml.cli._lengths import parse_length
from napari_cryoml.cli._options import (
    JSON,
    PIXEL_SIZE,
    check_folder,
    config_of,
    field_help,
    open_inputs,
    pixel_size_of,
    read_needed,
)
from napari_cryoml.cli._output import report, run_job, say
from napari_cryoml.cli._subtomo_inputs import (
    BOX,
    DIAMETER,
    TILT,
    parse_tilt,
    remark_on_pixel_size,
)
from napari_cryoml.data import ImageSource, PicksTable
from napari_cryoml.preprocess import CropsConfig, PickCrops

_SMALLEST_BOX = 8  # voxels; less of a particle tells nothing
_LARGEST_SHARE = 0.5  # of the longest axis of a tomogram


def extract(
    tomograms: Annotated[
        list[str],
        typer.Argument(help="Tomograms: files, folders or patterns in quotes.", show_default=False),
    ],
    picks: Annotated[
        Path,
        typer.Option(help="Their particles: RELION, Dynamo, STOPGAP, EM, CSV, copick ..."),
    ],
    out: Annotated[
        Path, typer.Option(help="What to write: boxes.mrcs, boxes.zarr, boxes.npz or a folder.")
    ],
    box: BOX = None,
    diameter: DIAMETER = None,
    size: Annotated[
        int | None,
        typer.Option(help="Side of a box once it is reduced, in voxels; by default that of it."),
    ] = None,
    sub_voxel: Annotated[
        bool,
        typer.Option("--sub-voxel/--whole-voxel", help=field_help(CropsConfig, "sub_voxel")),
    ] = True,
    border: Annotated[
        str,
        typer.Option(help=field_help(CropsConfig, "border", ("mirror", "mean", "drop"))),
    ] = "mirror",
    smooth_nm: Annotated[
        float, typer.Option("--smooth-nm", help=field_help(CropsConfig, "smooth_nm"))
    ] = 0.0,
    invert: Annotated[
        bool, typer.Option("--invert", help=field_help(CropsConfig, "invert"))
    ] = False,
    scale: Annotated[
        str | None,
        typer.Option(
            help="Voxels of the tomograms per voxel of the particle list, as 0.125; auto for the "
            "ratio of their voxel sizes."
        ),
    ] = None,
    tilt: TILT = None,
    files: Annotated[str, typer.Option(help="Kind of the files in a folder: mrc or em.")] = "mrc",
    pixel_size: Annotated[float | None, PIXEL_SIZE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Cut subtomograms out around particles; poses and classes stay in a list beside them."""
    from napari_cryoml.io import stream_crops

    if files not in ("mrc", "em"):
        raise InputError(f"--files takes mrc or em; {files!r} was given.")
    _check_output(out, picks)
    sources = open_inputs(tomograms)
    sampling = pixel_size_of(sources, pixel_size)
    remark_on_pixel_size([source.pixel_size for source in sources], pixel_size)
    table = _particles(picks, sources, sampling, scale)
    px = {
        name: parse_length(text, sampling, f"--{name}")
        for name, text in (("diameter", diameter), ("box", box))
        if text
    }
    options = {"border": border, "smooth_nm": smooth_nm, "invert": invert, "sub_voxel": sub_voxel}
    config = config_of(CropsConfig, **_whole_box(px), **options, size=size)
    side = config.box_of(table)
    if box is None and diameter is not None and diameter.strip().upper().endswith("A"):
        _check_box(side, diameter, sampling, sources)
    config = config_of(CropsConfig, **config.model_dump() | {"box": side, "size": size or side})
    wedge = None if tilt is None else parse_tilt(tilt)
    crops = config.cut(sources, table, pixel_size=sampling, wedge=wedge)
    done = [0]
    job = stream_crops(out, crops, boxes="em" if files == "em" else "mrc")
    written = run_job(job, "Cutting", lambda event: done.append(event.done))
    report(_described(crops, written, max(done)), as_json=as_json)


def _check_output(out: Path, picks: Path) -> None:
    """Complain of a place that cannot be written to, before long work.

    Raises
    ------
    InputError
        If it cannot, or the list of the boxes would take the place of the particle list.
    """
    check_folder(out.parent)
    if out.suffix and out.with_suffix(".star").resolve() == picks.resolve():
        raise InputError(
            f"The list of the boxes would be written over {picks}: give --out another name."
        )


def _particles(
    path: Path, sources: Sequence[ImageSource], sampling: float | None, scale: str | None
) -> PicksTable:
    """Return the particles in the voxels of the tomograms."""
    from napari_cryoml.io import scale as scaled

    shapes = {image.name: image.shape for image in sources}
    hint = None if scale is not None else sampling
    table = read_needed(path, pixel_size=hint, shapes=shapes)
    if scale is None:
        return table
    if scale != "auto":
        return scaled(table, _factor(scale))
    known = [picks.pixel_size for picks in table]
    if sampling is None or not all(known):
        raise InputError(
            "--scale auto needs the voxel sizes of the particle list and of the tomograms, and one "
            "does not say: give a number, as 0.125."
        )
    parts = [scaled(PicksTable((p,)), (p.pixel_size or 1) / sampling).picks[0] for p in table]
    return replace(table, picks=tuple(parts))


def _factor(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"--scale takes a number above 0, or auto; {text!r} was given.") from None


def _whole_box(px: dict[str, float]) -> dict[str, Any]:
    return px | {"box": max(round(px["box"]), 1)} if "box" in px else dict(px)


def _check_box(
    side: int, diameter: str, sampling: float | None, sources: Sequence[ImageSource]
) -> None:
    """Complain of boxes that no particle has, which come of a wrong voxel size.

    Raises
    ------
    InputError
        If the box is below 8 voxels, or beyond half of the longest axis of the tomograms.
    """
    longest = max(max(source.shape) for source in sources)
    if _SMALLEST_BOX <= side <= _LARGEST_SHARE * longest:
        return
    raise InputError(
        f"A diameter of {diameter} makes boxes of {side} voxels, as a voxel has {sampling:g} "
        f"angstrom, in tomograms of {longest} voxels: check the voxel size (--pixel-size), or "
        "give --box."
    )


def _described(crops: PickCrops, written: Sequence[Path], n: int) -> dict[str, Any]:
    if n < len(crops):
        say(f"Stopped after {n} of {len(crops)} boxes.")
    rotations = crops.rotations
    aligned = 0 if rotations is None else int(np.isfinite(rotations[:n]).all(axis=(1, 2)).sum())
    result: dict[str, Any] = {
        "boxes": str(written[0]),
        "list": str(written[1]),
        "n": n,
        "tomograms": len(crops.sources),
        "box": crops.box,
        "size": crops.shape[0],
        "pixel_size": crops.pixel_size,
        "with_orientation": aligned,
    }
    if "class" in crops.columns:
        names = [str(name) or "(none)" for name in crops.columns["class"][:n]]
        result["classes"] = dict(sorted(Counter(names).items()))
    return result
