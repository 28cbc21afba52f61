"""Tables with a row a cell and a column a measurement, as tools for profiles of cells read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import Crops
from napari_cryoml.io._embeddings_columns import ID, IMAGE
from napari_cryoml.io._formats._files import replacing

MEASUREMENT_SUFFIXES = (".parquet", ".csv", ".tsv")

_METADATA = "Metadata_"


def write_measurements(
    path: str | Path,
    crops: Crops,
    names: Sequence[str],
    values: npt.NDArray[np.floating[Any]],
    columns: Mapping[str, npt.NDArray[Any]] | None = None,
) -> None:
    """Write measurements of crops beside what is known of these.

    Parameters
    ----------
    path : path
        .parquet, .csv or .tsv.
    crops : Crops
    names : sequence of str
    values : array of shape (n, d)
        NaN where there is none; an empty cell in text.
    columns : mapping of str to array of shape (n,), optional
        What else is known of the crops, by default their columns. Words keep their names; numbers
        get ``Metadata_`` before them, so that whoever reads the table, `read_embedding` too,
        takes them for no measurement.

    Raises
    ------
    InputError
        If the name ends in something else, or the file cannot be written.
    """
    import pyarrow as pa

    place = Path(path)
    check_measurements_path(place)
    known = getattr(crops, "columns", {}) if columns is None else columns
    table: dict[str, Any] = {ID: crops.ids}
    if crops.images is not None and crops.positions is not None:
        axes = "zyx"[-crops.positions.shape[1] :]
        table |= {IMAGE: crops.images, **dict(zip(axes, crops.positions.T, strict=True))}
    for name, column in known.items():
        held = np.asarray(column)
        table[name if held.dtype.kind in "UO" else f"{_METADATA}{name}"] = held
    clash = next((name for name in names if name in table), None)
    if clash is not None:
        raise InputError(
            f"A column of the cells is named {clash!r}, as a measurement is: rename it."
        )
    measured = {
        name: pa.array(column, from_pandas=True)  # NaN is no value
        for name, column in zip(names, values.T, strict=True)
    }
    with replacing(place) as draft:
        _write(pa.table({**table, **measured}), draft)


def check_measurements_path(path: Path) -> None:
    """Refuse a name that ends in no kind of table.

    Raises
    ------
    InputError
    """
    if path.suffix.lower() not in MEASUREMENT_SUFFIXES:
        raise InputError(
            f"{path} tells no kind of table: end its name in {', '.join(MEASUREMENT_SUFFIXES)}."
        )


def _write(table: Any, path: Path) -> None:
    from pyarrow import csv, parquet

    if path.suffix.lower() == ".parquet":
        parquet.write_table(table, path)
        return
    delimiter = "," if path.suffix.lower() == ".csv" else "\t"
    csv.write_csv(table, path, csv.WriteOptions(delimiter=delimiter))
