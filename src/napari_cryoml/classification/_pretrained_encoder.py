"""A network that has learnt from crops without labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_cryoml import checkpoint
from napari_cryoml._errors import InputError
from napari_cryoml.classification._classifier_file import KIND as CLASSIFIER
from napari_cryoml.classification._classifier_file import (
    channels_from_json,
    wedge_from_json,
    wedge_to_json,
)
from napari_cryoml.classification._fitting_crops import channels_in_words
from napari_cryoml.data import MissingWedge
from napari_cryoml.models import ClassifierConfig, classifiers
from napari_cryoml.training import Normalisation

if TYPE_CHECKING:
    from torch import Tensor

    from napari_cryoml.models import Classifier
    from napari_cryoml.training import ChosenPrecision

KIND = "encoder of crops"

_OF_CLASSIFIER = "network."
_HEAD = "head."


@dataclass(frozen=True, slots=True, eq=False)
class PretrainedEncoder:
    """The weights of a network up to the vectors that it classifies.

    Parameters
    ----------
    network : ClassifierConfig
    weights : mapping of str to tensor
        By the names of the network, without its last layer.
    shape : tuple of int
        Shape (z)yx of the crops it was trained on.
    pixel_size : float or None
        Angstrom per pixel of these.
    wedge : MissingWedge or None
    objective : str
        What it was trained to do.
    notes : tuple of str
        Sentences for the user.
    n_channels : int, default 1
        Channels of the crops it was trained on.
    channels : tuple of str or None
        Their names, if they had some.
    normalisation : {"channel", "joint", "min_max", "percentile"}, default "channel"
        See `training.normalised`.
    """

    network: ClassifierConfig
    weights: Mapping[str, Tensor]
    shape: tuple[int, ...]
    pixel_size: float | None = None
    wedge: MissingWedge | None = None
    objective: str = ""
    notes: tuple[str, ...] = ()
    n_channels: int = 1
    channels: tuple[str, ...] | None = None
    normalisation: Normalisation = "channel"
    _built: list[Any] = field(default_factory=list, repr=False)

    @classmethod
    def load(cls, path: str | Path) -> PretrainedEncoder:
        """Read what `save` has written, or the network of a classifier.

        Raises
        ------
        InputError
            If there is no such file, it is damaged, or holds something else.
        """
        header = checkpoint.read_header(path)
        name = Path(path).name
        if header.get("kind") not in (KIND, CLASSIFIER):
            raise InputError(
                f"{name} holds no network of crops: choose a file that napari-cryoml subtomo "
                "pretrain or subtomo train wrote."
            )
        tensors, _ = checkpoint.load(path)
        try:
            return _of_file(tensors, header)
        except (KeyError, TypeError) as error:
            raise InputError(
                f"{name} holds a classifier without a network, or has lost a part of its header: "
                "choose another file."
            ) from error

    def save(self, path: str | Path) -> None:
        """Write one safetensors file.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        header = {
            "kind": KIND,
            "network": {
                "name": self.network.name,
                "options": self.network.model_dump(mode="json"),
            },
            "shape": list(self.shape),
            "n_channels": self.n_channels,
            "channels": None if self.channels is None else list(self.channels),
            "normalisation": self.normalisation,
            "pixel_size": self.pixel_size,
            "wedge": wedge_to_json(self.wedge),
            "objective": self.objective,
            "notes": list(self.notes),
        }
        checkpoint.save(path, self.weights, header)

    def put_into(self, network: Classifier) -> None:
        """Give a network these weights; its last layer stays as it is.

        Raises
        ------
        InputError
            If they do not fit.
        """
        known = network.state_dict()
        misfits = [
            name
            for name, value in self.weights.items()
            if name not in known or known[name].shape != value.shape
        ]
        lacking = [name for name in known if name not in self.weights and _HEAD not in name]
        if misfits or lacking:
            sides = " x ".join(map(str, self.shape))
            raise InputError(
                f"The pretrained {self.network.name} network, for crops of {sides} pixels and "
                f"{channels_in_words(self.n_channels)}, does not fit: choose the same network, "
                "options, shape and channels of crops."
            )
        network.load_state_dict({**known, **self.weights})

    def with_options(self, **options: Any) -> PretrainedEncoder:
        """Return the same weights in a network of other options, as that of an earlier layer.

        Weights that the other network has not are left out.

        Parameters
        ----------
        **options
            Of the network, in place of its own: ``layer="conv2"`` of `PairedInpainting`.

        Raises
        ------
        InputError
            If there is no such option, or the weights do not suffice.
        """
        given = self.network.model_dump() | options
        config = classifiers.create(self.network.name, **given)
        network = config.build(self.shape, 1, self.n_channels)
        known = network.state_dict()
        weights = {name: value for name, value in self.weights.items() if name in known}
        other = replace(self, network=config, weights=weights, _built=[])
        other.put_into(network)
        return other

    def vectors(
        self,
        images: npt.NDArray[np.float32],
        device: str = "auto",
        precision: ChosenPrecision = "auto",
    ) -> npt.NDArray[np.float32]:
        """Return the vectors (k, d) of crops (k, C, *shape)."""
        from napari_cryoml.classification._scoring import Scorer
        from napari_cryoml.objectives import crop_objectives
        from napari_cryoml.training import choose_device

        if not self._built:
            network = self.network.build(self.shape, 1, self.n_channels)
            self.put_into(network)
            self._built.append(crop_objectives.create("supervised").build(network))
        where = choose_device(device)
        scorer = Scorer(self._built[0].to(where), where, precision, self.normalisation)
        return scorer.map(scorer.vectors, images)


def encoder_weights(network: Classifier) -> dict[str, Tensor]:
    """Return copies of the weights of a network, without its last layer, on the CPU."""
    return {
        name: value.detach().cpu().clone()
        for name, value in network.state_dict().items()
        if not name.startswith(_HEAD)
    }


def _of_file(tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> PretrainedEncoder:
    if header["kind"] == KIND:
        known, weights = header["network"], dict(tensors)
        network = classifiers.create(known["name"], **known["options"])
        objective = str(header["objective"])
        normalisation: Normalisation = header.get("normalisation", "channel")
    else:
        options = header["system"]["options"]
        network = classifiers.create(options["network"], **options["network_options"])
        weights = {
            name.removeprefix(_OF_CLASSIFIER): value
            for name, value in tensors.items()
            if name.startswith(_OF_CLASSIFIER) and not name.startswith(_OF_CLASSIFIER + _HEAD)
        }
        objective = str(options["objective"])
        normalisation = options.get("normalisation", "channel")
    size = header["pixel_size"]
    return PretrainedEncoder(
        network,
        weights,
        tuple(int(side) for side in header["shape"]),
        None if size is None else float(size),
        wedge_from_json(header["wedge"]),
        objective,
        tuple(str(note) for note in header["notes"]),
        **channels_from_json(header),
        normalisation=normalisation,
    )
