"""The open project as the Picker sees it: labels, picks, counts and settings by image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from napari_cryoml._widgets.picker._image_table import ImageRow
from napari_cryoml._widgets.picker._pool import PicksPool
from napari_cryoml._widgets.picker._score_book import ScoreBook
from napari_cryoml._widgets.picker._session_labels import SessionLabels
from napari_cryoml.data import ImageSource, Picks, PicksTable, ScoreMap
from napari_cryoml.picking import final_picks, rejected_picks, with_poses
from napari_cryoml.project import THRESHOLD, Project

LIVE = "live"
"""Setting: whether picks follow every click; None as long as nobody has decided."""


class Found(Protocol):
    """What a picker found in one image: an `ImagePicked` or a `LiveAnswer`."""

    @property
    def image(self) -> str:
        """Name of the image."""

    @property
    def picks(self) -> Picks:
        """By falling score."""

    @property
    def score_map(self) -> ScoreMap:
        """What the picks are peaks of."""


class Session(SessionLabels):
    """An open project: what the user said about its images, and what was picked.

    Parameters
    ----------
    project : Project
    sources : mapping of str to ImageSource
        The images that can be read, by name.
    """

    def __init__(self, project: Project, sources: Mapping[str, ImageSource]) -> None:
        super().__init__(project, sources)
        self.book = ScoreBook()
        self._rows: dict[str, ImageRow] = {}
        self._preview: Found | None = None
        self._live_threshold = 0.0
        self._fresh = (-1, "")

    def rows(self, threshold: float, stale: set[str]) -> list[ImageRow]:
        """Return the list of images with their counts; `stale` are those with old picks."""
        labels, picks = self.label_counts(), self.book.counts(threshold)
        known = self._rows
        rows = []
        for name in self.entries:
            values = (name, *labels[name], picks.get(name), name in stale)
            # Thousands of new objects a click would call in the garbage collector, for 0.1 s.
            rows.append(known[name] if known.get(name) == values else ImageRow(*values))
        self._rows = {row.name: row for row in rows}
        return rows

    # Threshold

    def set_threshold(self, threshold: float) -> None:
        """Keep a threshold the user has chosen."""
        self.remember(THRESHOLD, float(threshold))

    @property
    def threshold(self) -> float:
        """Least score of a pick: the user's choice, or else what the picker has proposed."""
        value = self.remembered(THRESHOLD)
        if value is None and self.is_live:
            return self._live_threshold
        model = self.project.current_model() if value is None else None
        if model is not None:
            value = model.summary.get("threshold")
        return float(value) if isinstance(value, int | float) else 0.0

    # Live picking

    @property
    def is_live(self) -> bool:
        """Whether picks follow every click: until the user decides, if no model was trained.

        Never in a project that is only looked at, where nobody can click.
        """
        if self.project.read_only:
            return False
        value = self.project.setting(LIVE)
        return self.project.current_model() is None if value is None else bool(value)

    def set_live(self, on: bool) -> None:
        """Have picks follow every click, or not."""
        if on:
            self.project.check_writable()
        if self.project.setting(LIVE) != on:
            self.project.set_setting(LIVE, on)
        if not on:
            self._drop()

    def show_live(self, found: Found, threshold: float, edit: int) -> None:
        """Show the latest picks of live picking, without writing them.

        Parameters
        ----------
        found : Found
        threshold : float
            What it proposes.
        edit : int
            Number of the edit whose labels it has learned from.
        """
        self.set_live(True)
        self._live_threshold, self._fresh = threshold, (edit, found.image)
        self._preview = found
        self._file_scores(found.image, found.picks)

    def drop_live(self) -> bool:
        """Forget the latest live picks, for nothing is labelled; return whether there were any."""
        there = self.is_live and self._preview is not None
        if there:
            self._drop()
        return there

    def stale_images(self) -> set[str]:
        """Return the images whose picks rest on other labels or another model."""
        stale = self.project.stale_images()
        edit, image = self._fresh
        return stale - {image} if self.is_live and edit == self.project.edit_number else stale

    # Picks

    def keep(self, found: Found, model: int | None, edit: int | None = None) -> None:
        """Write the picks and the heat map of one image; from any thread.

        Parameters
        ----------
        found : Found
        model : int or None
            The model that found them; None for live picking.
        edit : int, optional
            Number of the edit whose labels they rest on, where there is no model.
        """
        self.project.set_picks(
            found.image, found.picks, model=model, edit=edit, score_map=found.score_map
        )

    def preview(self, found: Found) -> None:
        """Show what a network finds that is still being trained, unless live picks are on show."""
        if not self.is_live:
            self._drop()
            self._preview = found
            self._file_scores(found.image, found.picks)

    def drop_preview(self) -> None:
        """Go back from what a network in training finds to the picks that were written."""
        if not self.is_live:
            self._drop()

    def _drop(self) -> None:
        preview, self._preview = self._preview, None
        if preview is not None:
            self.count_again(preview.image)

    def picks(self, name: str) -> Picks | None:
        """Return the picks of an image, those that are not written yet first."""
        if self._preview is not None and self._preview.image == name:
            return self._preview.picks
        return self.project.picks(name)

    def score_map(self, name: str) -> ScoreMap | None:
        """Return the heat map of an image, one that is not written yet first."""
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

    def load_scores(self, names: Iterable[str] | None = None) -> Iterator[None]:
        """Read the scores of the picks of some images, or of all, one image a step."""
        for name in self.names if names is None else names:
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

    def pool(self) -> PicksPool:
        """Return the written picks of all images that were not rejected; from any thread."""
        tables = []
        for name in self.names:
            picks = self.project.picks(name)
            marks = self.rejected(name, picks)
            if picks is not None and marks is not None:
                tables.append(picks.take(~marks))
        return PicksPool.of(tables)

    def final_table(self, threshold: float) -> PicksTable:
        """Return what is to be exported: good picks and labelled particles; from any thread."""
        counts = self.label_counts()
        tables = []
        for name, entry in list(self.entries.items()):
            picks = self.project.picks(name)
            if picks is None and not counts[name][0]:
                continue
            if picks is None:
                empty = np.empty((0, entry.ndim))
                picks = Picks(name, empty, np.empty(0, np.float32), entry.pixel_size)
            labels = self.project.annotations(name)
            diameter = self.diameter_in(name)
            final = final_picks(picks, labels, threshold, diameter)
            tables.append(with_poses(final, self.project.imported(name), diameter / 2))
        return PicksTable.of(tables)
