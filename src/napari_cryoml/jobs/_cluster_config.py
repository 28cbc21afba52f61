"""Where the workers are."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from napari_cryoml._errors import InputError
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

    @classmethod
    def of_text(cls, text: str) -> ClusterConfig:
        """Return the workers that one line names.

        Parameters
        ----------
        text : str
            Address of a scheduler or the file it wrote, or a number of processes to start here; ""
            or 0 for none.

        Raises
        ------
        InputError
            If it is none of these.
        """
        text = text.strip()
        if text.isdecimal():
            return cls(workers=int(text))
        if text.startswith(("-", "+")) or len(text.split()) > 1:
            raise InputError(
                "Workers are an address such as tcp://node7:8786, or a number of processes on this "
                f"computer; {text!r} was given."
            )
        return cls(scheduler=text or None)

    @property
    def is_wanted(self) -> bool:
        """Whether there are workers at all."""
        return self.scheduler is not None or self.workers > 0
