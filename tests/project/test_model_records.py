import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations
from napari_cryoml.project import Project


def test_models_come_back_with_their_bytes(project, project_path, tmp_path):
    checkpoint = tmp_path / "one.safetensors"
    checkpoint.write_bytes(b"weights")
    one = project.add_model(checkpoint, {"model": "conv31", "labels": 12})
    two = project.add_model(b"more weights", {}, current=False)
    project.close()
    with Project.open(project_path) as again:
        assert [entry.id for entry in again.models()] == [one, two]
        current = again.current_model()
        assert (current.id, current.size) == (one, 7)
        assert current.summary == {"model": "conv31", "labels": 12}
        assert current.made.tzinfo is not None
        target = again.export_model(two, tmp_path / "out.safetensors")
        assert target.read_bytes() == b"more weights"


def test_model_knows_the_labels_it_was_trained_on(project):
    edit = project.annotate("b", add=Annotations.of_positives([[1.0, 2.0]]))
    assert project.model(project.add_model(b"x", {})).edit == edit.id
    assert project.model(project.add_model(b"x", {}, edit=0)).edit == 0


def test_current_model_can_be_changed_and_unset(project):
    assert project.current_model() is None
    one, two = project.add_model(b"1", {}), project.add_model(b"2", {})
    assert project.current_model().id == two
    project.set_current_model(one)
    assert project.current_model().id == one
    project.set_current_model(None)
    assert project.current_model() is None


def test_what_cannot_be_is_a_sentence(project, tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        project.add_model(tmp_path / "nothing", {})
    with pytest.raises(InputError, match="empty"):
        project.add_model(b"", {})
    with pytest.raises(InputError, match="no model 7"):
        project.set_current_model(7)
    with pytest.raises(InputError, match="no model 7"):
        project.export_model(7, tmp_path / "out")
    assert project.models() == []


def test_export_replaces_a_file_whole_or_leaves_it(project, tmp_path):
    number = project.add_model(b"weights", {})
    old = tmp_path / "old"
    old.write_bytes(b"much longer than the new content")
    project.export_model(number, old)
    assert old.read_bytes() == b"weights"
    with pytest.raises(InputError, match="cannot be written"):
        project.export_model(number, tmp_path / "no folder" / "out")
    before = sorted(tmp_path.iterdir())
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        project.export_model(number, tmp_path / "folder")
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "folder"])


def test_damaged_model_is_a_sentence(project):
    project.add_model(b"x", {})
    project._store.write("UPDATE models SET summary = '[1]'")
    with pytest.raises(InputError, match=r"list of models .* is damaged"):
        project.current_model()
