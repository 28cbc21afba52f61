"""How a process takes its place among those that train together."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from napari_cryoml._errors import InputError
from napari_cryoml.training._devices_config import DevicesConfig

if TYPE_CHECKING:
    from napari_cryoml.training._team import Team

_INTERFACES = ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PATIENCE = timedelta(days=2)
"""How long followers wait for the leader's word: it may validate, and it may read."""


@dataclass(frozen=True, slots=True)
class Seat:
    """The place of a process among those that this computer has started itself.

    Parameters
    ----------
    rank, size : int
    store : str
        File over which they find each other; so no port is opened for that.
    accelerator : {"cpu", "cuda"}
    backend : {"gloo", "nccl"}
    """

    rank: int
    size: int
    store: str
    accelerator: str
    backend: str


def is_started_outside() -> bool:
    """Return whether torchrun or srun has started this process as one of several."""
    if "TORCHELASTIC_RUN_ID" in os.environ:
        return int(os.environ.get("WORLD_SIZE", "1")) > 1
    from_srun = "SLURM_PROCID" in os.environ and "SLURM_STEP_ID" in os.environ
    return from_srun and int(os.environ.get("SLURM_STEP_NUM_TASKS", "1")) > 1


def accelerator_of(config: DevicesConfig) -> str:
    """Return the kind of device that a team is on."""
    import torch

    if config.accelerator != "auto":
        return config.accelerator
    return "cuda" if torch.cuda.is_available() else "cpu"


def backend_of(config: DevicesConfig, accelerator: str) -> str:
    """Return how the processes of a team talk."""
    if config.backend != "auto":
        return config.backend
    return "nccl" if accelerator == "cuda" else "gloo"


@contextmanager
def seated(seat: Seat, start_seconds: float) -> Iterator[Team]:
    """Join the processes that were started on this computer; they talk over the loopback.

    Raises
    ------
    TeamLostError
        If another one ends meanwhile.
    """
    import torch.distributed as dist

    from napari_cryoml.training._team import TeamLostError

    with _on_loopback():
        store = dist.FileStore(seat.store, seat.size)  # type: ignore[attr-defined]
        store.set_timeout(timedelta(seconds=start_seconds))
        device = f"cuda:{seat.rank}" if seat.accelerator == "cuda" else None
        try:
            try:
                dist.init_process_group(
                    _backends(seat.backend),
                    store=store,
                    rank=seat.rank,
                    world_size=seat.size,
                    device_id=None if device is None else _device(device),
                )
                team = _team(_fabric(seat.accelerator, seat.backend, seat.size, 1, seat))
            except RuntimeError as error:
                raise TeamLostError(str(error)) from error
            yield team
        finally:
            if dist.is_initialized():
                dist.destroy_process_group()


@contextmanager
def seated_outside(config: DevicesConfig) -> Iterator[Team]:
    """Join the processes that torchrun or srun has started.

    Raises
    ------
    InputError
        If they are not as many as the options say.
    """
    import torch.distributed as dist

    accelerator = accelerator_of(config)
    backend = backend_of(config, accelerator)
    n = config.devices if isinstance(config.devices, int) else _gpus()
    with _on_loopback(os.environ.get("MASTER_ADDR", "")):
        try:
            yield _team(_fabric_outside(accelerator, backend, n, config.nodes))
        finally:
            if dist.is_initialized():
                dist.destroy_process_group()


def _fabric_outside(accelerator: str, backend: str, devices: int, nodes: int) -> Any:
    try:
        fabric = _fabric(accelerator, backend, devices, nodes, None)
    except (ValueError, RuntimeError) as error:
        raise InputError(
            f"{devices} devices on {nodes} computers do not fit how the processes were started "
            f"({str(error).splitlines()[0]}): give torchrun or srun the same numbers."
        ) from error
    started = int(os.environ.get("WORLD_SIZE", os.environ.get("SLURM_STEP_NUM_TASKS", "1")))
    if started != devices * nodes:
        raise InputError(
            f"{started} processes were started, and {devices} devices on {nodes} computers asked "
            "for: give torchrun or srun, and --devices and --nodes, the same numbers."
        )
    return fabric


def _gpus() -> int:
    import torch

    return max(torch.cuda.device_count(), 1)


def _device(name: str) -> Any:
    import torch

    return torch.device(name)


def _backends(backend: str) -> str:
    """Return backends for tensors of both kinds: short messages stay on the CPU."""
    return "cpu:gloo,cuda:nccl" if backend == "nccl" else "gloo"


def _fabric(accelerator: str, backend: str, devices: int, nodes: int, seat: Seat | None) -> Any:
    """Return Lightning Fabric, launched: it knows ranks, devices and how we were started."""
    from lightning_fabric import Fabric
    from lightning_fabric.strategies import DDPStrategy

    from napari_cryoml.training._seat_environment import SeatEnvironment

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # one process speaks: ours
    strategy = DDPStrategy(
        cluster_environment=None if seat is None else SeatEnvironment(seat),
        process_group_backend=_backends(backend),
    )
    fabric = Fabric(accelerator=accelerator, devices=devices, num_nodes=nodes, strategy=strategy)
    fabric.launch()
    return fabric


def _team(fabric: Any) -> Team:
    import torch.distributed as dist

    from napari_cryoml.training._team import Team

    control = dist.new_group(backend="gloo", timeout=_PATIENCE)
    dist.barrier(group=control)  # whoever fails from here on does so once all have met
    return Team(fabric.global_rank, fabric.world_size, fabric.device, control)


@contextmanager
def _on_loopback(address: str = _LOOPBACK[0]) -> Iterator[None]:
    """Listen on the loopback alone, if that is where the others are and nothing else was said."""
    name = _loopback_interface() if address in _LOOPBACK else None
    named = [] if name is None else [key for key in _INTERFACES if key not in os.environ]
    os.environ.update(dict.fromkeys(named, name or ""))
    try:
        yield
    finally:
        for key in named:
            os.environ.pop(key, None)


def _loopback_interface() -> str | None:
    """Return what this system calls the loopback: lo, lo0 ..."""
    import psutil

    for name, addresses in psutil.net_if_addrs().items():
        if any(a.family == socket.AF_INET and a.address == _LOOPBACK[0] for a in addresses):
            return str(name)
    return None
