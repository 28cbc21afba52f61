"""Tables about classes in files."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cryoml.io import replacing

if TYPE_CHECKING:
    from napari_cryoml.evaluation import ClassificationReport


def write_matrix(report: ClassificationReport, path: Path) -> str:
    """Write a confusion matrix, rows the classes as labelled, and return a sentence about it."""
    rows = [
        (name, *counts)
        for name, counts in zip(report.classes, report.confusion.tolist(), strict=True)
    ]
    write_rows(path, [("labelled \\ given", *report.classes), *rows])
    return f"The confusion matrix was written to {path}."


def write_rows(path: Path, rows: list[tuple[object, ...]]) -> None:
    """Write rows as a .csv file.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    with replacing(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
