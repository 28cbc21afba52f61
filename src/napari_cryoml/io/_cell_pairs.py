"""Which labels belong to which image of cells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from napari_cryoml._errors import InputError
from napari_cryoml.io._cell_images import CellImage, files_of
from napari_cryoml.io._formats._files import replacing
from napari_cryoml.io._label_words import label_key

_SHOWN = 3


def pair_labels(
    images: Sequence[CellImage], labels: Iterable[str | Path] | str | Path
) -> list[tuple[CellImage, Path]]:
    """Return each image with the file of its labels, found by the names.

    ``plate1_labels.tif``, ``plate1_cp_masks.png`` and ``plate1.tif`` in another folder belong to
    ``plate1.tif``; labels named after the file of one channel belong to the image of all. One
    image and one file of labels belong together whatever their names.

    Parameters
    ----------
    images : sequence of CellImage
    labels : paths
        Files, folders and patterns.

    Returns
    -------
    list of (CellImage, Path)
        In the order of the images.

    Raises
    ------
    InputError
        If an image has no labels, several fit it, or a file is missing.
    """
    files = files_of([labels] if isinstance(labels, str | Path) else labels)
    gone = next((path for path in files if not path.exists()), None)
    if gone is not None:
        raise InputError(f"There is no file {gone}: check the path, or mount its disk.")
    if len(images) == 1 and len(files) == 1:
        return [(images[0], files[0])]
    by_key: dict[str, list[Path]] = defaultdict(list)
    for path in files:
        by_key[label_key(path.name)].append(path)
    found = [(image, _labels_of(image, by_key)) for image in images]
    lacking = [image.name for image, path in found if path is None]
    if lacking:
        raise InputError(
            f"{len(lacking)} of {len(images)} images have no labels ({_some(lacking)}); the files "
            f"of labels are {_some([path.name for path in files])}: name these after the images, "
            "as NAME_labels.tif."
        )
    return [(image, labels) for image, labels in found if labels is not None]


def write_cell_labels(path: str | Path, labels: npt.ArrayLike) -> Path:
    """Write a labels image as a TIFF, compressed.

    Parameters
    ----------
    path : path
        Ends in .tif or .tiff.
    labels : array of shape (Y, X)
        Whole numbers.

    Raises
    ------
    InputError
        If the disk refuses it.
    """
    place = Path(path).expanduser()
    image = np.asarray(labels)
    with replacing(place) as draft:
        tifffile.imwrite(draft, image, compression="zlib", metadata={"axes": "YX"})
    return place


def _labels_of(image: CellImage, by_key: dict[str, list[Path]]) -> Path | None:
    """Return the labels of an image, None where there are none.

    Raises
    ------
    InputError
        If several fit.
    """
    own = {path.resolve() for path in image.paths}
    names = dict.fromkeys([image.name, *(path.name for path in image.paths)])
    found: dict[Path, Any] = {}
    for name in names:
        found |= dict.fromkeys(p for p in by_key.get(label_key(name), []) if p.resolve() not in own)
    if len(found) > 1:
        raise InputError(
            f"{len(found)} files of labels fit the image {image.name} "
            f"({_some([path.name for path in found])}): name one of them."
        )
    return next(iter(found), None)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
