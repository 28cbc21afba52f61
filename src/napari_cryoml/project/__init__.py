"""One SQLite file that holds a project."""

from napari_cryoml.project._entries import (
    ClassEntry,
    Edit,
    EmbeddingEntry,
    ImageEntry,
    JobEntry,
    LabelChange,
    ModelEntry,
    Relabel,
)
from napari_cryoml.project._project import PROJECT_SUFFIX, Project
from napari_cryoml.project._setting_names import (
    CLASSES,
    CURRENT_IMAGE,
    DIAMETER,
    OPTIONS,
    THRESHOLD,
)

__all__ = [
    "CLASSES",
    "CURRENT_IMAGE",
    "DIAMETER",
    "OPTIONS",
    "PROJECT_SUFFIX",
    "THRESHOLD",
    "ClassEntry",
    "Edit",
    "EmbeddingEntry",
    "ImageEntry",
    "JobEntry",
    "LabelChange",
    "ModelEntry",
    "Project",
    "Relabel",
]
