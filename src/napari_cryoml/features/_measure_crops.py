"""Measurements of many crops, batch after batch."""

from __future__ import annotations

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml.data import Crops
from napari_cryoml.features._measurement_sets import MeasurementSetConfig
from napari_cryoml.features._measurements import Measurements
from napari_cryoml.jobs import Command, Event, Job


def measure_crops(
    crops: Crops, config: MeasurementSetConfig, batch: int = 256
) -> Job[Measurements]:
    """Measure all crops.

    Parameters
    ----------
    crops : Crops
    config : MeasurementSetConfig
    batch : int, default 256
        Crops that are read and measured at a time.

    Yields
    ------
    Event
        After each batch; with a message for an image whose crops cannot be read.

    Returns
    -------
    Measurements
        In the order of the crops; those that were not reached before `Command.STOP`, or could not
        be read, are NaN.

    Raises
    ------
    InputError
        If the crops cannot be measured this way, or none can be read.
    """
    names = config.measure_crops(crops, np.empty(0, np.intp)).names
    table = np.full((len(crops), len(names)), np.nan, np.float32)
    done, n_read, refusal = 0, 0, None
    for rows in crops.batches(batch):
        message = ""
        try:
            table[rows] = config.measure_crops(crops, rows).values
            n_read += len(rows)
        except InputError as error:
            message = "" if str(error) == str(refusal) else str(error)
            refusal = error
        done += len(rows)
        if (yield Event(done=done, total=len(crops), message=message)) is Command.STOP:
            break
    if refusal is not None and not n_read:
        raise refusal
    return Measurements(names, table)
