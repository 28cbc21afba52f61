"""Measurements of hours, one cell after another: what was measured is not measured again."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from _record import load

Row = dict[str, Any]
Wanted: TypeAlias = Callable[[Mapping[str, Any]], bool] | None
"""Told a cell, returns whether it is to be measured this time; None for all."""


def measured(
    section: str,
    cells: Iterable[Mapping[str, Any]],
    measure: Callable[..., Mapping[str, Any]],
    *,
    fresh: bool = False,
    wanted: Wanted = None,
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
    wanted : callable, optional
        What is to be measured this time; what is kept is yielded anyway.
    """
    record = None if fresh else load(section)
    kept = [] if record is None else record["rows"]
    todo = []
    for cell in cells:
        known = next((row for row in kept if cell.items() <= row.items()), None)
        if known is not None:
            yield known
        elif wanted is None or wanted(cell):
            todo.append(cell)
    for cell in todo:
        found = measure(**cell)
        day = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
        yield {**cell, **found, "date": day}
