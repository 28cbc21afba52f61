"""The detector: a valid convolutional network with a linear classifier of particle centres."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from napari_cryoml._errors import InputError
from napari_cryoml.models._blocks import ConvolutionBlock, ResidualBlock, Style, ValidConvolution
from napari_cryoml.models._layers import Layer, Residual, Step, total_stride
from napari_cryoml.preprocess import mirrored_index

if TYPE_CHECKING:
    from napari_cryoml.models._config import DetectorConfig


class Detector(nn.Module):
    """Scores, as log-odds, of "a particle is centred here".

    All convolutions are valid, so a score depends on the `receptive_field` pixels around it and
    on nothing else: not on where the crop was cut, nor on how large the image is.

    Parameters
    ----------
    config : DetectorConfig
        The network's options.

    Attributes
    ----------
    receptive_field : int
        Edge of the crop that one score sees, px; odd.
    stride : int
        Pixels between neighbouring scores.
    latent : int
        Length of the feature vector that is classified.
    ndim : {2, 3}
        Spatial axes.
    """

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        self.ndim, self.latent = config.ndim, config.latent
        self.receptive_field, self.stride = config.receptive_field, config.stride
        layers = config.layers()
        style = Style(
            config.ndim, config.batch_norm, config.activation, branch_gain=_branch_gain(layers)
        )
        self.blocks = nn.ModuleList()
        channels = 1
        for layer in layers:
            self.blocks.append(_block(channels, layer, style))
            channels = layer.channels
        self.strides = [total_stride([layer]) for layer in layers]
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = ValidConvolution(
            channels, 1, Step(1, 1, 1), ndim=self.ndim, bias=True, gain=0.1
        )

    def start_from_prior(self, prior: float) -> None:
        """Set the bias so that an untrained network gives about the class prior everywhere.

        Saves the steps it would take to learn that particles are rare (Lin et al. 2017,
        arXiv:1708.02002, section 4.1).

        Parameters
        ----------
        prior : float
            Fraction of the pixels that are positive, between 0 and 1.
        """
        bias = self.classifier.bias
        if bias is not None:
            nn.init.constant_(bias, math.log(prior / (1 - prior)))

    def forward(self, x: Tensor) -> Tensor:
        """Return the score of each crop, or of each grid point of larger images.

        Parameters
        ----------
        x : tensor of shape (b, 1, *spatial)
            Normalised images, at least `receptive_field` px along each axis.

        Returns
        -------
        tensor of shape (b, *grid)
            Log-odds; ``grid = (spatial - receptive_field) // stride + 1``.

        Raises
        ------
        InputError
            If x has other axes or is too small.
        """
        return self.classify(self.features(x))

    def classify(self, features: Tensor) -> Tensor:
        """Return the log-odds, (b, *grid), of feature vectors of shape (b, latent, *grid)."""
        scores: Tensor = self.classifier(features)
        return scores.squeeze(1)

    def features(self, x: Tensor) -> Tensor:
        """Return the feature vectors that are classified.

        Parameters
        ----------
        x : tensor of shape (b, 1, *spatial)
            Normalised images, at least `receptive_field` px along each axis.

        Returns
        -------
        tensor of shape (b, latent, *grid)
            Features; ``grid = (spatial - receptive_field) // stride + 1``.

        Raises
        ------
        InputError
            If x has other axes or is too small.
        """
        self._check_axes(x)
        if min(x.shape[2:]) < self.receptive_field:
            raise InputError(
                f"The network needs images of {self.receptive_field} px or more along each axis; "
                f"{' x '.join(map(str, x.shape[2:]))} came."
            )
        return self._run(x, atrous=False)

    def dense(self, x: Tensor, *, full_resolution: bool = False) -> Tensor:
        """Return a score for every `stride`-th pixel, or for every pixel, of whole images.

        Outside its edges the image is continued by its mirror image, so a
        score equals that of the crop around its pixel. Batch norm and dropout act as in
        evaluation, whatever mode the network is in.

        Parameters
        ----------
        x : tensor of shape (b, 1, *spatial)
            Normalised images of any size.
        full_resolution : bool
            Score every pixel, at about ``stride ** ndim`` times the work. The strides become
            dilation ("à trous", Shensa 1992); the weights are the same.

        Returns
        -------
        tensor of shape (b, *grid)
            Log-odds. Point k is centred on input pixel ``k * stride`` and
            ``grid = ceil(spatial / stride)``; at full resolution the grid is that of x.

        Raises
        ------
        InputError
            If x has other axes.
        """
        self._check_axes(x)
        margin = self.receptive_field // 2
        padded = _mirrored(x, margin)
        mode = self.training
        self.eval()
        try:
            return self.classify(self._run(padded, atrous=full_resolution))
        finally:
            self.train(mode)

    def _run(self, x: Tensor, *, atrous: bool) -> Tensor:
        rate, last = 1, len(self.blocks) - 1
        for index, (block, stride) in enumerate(zip(self.blocks, self.strides, strict=True)):
            x = block(x, rate if atrous else None)
            rate *= stride
            if stride > 1 or index == last:
                x = self.dropout(x)
        return x

    def _check_axes(self, x: Tensor) -> None:
        if x.ndim != self.ndim + 2 or x.shape[1] != 1:
            raise InputError(
                f"The network takes images as (batch, 1, {'z, ' * (self.ndim == 3)}y, x); "
                f"an array of shape {tuple(x.shape)} came."
            )


def _block(channels_in: int, layer: Layer, style: Style) -> nn.Module:
    if isinstance(layer, Residual):
        return ResidualBlock(channels_in, layer, style)
    return ConvolutionBlock(channels_in, layer, style)


def _mirrored(x: Tensor, margin: int) -> Tensor:
    """Return images with `margin` pixels of their mirror image around them."""
    for axis in range(2, x.ndim):
        size = x.shape[axis]
        index = torch.from_numpy(mirrored_index(-margin, size + margin, size))
        x = x.index_select(axis, index.to(x.device))
    return x


def _branch_gain(layers: tuple[Layer, ...]) -> float:
    """Return a gain with which the features keep their size through all residual blocks."""
    residual = sum(isinstance(layer, Residual) for layer in layers)
    return math.sqrt(2 / max(residual, 1))
