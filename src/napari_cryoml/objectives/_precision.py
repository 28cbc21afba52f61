"""Where half precision is too coarse."""

from __future__ import annotations

import torch
from torch import Tensor


def at_least_single(values: Tensor) -> Tensor:
    """Return half precision as float32, and all else as it is."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def full_precision(device: torch.device) -> torch.autocast:
    """Return a context in which products are not brought to half precision.

    Softmaxes over similarities that are divided by a small temperature need it: bfloat16 knows
    a similarity near 1 to 0.004, which a temperature of 0.05 makes 0.08.
    """
    return torch.autocast(device.type, enabled=False)
