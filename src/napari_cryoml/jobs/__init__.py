"""A job is a generator of events; runners carry it out here or in a child process."""

from napari_cryoml.jobs._child_job import ChildJob, JobState
from napari_cryoml.jobs._events import Command, Event, Job
from napari_cryoml.jobs._follow import follow
from napari_cryoml.jobs._inline import run_inline
from napari_cryoml.jobs._process import default_threads

__all__ = [
    "ChildJob",
    "Command",
    "Event",
    "Job",
    "JobState",
    "default_threads",
    "follow",
    "run_inline",
]
