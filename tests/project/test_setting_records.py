from datetime import UTC, datetime

import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.project import Project


@pytest.mark.parametrize(
    "value", [None, True, 3, 0.1, "µm", [1, [2.5]], {"a": {"b": None}}, float("inf")]
)
def test_settings_come_back_as_they_were(project_path, value):
    with Project.create(project_path) as project:
        project.set_setting("key", "former")
        project.set_setting("key", value)
    with Project.open(project_path) as project:
        assert project.setting("key", "default") == value


def test_absent_setting_is_its_default(project):
    assert project.setting("key") is None
    assert project.setting("key", 4) == 4


def test_what_is_not_json_is_refused_before_it_is_written(project):
    with pytest.raises(TypeError):
        project.set_setting("key", object(), undoable=True)
    assert not project.can_undo


def test_damaged_setting_is_a_sentence(project):
    project._store.write("INSERT INTO settings VALUES ('key', '{')")
    with pytest.raises(InputError, match=r"Setting 'key' .* is damaged"):
        project.setting("key")


def test_jobs_are_listed_in_order(project):
    start, end = datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 3)
    one = project.log_job("train", start, end, "done", {"loss": 0.5})
    two = project.log_job("pick", start, end, "failed")
    train, pick = project.jobs()
    assert (train.id, pick.id) == (one, two)
    assert (train.kind, train.state, train.summary) == ("train", "done", {"loss": 0.5})
    assert train.started == start
    assert train.finished == end.astimezone()
    assert pick.summary == {}
