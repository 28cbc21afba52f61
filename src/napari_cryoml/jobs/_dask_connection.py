"""The connection to a Dask scheduler; the only place where a port may be opened."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cryoml._errors import InputError
from napari_cryoml.jobs._cluster_config import ClusterConfig
from napari_cryoml.jobs._process import THREAD_VARIABLES

if TYPE_CHECKING:
    from distributed import Client

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ClusterAbout:
    """What there is to work with.

    Parameters
    ----------
    address : str
        Of the scheduler.
    workers, threads : int
        Worker processes, and pieces of work they can do at a time.
    gpus : int
        Workers that say they have a GPU (a Dask resource of that name).
    memory_gib : float
        Of all workers; 0 where they have no limit.
    """

    address: str
    workers: int
    threads: int
    gpus: int
    memory_gib: float

    def sentence(self) -> str:
        """Return one sentence for the user."""
        gpus = f", {self.gpus} with a GPU" if self.gpus else ""
        workers = f"{self.workers} worker{'' if self.workers == 1 else 's'}"
        return f"{workers}{gpus}, {self.threads} at a time, at {self.address}."


@contextmanager
def connected(config: ClusterConfig) -> Iterator[Client]:
    """Connect to the scheduler of a configuration, or start workers on this computer.

    Workers that are started here listen on the loopback address alone, and end with the block.

    Raises
    ------
    InputError
        If there is neither an address nor a number of workers, nobody answers at the address, or
        no worker is there in time.
    """
    from distributed import Client

    with ExitStack() as stack:
        address = config.scheduler or _local(config, stack).scheduler_address
        scheduler_file = address if _is_file(address) else None
        security = _security(config)
        try:
            client = stack.enter_context(
                Client(
                    None if scheduler_file else address,
                    scheduler_file=scheduler_file,
                    timeout=config.wait,
                    set_as_default=False,
                    **({} if security is None else {"security": security}),
                )
            )
        except (OSError, TimeoutError, ValueError, TypeError, ImportError) as error:
            raise InputError(
                f"No Dask scheduler answered at {address} within {config.wait:g} s "
                f"({_short(error)}): check the address and that this computer may reach it."
            ) from error
        _await_worker(client, config, address)
        yield client


def about_cluster(client: Client) -> ClusterAbout:
    """Return what a scheduler has to work with."""
    info: dict[str, Any] = client.scheduler_info(n_workers=-1)
    workers = list(info["workers"].values())
    return ClusterAbout(
        address=str(info["address"]),
        workers=len(workers),
        threads=sum(int(worker["nthreads"]) for worker in workers),
        gpus=sum("GPU" in worker.get("resources", {}) for worker in workers),
        memory_gib=round(sum(worker["memory_limit"] or 0 for worker in workers) / 2**30, 1),
    )


def look_at_cluster(config: ClusterConfig) -> ClusterAbout:
    """Connect, look and leave.

    Raises
    ------
    InputError
        As `connected` does.
    """
    with connected(config) as client:
        return about_cluster(client)


def _local(config: ClusterConfig, stack: ExitStack) -> Any:
    """Return a scheduler and workers of our own."""
    if config.workers < 1:
        raise InputError("Give the address of a Dask scheduler, or a number of workers to start.")
    import dask
    from distributed import LocalCluster

    environment = dict.fromkeys(THREAD_VARIABLES, str(config.threads))
    # One item at a time on a worker: one that is lost takes no other along.
    patience = {
        "distributed.scheduler.worker-saturation": 1.0,
        "distributed.scheduler.allowed-failures": config.attempts - 1,
    }
    with dask.config.set(patience):
        return stack.enter_context(_cluster(LocalCluster, config, environment))


def _cluster(make: Any, config: ClusterConfig, environment: dict[str, str]) -> Any:
    return make(
        n_workers=config.workers,
        threads_per_worker=1,
        processes=True,
        host=LOOPBACK,
        dashboard_address=f"{LOOPBACK}:0",
        worker_dashboard_address=f"{LOOPBACK}:0",
        scheduler_kwargs={"dashboard": False},
        memory_limit=0,
        silence_logs=logging.CRITICAL,
        env=environment,
    )


def _await_worker(client: Client, config: ClusterConfig, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=config.wait)
    except TimeoutError as error:
        raise InputError(
            f"The scheduler at {address} has no worker after {config.wait:g} s: start workers "
            "there, or wait longer."
        ) from error


def _security(config: ClusterConfig) -> Any:
    files = {"tls_ca_file": config.tls_ca, "tls_client_cert": config.tls_cert}
    files["tls_client_key"] = config.tls_key
    given = {name: str(path) for name, path in files.items() if path is not None}
    if not given:
        return None
    for name, path in given.items():
        if not Path(path).is_file():
            raise InputError(f"The file {path} ({name.replace('_', ' ')}) is not there: check it.")
    from distributed.security import Security

    return Security(require_encryption=True, **given)


def _is_file(address: str) -> bool:
    with contextlib.suppress(OSError):
        return "://" not in address and Path(address).is_file()
    return False


def _short(error: BaseException) -> str:
    text = str(error).splitlines()
    return text[0] if text and text[0] else type(error).__name__
