import numpy as np
import pytest
import starfile
from coordinate_tables import table

from napari_cryoml._errors import InputError
from napari_cryoml.io import read_picks, write_picks


def test_the_corner_becomes_the_centre_in_the_plane_only(shared_data):
    folder = shared_data / "formats/napari_boxmanager"
    (flat,) = read_picks(folder / "2d_particles.cbox")
    np.testing.assert_allclose(flat.positions[0], [27.959892 + 12.5, 11.6877 + 12.5])
    assert flat.diameter == 25
    assert flat.scores is None
    (deep,) = read_picks(folder / "3d_particle.cbox")
    np.testing.assert_allclose(deep.positions[0], [50, 27.721405 + 12.5, 12.257084 + 12.5])


@pytest.mark.parametrize(
    "name",
    [
        "3d_particle.cbox",
        "particle_cbox_2d__TcdA1-0018_frames_sum.cbox",
        "filament_cbox_2d__ActLifeact_03211.cbox",
    ],
)
def test_files_of_the_zoo_round_trip(shared_data, tmp_path, name):
    path = shared_data / "formats/napari_boxmanager" / name
    write_picks(read_picks(path), tmp_path / name)
    before = starfile.read(path, always_dict=True)
    after = starfile.read(tmp_path / name, always_dict=True)
    assert list(after) == list(before)
    assert after["global"] == before["global"]
    assert list(after["cryolo"].columns) == list(before["cryolo"].columns)
    for label in before["cryolo"].columns:
        ours = after["cryolo"][label].astype(float)
        np.testing.assert_allclose(ours, before["cryolo"][label].astype(float), rtol=1e-6)
    assert (
        after["cryolo_include"].to_numpy().tolist() == before["cryolo_include"].to_numpy().tolist()
    )


def test_new_boxes_have_what_cryolo_reads(tmp_path):
    write_picks(table(3, images=("t",)), tmp_path / "t.cbox", box_size=8)
    blocks = starfile.read(tmp_path / "t.cbox", always_dict=True)
    assert list(blocks) == ["global", "cryolo", "cryolo_include"]
    first = blocks["cryolo"].iloc[0]
    assert first[["CoordinateX", "CoordinateY", "CoordinateZ"]].tolist() == [6, 16, 30]
    assert first[["Width", "Height", "Depth"]].tolist() == [8, 8, 8]
    assert blocks["cryolo"]["Confidence"].tolist() == [0, 0.125, 0.25]
    assert blocks["cryolo_include"]["slice_index"].tolist() == [30, 31, 32]


def test_a_star_file_under_a_wrong_name_says_what_it_lacks(tmp_path):
    path = tmp_path / "a.cbox"
    path.write_text("data_cryolo\n\nloop_\n_CoordinateX\n_CoordinateY\n1 2\n")
    with pytest.raises(InputError, match="has no Width, Height"):
        read_picks(path)
