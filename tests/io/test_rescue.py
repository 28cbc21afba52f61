import tempfile
from pathlib import Path

import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.io import save_or_rescue


@pytest.fixture(autouse=True)
def refuge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of temporary files of these tests."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def _refusing(folder: Path):
    def save(path: Path) -> str:
        if path.parent == folder:
            raise InputError("There is no space left.")
        path.write_text("result")
        return "saved"

    return save


def test_what_can_be_saved_is_saved_where_it_was_wanted(tmp_path: Path, refuge: Path) -> None:
    assert save_or_rescue(_refusing(tmp_path / "other"), tmp_path / "a.star") == "saved"
    assert (tmp_path / "a.star").read_text() == "result"
    assert list(refuge.iterdir()) == []


def test_a_refused_result_is_kept_and_the_sentence_says_where(tmp_path: Path, refuge: Path) -> None:
    with pytest.raises(InputError, match=r"no space left; the result is kept in .*a\.star") as told:
        save_or_rescue(_refusing(tmp_path), str(tmp_path / "a.star"))
    (kept,) = refuge.rglob("a.star")
    assert kept.read_text() == "result"
    assert str(kept) in str(told.value)


def test_where_nothing_can_be_written_the_first_sentence_stands(tmp_path: Path) -> None:
    def save(path: Path) -> None:
        raise InputError(f"{path.name} was refused.")

    with pytest.raises(InputError, match=r"^a\.star was refused\.$"):
        save_or_rescue(save, tmp_path / "a.star")
