from ._colours import NEGATIVE, PICK, POSITIVE, VALIDATION, ThemeColours, heat_colours
from ._connections import Connections
from ._controls import choice, folded, line_of, menu_button, scrolled, tighten, tool, words
from ._dialogs import ask_export_path, ask_file, ask_files, ask_folder, ask_save
from ._dock import Dock
from ._dock_keys import DockKey, bind_dock_keys, legend_of
from ._focus import FocusFollowsMouse
from ._form import ConfigForm, WheelGuard, title
from ._group import Group, button
from ._message import MessageLine
from ._painted import PaintedWidget
from ._place import own_project, project_place
from ._plugin_dock import OpenDocks, PluginDock
from ._short_form import ShortForm
from ._short_table import ShortTable, ShortTableModel
from ._telling import Telling

__all__ = [
    "NEGATIVE",
    "PICK",
    "POSITIVE",
    "VALIDATION",
    "ConfigForm",
    "Connections",
    "Dock",
    "DockKey",
    "FocusFollowsMouse",
    "Group",
    "MessageLine",
    "OpenDocks",
    "PaintedWidget",
    "PluginDock",
    "ShortForm",
    "ShortTable",
    "ShortTableModel",
    "Telling",
    "ThemeColours",
    "WheelGuard",
    "ask_export_path",
    "ask_file",
    "ask_files",
    "ask_folder",
    "ask_save",
    "bind_dock_keys",
    "button",
    "choice",
    "folded",
    "heat_colours",
    "legend_of",
    "line_of",
    "menu_button",
    "own_project",
    "project_place",
    "scrolled",
    "tighten",
    "title",
    "tool",
    "words",
]
