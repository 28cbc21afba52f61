"""Where the workers are."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from napari_cryoml._registry import Config


class ClusterConfig(Config):
    """Workers on this computer or on others.

    Without an address and without workers, everything is done in one process of this computer.
    """

    scheduler: str | None = Field(
        None,
        description="Address of a Dask scheduler that is running, as tcp://node7:8786 or "
        "tls://node7:8786, or the scheduler file it wrote; none for this computer alone.",
    )
    workers: int = Field(
        0,
        ge=0,
        description="Start this many worker processes on this computer, where no scheduler is "
        "given; 0 for none.",
    )
    threads: int = Field(
        1, ge=1, description="Threads that numerical libraries use in each of these processes."
    )
    attempts: int = Field(
        3, ge=1, description="How often an item is tried before it is listed as failed."
    )
    wait: float = Field(
        30.0, gt=0, description="Seconds to wait for the scheduler and its first worker."
    )
    tls_ca: Path | None = Field(
        None, description="File of the certificate authority, for schedulers at tls:// addresses."
    )
    tls_cert: Path | None = Field(None, description="File of our certificate, for tls://.")
    tls_key: Path | None = Field(None, description="File of the key of our certificate.")

    @property
    def is_wanted(self) -> bool:
        """Whether there are workers at all."""
        return self.scheduler is not None or self.workers > 0
