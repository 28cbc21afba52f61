"""IMOD .mod models: the first pixel's centre at 0.5 in x and y, and at 0 in z."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from imodmodel import ImodModel
from imodmodel.models import Contour, Object

from napari_cryoml._errors import InputError
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io._formats._files import replacing, unreadable
from napari_cryoml.io._formats._format import Format, Hints
from napari_cryoml.io._formats._imod_chunks import check_chunks

_FIRST_XYZ = np.array([0.5, 0.5, 0.0])
_ANGSTROM = 1e-10


def read(path: Path, hints: Hints) -> PicksTable:
    """Read all points of a model, with the numbers of their object and contour.

    A model made on a single section is 2-D. Everything else in the model is kept.
    """
    model = _load(path)
    points, objects, contours, sizes = _points(model)
    zyx = (points - _FIRST_XYZ)[:, ::-1]
    flat = model.header.zmax == 1 and not np.any(zyx[:, 0])
    columns: dict[str, npt.NDArray[Any]] = {"object_id": objects, "contour_id": contours}
    if np.isfinite(sizes).any():
        columns["point_size"] = sizes
    image = hints.image or path.stem
    pixel_size = hints.pixel_size or _pixel_size(model)
    picks = Picks(image, zyx[:, 1:] if flat else zyx, None, pixel_size, None, columns)
    return PicksTable((picks,), {"imod": {image: model}})


def write(table: PicksTable, path: Path, hints: Hints) -> list[Path]:
    """Write the points of one image; a model that they came from keeps its looks."""
    (picks,) = table
    kept = table.extra.get("imod", {})
    source = kept.get(picks.image) if isinstance(kept, Mapping) else None
    model = source.model_copy(deep=True) if isinstance(source, ImodModel) else _new(picks, hints)
    _put_points(model, picks)
    with replacing(path) as temporary:
        model.to_file(temporary)
    return [path]


def _load(path: Path) -> ImodModel:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None
    if content[:4] != b"IMOD":
        raise InputError(f"{path} is not an IMOD model: it does not start with 'IMOD'.")
    check_chunks(content, path)
    try:
        return ImodModel.from_file(path)
    except (ValueError, LookupError, EOFError, struct.error, TypeError) as error:
        raise InputError(f"{path} is a damaged IMOD model: {error}.") from None


def _points(
    model: ImodModel,
) -> tuple[
    npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]
]:
    """Return xyz, object number, contour number and size (NaN if none) of every point."""
    contours = [
        (o, c, contour)
        for o, obj in enumerate(model.objects)
        for c, contour in enumerate(obj.contours)
    ]
    lengths = [len(contour.points) for *_, contour in contours]
    xyz = [np.asarray(contour.points, np.float64).reshape(-1, 3) for *_, contour in contours]
    sizes = [
        np.full(len(contour.points), np.nan)
        if contour.point_sizes is None
        else np.asarray(contour.point_sizes, np.float64).ravel()
        for *_, contour in contours
    ]
    return (
        np.concatenate([np.empty((0, 3)), *xyz]),
        np.repeat(np.array([o for o, *_ in contours], np.int64), lengths),
        np.repeat(np.array([c for _, c, _ in contours], np.int64), lengths),
        np.concatenate([np.empty(0), *sizes]),
    )


def _pixel_size(model: ImodModel) -> float | None:
    """Return angstrom per pixel; a model in pixels says nothing about it."""
    units = model.header.units
    size = float(model.header.pixelsize)
    known = units in (-6, -9, -10, -12) and size > 0
    return size * 10.0**units / _ANGSTROM if known else None


def _new(picks: Picks, hints: Hints) -> ImodModel:
    model = ImodModel()
    header = model.header = model.header.model_copy(deep=True)
    shape = hints.shape_of(picks.image)
    if shape is not None:
        header.xmax, header.ymax = shape[-1], shape[-2]
        header.zmax = shape[0] if picks.ndim == 3 else 1
    elif picks.ndim == 2:
        header.zmax = 1
    pixel_size = picks.pixel_size or hints.pixel_size
    if pixel_size is not None:
        header.pixelsize, header.units = pixel_size / 10, -9
    header.flags.z_coordinates_start_from_negative_half = True
    header.flags.mat1_and_mat3_are_bytes = True
    obj = Object()
    obj.header = obj.header.model_copy(deep=True)
    obj.header.flags.open = obj.header.flags.scattered = True
    obj.header.pdrawsize = round((picks.diameter or 10) / 2)
    model.objects = [obj]
    return model


def _put_points(model: ImodModel, picks: Picks) -> None:
    """Replace the points of a model, contour by contour."""
    objects = np.asarray(picks.columns.get("object_id", np.zeros(len(picks))), np.int64)
    contours = np.asarray(picks.columns.get("contour_id", np.zeros(len(picks))), np.int64)
    sizes = picks.columns.get("point_size")
    xyz = _xyz(picks)
    while len(model.objects) <= objects.max(initial=-1):
        model.objects.append(model.objects[0].model_copy(deep=True))
    for number, obj in enumerate(model.objects):
        last = contours[objects == number].max(initial=-1)
        count = max(int(last) + 1, len(obj.contours))
        old = [*obj.contours, *[None] * (count - len(obj.contours))]
        rows = [np.flatnonzero((objects == number) & (contours == c)) for c in range(count)]
        obj.contours = [
            _contour(xyz[index], None if sizes is None else np.asarray(sizes)[index], before)
            for index, before in zip(rows, old, strict=True)
        ]


def _xyz(picks: Picks) -> npt.NDArray[np.float64]:
    z = picks.positions[:, :1] if picks.ndim == 3 else np.zeros((len(picks), 1))
    return np.column_stack([picks.positions[:, :-3:-1], z]) + _FIRST_XYZ


def _contour(
    points: npt.NDArray[np.float64], sizes: npt.NDArray[Any] | None, before: Contour | None
) -> Contour:
    told = sizes is not None and bool(np.isfinite(sizes).all()) and len(sizes) > 0
    extra = before.extra if before is not None and len(before.points) == len(points) else []
    contour = Contour(points=points, point_sizes=sizes if told else None, extra=extra)
    if before is not None:
        contour.header = before.header.model_copy(update={"psize": len(points)})
    else:
        contour.header = contour.header.model_copy(update={"psize": len(points)})
    return contour


FORMAT = Format(
    name="imod",
    title="IMOD .mod: pixels, centres, the first pixel's at 0.5 in x and y and 0 in z",
    suffixes=(".mod",),
    read=read,
    write=write,
    per_image=True,
    lengths=frozenset({"point_size"}),
)
