"""The open project as the Picker sees it: labels, picks, counts and settings by image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_cryoml._napari._picker_edits import LabelEdit, LabelSet
from napari_cryoml._widgets.picker._image_table import ImageRow
from napari_cryoml._widgets.picker._score_book import ScoreBook
from napari_cryoml.data import Annotations, ImageSource, Picks, PicksTable, ScoreMap
from napari_cryoml.picking import ImagePicked, final_picks, rejected_picks
from napari_cryoml.project import CURRENT_IMAGE, DIAMETER, THRESHOLD, ImageEntry, Project


class Session:
    """A project with its images opened.

    Parameters
    ----------
    project : Project
    sources : mapping of str to ImageSource
        The images that can be read, by name.
    """

    def __init__(self, project: Project, sources: Mapping[str, ImageSource]) -> None:
        self.project = project
        self.sources = dict(sources)
        self.book = ScoreBook()
        self._preview: ImagePicked | None = None
        self.entries: dict[str, ImageEntry] = {entry.name: entry for entry in project.images()}

    def close(self) -> None:
        """Close the project file."""
        self.project.close()

    # Images

    @property
    def names(self) -> list[str]:
        """Names of all images, in order."""
        return list(self.entries)

    def add(self, sources: list[ImageSource]) -> int:
        """Add images to the project; return how many were new."""
        added = self.project.add_images(sources)
        self.sources |= {source.name: source for source in sources}
        self.entries = {entry.name: entry for entry in self.project.images()}
        return len(added)

    @property
    def current(self) -> str | None:
        """The image that was looked at last, or the first one."""
        name = self.project.setting(CURRENT_IMAGE)
        return str(name) if name in self.entries else next(iter(self.entries), None)

    def choose(self, name: str) -> None:
        """Remember which image is looked at."""
        self.project.set_setting(CURRENT_IMAGE, name)

    def neighbour(self, name: str | None, direction: str) -> str | None:
        """Return the "next", "previous" or next "unlabelled" image; None if there is none."""
        names = self.names
        if not names:
            return None
        at = names.index(name) if name in names else -1
        if direction == "previous":
            return names[at - 1] if at > 0 else None
        later = names[at + 1 :]
        if direction == "next":
            return later[0] if later else None
        counts = self.project.counts()
        free = (other for other in later + names[: max(at, 0)] if not sum(counts[other]))
        return next(free, None)

    def rows(self, threshold: float) -> list[ImageRow]:
        """Return the list of images with their counts."""
        labels, picks = self.project.counts(), self.book.counts(threshold)
        stale = self.project.stale_images()
        return [
            ImageRow(name, *labels[name], picks.get(name), name in stale) for name in self.entries
        ]

    # Diameter and threshold

    @property
    def diameter_px(self) -> float:
        """Particle diameter in pixels of the first image; 0 if it is not set."""
        value = self.project.setting(DIAMETER)
        return float(value) if isinstance(value, int | float) else 0.0

    def diameter_in(self, name: str) -> float:
        """Return the particle diameter in pixels of an image; 0 if it is not set."""
        return self.diameter_px * self._relative_sampling(name)

    def set_diameter_in(self, name: str, diameter_px: float) -> None:
        """Set the diameter in pixels of an image, as an edit that can be undone."""
        value = round(diameter_px / self._relative_sampling(name), 4)
        self.project.set_setting(DIAMETER, value, undoable=True)

    def _relative_sampling(self, name: str) -> float:
        first = next(iter(self.entries.values())).pixel_size
        own = self.entries[name].pixel_size
        return first / own if first and own else 1.0

    def set_threshold(self, threshold: float) -> None:
        """Keep a threshold the user has chosen."""
        self.project.set_setting(THRESHOLD, float(threshold))

    @property
    def threshold(self) -> float:
        """Least score of a pick: the user's choice, or else what training has proposed."""
        value = self.project.setting(THRESHOLD)
        model = self.project.current_model() if value is None else None
        if model is not None:
            value = model.summary.get("threshold")
        return float(value) if isinstance(value, int | float) else 0.0

    # Labels

    def labels(self, name: str) -> LabelSet:
        """Return the labels of an image."""
        return LabelSet(self.project.annotations(name), self.project.annotation_ids(name))

    def commit(self, name: str, edit: LabelEdit) -> LabelSet:
        """Write one edit of the labels of an image; return the labels as they are then."""
        self.project.annotate(name, add=edit.add, remove=edit.remove)
        return self.labels(name)

    def all_labels(self) -> dict[str, Annotations]:
        """Return the labels of all images that have some."""
        counts = self.project.counts()
        return {name: self.project.annotations(name) for name in self.names if sum(counts[name])}

    # Picks

    def keep(self, done: ImagePicked, model: int | None) -> None:
        """Write the picks and the heat map of one image; from any thread."""
        self.project.set_picks(done.image, done.picks, model=model, score_map=done.score_map)

    def preview(self, done: ImagePicked) -> None:
        """Show what a network finds that is still being trained, without writing it."""
        self.drop_preview()
        self._preview = done
        self._file_scores(done.image, done.picks)

    def drop_preview(self) -> None:
        """Go back to the picks that were written."""
        preview, self._preview = self._preview, None
        if preview is not None:
            self.count_again(preview.image)

    def picks(self, name: str) -> Picks | None:
        """Return the picks of an image, those of a running training first."""
        if self._preview is not None and self._preview.image == name:
            return self._preview.picks
        return self.project.picks(name)

    def score_map(self, name: str) -> ScoreMap | None:
        """Return the heat map of an image, that of a running training first."""
        if self._preview is not None and self._preview.image == name:
            return self._preview.score_map
        return self.project.score_map(name)

    def rejected(self, name: str, picks: Picks | None) -> npt.NDArray[np.bool_] | None:
        """Return which picks of an image the user has labelled as no particles."""
        if picks is None:
            return None
        negatives = self.project.annotations(name).negatives
        return rejected_picks(picks, negatives, self.diameter_in(name) / 2)

    def count_again(self, name: str) -> None:
        """Count the picks of an image again, after its labels have changed."""
        self._file_scores(name, self.picks(name))

    def load_scores(self) -> Iterator[None]:
        """Read the scores of all picks, one image a step."""
        for name in self.names:
            self.count_again(name)
            yield

    def _file_scores(self, name: str, picks: Picks | None) -> None:
        if picks is None:
            self.book.drop(name)
            return
        marks = self.rejected(name, picks)
        kept = picks if marks is None else picks.take(~marks)
        scores = np.zeros(len(kept), np.float32) if kept.scores is None else kept.scores
        self.book.set(name, scores)

    def final_table(self, threshold: float) -> PicksTable:
        """Return what is to be exported: good picks and labelled particles; from any thread."""
        counts = self.project.counts()
        tables = []
        for name, entry in list(self.entries.items()):
            picks = self.project.picks(name)
            if picks is None and not counts[name][0]:
                continue
            if picks is None:
                empty = np.empty((0, entry.ndim))
                picks = Picks(name, empty, np.empty(0, np.float32), entry.pixel_size)
            labels = self.project.annotations(name)
            tables.append(final_picks(picks, labels, threshold, self.diameter_in(name)))
        return PicksTable.of(tables)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of all images."""
        return {name: entry.shape for name, entry in self.entries.items()}

    @property
    def folder(self) -> Path:
        """Where the project file is."""
        return self.project.path.parent
