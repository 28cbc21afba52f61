from ._background import Background, stop_timer
from ._panel import JobPanel
from ._watcher import JobWatcher

__all__ = ["Background", "JobPanel", "JobWatcher", "stop_timer"]
