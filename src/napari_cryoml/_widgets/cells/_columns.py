"""What is known of each cell, in columns of tables and layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_cryoml._widgets.cells._state import CellState

LABELLED, PREDICTED = "labelled", "predicted"
"""Columns of the class that a person gave and of that of the classifier; one that is called
“class” may be another's."""

PROBABILITY, MARGIN = "probability", "margin"
"""Columns of the probability of the predicted class, and of by how much it is ahead."""


def is_ours(name: str) -> bool:
    """Tell whether a column is one that we write."""
    known = ("id", LABELLED, PREDICTED, PROBABILITY, MARGIN)
    return name in known or name.startswith(f"{PROBABILITY}_")


def columns_of(cells: CellState) -> dict[str, Any]:
    """Return what is known of each cell: its label, what is predicted, and what was measured."""
    known = {name: np.asarray(values) for name, values in cells.columns.items()}
    found: dict[str, Any] = {"id": cells.crops.ids, LABELLED: cells.classes.texts}
    if cells.fitted is not None:
        predictions = cells.fitted.predictions.columns()
        found |= {
            PREDICTED: predictions.pop("class"),
            PROBABILITY: predictions.pop("confidence"),
            MARGIN: cells.margin,
            **predictions,
        }
    return found | {name: values for name, values in known.items() if name not in found}
