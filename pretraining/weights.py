"""Encoders as files: safetensors with a header that says what they are and where they come from."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from bank import Bank
from safetensors import safe_open
from safetensors.torch import save_file

from napari_cryoml.models import Encoder, EncoderConfig

_KEY = "napari_cryoml"
_MICROGRAPHS = 48


@torch.no_grad()
def save(encoder: Encoder, bank: Bank, about: dict[str, Any], path: Path) -> None:
    """Write an encoder in half precision, its channels of mean 0 and deviation 1 over the bank."""
    finished = copy.deepcopy(encoder).float().cpu()
    some = np.unique(np.linspace(0, len(bank.snr) - 1, _MICROGRAPHS).astype(int))
    images = torch.from_numpy(bank.images[some, 0].astype(np.float32))[:, None]
    channels = torch.cat([finished(image[None])[..., 8:-8, 8:-8] for image in images])
    mean = channels.mean((0, 2, 3))
    deviation = channels.std((0, 2, 3)).clamp(min=1e-6)
    last = finished.mix
    last.weight.div_(deviation[:, None, None, None])
    last.bias.sub_(mean).div_(deviation)
    state = {name: value.half().contiguous() for name, value in finished.state_dict().items()}
    header = {"config": finished.config.model_dump(mode="json"), **about}
    save_file(state, path, metadata={"format": "pt", _KEY: json.dumps(header)})


def read(path: Path) -> Encoder:
    """Return an encoder from a file of `save`."""
    with safe_open(path, framework="pt") as file:
        config = EncoderConfig(**json.loads(file.metadata()[_KEY])["config"])
        encoder = config.build()
        encoder.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    return encoder.eval().requires_grad_(False)
