"""The cells of one set with all that is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import numpy.typing as npt

from napari_cryoml._widgets.classes import ClassState
from napari_cryoml.data import Crops

LABEL, PROTEIN = "label", "protein"
"""Columns of the number of a cell in its Labels layer, and of the protein that it shows."""


class CellState(ClassState):
    """Cells of an image and its labels, or of files.

    Parameters
    ----------
    crops : Crops
    known : mapping of str to str
        Classes that were given, by id.
    image : str
        Name of the image that is open and that the cells lie in; "" for cells of files.
    """

    item = "Cell"

    def __init__(self, crops: Crops, known: Mapping[str, str], image: str = "") -> None:
        super().__init__(crops, known)
        self.image = image

    @property
    def columns(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """What is known of each cell, arrays of shape (n,) by name."""
        return getattr(self.crops, "columns", {})

    @cached_property
    def numbers_in_image(self) -> npt.NDArray[np.intp] | None:
        """Number of each cell in the Labels layer, shape (n,); None for cells of files."""
        column = self.columns.get(LABEL)
        if not self.image or column is None or column.dtype.kind not in "iu":
            return None
        return column.astype(np.intp)

    @property
    def in_image(self) -> bool:
        """Whether cells can be clicked in an image."""
        return self.numbers_in_image is not None

    @cached_property
    def _row_of(self) -> npt.NDArray[np.intp]:
        """Row of each number of the Labels layer, -1 for none."""
        numbers = self.numbers_in_image
        if numbers is None or not len(numbers):
            return np.full(1, -1, np.intp)
        table = np.full(int(numbers.max()) + 1, -1, np.intp)
        table[numbers] = np.arange(len(numbers))
        return table

    def row_at(self, number: int) -> int:
        """Return the row of a number of the Labels layer; -1 for none."""
        return int(self._row_of[number]) if 0 < number < len(self._row_of) else -1

    @cached_property
    def proteins(self) -> npt.NDArray[np.str_] | None:
        """Name of the protein of each cell, shape (n,); None where nobody says."""
        column = self.columns.get(PROTEIN)
        if column is None:
            return None
        names = np.asarray(column).astype(np.str_)
        return names if (names != "").any() else None

    def title_of(self, row: int) -> str:
        """Return what a cell is called on the screen, with its protein where it is known."""
        numbers, proteins = self.numbers_in_image, self.proteins
        if numbers is not None:
            title = f"Cell {numbers[row]} of {self.image}"
        else:
            title = super().title_of(row)
        return f"{title} · {proteins[row]}" if proteins is not None and proteins[row] else title

    def short_title_of(self, row: int) -> str:
        """Return what a cell is called in a list: its number in the image, or in the file."""
        numbers = self.numbers_in_image
        return f"Cell {row + 1 if numbers is None else numbers[row]}"

    @property
    def margin(self) -> npt.NDArray[np.float32]:
        """Probability of the predicted class over that of the next one, shape (n,); NaN without."""
        if self.fitted is None:
            return np.full(len(self), np.nan, np.float32)
        table = self.fitted.predictions.probabilities
        best = np.sort(np.nan_to_num(table, nan=-1.0), axis=1)
        gap = best[:, -1] - (best[:, -2] if best.shape[1] > 1 else 0.0)
        return np.where(self.fitted.predictions.known, gap, np.nan).astype(np.float32)
