"""Classes of subtomograms, as a file or a column tells them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from napari_cryoml._errors import InputError
from napari_cryoml.classification import LabelledCrops
from napari_cryoml.cli._options import read_needed
from napari_cryoml.data import Crops, MissingWedge, Picks

_USUAL = ("class", "label", "rlnClassNumber")
_REACH_IN_BOXES = 1 / 6  # a quarter of the diameter, where a box is 1.5 of them


def labelled_subtomograms(
    crops: Crops, labels: Path | None, column: str | None, wedge: MissingWedge | None
) -> LabelledCrops:
    """Return crops with the classes that a user named.

    Parameters
    ----------
    crops : Crops
    labels : Path or None
        A table (.csv or .tsv) with a column ``id``, or particles of the same tomograms; None for
        what the crops themselves tell.
    column : str or None
        Which column holds the classes; by default ``class``, ``label`` or ``rlnClassNumber``.
    wedge : MissingWedge or None

    Raises
    ------
    InputError
        If there is no such column, or labels and crops do not fit.
    """
    if labels is None:
        known: Mapping[str, Any] = getattr(crops, "columns", {})
        name = _column(known, column, "The set of subtomograms")
        return LabelledCrops.of(crops, name, wedge=wedge)
    return LabelledCrops.of(crops, read_class_names(labels, crops, column), wedge=wedge)


def read_class_names(path: Path, crops: Crops, column: str | None = None) -> dict[str, str]:
    """Return the class of each crop, by its id, that a file knows one of.

    Raises
    ------
    InputError
        If the file cannot be read, has no such column, or labels particles that are not there.
    """
    rows = _rows_by_id(path)
    if rows is not None:
        name = _column(rows, column, path.name)
        return {str(key): _word(value) for key, value in zip(rows["id"], rows[name], strict=True)}
    return _names_by_place(path, crops, column)


def _rows_by_id(path: Path) -> dict[str, npt.NDArray[Any]] | None:
    """Return the columns of a table that has one of ids, or None for another file."""
    if path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        return None
    import pandas as pd

    try:
        frame = pd.read_csv(path, sep=None, engine="python", dtype=str, keep_default_na=False)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, pd.errors.ParserError):
        return None
    if "id" not in frame.columns:
        return None
    return {str(name): frame[name].to_numpy() for name in frame.columns}


def _names_by_place(path: Path, crops: Crops, column: str | None) -> dict[str, str]:
    """Return the classes of the crops that lie where the file has labelled particles."""
    from napari_cryoml.io import match_images

    if crops.images is None or crops.positions is None:
        raise InputError(
            f"{path.name} has no column 'id', and the boxes of a stack have no places: give a "
            "table of id and class, or the particle list of the boxes in place of the stack."
        )
    table = read_needed(path, pixel_size=getattr(crops, "pixel_size", None))
    owners = match_images(table.images, list(dict.fromkeys(crops.images.tolist())))
    reach = _REACH_IN_BOXES * float(getattr(crops, "box", crops.shape[-1]))
    names: dict[str, str] = {}
    lost = 0
    for picks in table:
        rows = np.flatnonzero(crops.images == owners.get(picks.image, ""))
        found, near = _nearest(crops.positions[rows], picks, reach)
        values = picks.columns[_column(picks.columns, column, path.name)]
        names |= {
            str(crops.ids[rows[at]]): _word(values[row])
            for row, at in zip(found, near, strict=True)
        }
        lost += len(picks) - len(found)
    if lost:
        raise InputError(
            f"{lost} of {table.n_picks} labels in {path.name} lie on none of the particles: label "
            "particles that are among --picks."
        )
    return names


def _nearest(
    places: npt.NDArray[np.float64], picks: Picks, reach: float
) -> tuple[list[int], list[int]]:
    """Return labelled picks that lie on a crop, and which crop that is."""
    if not len(places):
        return [], []
    distance, near = cKDTree(places).query(picks.positions)
    found = np.flatnonzero(distance <= reach)
    return found.tolist(), near[found].tolist()


def _column(known: Mapping[str, Any], asked: str | None, where: str) -> str:
    for name in (asked,) if asked else _USUAL:
        if name in known:
            return name
    there = ", ".join(name for name in known if name != "id") or "none"
    raise InputError(
        f"{where} has no column {asked or 'class'!r} with classes; there are {there}: give "
        "--class-column NAME, or --labels FILE with classes."
    )


def _word(value: Any) -> str:
    text = str(value).strip()
    return "" if text.lower() in ("nan", "none") else text
