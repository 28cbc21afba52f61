import json
from dataclasses import replace

import imodmodel
import numpy as np
import pytest
from coordinate_tables import assert_same, table

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io import read_picks, write_picks


def test_dynamo_counts_from_one_and_names_tomograms_beside_the_table(tmp_path):
    files = write_picks(table(3), tmp_path / "p.tbl")
    assert [file.name for file in files] == ["p.tbl", "p.doc"]
    first = files[0].read_text().splitlines()[0].split()
    assert [float(cell) for cell in first[23:26]] == [11, 21, 31]
    assert files[1].read_text() == "1 a.mrc\n2 b.mrc\n"
    assert read_picks(files[0]).images == ["a.mrc", "b.mrc"]


@pytest.mark.parametrize("name", ["crop.tbl", "b4_motl_CR_tm_topbott_clean600_1_dynamo.tbl"])
def test_dynamo_tables_of_the_zoo_round_trip(shared_data, tmp_path, name):
    path = shared_data / "formats/cryocat" / name
    found = read_picks(path)
    write_picks(found, tmp_path / name)
    before, after = (np.loadtxt(p) for p in (path, tmp_path / name))
    order = np.argsort(
        [found.images.index(f"{tomogram:g}") for tomogram in before[:, 19]], kind="stable"
    )
    np.testing.assert_allclose(after, before[order], rtol=1e-6)


def test_dynamo_refuses_other_tables(tmp_path):
    path = tmp_path / "p.tbl"
    path.write_text("1 2 3\n")
    with pytest.raises(InputError, match=r"26 or more columns .* 3 columns were found"):
        read_picks(path)


def test_imod_puts_the_first_pixel_at_a_half(tmp_path):
    (path,) = write_picks(table(3, images=("t",), scores=False), tmp_path / "t.mod")
    frame = imodmodel.read(path)
    assert frame[["x", "y", "z"]].iloc[0].tolist() == [10.5, 20.5, 30]
    assert read_picks(path).picks[0].pixel_size == pytest.approx(1.5)


@pytest.mark.parametrize("name", ["correct111", "correct189", "empty089", "empty111"])
def test_imod_models_of_the_zoo_round_trip(shared_data, tmp_path, name):
    path = shared_data / f"formats/cryocat/modMotl_{name}.mod"
    write_picks(read_picks(path), tmp_path / "again.mod")
    before, after = (imodmodel.ImodModel.from_file(p) for p in (path, tmp_path / "again.mod"))
    assert after.header == before.header
    assert after.minx == before.minx
    for ours, theirs in zip(after.objects, before.objects, strict=True):
        assert ours.header == theirs.header
        assert [len(c.points) for c in ours.contours] == [len(c.points) for c in theirs.contours]
        for a, b in zip(ours.contours, theirs.contours, strict=True):
            np.testing.assert_allclose(a.points, b.points, rtol=1e-6)


def test_imod_filtering_leaves_the_source_alone(shared_data, tmp_path):
    found = read_picks(shared_data / "formats/cryocat/modMotl_correct189.mod")
    kept = PicksTable((found.picks[0].take(slice(0, 5)),), found.extra)
    (path,) = write_picks(kept, tmp_path / "t.mod", format="imod")
    assert read_picks(path).n_picks == 5
    (path,) = write_picks(found, tmp_path / "t.mod")
    assert read_picks(path).n_picks == 74


def test_imod_damage_is_one_sentence(tmp_path, shared_data):
    path = tmp_path / "t.mod"
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="does not start with 'IMOD'"):
        read_picks(path)
    whole = (shared_data / "formats/cryocat/modMotl_correct189.mod").read_bytes()
    path.write_bytes(whole[:300])
    with pytest.raises(InputError, match="damaged IMOD model"):
        read_picks(path)


