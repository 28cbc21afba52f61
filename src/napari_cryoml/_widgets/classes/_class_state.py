"""What is classified: crops, the classes they were given, and what a classifier says of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_cryoml._napari._map_link_rows import RowPlaces
from napari_cryoml._widgets.classes._class_gallery import Show
from napari_cryoml._widgets.link import RowClasses
from napari_cryoml.data import Crops

if TYPE_CHECKING:
    from napari_cryoml.classification import FittedReply

Rows = npt.NDArray[np.intp]


class ClassState:
    """The crops of one set with all that is known of them.

    Parameters
    ----------
    crops : Crops
    known : mapping of str to str
        Classes that were given, by id.
    """

    item = "Pick"
    """What a crop stands for."""

    def __init__(self, crops: Crops, known: Mapping[str, str]) -> None:
        self.crops = crops
        self.ids = crops.ids.tolist()
        self.classes = RowClasses.none(len(self.ids))
        self.set_classes(known)
        self.fitted: FittedReply | None = None
        self.learnt: npt.NDArray[np.str_] | None = None
        self.show = Show()
        self.order = ""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def ndim(self) -> int:
        """Axes of a crop, 2 or 3."""
        return len(self.crops.shape)

    @cached_property
    def places(self) -> RowPlaces | None:
        """Where the crops lie in images; None of boxes from a file."""
        images, positions = self.crops.images, self.crops.positions
        if images is None or positions is None:
            return None
        return RowPlaces(images, positions, self.crops.ids)

    @property
    def in_image(self) -> bool:
        """Whether crops can be clicked in an image."""
        return self.places is not None

    # Labels

    def set_classes(self, known: Mapping[str, str]) -> None:
        """Take over the classes that were given, by id."""
        self.classes = RowClasses.none(len(self))
        self.classes.put_known(known, self.ids)

    @property
    def labelled(self) -> npt.NDArray[np.bool_]:
        """Which crops were given a class, shape (n,)."""
        return np.asarray(self.classes.codes >= 0)

    def numbers(self, names: tuple[str, ...]) -> Rows:
        """Return the place of each crop's class in `names`, shape (n,); -1 for none of them."""
        place = {name: number for number, name in enumerate(names)}
        table = np.array([place.get(name, -1) for name in self.classes.names] + [-1], np.intp)
        return table[self.classes.codes]

    @property
    def is_stale(self) -> bool:
        """Whether classes were given or taken away since the classifier has learnt them."""
        learnt = self.learnt
        return learnt is not None and not np.array_equal(learnt, self.classes.texts)

    # Predictions

    @property
    def predicted(self) -> npt.NDArray[np.str_]:
        """Name of the predicted class of each crop, shape (n,); "" without one."""
        if self.fitted is None:
            return np.zeros(len(self), "<U1")
        return self.fitted.predictions.named

    @property
    def confidence(self) -> npt.NDArray[np.float32]:
        """Probability of the predicted class, shape (n,); NaN without one."""
        if self.fitted is None:
            return np.full(len(self), np.nan, np.float32)
        return self.fitted.predictions.confidence

    @property
    def given(self) -> npt.NDArray[np.str_]:
        """Name of the class that each crop was given while its label was held out, shape (n,).

        "" for crops that were not held out. Of a classifier from a file, which does not say, the
        predicted one.
        """
        if self.fitted is None or self.fitted.held_out is None:
            return self.predicted
        return np.array([*self.fitted.classes, ""], np.str_)[self.fitted.held_out]

    def sure(self, threshold: float) -> npt.NDArray[np.bool_]:
        """Return which crops have a prediction of at least this confidence, shape (n,)."""
        return np.asarray(np.nan_to_num(self.confidence, nan=-1.0) >= threshold)

    def verdicts(self, threshold: float) -> npt.NDArray[np.str_]:
        """Return the class of each crop, shape (n,): the label, or a sure prediction, or ""."""
        sure = np.where(self.sure(threshold), self.predicted, "")
        return np.where(self.labelled, self.classes.texts, sure)

    def title_of(self, row: int) -> str:
        """Return what a crop is called on the screen."""
        images = self.crops.images
        if images is None:
            return f"Box {self.ids[row]}"
        return f"{self.item} {row + 1} of {images[row]}"
