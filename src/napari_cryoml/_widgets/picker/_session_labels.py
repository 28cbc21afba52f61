"""What the user has said about places in the images of the open project."""

from __future__ import annotations

from collections.abc import Mapping

import numpy.typing as npt
from pydantic import ValidationError

from napari_cryoml._napari._map_link_labels import label_all, reach_px
from napari_cryoml._napari._picker_edits import LabelEdit, LabelSet
from napari_cryoml._widgets.picker._session_images import SessionImages
from napari_cryoml.data import Annotations
from napari_cryoml.picking.live import MarkedBox
from napari_cryoml.project import Edit, Relabel

MARKED = "marked_box"
"""Setting: the box in which every particle is labelled, as `MarkedBox` takes it; None without."""


class SessionLabels(SessionImages):
    """The labels of a project's images."""

    def labels(self, name: str) -> LabelSet:
        """Return the labels of an image."""
        return LabelSet(self.project.annotations(name), self.project.annotation_ids(name))

    def commit(self, name: str, edit: LabelEdit) -> LabelSet:
        """Write one edit of the labels of an image; return the labels as they are then."""
        self.project.annotate(name, add=edit.add, remove=edit.remove)
        return self.labels(name)

    def label_places(self, places: Mapping[str, npt.ArrayLike], label: int) -> Edit | None:
        """Give places of several images a label, in one edit.

        Parameters
        ----------
        places : mapping of str to array of shape (n, ndim)
            Pixel (z)yx, by name of the image.
        label : int
            `POSITIVE` or `NEGATIVE`.

        Returns
        -------
        Edit or None
            None if all places have this label already.

        Raises
        ------
        InputError
            If an image is not in the project, or the file cannot be written.
        """
        changes = {}
        for name, positions in places.items():
            shape = self.project.image(name).shape
            reach = reach_px(label, self.diameter_in(name))
            edit = label_all(self.labels(name), positions, label, shape=shape, reach_px=reach)
            if edit:
                changes[name] = Relabel(edit.add, edit.remove)
        return self.project.annotate_many(changes) if changes else None

    def all_labels(self) -> dict[str, Annotations]:
        """Return the labels of all images that have some."""
        counts = self.label_counts()
        return {name: self.project.annotations(name) for name in self.names if sum(counts[name])}

    @property
    def first_labelled(self) -> str | None:
        """The first image that can be read and has a labelled particle."""
        counts = self.label_counts()
        readable = (name for name in self.names if name in self.sources)
        return next((name for name in readable if counts[name][0]), None)

    def readable_labels(self) -> dict[str, Annotations]:
        """Return the labels of all images that have some and can be read."""
        return {name: each for name, each in self.all_labels().items() if name in self.sources}

    @property
    def marked(self) -> MarkedBox | None:
        """The box in which the user has labelled every particle."""
        values = self.project.setting(MARKED)
        try:
            box = MarkedBox.model_validate(values) if isinstance(values, dict) else None
        except ValidationError:
            return None
        return box if box is not None and box.image in self.sources else None

    def mark(self, box: MarkedBox | None) -> None:
        """Keep the box in which every particle is labelled, or none."""
        self.project.set_setting(MARKED, None if box is None else box.model_dump(mode="json"))
