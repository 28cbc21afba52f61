"""The system that suits what there is to learn from."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from napari_cryoml.classification._labelled_crops import LabelledCrops
from napari_cryoml.classification._system import SystemConfig
from napari_cryoml.classification._systems import systems
from napari_cryoml.data import Crops


def usual_system(crops: Crops) -> str:
    """Return the name of the system that answers at once on crops like these.

    Cells, which have several channels and 2 axes, are measured; of particles and subtomograms,
    which may lie in any direction, rotation-invariant features are taken.
    """
    return "measurements" if crops.n_channels > 1 and len(crops.shape) == 2 else "few_shot"


_TRANSFER_RATE, _TRANSFER_DROPOUT = 3e-3, 0.5
_TRANSFER_EPOCHS = ((10, 500), (25, 200), (50, 150), (100, 100), (math.inf, 50))
"""Labels of a class, and for how many epochs Kraus et al. train with as many at most."""


def default_system(data: LabelledCrops, encoder: str | Path | None = None) -> SystemConfig:
    """Return the system that is tried first on labelled crops.

    Parameters
    ----------
    data : LabelledCrops
    encoder : path, optional
        A network that was pretrained on crops like these.

    Returns
    -------
    SystemConfig
        With a pretrained network, our fine-tuning of it, whatever network it is. Without one, what
        answers at once: measurements of cells of several channels, few-shot classification on
        rotation-invariant features of all others.

    Raises
    ------
    InputError
        If the file holds no network, or one for other crops.
    """
    if encoder is None:
        return systems.create(usual_system(data.crops))
    return fine_tuning(encoder, data)


def fine_tuning(encoder: str | Path, data: LabelledCrops | None = None) -> SystemConfig:
    """Return our system that goes on from a pretrained network.

    Raises
    ------
    InputError
        If the file holds no network, or one for other crops than `data`.
    """
    from napari_cryoml.classification._fitting_crops import check_fit_as_they_are
    from napari_cryoml.classification._pretrained_encoder import PretrainedEncoder

    known = PretrainedEncoder.load(encoder)
    if data is not None:
        check_fit_as_they_are(data.crops, known)
    options: dict[str, Any] = {
        "network": known.network.name,
        "network_options": known.network.model_dump(mode="json"),
        "normalisation": known.normalisation,
    }
    return systems.create("contrastive", start_from=Path(encoder), **options)


def transfer(
    trained: str | Path, data: LabelledCrops, system: str = "deeploc_2017", **given: Any
) -> SystemConfig:
    """Return a system that teaches a trained network other classes.

    The last layer is new and all layers are trained further, with dropout of one half before the
    last one, by Adam at a learning rate of 0.003, and for the more epochs the fewer labels a class
    has.

    Parameters
    ----------
    trained : path
        A classifier of a network, or a pretrained one.
    data : LabelledCrops
        With the new classes.
    system : str, default "deeploc_2017"
        Whose other settings hold.
    **given
        Options in place of these.

    Raises
    ------
    InputError
        If the file holds no network, or one for other crops.

    References
    ----------
    Kraus et al. 2017, Molecular Systems Biology 13:924, "Transfer learning".
    """
    from napari_cryoml.classification._fitting_crops import check_fit_as_they_are
    from napari_cryoml.classification._pretrained_encoder import PretrainedEncoder

    known = PretrainedEncoder.load(trained)
    check_fit_as_they_are(data.crops, known)
    network = known.network.model_dump(mode="json")
    if "dropout" in network:
        network["dropout"] = _TRANSFER_DROPOUT
    labels = int(data.counts[data.counts > 0].max())
    epochs = next(n for most, n in _TRANSFER_EPOCHS if labels <= most)
    optimizer = {"kind": "adam", "learning_rate": _TRANSFER_RATE, "schedule": "constant"}
    options: dict[str, Any] = {
        "network": known.network.name,
        "network_options": network,
        "normalisation": known.normalisation,
        "learning_rates": (),
        "seeds": 1,
        "epochs": epochs,
        "training": {"optimizer": optimizer},
    }
    return systems.create(system, **options | given, start_from=Path(trained))
