"""What docks share: who hears whom, what is said, and which rows answers are about."""

from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from psygnal import Signal

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.frame import Connections
from napari_cryoml._widgets.link import RowsDesk
from napari_cryoml.jobs import Event


class _Desk(RowsDesk[Event]):
    nothing = "There are no rows."


@pytest.fixture
def desk():
    return _Desk(MagicMock(), MagicMock())


def test_connections_hear_until_they_are_closed():
    class Speaker:
        said = Signal(int)

    speaker, heard = Speaker(), []
    connections = Connections((speaker.said, heard.append))
    speaker.said.emit(1)
    connections.close()
    speaker.said.emit(2)
    assert heard == [1]


def test_answers_about_rows_that_are_gone_are_passed_by(desk):
    heard = []
    desk.replace(Event(done=0, total=1))
    hear = desk.here(heard.append)
    hear("first")
    desk.replace(Event(done=0, total=1))
    hear("second")
    assert heard == ["first"]


def test_rows_that_are_missing_are_said_in_a_sentence(desk):
    with desk.telling():
        desk.need_state()
    desk.view.show_message.assert_called_once_with("There are no rows.", error=True)
    with pytest.raises(InputError, match="no rows"):
        desk.need_state()


def test_edits_are_taken_back_where_there_is_a_project(desk):
    assert desk.take_back() is None
    desk.project = SimpleNamespace(undo=lambda: "undone", redo=lambda: "redone")
    assert (desk.take_back(), desk.make_again()) == ("undone", "redone")


def test_without_an_average_nothing_is_asked(desk):
    desk.save_average(None)
    desk.view.ask_average_path.assert_not_called()
