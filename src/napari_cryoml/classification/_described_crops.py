"""Features of crops that need no training, made once and kept."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.classification._feature_system import FeatureSystem
from napari_cryoml.data import Crops
from napari_cryoml.jobs import Command, Event, Job

Rows = npt.NDArray[np.intp]
Features = npt.NDArray[np.float32]

_BATCH = 64
_MESSAGE = "Describing crops, once."


@dataclass(slots=True, eq=False)
class _Table:
    """Features of all crops as far as they are made, NaN elsewhere."""

    features: Features
    tried: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class DescribedCrops:
    """The features of crops, for each description that was asked for.

    Parameters
    ----------
    crops : Crops
    """

    crops: Crops
    _tables: dict[Hashable, _Table] = field(default_factory=dict)

    def of(self, system: FeatureSystem, first: Rows) -> Job[Features]:
        """Describe what is not described yet; `Command.STOP` leaves the rest, after `first`.

        Parameters
        ----------
        system : FeatureSystem
        first : array of shape (k,), intp
            Rows that are described before the others, and in any case.

        Yields
        ------
        Event
            After each batch; none if all is there.

        Returns
        -------
        array of shape (n, d), float32
            NaN for crops that could not be read, or were not reached.
        """
        stopped, needed = False, np.zeros(len(self.crops), np.bool_)
        needed[first] = True
        for rows in self._missing(system, first):
            if stopped and not needed[rows].any():
                break
            message = self._describe(system, rows)
            done = int(self._table(system).tried.sum())
            event = Event(done=done, total=len(self.crops), message=message or _MESSAGE)
            stopped = (yield event) is Command.STOP or stopped
        return self._table(system).features

    def advance(self, system: FeatureSystem) -> bool:
        """Describe one more batch; return whether there is more to do."""
        missing = self._missing(system, np.empty(0, np.intp))
        rows = next(missing, None)
        if rows is not None:
            self._describe(system, rows)
        return rows is not None

    def _missing(self, system: FeatureSystem, first: Rows) -> Iterator[Rows]:
        wanted = (first[at : at + _BATCH] for at in range(0, len(first), _BATCH))
        for rows in itertools.chain(wanted, self.crops.batches(_BATCH)):
            table = self._tables.get(_key(system))
            left = rows if table is None else rows[~table.tried[rows]]
            if len(left):
                yield left

    def _describe(self, system: FeatureSystem, rows: Rows) -> str:
        """Describe some rows; return why they could not be, if so."""
        try:
            found = system.features_of(self.crops.read(rows))
        except InputError as error:
            self._table(system).tried[rows] = True
            return str(error)
        table = self._table(system, found.shape[1])
        table.features[rows], table.tried[rows] = found, True
        return ""

    def _table(self, system: FeatureSystem, width: int = 0) -> _Table:
        """Return the table of a description, of the width that is known by now."""
        n = len(self.crops)
        table = self._tables.setdefault(
            _key(system), _Table(np.full((n, width), np.nan, np.float32), np.zeros(n, np.bool_))
        )
        if table.features.shape[1] < width:
            table.features = np.full((n, width), np.nan, np.float32)
        return table


def _key(system: FeatureSystem) -> Hashable:
    return system.description()
