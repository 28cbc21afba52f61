"""The encoder: learnt channels of a whole image, on which a few clicks train a linear head."""

from __future__ import annotations

import json
import math
from functools import cache
from importlib.resources import as_file, files
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from napari_cryoml._registry import Config

_KEY = "napari_cryoml"


class EncoderConfig(Config):
    """The shape of an encoder."""

    ndim: Literal[2, 3] = Field(2, description="2 for micrographs, 3 for tomograms.")
    channels: int = Field(32, ge=2, le=256, description="Channels that come out.")
    stem: int = Field(16, ge=1, le=256, description="Channels of the first layer, at stride 2.")
    width: int = Field(64, ge=1, le=512, description="Channels of the blocks, at stride 4.")
    dilations: tuple[int, ...] = Field(
        (1, 2, 4), description="Dilation of each residual block of two 3 px convolutions."
    )

    @property
    def margin(self) -> int:
        """How many pixels beyond its own an output channel sees, on each side.

        An image that is mirrored by this much gives channels that know nothing of its border.
        """
        blocks = 2 * sum(self.dilations)
        # The upsampling reads one coarse neighbour more.
        return 2 + 2 + 4 * (blocks + 1)

    def build(self) -> Encoder:
        """Return a new encoder with random weights (from torch's global generator)."""
        return Encoder(self)


class Encoder(nn.Module):
    """A small fully convolutional network from an image to channels at every second pixel.

    Two strided convolutions, residual blocks at stride 4 that see several particle diameters,
    and what they found added to the finer channels of the first layer. Nothing in it depends on
    the rest of a batch or on the size of the image, so tiles with a margin give what the whole
    gives.

    Parameters
    ----------
    config : EncoderConfig

    Notes
    -----
    Grid point i lies on pixel 2 i along each axis. Beyond the border there are zeros: mirror the
    image by ``config.margin`` first where the channels near the border matter. A tile gives what
    the whole image gives if it starts at a multiple of 4 px.

    Channel 0 was trained to be high at the centre of any particle; the others are what tells one
    kind from another.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        ndim, stem, width, channels = config.ndim, config.stem, config.width, config.channels
        self.stem = _convolution(ndim, 1, stem, 5, stride=2)
        self.coarse = _convolution(ndim, stem, width, 3, stride=2)
        self.blocks = nn.ModuleList(_Block(ndim, width, dilation) for dilation in config.dilations)
        self.deep = _convolution(ndim, width, channels, 1)
        self.detail = _convolution(ndim, stem, channels, 3)
        self.mix = _convolution(ndim, channels, channels, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return the channels.

        Parameters
        ----------
        images : tensor of shape (b, 1, *image)
            Working images: the particle diameter about 14 px, mean 0 and deviation 1.

        Returns
        -------
        tensor of shape (b, channels, *ceil(image / 2))
            About mean 0 and deviation 1 each.
        """
        fine = functional.relu(self.stem(images), inplace=True)
        coarse = functional.relu(self.coarse(fine), inplace=True)
        for block in self.blocks:
            coarse = block(coarse)
        total = self.detail(fine) + _doubled(self.deep(coarse), fine.shape[2:])
        channels: Tensor = self.mix(functional.relu(total, inplace=True))
        return channels


class _Block(nn.Module):
    """Two dilated convolutions added to what came in."""

    def __init__(self, ndim: int, width: int, dilation: int) -> None:
        super().__init__()
        self.first = _convolution(ndim, width, width, 3, dilation=dilation)
        self.second = _convolution(ndim, width, width, 3, dilation=dilation)
        # Starting as the identity does the work of a normalisation layer.
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        hidden = functional.relu(self.first(x), inplace=True)
        return functional.relu(x + self.second(hidden), inplace=True)


def _convolution(
    ndim: int, channels_in: int, channels_out: int, kernel: int, stride: int = 1, dilation: int = 1
) -> nn.Conv2d | nn.Conv3d:
    """Return a convolution whose output i is centred on input ``stride * i``."""
    make = nn.Conv2d if ndim == 2 else nn.Conv3d
    convolution = make(
        channels_in,
        channels_out,
        kernel,
        stride=stride,
        dilation=dilation,
        padding=dilation * (kernel // 2),
    )
    nn.init.normal_(convolution.weight, std=math.sqrt(2 / (channels_in * kernel**ndim)))
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    return convolution


def _doubled(coarse: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return features at twice the sampling: old point j becomes point 2 j, between them means.

    Parameters
    ----------
    coarse : tensor of shape (b, channels, *coarse)
    shape : tuple of int
        Wanted extent, each 2 n - 1 or 2 n for n coarse points; the last point is repeated.
    """
    ndim = len(shape)
    padded = functional.pad(coarse, (0, 1) * ndim, mode="replicate")
    doubled = functional.interpolate(
        padded,
        size=[2 * size - 1 for size in padded.shape[2:]],
        mode="bilinear" if ndim == 2 else "trilinear",
        align_corners=True,
    )
    inner = (slice(None), slice(None), *(slice(size) for size in shape))
    return doubled[inner]


@cache
def load_encoder(ndim: int) -> Encoder | None:
    """Return the pretrained encoder that comes with the package, or None if there is none.

    It is read once and shared: do not train it or move it.

    Parameters
    ----------
    ndim : {2, 3}
        2 for micrographs, 3 for tomograms; so far there is one for micrographs alone.
    """
    from safetensors import safe_open

    resource = files("napari_cryoml.models") / "weights" / f"encoder_{ndim}d.safetensors"
    if not resource.is_file():
        return None
    with as_file(resource) as path, safe_open(path, framework="pt") as file:
        config = EncoderConfig(**json.loads(file.metadata()[_KEY])["config"])
        state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    encoder = config.build()
    encoder.load_state_dict(state)
    # The layout in which convolutions on a CPU are quickest.
    layout = torch.channels_last if ndim == 2 else torch.channels_last_3d
    return encoder.eval().requires_grad_(False).to(memory_format=layout)  # type: ignore[call-overload]
