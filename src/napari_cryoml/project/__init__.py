"""One SQLite file that holds a project."""

from napari_cryoml.project._entries import (
    JSON,
    ClassEntry,
    Edit,
    EmbeddingEntry,
    ImageEntry,
    JobEntry,
    LabelChange,
    ModelEntry,
    Relabel,
)
from napari_cryoml.project._image_records import image_called
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
    "JSON",
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
    "image_called",
]
