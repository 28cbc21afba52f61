"""One file a classifier: what all of them have in the header, what each has in tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_cryoml import checkpoint
from napari_cryoml._errors import InputError
from napari_cryoml.classification._system import CropClassifier, SystemConfig
from napari_cryoml.classification._systems import systems
from napari_cryoml.classification._training_run import TrainingRun
from napari_cryoml.data import MissingWedge
from napari_cryoml.evaluation import ClassificationReport

if TYPE_CHECKING:
    from torch import Tensor

KIND = "classifier of crops"


def save_classifier(
    path: str | Path, classifier: CropClassifier, tensors: Mapping[str, Tensor]
) -> None:
    """Write one safetensors file.

    Parameters
    ----------
    path : path
    classifier : CropClassifier
        All that its base class has goes into the header.
    tensors : mapping of str to tensor
        What its own class has; see `SystemConfig.restore`.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    report, system = classifier.report, classifier.system
    header = {
        "kind": KIND,
        "system": {"name": system.name, "options": system.model_dump(mode="json")},
        "classes": list(classifier.classes),
        "shape": list(classifier.shape),
        "n_channels": classifier.n_channels,
        "channels": None if classifier.channels is None else list(classifier.channels),
        "pixel_size": classifier.pixel_size,
        "wedge": wedge_to_json(classifier.wedge),
        "temperature": classifier.temperature,
        "confusion": None if report is None else report.confusion.tolist(),
        "notes": list(classifier.notes),
        "runs": [asdict(run) for run in classifier.runs],
    }
    checkpoint.save(path, tensors, header)


def load_classifier(path: str | Path) -> CropClassifier:
    """Read what `CropClassifier.save` has written, of any system.

    Raises
    ------
    InputError
        If there is no such file, it is damaged, or holds something else.
    """
    header = checkpoint.read_header(path)
    name = Path(path).name
    if header.get("kind") != KIND:
        raise InputError(
            f"{name} holds {_named(header.get('kind'))}, no classifier of crops: choose a file "
            "that training a classifier wrote."
        )
    try:
        about = _about(header)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{name} is damaged: a part of its header is missing.") from error
    tensors, _ = checkpoint.load(path)
    system: SystemConfig = about["system"]
    return system.restore(tensors, about)


def _named(kind: Any) -> str:
    return {
        "picker": "a picker",
        "encoder of crops": "an encoder without classes",
    }.get(str(kind), "something else")


def _about(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `CropClassifier` by their names."""
    classes = tuple(str(name) for name in header["classes"])
    confusion, size = header["confusion"], header["pixel_size"]
    report = None
    if confusion is not None:
        report = ClassificationReport(classes, np.asarray(confusion, np.int64))
    return {
        "classes": classes,
        "system": systems.create(header["system"]["name"], **header["system"]["options"]),
        "shape": tuple(int(side) for side in header["shape"]),
        **channels_from_json(header),
        "pixel_size": None if size is None else float(size),
        "wedge": wedge_from_json(header["wedge"]),
        "temperature": float(header["temperature"]),
        "report": report,
        "notes": tuple(str(note) for note in header["notes"]),
        "runs": tuple(TrainingRun(**run) for run in header.get("runs", ())),
    }


def channels_from_json(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return number and names of the channels of a model; older files are of one without a name."""
    names = header.get("channels")
    return {
        "n_channels": int(header.get("n_channels", 1)),
        "channels": None if names is None else tuple(str(name) for name in names),
    }


def wedge_to_json(wedge: MissingWedge | None) -> dict[str, Any] | None:
    """Return a wedge as JSON takes it."""
    return None if wedge is None else {"low": wedge.low, "high": wedge.high, "axis": wedge.axis}


def wedge_from_json(values: Mapping[str, Any] | None) -> MissingWedge | None:
    """Return the wedge that `wedge_to_json` has written."""
    if values is None:
        return None
    axis: Literal["x", "y"] = "x" if values["axis"] == "x" else "y"
    return MissingWedge(float(values["low"]), float(values["high"]), axis)
