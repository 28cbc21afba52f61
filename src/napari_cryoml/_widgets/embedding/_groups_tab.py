"""Groups of like rows: how they are made, how large they are, and choosing one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from napari_cryoml._registry import Config
from napari_cryoml._widgets.embedding._bars import GroupBars
from napari_cryoml._widgets.frame import (
    ConfigForm,
    WheelGuard,
    button,
    choice,
    folded,
    line_of,
    words,
)

NO_GROUPS = "Groups are made of the vectors, not of the map. A click on a bar selects a group."

if TYPE_CHECKING:
    from napari_cryoml.embedding import ClustersConfig

_ROWS_PER_GROUP = 50
_FEWEST_GROUPS, _MOST_GROUPS = 8, 100
"""The most is what k-means is used with on a whole data set, to part it into more than it has."""


class GroupsTab(QWidget):
    """The method, its options, and a bar a group.

    Parameters
    ----------
    configs : mapping of str to type of Config
        The methods; the first is the default.
    guard : WheelGuard
    """

    group_requested = Signal()
    """Make groups, or stop."""

    group_chosen = Signal(int)
    """Select the rows of a group; -1 those that are in none."""

    def __init__(self, configs: Mapping[str, type[Config]], guard: WheelGuard) -> None:
        super().__init__()
        names = list(configs)
        self.method = choice(names, f"How groups are made. Default: {names[0]}.", guard)
        self.group = button("Group", "Make groups of like vectors. Default: no groups.")
        self.bars = GroupBars()
        self.bars.setToolTip("Rows in each group (heights are square roots); click to select one.")
        self.rest = button("Select rows in no group", "Select what belongs to none of the groups.")
        self.text = words("How many groups there are, and how well they part (silhouette, -1..1).")
        self.forms = {name: ConfigForm(config) for name, config in configs.items()}
        self._suggested = _MOST_GROUPS
        self._stack = QStackedWidget()
        for form in self.forms.values():
            self._stack.addWidget(form)
        self._build()
        self.show_groups((), (), NO_GROUPS)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addLayout(line_of(self.method, self.group))
        column.addWidget(self.bars)
        column.addWidget(self.text)
        column.addWidget(self.rest)
        column.addWidget(folded("Options", "Show or hide how groups are made.", self._stack))
        column.addStretch(1)
        self.group.clicked.connect(self.group_requested)
        self.bars.chosen.connect(self.group_chosen)
        self.rest.clicked.connect(lambda: self.group_chosen.emit(-1))
        self.method.currentIndexChanged.connect(self._stack.setCurrentIndex)

    @property
    def chosen(self) -> str:
        """Name of the method."""
        return str(self.method.currentText())

    def config(self) -> ClustersConfig:
        """Return the method and its options.

        Raises
        ------
        InputError
            If an option is not accepted.
        """
        return cast("ClustersConfig", self.forms[self.chosen].config())

    def show_config(self, name: str, values: Mapping[str, Any]) -> None:
        """Show a method and its options."""
        if name in self.forms:
            self.method.setCurrentText(name)
            self.forms[name].set_values(values)

    def suggest(self, n_rows: int) -> None:
        """Suggest a number of groups that suits so many rows, unless another one was chosen."""
        usual = int(np.clip(n_rows // _ROWS_PER_GROUP, _FEWEST_GROUPS, _MOST_GROUPS))
        for form in self.forms.values():
            if form.values().get("k") in (self._suggested, _MOST_GROUPS):
                form.set_values({"k": usual})
        self._suggested = usual

    def show_groups(
        self,
        sizes: npt.NDArray[np.integer[Any]] | Sequence[int],
        colours: Sequence[QColor],
        text: str,
        n_rest: int = 0,
    ) -> None:
        """Show how large each group is, and how many rows are in none."""
        self.bars.show_groups(np.asarray(sizes, np.intp), colours)
        self.text.setText(text)
        self.rest.setVisible(n_rest > 0)
        self.rest.setText(f"Select {n_rest:,} rows in no group")

    def show_text(self, text: str) -> None:
        """Show how far the groups are."""
        self.text.setText(text)

    def show_running(self, running: bool) -> None:
        """Show whether groups are being made."""
        self.group.setText("Stop" if running else "Group")
