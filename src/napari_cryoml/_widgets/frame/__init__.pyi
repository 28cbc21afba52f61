from ._colours import NEGATIVE, PICK, POSITIVE, VALIDATION, ThemeColours, heat_colours
from ._controls import choice, folded, line_of, menu_button, tighten, tool, words
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
    "choice",
    "folded",
    "heat_colours",
    "line_of",
    "menu_button",
    "project_place",
    "tighten",
    "title",
    "tool",
    "words",
]
