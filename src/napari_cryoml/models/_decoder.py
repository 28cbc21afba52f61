"""The decoder: crops from feature vectors, for the reconstruction term."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch import Tensor, nn

if TYPE_CHECKING:
    from napari_cryoml.models._detector import Detector


class Decoder(nn.Module):
    """Transposed convolutions that draw a crop from one feature vector, like DCGAN's generator.

    The vector becomes 4 px, the edge is doubled `depth` times while the channels are halved, and
    a last convolution makes one image of ``8 * 2**depth - 1`` px. Depth is the largest with
    which that fits into the receptive field: the image is the centre of the crop.

    Parameters
    ----------
    latent : int
        Length of the feature vectors.
    receptive_field : int
        Edge of the crops that were seen, px; at least 7.
    ndim : {2, 3}
        Spatial axes.
    units : int
        Channels before the image; ``units * 2**depth`` at the start.

    Attributes
    ----------
    size : int
        Edge of the reconstruction, px: 31 for conv31, 63 for conv63 and the residual networks,
        127 for conv127.

    Notes
    -----
    The paper lists kernels of 4, 4 (stride 2) and 3 (stride 2) with 128, 32 and 1 channels. That
    reaches 21 px and not the 31 px of its crops, so one more doubling, of 64 channels, is put in
    between.

    References
    ----------
    Bepler et al. 2018, arXiv:1803.08207, appendix; Radford et al. 2015, arXiv:1511.06434.
    """

    def __init__(self, latent: int, receptive_field: int, *, ndim: int, units: int = 32) -> None:
        super().__init__()
        depth = int(math.log2(receptive_field + 1)) - 3
        self.ndim, self.latent, self.size = ndim, latent, 8 * 2**depth - 1
        transposed = nn.ConvTranspose2d if ndim == 2 else nn.ConvTranspose3d
        norm = nn.BatchNorm2d if ndim == 2 else nn.BatchNorm3d
        channels = units * 2**depth
        layers: list[nn.Module] = [
            transposed(latent, channels, 4, bias=False),
            norm(channels),
            nn.LeakyReLU(),
        ]
        for _ in range(depth):
            layers += [
                transposed(channels, channels // 2, 4, stride=2, padding=1, bias=False),
                norm(channels // 2),
                nn.LeakyReLU(),
            ]
            channels //= 2
        layers.append(transposed(channels, 1, 3, stride=2, padding=1, bias=False))
        self.layers = nn.Sequential(*layers)

    @classmethod
    def of(cls, detector: Detector, units: int = 32) -> Decoder:
        """Return a new decoder for the feature vectors of a detector."""
        return cls(detector.latent, detector.receptive_field, ndim=detector.ndim, units=units)

    def forward(self, vectors: Tensor) -> Tensor:
        """Return the reconstructions.

        Parameters
        ----------
        vectors : tensor of shape (n, latent)
            Features, for instance ``detector.features(crops).flatten(1)``.

        Returns
        -------
        tensor of shape (n, 1, *[size] * ndim)
            Images, normalised as the crops were.
        """
        images: Tensor = self.layers(vectors.reshape(-1, self.latent, *(1,) * self.ndim))
        return images
