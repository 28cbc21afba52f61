"""The system that suits what there is to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_cryoml.classification._labelled_crops import LabelledCrops
from napari_cryoml.classification._system import SystemConfig
from napari_cryoml.classification._systems import systems

USUAL = "few_shot"
"""What answers at once."""


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
        With a pretrained network, our fine-tuning of it, whatever network it is. Without one,
        few-shot classification on rotation-invariant features, which answers at once.

    Raises
    ------
    InputError
        If the file holds no network, or one for other crops.
    """
    if encoder is None:
        return systems.create(USUAL)
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
    }
    return systems.create("contrastive", start_from=Path(encoder), **options)
