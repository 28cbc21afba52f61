"""The project behind a dock that classifies crops, and what was chosen in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_cryoml._widgets.classes._class_desk import ClassDesk
from napari_cryoml.project import Project

CHOICES = "classify"
"""Setting of the Classify dock: what was chosen in it, and where its classifier is."""

MODEL = "{stem}_classifier.safetensors"


class Keeping:
    """Keeps choices and the classifier with the project.

    Parameters
    ----------
    desk : ClassDesk
    setting : str
        Of the project, under which choices are kept.
    model : str
        Name of the file of the classifier, with "{stem}" for that of the project.
    """

    def __init__(self, desk: ClassDesk, setting: str = CHOICES, model: str = MODEL) -> None:
        self._desk = desk
        self._setting = setting
        self._model = model
        self._is_own = False

    @property
    def is_own(self) -> bool:
        """Whether the project belongs to a file of boxes, not to the Picker."""
        return self._is_own

    def use(self, project: Project | None, *, own: bool = False) -> None:
        """Keep everything in a project from now on; one of our own is closed when it is left."""
        before = self._desk.project
        if project is before:
            return
        was_own, self._is_own = self._is_own, own and project is not None
        self._desk.project = project
        if before is not None and was_own:
            before.close()

    def close(self) -> None:
        """Leave the project for good."""
        self.use(None)

    def choices(self) -> dict[str, Any]:
        """Return what was chosen in the dock of this project."""
        project = self._desk.project
        value = None if project is None else project.setting(self._setting)
        return dict(value) if isinstance(value, dict) else {}

    def choose(self, **choices: Any) -> None:
        """Keep what was chosen."""
        project = self._desk.project
        if project is not None and self.choices() != (known := self.choices() | choices):
            project.set_setting(self._setting, known)

    def model_place(self) -> Path | None:
        """Return the file in which the classifier of the project is kept; None without one."""
        project = self._desk.project
        if project is None:
            return None
        return project.path.with_name(self._model.format(stem=project.path.stem))

    def model(self) -> Path | None:
        """Return the classifier that was used last, if its file is still there."""
        name = self.choices().get("model")
        project = self._desk.project
        if project is None or not isinstance(name, str) or not name.endswith(".safetensors"):
            return None
        path = project.path.parent / name
        return path if path.is_file() else None
