import numpy as np
import pytest
from coordinate_tables import shapes, table

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import PicksTable
from napari_cryoml.io import read_picks, scale, write_picks

FIELDS = [
    ("uid", "<u8"),
    ("location/micrograph_uid", "<u8"),
    ("location/micrograph_path", "S24"),
    ("location/micrograph_shape", "<u4", (2,)),
    ("location/center_x_frac", "<f4"),
    ("location/center_y_frac", "<f4"),
    ("location/micrograph_psize_A", "<f4"),
    ("pick_stats/ncc_score", "<f4"),
    ("pick_stats/template_idx", "<u4"),
]


@pytest.fixture
def source(tmp_path):
    array = np.zeros(3, FIELDS)
    array["uid"] = [11, 12, 2**63 + 1]
    array["location/micrograph_path"] = [b"J1/a.mrc", b">J1/b.mrc", b"J1/a.mrc"]
    array["location/micrograph_shape"] = [400, 200]
    array["location/center_x_frac"] = [0.5, 0.25, 0.75]
    array["location/center_y_frac"] = [0.5, 0.125, 0]
    array["location/micrograph_psize_A"] = 1.1
    array["pick_stats/ncc_score"] = [3, 2, 1]
    array["pick_stats/template_idx"] = [7, 8, 9]
    path = tmp_path / "picked.cs"
    with path.open("wb") as file:
        np.save(file, array)
    return path


def test_fractions_of_the_shape_become_pixels(source):
    found = read_picks(source)
    assert found.images == ["J1/a.mrc", "J1/b.mrc"]
    assert found["J1/a.mrc"].positions.tolist() == [[200, 100], [0, 150]]
    assert found["J1/a.mrc"].scores.tolist() == [3, 1]
    assert found["J1/b.mrc"].pixel_size == 1.1


def test_every_field_survives_filtering(source, tmp_path):
    found = read_picks(source)
    kept = PicksTable((found["J1/a.mrc"].take(slice(1, 2)),), found.extra)
    (path,) = write_picks(kept, tmp_path / "kept.cs")
    assert path.name == "kept.cs"
    array, before = np.load(path), np.load(source)
    assert array.dtype == before.dtype
    assert array.tobytes() == before[2:].tobytes()


def test_scaling_keeps_the_fractions(source, tmp_path):
    write_picks(scale(read_picks(source), 0.5), tmp_path / "half.cs")
    array = np.load(tmp_path / "half.cs")
    assert array["location/micrograph_shape"].tolist() == [[200, 100]] * 3
    assert array["location/center_x_frac"].tolist() == [0.5, 0.75, 0.25]
    np.testing.assert_allclose(array["location/micrograph_psize_A"], 2.2)


def test_new_picks_get_the_needed_fields_and_stable_numbers(tmp_path):
    image = "000090334788266266069_x.mrc"
    picks = table(2, images=(image,))
    write_picks(picks, tmp_path / "a.cs", shapes=shapes(2, (image,)))
    write_picks(picks, tmp_path / "b.cs", shapes=shapes(2, (image,)))
    array = np.load(tmp_path / "a.cs", allow_pickle=False)
    assert (tmp_path / "a.cs").read_bytes() == (tmp_path / "b.cs").read_bytes()
    assert len(np.unique(array["uid"])) == 3
    assert set(array["location/micrograph_uid"].tolist()) == {90334788266266069}
    assert array["location/center_x_frac"][0] == np.float32(10 / 512)
    assert array["pick_stats/ncc_score"].tolist() == [0, 0.125, 0.25]


def test_new_picks_need_the_shape_of_their_micrograph(tmp_path):
    with pytest.raises(InputError, match="fractions of the micrograph's shape: give the shape"):
        write_picks(table(2), tmp_path / "a.cs")


def test_objects_are_never_unpickled(tmp_path):
    path = tmp_path / "evil.cs"
    with path.open("wb") as file:
        np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="never unpacked"):
        read_picks(path)


def test_files_of_the_zoo(shared_data):
    with pytest.raises(InputError, match=r"no particle locations .* passthrough"):
        read_picks(shared_data / "formats/cryodrgn/cryosparc_J2_particles_exported.cs")
    with pytest.warns(InputWarning, match="holds no picks"):
        assert len(read_picks(shared_data / "formats/cryosparc/4k_dataset.cs")) == 0


def test_a_plain_array_is_refused(tmp_path):
    with (tmp_path / "a.cs").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(InputError, match="no table of fields"):
        read_picks(tmp_path / "a.cs")
