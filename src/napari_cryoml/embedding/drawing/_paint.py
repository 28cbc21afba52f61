"""A picture that layers of points are painted on, one above the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_Channel = np.float32
_Plane = npt.NDArray[np.float32]


class Paint:
    """Colour and opacity of each pixel, the colour multiplied by the opacity.

    Parameters
    ----------
    size : tuple of int
        Width and height, pixels.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        width, height = size
        self._colour = [np.zeros((height, width), np.float32) for _ in range(3)]
        self._alpha = np.zeros((height, width), np.float32)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width, pixels."""
        height, width = self._alpha.shape
        return height, width

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return self.shape[1], self.shape[0]

    def over(self, colour: Sequence[_Plane | int], alpha: _Plane) -> None:
        """Put a layer on top.

        Parameters
        ----------
        colour : three arrays of shape (h, w), or three numbers
            Red, green, blue of 0..255; arrays are multiplied by the layer's opacity already.
        alpha : array of shape (h, w)
            The layer's opacity, 0..1.
        """
        rest = 1 - alpha
        for plane, channel in zip(self._colour, colour, strict=True):
            plane *= rest
            plane += channel if isinstance(channel, np.ndarray) else alpha * _Channel(channel)
        self._alpha *= rest
        self._alpha += alpha

    def image(self, background: tuple[int, int, int] | None) -> npt.NDArray[np.uint8]:
        """Return the picture on a colour, or transparent (colour not multiplied by opacity).

        Parameters
        ----------
        background : tuple of int or None
            Red, green and blue, 0..255.

        Returns
        -------
        uint8 array of shape (h, w, 4)
            Red, green, blue and opacity.
        """
        image = np.empty((*self.shape, 4), np.uint8)
        for channel, plane in enumerate(self._shown(background)):
            np.clip(plane, 0, 255, out=plane)
            np.add(plane, 0.5, out=image[..., channel], casting="unsafe")
        opacity = self._alpha * _Channel(255) if background is None else 255
        np.copyto(image[..., 3], opacity, casting="unsafe")
        return image

    def _shown(self, background: tuple[int, int, int] | None) -> list[_Plane]:
        """Return red, green and blue on a background, or as they are, not dimmed by opacity."""
        if background is None:
            weight: _Plane = np.reciprocal(np.maximum(self._alpha, _Channel(1e-6)))
            return [plane * weight for plane in self._colour]
        rest: _Plane = 1 - self._alpha
        channels = zip(self._colour, background, strict=True)
        return [plane + rest * _Channel(ground) for plane, ground in channels]
