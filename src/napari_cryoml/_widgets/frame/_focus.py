"""The keyboard follows the mouse into the map and out of it."""

from __future__ import annotations

from contextlib import suppress

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QAbstractSpinBox, QApplication, QLineEdit, QWidget


class FocusFollowsMouse(QObject):
    """Gives widgets the keyboard while the mouse is over them, unless somebody is typing.

    So a key means the picks in the image while the mouse is there, and the selection on the map
    while it is here, as the Picker has some of the same keys.

    Parameters
    ----------
    parent : QWidget
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._before: QWidget | None = None

    def watch(self, widget: QWidget) -> None:
        """Give this widget the keyboard whenever the mouse comes."""
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the keyboard as the mouse comes, and give it back as it goes."""
        if isinstance(watched, QWidget):
            if event.type() == QEvent.Type.Enter:
                self._take(watched)
            elif event.type() == QEvent.Type.Leave:
                self._give_back(watched)
        return False

    def _take(self, widget: QWidget) -> None:
        now = QApplication.focusWidget()
        if isinstance(now, QLineEdit | QAbstractSpinBox) or now is widget:
            return
        self._before = now
        widget.setFocus(Qt.FocusReason.MouseFocusReason)

    def _give_back(self, widget: QWidget) -> None:
        before, self._before = self._before, None
        if before is None or not widget.hasFocus():
            return
        # It may have been deleted meanwhile.
        with suppress(RuntimeError):
            before.setFocus(Qt.FocusReason.MouseFocusReason)
