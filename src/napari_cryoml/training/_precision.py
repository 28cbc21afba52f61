"""In which numbers a network computes."""

from __future__ import annotations

import torch
from torch import nn

from napari_cryoml.training._run_plan import Precision


def autocast_dtype(precision: Precision, device: torch.device) -> torch.dtype | None:
    """Return the short type that layers compute in where it does no harm; None for float32.

    Parameters
    ----------
    precision : {"auto", "float32", "bfloat16", "float16 on CUDA"}
        Auto takes bfloat16 where the device computes with it.
    device : torch.device
    """
    if precision == "float16 on CUDA":
        return torch.float16 if device.type == "cuda" else None
    if precision == "bfloat16" or (precision == "auto" and has_bfloat16(device)):
        return torch.bfloat16
    return None


def autocast(precision: Precision, device: torch.device) -> torch.autocast:
    """Return the context in which a module computes with that precision on that device."""
    dtype = autocast_dtype(precision, device)
    return torch.autocast(device.type, dtype, enabled=dtype is not None)


def has_bfloat16(device: torch.device) -> bool:
    """Return whether a device computes with bfloat16 rather than imitates it."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    # torch tells of the processor by private functions only, not the same in all versions.
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in checks)


def lay_out(module: nn.Module, dtype: torch.dtype | None, device: torch.device) -> None:
    """Put the channels of convolution kernels last, where bfloat16 on a CPU is quick only so."""
    if device.type == "cpu" and dtype is torch.bfloat16:
        for weight in module.parameters():
            if weight.ndim in (4, 5):
                last = torch.channels_last if weight.ndim == 4 else torch.channels_last_3d
                weight.data = weight.data.contiguous(memory_format=last)
