"""The most central cells of each protein in one small picture."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import Crops, Embedding
from napari_cryoml.embedding._group_vectors import central_members

_SIDE_PX = 48
_LIMITS = (0.5, 99.5)


def central_thumbnails(
    cells: Embedding,
    crops: Crops,
    names: Sequence[str],
    by: str = "protein",
    n: int = 6,
    channel: int = 0,
    *,
    rows: npt.ArrayLike | None = None,
) -> dict[str, bytes]:
    """Return a row of crops for each protein, the most central cell first.

    Parameters
    ----------
    cells : Embedding
        One row a cell.
    crops : Crops
        Of these cells, found by their ids; those of three axes show their middle plane.
    names : sequence of str
        Proteins.
    by : str, default "protein"
        The column of proteins.
    n : int, default 6
        Crops of a protein.
    channel : int, default 0
        The channel to show, each crop from its darkest to its brightest pixels.

    rows : array of shape (m,), int, or (n,), bool, optional
        Cells that count, as those of one condition; all by default.

    Returns
    -------
    dict of str to bytes
        A PNG for each protein of which there are crops.
    """
    place = {name: row for row, name in enumerate(crops.ids.tolist())}
    found: dict[str, bytes] = {}
    for name in names:
        ids = cells.ids[central_members(cells, name, by, rows)].tolist()
        shown = [place[one] for one in ids if one in place][:n]
        if shown:
            found[name] = png_of(_montage(crops.read(shown)[:, channel]))
    return found


def png_of(grey: npt.NDArray[np.uint8]) -> bytes:
    """Return a grey picture (y, x) as the content of a PNG file (ISO 15948)."""
    height, width = grey.shape
    lines = np.zeros((height, width + 1), np.uint8)  # each line begins with its filter, none
    lines[:, 1:] = grey
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = {b"IHDR": header, b"IDAT": zlib.compress(lines.tobytes(), 6), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in parts.items()
    )


def _montage(images: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return pictures (k, y, x) or (k, z, y, x) side by side, each on its own scale."""
    planes = images[:, images.shape[1] // 2] if images.ndim == 4 else images
    step = max(-(-max(planes.shape[1:]) // _SIDE_PX), 1)
    planes = np.nan_to_num(planes[:, ::step, ::step])
    low, high = np.percentile(planes, _LIMITS, axis=(1, 2), keepdims=True)
    share = (planes - low) / np.where(high > low, high - low, 1)
    return np.concatenate(np.rint(255 * np.clip(share, 0, 1)).astype(np.uint8), axis=1)
