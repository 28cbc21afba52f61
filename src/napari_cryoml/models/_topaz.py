"""Weights trained with Topaz, turned into ours."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from napari_cryoml._errors import InputError
from napari_cryoml.models._config import DetectorConfig, detectors

if TYPE_CHECKING:
    from torch import Tensor

# The parts of a layer: theirs in the residual networks, and ours.
_PARTS = {
    "conv": "conv",
    "bn": "norm",
    "proj": "shortcut",
    "conv0": "first",
    "bn0": "first_norm",
    "conv1": "second",
    "bn1": "second_norm",
}


def import_topaz(path: str | Path, *, trust: bool) -> tuple[DetectorConfig, dict[str, Tensor]]:
    """Read a Topaz `.sav` file, of a whole model or of weights only.

    The plain convolutional networks and resnet8 / resnet16, strided and with channels that double
    (Topaz's defaults) are known, of any width, in 2-D and 3-D, with and without batch norm.

    Parameters
    ----------
    path : str or Path
        The `.sav` file.
    trust : bool
        That the file comes from somebody you trust: it is a pickle, and reading it runs whatever
        code is in it.

    Returns
    -------
    config : DetectorConfig
        The network.
    state : dict of str to tensor
        Its weights, for ``config.build().load_state_dict``. They expect images at the sampling
        and with the normalisation they were trained at; the file does not tell which.

    Raises
    ------
    InputError
        If the file is not trusted, Topaz is not installed, or the network is not known here.
    """
    path = Path(path)
    _check(path, trust=trust)
    theirs = _read(path)
    for config in _candidates(theirs):
        state = _renamed(config, theirs)
        if _shapes(state) == _shapes(_blank(config)):
            return config, state
    raise InputError(
        f"{path.name} holds no network known here: Topaz's conv31, conv63, conv127, resnet8 and "
        "resnet16 without pooling and with unit scaling 2 can be imported."
    )


def _check(path: Path, *, trust: bool) -> None:
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    if not trust:
        raise InputError(
            f"{path.name} is a pickle, which can run any code when it is read: import it with "
            "--trust if you know who made it."
        )
    if find_spec("topaz") is None:
        raise InputError(
            'Reading a model of Topaz needs Topaz itself: pip install "napari-cryoml[topaz]".'
        )


def _read(path: Path) -> dict[str, Tensor]:
    """Return Topaz's weights by Topaz's names."""
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = torch.load(path, map_location="cpu", weights_only=False)
    except Exception as error:
        raise InputError(
            f"{path.name} could not be read as a model of Topaz ({error}): it may be damaged, or "
            "of another release of Topaz than the one that is installed."
        ) from error
    if isinstance(content, torch.nn.Module):
        _refuse_pooling(path, content)
        content = content.state_dict()
    if not isinstance(content, Mapping) or "classifier.weight" not in content:
        raise InputError(
            f"{path.name} should hold a detector of Topaz, but holds {type(content).__name__}."
        )
    return {str(name): tensor.detach() for name, tensor in content.items()}


def _refuse_pooling(path: Path, model: Any) -> None:
    pooled = any("Pool" in type(module).__name__ for module in model.modules())
    if pooled:
        raise InputError(
            f"{path.name} holds a network with pooling, which is not known here: train it again "
            "with napari-cryoml."
        )


def _candidates(theirs: Mapping[str, Tensor]) -> Iterator[DetectorConfig]:
    """Yield each of our networks at the width, dimension and normalisation of theirs."""
    first = next(tensor for tensor in theirs.values() if tensor.ndim > 1)
    batch_norm = any(name.endswith("running_mean") for name in theirs)
    for name in detectors:
        try:
            yield detectors[name](ndim=first.ndim - 2, units=first.shape[0], batch_norm=batch_norm)
        except ValidationError:
            return


def _renamed(config: DetectorConfig, theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return their weights by our names, as far as they have one."""
    names = _flat_names if config.activation == "prelu" else _residual_names
    state = dict(names(theirs))
    state["classifier.weight"] = theirs["classifier.weight"]
    state["classifier.bias"] = theirs["classifier.bias"]
    return state


def _layers(theirs: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """Return the tensors of each layer with any, in Topaz's order."""
    prefix = "features.features."
    layers: dict[str, dict[str, Tensor]] = {}
    for name, tensor in theirs.items():
        if name.startswith(prefix):
            index, _, rest = name.removeprefix(prefix).partition(".")
            layers.setdefault(index, {})[rest] = tensor
    return list(layers.values())


def _flat_names(theirs: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Yield (our name, tensor) of a sequence of convolutions, batch norms and PReLUs."""
    block = -1
    for layer in _layers(theirs):
        part = "norm" if "running_mean" in layer else "activation"
        if any(tensor.ndim > 1 for tensor in layer.values()):
            block, part = block + 1, "conv"
        for rest, tensor in layer.items():
            yield f"blocks.{block}.{part}.{rest}", tensor


def _residual_names(theirs: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Yield (our name, tensor) of a sequence of blocks whose parts are named."""
    for block, layer in enumerate(_layers(theirs)):
        for rest, tensor in layer.items():
            part, _, leaf = rest.partition(".")
            yield f"blocks.{block}.{_PARTS.get(part, part)}.{leaf}", tensor


def _blank(config: DetectorConfig) -> dict[str, Tensor]:
    """Return our network's state without its memory."""
    import torch

    with torch.device("meta"):
        return config.build().state_dict()


def _shapes(state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}
