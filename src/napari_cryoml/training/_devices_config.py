"""On how many devices a network is trained at once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from napari_cryoml._registry import Config


class DevicesConfig(Config):
    """Processes that train one network together, each on a device of its own."""

    devices: Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        1,
        description="Train on this many GPUs of each computer at once, or, where there are none, "
        "in this many processes; auto takes all GPUs. Each step's crops are divided among them.",
    )
    nodes: int = Field(
        1,
        ge=1,
        description="Computers that train together; with more than one, start the command on "
        "each of them by torchrun or srun.",
    )
    accelerator: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Kind of device: auto takes GPUs if there are any, else the CPU."
    )
    backend: Literal["auto", "gloo", "nccl"] = Field(
        "auto",
        description="How they talk: nccl between GPUs, gloo between processes on CPUs; auto takes "
        "the one that fits.",
    )
    start_seconds: float = Field(
        300.0, gt=0, description="Seconds to wait until all processes have started."
    )
