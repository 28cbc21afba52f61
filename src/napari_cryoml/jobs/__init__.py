"""A job is a generator of events; runners carry it out here or in a child process."""

from napari_cryoml.jobs._events import Command, Event, Job

__all__ = ["Command", "Event", "Job"]
