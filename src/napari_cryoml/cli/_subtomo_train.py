"""napari-cryoml subtomo train: from labelled subtomograms to a classifier."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from napari_cryoml.classification import NetworkSystem, systems
from napari_cryoml.cli._devices import DEVICES, NODES, devices_of, train_on_devices
from napari_cryoml.cli._options import DEVICE, JSON, PIXEL_SIZE, SEED, check_output
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
from napari_cryoml.cli._subtomo_labels import labelled_subtomograms
from napari_cryoml.cli._training import (
    AUGMENTATION,
    BATCH,
    EPOCHS,
    HELD_OUT_SHARE,
    LEARNING_RATE,
    MINUTES,
    MODEL_OUT,
    NETWORK,
    OBJECTIVE,
    SETTINGS,
    START_FROM,
    check_network,
    described,
    save_model,
    system_of,
)


def train(
    inputs: INPUTS,
    out: MODEL_OUT,
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
    network: NETWORK = None,
    objective: OBJECTIVE = None,
    start_from: START_FROM = None,
    epochs: EPOCHS = None,
    minutes: MINUTES = None,
    batch: BATCH = None,
    learning_rate: LEARNING_RATE = None,
    augmentation: AUGMENTATION = None,
    held_out_share: HELD_OUT_SHARE = None,
    box: BOX = None,
    size: SIZE = None,
    diameter: DIAMETER = None,
    pixel_size: Annotated[float | None, PIXEL_SIZE] = None,
    tilt: TILT = None,
    seed: Annotated[int | None, SEED] = None,
    device: Annotated[str | None, DEVICE] = None,
    devices: DEVICES = "1",
    nodes: NODES = 1,
    settings: SETTINGS = None,
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
    where = devices_of(devices, nodes, device)
    check_network(config, where)
    classifier = train_on_devices(where, config.name, config.fit, data)
    save_model(classifier, out)
    seconds = time.monotonic() - began
    report(described(classifier, data, out, seconds, "subtomograms"), as_json=as_json)
