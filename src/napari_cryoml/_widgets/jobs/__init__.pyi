from ._background import Background, stop_timer
from ._curve import TrainingCurve
from ._panel import JobPanel
from ._service_line import ServiceLine
from ._service_watcher import ServiceWatcher
from ._watcher import JobWatcher

__all__ = [
    "Background",
    "JobPanel",
    "JobWatcher",
    "ServiceLine",
    "ServiceWatcher",
    "TrainingCurve",
    "stop_timer",
]
