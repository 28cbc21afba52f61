"""Measurements of hours, one cell after another: what was measured is not measured again."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from _record import load

Row = dict[str, Any]


def measured(
    section: str,
    cells: Iterable[Mapping[str, Any]],
    measure: Callable[..., Mapping[str, Any]],
    *,
    fresh: bool = False,
) -> Iterator[Row]:
    """Yield a row a cell: the kept one, or a new one.

    Parameters
    ----------
    section : str
        Name under which rows are kept.
    cells : iterable of mapping
        What is measured, as arguments of `measure`; they are in the row as well.
    measure : callable
        Returns what was found.
    fresh : bool
        Measure everything anew.
    """
    record = None if fresh else load(section)
    kept = [] if record is None else record["rows"]
    todo = []
    for cell in cells:
        known = next((row for row in kept if cell.items() <= row.items()), None)
        if known is not None:
            yield known
        else:
            todo.append(cell)
    for cell in todo:
        found = measure(**cell)
        day = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
        yield {**cell, **found, "date": day}
