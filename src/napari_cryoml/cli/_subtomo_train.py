"""napari-cryoml subtomo train: from labelled subtomograms to a classifier."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_cryoml.classification import (
    CropClassifier,
    LabelledCrops,
    NetworkSystem,
    SystemConfig,
    systems,
)
from napari_cryoml.cli._embed_files import given_options
from napari_cryoml.cli._options import (
    DEVICE,
    JSON,
    PIXEL_SIZE,
    SEED,
    check_output,
    field_help,
    with_settings,
)
from napari_cryoml.cli._output import report, run_job, say
from napari_cryoml.cli._subtomo_inputs import (
    BOX,
    DIAMETER,
    INPUTS,
    NO_WEDGE,
    PICKS,
    SIZE,
    TILT,
    read_subtomograms,
    wedge_of,
)
from napari_cryoml.cli._subtomo_labels import labelled_subtomograms
from napari_cryoml.models import classifiers
from napari_cryoml.objectives import crop_objectives
from napari_cryoml.training import CropAugmentationConfig, CropTrainingConfig


def train(
    inputs: INPUTS,
    out: Annotated[Path, typer.Option(help="The model file to write (.safetensors).")],
    picks: PICKS = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Classes: a table with columns id and class, or labelled particles of the same "
            "tomograms; by default what stack or picks tell."
        ),
    ] = None,
    class_column: Annotated[
        str | None, typer.Option(help="Column that holds the classes; by default class or label.")
    ] = None,
    system: Annotated[
        str | None,
        typer.Option(
            help="What learns: few_shot by default, contrastive with --start-from. One of "
            f"{', '.join(systems)}."
        ),
    ] = None,
    network: Annotated[
        str | None, typer.Option(help=field_help(NetworkSystem, "network", classifiers))
    ] = None,
    objective: Annotated[
        str | None, typer.Option(help=field_help(NetworkSystem, "objective", crop_objectives))
    ] = None,
    start_from: Annotated[
        Path | None, typer.Option(help=field_help(NetworkSystem, "start_from"))
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help=field_help(CropTrainingConfig, "epochs"))
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help=field_help(CropTrainingConfig, "minutes"))
    ] = None,
    batch: Annotated[int | None, typer.Option(help=field_help(CropTrainingConfig, "batch"))] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Step size of training with labels.")
    ] = None,
    augmentation: Annotated[
        str | None,
        typer.Option(help=f"none, paper or full: {field_help(CropAugmentationConfig, 'kind')}"),
    ] = None,
    held_out_share: Annotated[
        float | None, typer.Option(help=field_help(NetworkSystem, "held_out_share"))
    ] = None,
    box: BOX = None,
    size: SIZE = None,
    diameter: DIAMETER = None,
    pixel_size: Annotated[float | None, PIXEL_SIZE] = None,
    tilt: TILT = None,
    seed: Annotated[int | None, SEED] = None,
    device: Annotated[str | None, DEVICE] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other option, as training.optimizer.weight_decay=0.01."),
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Train a classifier of subtomograms."""
    check_output(out)
    flags = {
        "network": network,
        "objective": objective,
        "epochs": epochs,
        "minutes": minutes,
        "batch": batch,
        "learning_rate": learning_rate,
        "augmentation": augmentation,
        "held_out_share": held_out_share,
        "seed": seed,
        "device": device,
    }
    crops = read_subtomograms(
        inputs, picks, box=box, size=size, diameter=diameter, pixel_size=pixel_size, tilt=tilt
    )
    data = labelled_subtomograms(crops, labels, class_column, wedge_of(crops, tilt))
    config = system_of(system, start_from, data, flags, settings or [])
    if data.wedge is None and len(crops.shape) == 3 and isinstance(config, NetworkSystem):
        say(NO_WEDGE)
    began = time.monotonic()
    classifier = run_job(config.fit(data), config.name)
    _save(classifier, out)
    report(described(classifier, data, out, time.monotonic() - began), as_json=as_json)


def system_of(
    name: str | None,
    start_from: Path | None,
    data: LabelledCrops,
    flags: dict[str, Any],
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
    flags : dict
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
    if start_from is not None and (name in (None, "contrastive") and "network" not in given):
        known = fine_tuning(start_from, data)
        given = {"network_options": {}, **_network_of(known), **given}
    chosen = name or (default_system(data).name if start_from is None else "contrastive")
    if not issubclass(systems[chosen], NetworkSystem):
        if start_from is not None:
            given["start_from"] = start_from
        given = given_options(f"the system {chosen}", systems[chosen], **given)
        return with_settings(systems.create(chosen, **given), settings)
    config = systems.create(chosen, **given, start_from=start_from)
    return with_settings(_spelled_out(config), settings)


def _network_of(config: SystemConfig) -> dict[str, Any]:
    values = config.model_dump()
    return {name: values[name] for name in ("network", "network_options")}


def _spelled_out(config: SystemConfig) -> SystemConfig:
    """Return a system whose options of network and objective can be set by name."""
    return config.spelled_out() if isinstance(config, NetworkSystem) else config


def _save(classifier: CropClassifier, out: Path) -> None:
    from napari_cryoml.io import save_or_rescue

    save_or_rescue(classifier.save, out)


def described(
    classifier: CropClassifier, data: LabelledCrops, out: Path, seconds: float
) -> dict[str, Any]:
    """Print what is to be said of a classifier, and return its figures."""
    for note in classifier.notes:
        say(note)
    figures: dict[str, Any] = {
        "model": str(out),
        "system": classifier.system.name,
        "classes": list(classifier.classes),
        "labels": dict(zip(data.classes, data.counts.tolist(), strict=True)),
        "subtomograms": len(data.crops),
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
