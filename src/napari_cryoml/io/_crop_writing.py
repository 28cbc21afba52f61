"""Write crops for other programs, and to be read again, a few at a time."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import Crops
from napari_cryoml.io._crop_sinks import BoxFolder, CropSink, MrcStack, NumpyArchive, ZarrStore
from napari_cryoml.io._formats._poses import RELION
from napari_cryoml.jobs import Command, Event, Job, run_inline

_SINKS: dict[str, type[CropSink]] = {".mrcs": MrcStack, ".zarr": ZarrStore, ".npz": NumpyArchive}
_NUMBERS_AND_TEXTS = "biufU"


def write_crops(
    path: str | Path,
    crops: Crops,
    *,
    columns: Mapping[str, npt.ArrayLike] | None = None,
    boxes: Literal["mrc", "em"] = "mrc",
) -> list[Path]:
    """Write crops as a stack, a store or a folder of boxes; see `stream_crops`."""
    return run_inline(stream_crops(path, crops, columns=columns, boxes=boxes))


def stream_crops(
    path: str | Path,
    crops: Crops,
    *,
    columns: Mapping[str, npt.ArrayLike] | None = None,
    boxes: Literal["mrc", "em"] = "mrc",
    batch: int = 64,
) -> Job[list[Path]]:
    """Write crops as a stack, a store or a folder of boxes, as a job.

    The rows keep their order. A stack or store appears under its name once it is complete, and
    what was there is replaced. Stopped, the job keeps the crops that were written.

    Parameters
    ----------
    path : path
        ``boxes.mrcs``, an MRC stack of volumes (space group 401) or images; ``boxes.zarr`` and
        ``boxes.npz``, which hold ids, columns, channels, masks, pixel size and wedge themselves; or
        a name without
        a suffix, a folder of one file a box. Beside a stack goes the particle list ``boxes.star``,
        and beside a store if the crops know where they were cut; a folder has it inside.
    crops : Crops
    columns : mapping of str to array of shape (n,), optional
        What is known of each crop, beside the columns that the crops have.
    boxes : {"mrc", "em"}
        Kind of files in a folder.
    batch : int, default 64
        Crops that are read at a time.

    Returns
    -------
    list of Path
        What was written: the boxes, and their list if there is one.

    Raises
    ------
    InputError
        If the name tells no kind of file, a format cannot hold the crops, there are none or none
        with a finite pixel, or the disk refuses them.

    Warns
    -----
    InputWarning
        If some crops have no finite pixel.
    """
    if not len(crops):
        raise InputError("There are no crops to write: one at least is needed.")
    target = Path(path).expanduser()
    sink = _sink(target, crops, _columns(crops, columns), boxes)
    n, n_blank, stopped = 0, 0, False
    with sink:
        while n < len(crops) and not stopped:
            values = crops.read(np.arange(n, min(n + batch, len(crops))))
            sink.put(n, values)
            n += len(values)
            n_blank += int((~np.isfinite(values).all(axis=tuple(range(1, values.ndim)))).sum())
            command = yield Event(done=n, total=len(crops), message=f"{n} of {len(crops)} boxes")
            stopped = command is Command.STOP
        _check_pixels(n_blank, n)
        return sink.finish(n)


def _sink(
    path: Path, crops: Crops, columns: dict[str, npt.NDArray[Any]], boxes: Literal["mrc", "em"]
) -> CropSink:
    suffix = path.suffix.lower()
    if suffix in _SINKS:
        return _SINKS[suffix](path, crops, columns)
    if suffix:
        raise InputError(
            f"{path.name} tells no kind of boxes: end its name in {', '.join(_SINKS)}, or in "
            "nothing for a folder of them."
        )
    return BoxFolder(path, crops, columns, boxes)


def _columns(
    crops: Crops, given: Mapping[str, npt.ArrayLike] | None
) -> dict[str, npt.NDArray[Any]]:
    """Return all that is known of each crop, orientations as RELION's angles."""
    known = {**getattr(crops, "columns", {}), **(given or {})}
    columns = {str(name): np.asarray(values) for name, values in known.items()}
    for name, values in columns.items():
        if values.shape != (len(crops),):
            raise InputError(
                f"Column {name!r} has shape {values.shape}; {len(crops)} crops need as many values."
            )
    rotations = getattr(crops, "rotations", None)
    if rotations is not None:
        columns |= dict(zip(RELION.columns, RELION.angles(rotations).T, strict=True))
    return {
        name: values if values.dtype.kind in _NUMBERS_AND_TEXTS else values.astype(np.str_)
        for name, values in columns.items()
    }


def _check_pixels(n_blank: int, n: int) -> None:
    if n_blank == n:
        raise InputError(
            "None of the boxes has finite pixels: the images hold NaN there; reconstruct or copy "
            "them again."
        )
    if n_blank:
        warnings.warn(
            f"{n_blank} of {n} boxes have no finite pixels, as the images hold NaN there.",
            InputWarning,
            stacklevel=3,
        )
