"""The images of the open project and the diameter of their particles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from napari_cryoml.data import ImageSource
from napari_cryoml.project import CURRENT_IMAGE, DIAMETER, JSON, ImageEntry, Project


class SessionImages:
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
        self.entries: dict[str, ImageEntry] = {entry.name: entry for entry in project.images()}
        self._counted: tuple[int, dict[str, tuple[int, int]]] | None = None
        self._looked: dict[str, JSON] = {}

    def remember(self, key: str, value: JSON) -> None:
        """Keep what only looking changes: in the project, or for as long as it is looked at."""
        if self.project.read_only:
            self._looked[key] = value
        else:
            self.project.set_setting(key, value)

    def remembered(self, key: str) -> JSON:
        """Return what `remember` has kept."""
        return self._looked[key] if key in self._looked else self.project.setting(key)

    def close(self) -> None:
        """Close the project file."""
        self.project.close()

    @property
    def names(self) -> list[str]:
        """Names of all images, in order."""
        return list(self.entries)

    def add(self, sources: list[ImageSource]) -> int:
        """Add images to the project; return how many were new.

        To a project that is only looked at, none is added.
        """
        if self.project.read_only:
            sources = [source for source in sources if source.name in self.entries]
            added = []
        else:
            added = self.project.add_images(sources)
        self.sources |= {source.name: source for source in sources}
        self.entries = {entry.name: entry for entry in self.project.images()}
        self._counted = None
        return len(added)

    def label_counts(self) -> dict[str, tuple[int, int]]:
        """Return how many positives and negatives each image has.

        They are counted anew after an edit only: there may be thousands of images.
        """
        edit = self.project.edit_number
        if self._counted is None or self._counted[0] != edit:
            self._counted = edit, self.project.counts()
        return self._counted[1]

    @property
    def current(self) -> str | None:
        """The image that was looked at last, or the first one."""
        name = self.remembered(CURRENT_IMAGE)
        return str(name) if name in self.entries else next(iter(self.entries), None)

    def choose(self, name: str) -> None:
        """Remember which image is looked at."""
        self.remember(CURRENT_IMAGE, name)

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
        counts = self.label_counts()
        free = (other for other in later + names[: max(at, 0)] if not sum(counts[other]))
        return next(free, None)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of all images."""
        return {name: entry.shape for name, entry in self.entries.items()}

    @property
    def folder(self) -> Path:
        """Where the project file is."""
        return self.project.path.parent

    # Diameter

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
