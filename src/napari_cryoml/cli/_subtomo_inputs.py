"""Subtomograms that commands read: a stack of boxes, or picks in tomograms."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
import typer

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.cli._lengths import parse_length
from napari_cryoml.cli._options import config_of, open_inputs, pixel_size_of, read_needed
from napari_cryoml.data import ArrayCrops, Crops, MissingWedge
from napari_cryoml.preprocess import CropsConfig

INPUTS: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        help="A stack of boxes (.mrcs, .zarr, .npz ...) or, with --picks, tomograms: files, "
        "folders or patterns in quotes.",
        show_default=False,
    ),
]
PICKS: TypeAlias = Annotated[
    Path | None, typer.Option(help="Particles of the tomograms: STAR, Dynamo, CSV, copick ...")
]
BOX: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Side of the boxes, in voxels or as 400A; by default 1.5 diameters."),
]
SIZE: TypeAlias = Annotated[
    int | None,
    typer.Option(help="Side of a box once it is reduced; by default that of the box, at most 32."),
]
DIAMETER: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Particle diameter: 28 (voxels) or 280A; by default what picks tell."),
]
TILT: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Tilt range of the tomograms: 60 for -60 to 60 degrees, or -40,60; add ,x where the "
        "tilt axis is x. By default what the stack tells."
    ),
]

_LOOKED_AT = 32  # subtomograms
_SAME_SIZE = 0.01  # share of a voxel size

NO_WEDGE = "Nobody says what the tilts were: the missing wedge is not reckoned with; give --tilt."


def read_subtomograms(
    inputs: Sequence[str],
    picks: Path | None = None,
    *,
    box: str | None = None,
    size: int | None = None,
    diameter: str | None = None,
    pixel_size: float | None = None,
    tilt: str | None = None,
) -> Crops:
    """Return the subtomograms that a user named.

    Parameters
    ----------
    inputs : sequence of str
        One stack of boxes; or tomograms, if there are picks.
    picks : Path, optional
        Particles of the tomograms.
    box, diameter : str, optional
        Lengths as `parse_length` takes them; only with picks.
    size : int, optional
        Side of a box once it is reduced, in voxels; only with picks.
    pixel_size : float, optional
        Angstrom per voxel of the tomograms, where they do not say it, or of the boxes of a stack.
    tilt : str, optional
        Tilt range of the tomograms, as `parse_tilt` takes it; by default what a stack tells.

    Raises
    ------
    InputError
        If the two kinds are mixed, or something cannot be read.
    """
    wedge = None if tilt is None else parse_tilt(tilt)
    if picks is not None:
        lengths = {"box": box, "diameter": diameter}
        cut = _of_picks(inputs, picks, lengths, size, pixel_size, wedge)
        check_pixels(cut)
        return cut
    given = {"--box": box, "--size": size, "--diameter": diameter}
    for flag, value in given.items():
        if value is not None:
            raise InputError(f"{flag} cuts boxes around picks: give --picks too, or leave it out.")
    stack = _of_stack(inputs, pixel_size, wedge)
    _check_are_boxes(stack, Path(inputs[0]).name)
    check_pixels(stack)
    return stack


def _check_are_boxes(crops: ArrayCrops, name: str) -> None:
    if not len(crops):
        raise InputError(f"{name} holds no subtomograms: one at least is needed.")
    if len(crops) == 1 and len(set(crops.shape)) > 1:
        sides = " x ".join(map(str, crops.shape))
        raise InputError(
            f"{name} is one volume of {sides} voxels, which is no box: give the particles of a "
            "tomogram as --picks FILE."
        )


def check_pixels(crops: Crops) -> None:
    """Complain of subtomograms that show nothing; some of them are looked at.

    Raises
    ------
    InputError
        If none of these has two finite values.

    Warns
    -----
    InputWarning
        If some have not.
    """
    rows = np.unique(np.linspace(0, len(crops) - 1, _LOOKED_AT).astype(np.intp))
    try:
        images = crops.read(rows).reshape(len(rows), -1)
    except InputError:
        return  # those of other tomograms may be well: the work tells which are not
    finite = np.where(np.isfinite(images), images, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # rows of NaN are what is looked for
        n_blank = int((~(np.nanmax(finite, axis=1) > np.nanmin(finite, axis=1))).sum())
    if n_blank == len(rows):
        raise InputError(
            "The subtomograms show nothing: all pixels are alike or not finite; check the file, "
            "and cut them again."
        )
    if n_blank:
        warnings.warn(
            f"There is nothing to see in {n_blank} of the {len(rows)} subtomograms that were "
            "looked at: their pixels are alike or not finite.",
            InputWarning,
            stacklevel=3,
        )


def check_cubes(crops: Crops) -> None:
    """Complain of crops that cannot be turned in space.

    Raises
    ------
    InputError
        If they are no cubes, or have channels.
    """
    if len(crops.shape) == 3 and len(set(crops.shape)) == 1 and crops.n_channels == 1:
        return
    sides = " x ".join(map(str, crops.shape))
    channels = f" and {crops.n_channels} channels" if crops.n_channels > 1 else ""
    raise InputError(
        f"Subtomograms that are aligned must be cubes of one channel; these have {sides} pixels"
        f"{channels}: cut them again in boxes of equal sides (napari-cryoml subtomo extract)."
    )


def remark_on_pixel_size(told: Iterable[float | None], given: float | None) -> None:
    """Warn of a pixel size that is another one than files tell.

    Parameters
    ----------
    told : iterable of float or None
        Angstrom per voxel as each file says.
    given : float or None
        Angstrom per voxel as the user says.
    """
    others = [size for size in told if size and given and abs(size / given - 1) > _SAME_SIZE]
    if others:
        warnings.warn(
            f"The header tells of voxels of {others[0]:.4g} angstrom, and {given:.4g} was given: "
            "the given size is used; leave --pixel-size out to use the other.",
            InputWarning,
            stacklevel=3,
        )


def _of_stack(
    inputs: Sequence[str], pixel_size: float | None, wedge: MissingWedge | None
) -> ArrayCrops:
    from napari_cryoml.io import read_crops

    if len(inputs) != 1:
        raise InputError(
            f"One stack of boxes was expected, or tomograms with --picks FILE; {len(inputs)} "
            "paths were given."
        )
    crops = read_crops(inputs[0])
    known = pixel_size_of([], pixel_size)  # checks it
    remark_on_pixel_size([crops.pixel_size], known)
    return replace(
        crops,
        pixel_size=crops.pixel_size if known is None else known,
        wedge=crops.wedge if wedge is None else wedge,
    )


def list_beside(inputs: Sequence[str]) -> str:
    """Return the name of the particle list beside a stack of boxes, or "" if there is none."""
    stack = Path(inputs[0]).expanduser()
    listing = stack.with_suffix(".star")
    return listing.name if stack.is_file() and stack != listing and listing.is_file() else ""


def _of_picks(
    images: Sequence[str],
    picks: Path,
    lengths: dict[str, str | None],
    size: int | None,
    pixel_size: float | None,
    wedge: MissingWedge | None,
) -> Crops:
    sources = open_inputs(images)
    sampling = pixel_size_of(sources, pixel_size)
    remark_on_pixel_size([source.pixel_size for source in sources], pixel_size)
    shapes = {image.name: image.shape for image in sources}
    table = read_needed(picks, pixel_size=sampling, shapes=shapes)
    px: dict[str, Any] = {
        name: parse_length(text, sampling, f"--{name}") for name, text in lengths.items() if text
    }
    if "box" in px:
        px["box"] = max(round(px["box"]), 1)
    config = config_of(CropsConfig, **px, size=size)
    return config.cut(sources, table, pixel_size=pixel_size, wedge=wedge)


def parse_tilt(text: str) -> MissingWedge:
    """Return the wedge of a tilt range as a user types it.

    Parameters
    ----------
    text : str
        ``60`` for -60 to 60 degrees about y, ``-40,60``, or ``-40,60,x``.

    Raises
    ------
    InputError
        If it is no such range.
    """
    *angles, axis = text.replace(" ", "").split(",")
    if axis.lower() not in ("x", "y"):
        angles, axis = [*angles, axis], "y"
    try:
        numbers = [float(angle) for angle in angles]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or not all(map(math.isfinite, numbers)):
        raise InputError(f"--tilt takes degrees, as 60 or -40,60; {text!r} was given.")
    low, high = numbers if len(numbers) == 2 else (-abs(numbers[0]), abs(numbers[0]))
    about: Literal["x", "y"] = "x" if axis.lower() == "x" else "y"
    return MissingWedge(low, high, about)


def wedge_of(crops: Crops, tilt: str | None) -> MissingWedge | None:
    """Return the wedge of subtomograms: the one that was typed, or what the crops tell.

    None for crops of two axes, which miss nothing, and where nobody says.

    Raises
    ------
    InputError
        If a tilt range was typed for crops of two axes, or is none.
    """
    if len(crops.shape) == 2:
        if tilt is not None:
            raise InputError(
                "--tilt belongs to tomograms; these crops have two axes: leave it out."
            )
        return None
    if tilt is not None:
        return parse_tilt(tilt)
    wedge: MissingWedge | None = getattr(crops, "wedge", None)
    return wedge


def voxels(crops: Crops, rows: Sequence[int] | None = None) -> np.ndarray[Any, Any]:
    """Return the voxels of all crops, or of some rows, shape (n, z, y, x), float32."""
    wanted = np.arange(len(crops)) if rows is None else np.asarray(rows, np.intp)
    out = np.empty((len(wanted), *crops.shape), np.float32)
    order = np.argsort(crops.images[wanted], kind="stable") if crops.images is not None else None
    places = np.arange(len(wanted)) if order is None else order
    for start in range(0, len(places), 256):
        part = places[start : start + 256]
        out[part] = crops.read(wanted[part])[:, 0]
    return out
