"""What the commands share that train a classifier of crops."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from napari_cryoml._errors import InputError
from napari_cryoml.classification import (
    CropClassifier,
    LabelledCrops,
    NetworkSystem,
    SystemConfig,
    systems,
)
from napari_cryoml.cli._devices import is_several
from napari_cryoml.cli._embed_files import given_options
from napari_cryoml.cli._options import field_help, with_settings
from napari_cryoml.cli._output import say
from napari_cryoml.models import classifiers
from napari_cryoml.objectives import crop_objectives
from napari_cryoml.training import CropAugmentationConfig, CropTrainingConfig, DevicesConfig

MODEL_OUT: TypeAlias = Annotated[Path, typer.Option(help="The model file to write (.safetensors).")]
NETWORK: TypeAlias = Annotated[
    str | None, typer.Option(help=field_help(NetworkSystem, "network", classifiers))
]
OBJECTIVE: TypeAlias = Annotated[
    str | None, typer.Option(help=field_help(NetworkSystem, "objective", crop_objectives))
]
START_FROM: TypeAlias = Annotated[
    Path | None, typer.Option(help=field_help(NetworkSystem, "start_from"))
]
EPOCHS: TypeAlias = Annotated[
    int | None, typer.Option(help=field_help(CropTrainingConfig, "epochs"))
]
MINUTES: TypeAlias = Annotated[
    float | None, typer.Option(help=field_help(CropTrainingConfig, "minutes"))
]
BATCH: TypeAlias = Annotated[int | None, typer.Option(help=field_help(CropTrainingConfig, "batch"))]
LEARNING_RATE: TypeAlias = Annotated[
    float | None, typer.Option(help="Step size of training with labels.")
]
AUGMENTATION: TypeAlias = Annotated[
    str | None,
    typer.Option(help=f"none, paper, full or cells: {field_help(CropAugmentationConfig, 'kind')}"),
]
HELD_OUT_SHARE: TypeAlias = Annotated[
    float | None, typer.Option(help=field_help(NetworkSystem, "held_out_share"))
]
SETTINGS: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", help="Any other option, as training.optimizer.weight_decay=0.01."),
]


def system_of(
    name: str | None,
    start_from: Path | None,
    data: LabelledCrops,
    flags: Mapping[str, Any],
    settings: list[str],
) -> SystemConfig:
    """Return the system that a user described.

    Parameters
    ----------
    name : str or None
        None for the default.
    start_from : Path or None
        A pretrained network.
    data : LabelledCrops
    flags : mapping
        Options by their names; None for those that were not given.
    settings : list of str
        ``name=value`` each.

    Raises
    ------
    InputError
        If the system, or one of its options, does not exist or is not accepted.
    """
    from napari_cryoml.classification import default_system, fine_tuning

    given = {key: value for key, value in flags.items() if value is not None}
    is_network = name is None or issubclass(systems[name], NetworkSystem)
    if start_from is not None and is_network and "network" not in given:
        given = {"network_options": {}, **_of_start(fine_tuning(start_from, data)), **given}
    chosen = name or (default_system(data).name if start_from is None else "contrastive")
    if not issubclass(systems[chosen], NetworkSystem):
        if start_from is not None:
            given["start_from"] = start_from
        given = given_options(f"the system {chosen}", systems[chosen], **given)
        return with_settings(systems.create(chosen, **given), settings)
    config = systems.create(chosen, **given, start_from=start_from)
    return with_settings(spelled_out(config), settings)


def _of_start(config: SystemConfig) -> dict[str, Any]:
    """Return what a network to start from has decided already."""
    values = config.model_dump()
    return {name: values[name] for name in ("network", "network_options", "normalisation")}


def spelled_out(config: SystemConfig) -> SystemConfig:
    """Return a system whose options of network and objective can be set by name."""
    return config.spelled_out() if isinstance(config, NetworkSystem) else config


def check_network(config: SystemConfig, devices: DevicesConfig) -> None:
    """Refuse several devices for a system that trains no network.

    Raises
    ------
    InputError
        In a sentence that says what to do.
    """
    if is_several(devices) and not isinstance(config, NetworkSystem):
        raise InputError(
            f"The system {config.name} trains no network, which alone can be divided among "
            "devices: leave --devices out, or choose another system, as contrastive."
        )


def save_model(classifier: CropClassifier, out: Path) -> None:
    """Write a classifier; where that fails, keep it among the temporary files."""
    from napari_cryoml.io import save_or_rescue

    save_or_rescue(classifier.save, out)


def described(
    classifier: CropClassifier, data: LabelledCrops, out: Path, seconds: float, crops: str
) -> dict[str, Any]:
    """Print what is to be said of a classifier, and return its figures.

    Parameters
    ----------
    classifier : CropClassifier
    data : LabelledCrops
    out : Path
    seconds : float
        That training took.
    crops : str
        What the crops are, in the plural.
    """
    for note in classifier.notes:
        say(note)
    figures: dict[str, Any] = {
        "model": str(out),
        "system": classifier.system.name,
        "classes": list(classifier.classes),
        "labels": dict(zip(data.classes, data.counts.tolist(), strict=True)),
        crops: len(data.crops),
        "seconds": seconds,
    }
    measured = classifier.report
    if measured is not None:
        figures |= {
            "held_out": measured.n,
            "accuracy": measured.accuracy,
            "macro_f1": measured.macro_f1,
            "confusion": measured.confusion.tolist(),
            "temperature": classifier.temperature,
        }
    return figures | ({"notes": list(classifier.notes)} if classifier.notes else {})
