"""Where a network runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_cryoml._errors import InputError

if TYPE_CHECKING:
    import torch


def choose_device(name: str = "auto") -> torch.device:
    """Return the device called `name`, or the fastest one there is.

    Parameters
    ----------
    name : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``. In a team, auto is the device that this
        process has got.

    Raises
    ------
    InputError
        If the machine has no such device, or the processes that train together have another one.
    """
    import torch

    from napari_cryoml.training._team import present_team

    team = present_team()
    if team is not None and name in ("auto", team.device.type):
        return team.device
    if team is not None:
        raise InputError(
            f"Training on several devices is on {team.device.type} here, and {name!r} was asked "
            "for: choose auto, or one device."
        )
    if name == "auto":
        if torch.cuda.is_available():
            name = "cuda"
        else:
            name = "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"Device {name!r} cannot be used on this machine: choose auto or cpu."
        ) from error
    return device


def describe_device(device: torch.device) -> str:
    """Return what a user calls the device: "CUDA (NVIDIA A100)", "CPU (4 threads)"."""
    import torch

    if device.type == "cuda":
        return f"CUDA ({torch.cuda.get_device_name(device)})"
    if device.type == "mps":
        return "MPS (Apple GPU)"
    threads = torch.get_num_threads()
    return f"CPU ({threads} thread{'s' if threads > 1 else ''})"
