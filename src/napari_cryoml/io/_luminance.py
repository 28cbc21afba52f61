"""Colour to grey."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_RED_GREEN_BLUE = np.array([0.299, 0.587, 0.114], dtype=np.float32)

REMARK = "is a colour image; its luminance is used"


def luminance(image: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return 0.299 red + 0.587 green + 0.114 blue of an image whose last axis is the colour.

    The weights are those of ITU-R BT.601; transparency, a fourth channel, is left out, and of grey
    with transparency (two channels) the grey is returned.
    """
    if image.shape[-1] == 2:
        return np.asarray(image[..., 0], dtype=np.float32)
    return np.asarray(image[..., :3].astype(np.float32) @ _RED_GREEN_BLUE, dtype=np.float32)
