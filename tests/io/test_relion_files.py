import pytest
import starfile
from coordinate_tables import assert_same, table

from napari_cryoml._errors import InputError
from napari_cryoml.io import read_picks, write_picks


def test_a_picking_job_is_an_index_and_one_plain_block_an_image(tmp_path):
    picks = table(2, images=("Micrographs/a.mrc", "Micrographs/b.mrc"))
    files = write_picks(picks, tmp_path / "AutoPick", format="relion-files")
    names = ["autopick.star", "a_autopick.star", "b_autopick.star"]
    assert [file.name for file in files] == names
    index = starfile.read(files[0], always_dict=True)
    assert list(index) == ["coordinate_files"]
    assert index["coordinate_files"]["rlnMicrographName"].tolist() == picks.images
    single = starfile.read(files[1], always_dict=True)
    assert list(single) == [""]
    assert list(single[""].columns) == [
        "rlnCoordinateX",
        "rlnCoordinateY",
        "rlnAutopickFigureOfMerit",
    ]
    assert read_picks(files[0]).images == picks.images
    assert_same(read_picks(files[0]), picks)
    assert_same(read_picks(tmp_path / "AutoPick"), picks)


def test_images_of_one_stem_keep_their_folders(tmp_path):
    picks = table(2, images=("Square_1/x.mrc", "../Square_2/x.mrc"))
    files = write_picks(picks, tmp_path, format="relion-files")
    assert files[1:] == [
        tmp_path / "Square_1" / "x_autopick.star",
        tmp_path / "Square_2" / "x_autopick.star",
    ]
    assert_same(read_picks(files[0]), picks)


def test_listed_files_are_found_from_the_project_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (index, *_) = write_picks(table(2), "AutoPick/job001", format="relion-files")
    monkeypatch.chdir("/")
    assert "AutoPick/job001/a_autopick.star" in (tmp_path / index).read_text()
    assert_same(read_picks(tmp_path / index), table(2))


def test_a_listed_file_that_is_not_there_is_named(tmp_path):
    (index, first, _) = write_picks(table(2), tmp_path, format="relion-files")
    first.unlink()
    with pytest.raises(InputError, match=r"lists .*a_autopick\.star, which is neither"):
        read_picks(index)
