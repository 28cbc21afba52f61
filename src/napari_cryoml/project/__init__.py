"""One SQLite file that holds a project."""

from napari_cryoml.project._entries import Edit, ImageEntry, JobEntry, ModelEntry
from napari_cryoml.project._project import PROJECT_SUFFIX, Project

__all__ = ["PROJECT_SUFFIX", "Edit", "ImageEntry", "JobEntry", "ModelEntry", "Project"]