def test_motive_lists_of_the_zoo_round_trip(shared_data, tmp_path):
    for name, n in (("au_1.em", 64), ("au_2.em", 11)):
        path = shared_data / "formats/cryocat" / name
        found = read_picks(path)
        assert found.n_picks == n
        write_picks(found, tmp_path / name)
        again = read_picks(tmp_path / name)
        assert_same(again, found, atol=1e-4)
        for label, values in found.picks[0].columns.items():
            written = again.picks[0].columns[label]
            np.testing.assert_allclose(written.astype(float), values.astype(float), rtol=1e-6)
    with pytest.raises(InputError, match="its shape is 19 x 11 x 1"):
        read_picks(shared_data / "formats/cryocat/col_missing.em")


def copick(**more):
    point = {"location": {"x": 20.0, "y": 40.0, "z": 60.0}, "instance_id": 3, "score": 0.5}
    header = {"pickable_object_name": "ribosome", "run_name": "TS_1", "voxel_spacing": 10.0}
    return header | {"points": [point | {"transformation_": np.eye(4).tolist()}]} | more


def test_copick_angstrom_become_voxels_of_the_tomogram_looked_at(tmp_path):
    path = tmp_path / "me_0_ribosome.json"
    path.write_text(json.dumps(copick()))
    (picks,) = read_picks(path)
    assert (picks.image, picks.pixel_size) == ("TS_1", 10)
    assert picks.positions.tolist() == [[6, 4, 2]]
    assert read_picks(path, pixel_size=20).picks[0].positions.tolist() == [[3, 2, 1]]
    write_picks(read_picks(path), path)
    assert json.loads(path.read_text()) == copick()


def test_the_object_of_a_copick_file_is_the_class(tmp_path):
    path = tmp_path / "me_0_ribosome.json"
    path.write_text(json.dumps(copick()))
    (picks,) = read_picks(path)
    assert picks.columns["class"].tolist() == ["ribosome"]
    named = replace(picks, columns={"class": np.array(["proteasome"])})
    write_picks(PicksTable.of([named]), tmp_path / "new.json")
    assert json.loads((tmp_path / "new.json").read_text())["pickable_object_name"] == "proteasome"
    both = replace(
        picks,
        positions=np.zeros((2, 3)),
        scores=None,
        rotations=None,
        columns={"class": np.array(["a", "b"])},
    )
    with pytest.warns(InputWarning, match=r"holds one object, and .* 2 classes"):
        write_picks(PicksTable.of([both]), tmp_path / "both.json")
    assert "class" not in json.loads((tmp_path / "both.json").read_text())["points"][0]


def test_copick_needs_a_pixel_size(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(copick(voxel_spacing=None)))
    with pytest.raises(InputError, match="give the pixel size"):
        read_picks(path)
    with pytest.raises(InputError, match="give pixel_size"):
        write_picks(table(3, images=("t",), pixel_size=None), path)


def test_portal_lines_keep_their_orientation(tmp_path):
    path = tmp_path / "ribosome.ndjson"
    point = {
        "type": "orientedPoint",
        "location": {"x": 1.0, "y": 2.0, "z": 3.0},
        "xyz_rotation_matrix": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        "instance_id": 4,
    }
    path.write_text(json.dumps(point) + "\n" + json.dumps(point))
    found = read_picks(path)
    assert found.picks[0].positions.tolist() == [[3, 2, 1]] * 2
    write_picks(found, path)
    assert [json.loads(line) for line in path.read_text().splitlines()] == [point, point]


def test_portal_damage_names_the_line(tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_text('{"location": {"x": 1, "y": 2, "z": 3}}\n{"loc\n')
    with pytest.raises(InputError, match="line 2 is not valid JSON"):
        read_picks(path)
    path.write_text('{"location": {"x": 1, "y": 2}}\n')
    with pytest.raises(InputError, match="three numbers x, y, z"):
        read_picks(path)


def test_columns_of_other_formats_stay_out_of_points(tmp_path):
    picks = Picks("t", np.ones((1, 3)), columns={"rlnAngleRot": np.array([4.0])})
    write_picks(PicksTable.of([picks]), tmp_path / "t.ndjson")
    assert "rlnAngleRot" not in (tmp_path / "t.ndjson").read_text()
