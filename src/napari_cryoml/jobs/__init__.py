"""A job is a generator of events; runners carry it out here or in a child process.

A service is an object in a child process that answers requests.
"""

from napari_cryoml.jobs._child_job import ChildJob, JobState
from napari_cryoml.jobs._events import Command, Event, Job
from napari_cryoml.jobs._follow import follow
from napari_cryoml.jobs._inline import run_inline
from napari_cryoml.jobs._process import default_threads, waited_for_threads
from napari_cryoml.jobs._relay import relay
from napari_cryoml.jobs._service import Answer, ChildService, Service, ServiceState

__all__ = [
    "Answer",
    "ChildJob",
    "ChildService",
    "Command",
    "Event",
    "Job",
    "JobState",
    "Service",
    "ServiceState",
    "default_threads",
    "follow",
    "relay",
    "run_inline",
    "waited_for_threads",
]
