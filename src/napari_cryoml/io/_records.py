"""Write results: a record as JSON, and its rows as a table beside it."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_cryoml.io._formats._files import write_text


def write_record(
    record: Mapping[str, Any], path: str | Path, rows: Sequence[Mapping[str, Any]] = ()
) -> list[Path]:
    """Write a record as JSON, and rows as CSV beside it, each whole or not at all.

    Parameters
    ----------
    record : mapping
        As JSON takes it; what JSON has no word for, as NaN, becomes null.
    path : path
        Name of the JSON file.
    rows : sequence of mapping
        Rows of a table; its name is that of the JSON file, but ends in .csv. NaN is an empty cell.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    InputError
        If a file cannot be written.
    """
    path = Path(path)
    write_text(path, json.dumps(_plain(record), indent=1, allow_nan=False) + "\n")
    if not rows:
        return [path]
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    table = csv.DictWriter(text, names, lineterminator="\n")
    table.writeheader()
    table.writerows({name: _plain(value) for name, value in row.items()} for row in rows)
    beside = path.with_suffix(".csv")
    write_text(beside, text.getvalue())
    return [path, beside]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
