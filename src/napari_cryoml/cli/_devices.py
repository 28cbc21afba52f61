"""Options of the commands that train a network on several devices."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Annotated, Any, TypeAlias, TypeVar

import typer

from napari_cryoml._errors import InputError
from napari_cryoml.cli._options import config_of, field_help
from napari_cryoml.cli._output import run_job
from napari_cryoml.jobs import Event, Job, run_inline
from napari_cryoml.training import DevicesConfig, is_started_outside

ResultT = TypeVar("ResultT")

DEVICES: TypeAlias = Annotated[
    str, typer.Option("--devices", help=field_help(DevicesConfig, "devices"))
]
NODES: TypeAlias = Annotated[
    int, typer.Option("--nodes", min=1, help=field_help(DevicesConfig, "nodes"))
]


def devices_of(devices: str, nodes: int, device: str | None) -> DevicesConfig:
    """Return where a user wants to train.

    Parameters
    ----------
    devices : str
        A number, or auto.
    nodes : int
    device : str or None
        The kind of device, as --device has it.

    Raises
    ------
    InputError
        If it is no number, or one device was named and several asked for.
    """
    config = config_of(DevicesConfig, devices=devices, nodes=nodes)
    if not is_several(config) or device in (None, "auto"):
        return config
    if device not in ("cpu", "cuda"):
        raise InputError(
            f"--devices {devices} takes several devices of a kind, and --device {device} names "
            "another: give --device cpu, cuda or auto."
        )
    return config.model_copy(update={"accelerator": device})


def is_several(config: DevicesConfig) -> bool:
    """Return whether more than one device was asked for, or may be."""
    return config.devices != 1 or config.nodes > 1 or is_started_outside()


def train_on_devices(
    config: DevicesConfig,
    title: str,
    function: Callable[..., Job[ResultT]],
    /,
    *args: Any,
    on_event: Callable[[Event], object] | None = None,
    **kwargs: Any,
) -> ResultT:
    """Run a job that trains, with its progress on stderr; see `training.on_devices`.

    Of processes that torchrun or srun has started, all but the first say nothing and end here.
    """
    if not is_several(config):
        return run_job(function(*args, **kwargs), title, on_event)
    from napari_cryoml.training import on_devices

    job = on_devices(config, function, *args, **kwargs)
    if is_first():
        return run_job(job, title, on_event)
    run_inline(job)
    raise typer.Exit


def is_first() -> bool:
    """Return whether this process speaks for all that were started with it."""
    if not is_started_outside():
        return True
    return int(os.environ.get("RANK", os.environ.get("SLURM_PROCID", "0"))) == 0
