"""The pixel size of the coordinates of a RELION file, and optics groups for a new one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from napari_cryoml.io._formats._star_blocks import Block, loop_of

_SIZES = (
    "rlnMicrographPixelSize",
    "rlnTomoTiltSeriesPixelSize",
    "rlnMicrographOriginalPixelSize",
)


def row_pixel_sizes(
    frame: pd.DataFrame, blocks: Mapping[str, Block]
) -> npt.NDArray[np.float64] | None:
    """Return the angstrom per pixel of each row's image, shape (n,), or None where unknown.

    Coordinates are in pixels of the micrograph (of the tilt series for tomograms), so that
    ``rlnMicrographPixelSize`` is asked first, then ``rlnTomoTiltSeriesPixelSize``, then
    ``rlnMicrographOriginalPixelSize``; each among the particles, then among the optics groups.
    The pixel size of extracted images (``rlnImagePixelSize``, or detector pixel size and
    magnification up to RELION 3.0) may be a rescaled one: it counts only where nothing has been
    extracted, that is, where there is no ``rlnImageName``.
    """
    optics = optics_of(blocks)
    for name in _SIZES:
        sizes = _column(frame, optics, name)
        if sizes is not None:
            return sizes
    if "rlnImageName" in frame:
        return None
    sizes = _column(frame, optics, "rlnImagePixelSize")
    return sizes if sizes is not None else _from_magnification(frame)


def optics_of(blocks: Mapping[str, Block]) -> pd.DataFrame | None:
    """Return the optics groups of a file, or None."""
    if "optics" not in blocks:
        return None
    optics = loop_of(blocks["optics"])
    return optics if "rlnOpticsGroup" in optics else None


def new_optics(
    pixel_sizes: npt.NDArray[np.float64], ndim: int
) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Return one optics group a pixel size, and the group of each row.

    Parameters
    ----------
    pixel_sizes : array of shape (n,)
        Angstrom per pixel of each row's image.
    ndim : int
        2 for micrographs, 3 for tomograms.
    """
    sizes, groups = np.unique(pixel_sizes, return_inverse=True)
    numbers = np.arange(1, len(sizes) + 1)
    optics = pd.DataFrame(
        {"rlnOpticsGroupName": [f"opticsGroup{n}" for n in numbers], "rlnOpticsGroup": numbers}
    )
    names = ["rlnTomoTiltSeriesPixelSize"]
    if ndim == 2:
        names = ["rlnMicrographOriginalPixelSize", "rlnMicrographPixelSize", "rlnImagePixelSize"]
    for name in names:
        optics[name] = sizes
    return optics, groups + 1


def with_pixel_sizes(
    optics: pd.DataFrame, groups: npt.NDArray[np.int64], pixel_sizes: npt.NDArray[np.float64]
) -> pd.DataFrame:
    """Return optics groups whose ``rlnMicrographPixelSize`` is that of their rows."""
    known = dict(zip(groups.tolist(), pixel_sizes.tolist(), strict=True))
    old = optics.get("rlnMicrographPixelSize", pd.Series(np.nan, index=optics.index))
    numbers = optics["rlnOpticsGroup"].tolist()
    new = [known.get(n, size) for n, size in zip(numbers, old, strict=True)]
    return optics.assign(rlnMicrographPixelSize=new)


def _column(
    frame: pd.DataFrame, optics: pd.DataFrame | None, name: str
) -> npt.NDArray[np.float64] | None:
    if name in frame:
        return _positive(frame[name])
    if optics is None or name not in optics:
        return None
    if "rlnOpticsGroup" in frame:
        by_group = dict(zip(optics["rlnOpticsGroup"], optics[name], strict=True))
        return _positive(frame["rlnOpticsGroup"].map(by_group))
    if len(optics) == 1:
        return _positive(pd.Series(np.repeat(optics[name].to_numpy(), len(frame))))
    return None


def _from_magnification(frame: pd.DataFrame) -> npt.NDArray[np.float64] | None:
    if "rlnMagnification" not in frame or "rlnDetectorPixelSize" not in frame:
        return None
    micrometres = pd.to_numeric(frame["rlnDetectorPixelSize"], errors="coerce")
    return _positive(1e4 * micrometres / pd.to_numeric(frame["rlnMagnification"], errors="coerce"))


def _positive(values: pd.Series) -> npt.NDArray[np.float64] | None:
    sizes = pd.to_numeric(values, errors="coerce").to_numpy(np.float64)
    return sizes if np.isfinite(sizes).all() and (sizes > 0).all() else None
