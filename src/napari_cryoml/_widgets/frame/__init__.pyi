from ._colours import NEGATIVE, PICK, POSITIVE, VALIDATION, ThemeColours, heat_colours
from ._dialogs import ask_export_path, ask_file, ask_files, ask_folder
from ._dock import Dock
from ._form import ConfigForm, WheelGuard, title
from ._group import Group, button
from ._message import MessageLine
from ._place import project_place
from ._plugin_dock import OpenDocks, PluginDock

__all__ = [
    "NEGATIVE",
    "PICK",
    "POSITIVE",
    "VALIDATION",
    "ConfigForm",
    "Dock",
    "Group",
    "MessageLine",
    "OpenDocks",
    "PluginDock",
    "ThemeColours",
    "WheelGuard",
    "ask_export_path",
    "ask_file",
    "ask_files",
    "ask_folder",
    "button",
    "heat_colours",
    "project_place",
    "title",
]
