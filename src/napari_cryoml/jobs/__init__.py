"""A job is a generator of events; runners carry it out here, in a child process, or on a cluster.

A service is an object in a child process that answers requests.
"""

from napari_cryoml.jobs._child_job import ChildJob, JobState
from napari_cryoml.jobs._cluster_config import ClusterConfig
from napari_cryoml.jobs._dask_connection import ClusterAbout, connected, look_at_cluster
from napari_cryoml.jobs._dask_job import DaskJob
from napari_cryoml.jobs._dask_pool import DaskPool, open_pool
from napari_cryoml.jobs._events import Command, Event, Job
from napari_cryoml.jobs._follow import follow
from napari_cryoml.jobs._inline import run_inline
from napari_cryoml.jobs._pool import InlinePool, Outcome, Pool
from napari_cryoml.jobs._process import default_threads, waited_for_threads
from napari_cryoml.jobs._relay import relay
from napari_cryoml.jobs._service import Answer, ChildService, Service, ServiceState

__all__ = [
    "Answer",
    "ChildJob",
    "ChildService",
    "ClusterAbout",
    "ClusterConfig",
    "Command",
    "DaskJob",
    "DaskPool",
    "Event",
    "InlinePool",
    "Job",
    "JobState",
    "Outcome",
    "Pool",
    "Service",
    "ServiceState",
    "connected",
    "default_threads",
    "follow",
    "look_at_cluster",
    "open_pool",
    "relay",
    "run_inline",
    "waited_for_threads",
]
