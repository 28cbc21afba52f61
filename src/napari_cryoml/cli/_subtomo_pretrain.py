"""napari-cryoml subtomo pretrain: what a network learns from subtomograms without labels."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_cryoml._errors import InputError
from napari_cryoml.classification import NetworkSystem, systems
from napari_cryoml.cli._devices import DEVICES, NODES, devices_of, train_on_devices
from napari_cryoml.cli._options import (
    DEVICE,
    JSON,
    PIXEL_SIZE,
    SEED,
    check_output,
    field_help,
    with_settings,
)
from napari_cryoml.cli._output import report, say
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
from napari_cryoml.models import classifiers
from napari_cryoml.training import CropAugmentationConfig, CropTrainingConfig

_SYSTEMS = ("contrastive", "moco", "simclr", "swav", "cascade")
_OBJECTIVES = ("moco", "simclr", "swav", "autoencoding")


def pretrain(
    inputs: INPUTS,
    out: Annotated[Path, typer.Option(help="The file of the network to write (.safetensors).")],
    picks: PICKS = None,
    objective: Annotated[
        str | None,
        typer.Option(
            help="What is learnt, with the published network and settings: one of "
            f"{', '.join(_OBJECTIVES)}. By default our own quick network and settings."
        ),
    ] = None,
    network: Annotated[
        str | None, typer.Option(help=field_help(NetworkSystem, "network", classifiers))
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help=field_help(CropTrainingConfig, "epochs"))
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help=field_help(CropTrainingConfig, "minutes"))
    ] = None,
    batch: Annotated[int | None, typer.Option(help=field_help(CropTrainingConfig, "batch"))] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Step size.")] = None,
    augmentation: Annotated[
        str | None,
        typer.Option(help=f"none, paper or full: {field_help(CropAugmentationConfig, 'kind')}"),
    ] = None,
    box: BOX = None,
    size: SIZE = None,
    diameter: DIAMETER = None,
    pixel_size: Annotated[float | None, PIXEL_SIZE] = None,
    tilt: TILT = None,
    seed: Annotated[int, SEED] = 0,
    device: Annotated[str, DEVICE] = "auto",
    devices: DEVICES = "1",
    nodes: NODES = 1,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other option, as pretraining.objective_options.queue=64."),
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Pretrain a network on subtomograms without labels."""
    from napari_cryoml.classification import pretrain as pretrained
    from napari_cryoml.io import save_or_rescue

    check_output(out)
    training = _given(
        epochs=epochs,
        minutes=minutes,
        batch=batch,
        seed=seed,
        optimizer=_given(learning_rate=learning_rate) or None,
        augmentation=_given(kind=augmentation) or None,
    )
    config = pretraining_system(objective, training, _given(network=network), device)
    config = with_settings(config.spelled_out(), settings or [])
    crops = read_subtomograms(
        inputs, picks, box=box, size=size, diameter=diameter, pixel_size=pixel_size, tilt=tilt
    )
    if len(crops) < 2:
        raise InputError("Pretraining compares subtomograms: two at least are needed, one came.")
    wedge = wedge_of(crops, tilt)
    if wedge is None and len(crops.shape) == 3:
        say(NO_WEDGE)
    began = time.monotonic()
    where = devices_of(devices, nodes, device)
    encoder = train_on_devices(where, config.network, pretrained, crops, config, wedge)
    save_or_rescue(encoder.save, out)
    for note in encoder.notes:
        say(note)
    figures: dict[str, Any] = {
        "model": str(out),
        "objective": encoder.objective,
        "network": encoder.network.name,
        "subtomograms": len(crops),
        "shape": list(encoder.shape),
        "seconds": time.monotonic() - began,
    }
    report(figures | _given(notes=list(encoder.notes) or None), as_json=as_json)


def pretraining_system(
    objective: str | None, training: dict[str, Any], network: dict[str, Any], device: str
) -> NetworkSystem:
    """Return the system whose first stage has an objective.

    Raises
    ------
    InputError
        If there is none, or an option is not accepted.
    """
    if objective is not None and objective not in _OBJECTIVES:
        raise InputError(
            f"--objective takes what needs no labels, {', '.join(_OBJECTIVES)}; {objective!r} was "
            "given."
        )
    for name in _SYSTEMS:
        usual = systems.create(name)
        if isinstance(usual, NetworkSystem) and objective in (None, usual.pretraining.objective):
            if objective is not None and name == "contrastive":
                continue  # ours is not meant by the name of a published one
            options = {"pretraining": {"training": training}, "device": device, **network}
            system = systems.create(name, **options)
            if isinstance(system, NetworkSystem):
                return system
    raise InputError(f"No system is pretrained by {objective!r}.")


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
