import json

import numpy as np
import pytest
from coordinate_tables import table

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io import read_picks, write_picks


def test_the_corner_of_a_box_becomes_its_centre(tmp_path):
    path = tmp_path / "m.box"
    path.write_text("14\t35\t20\t10\n")
    (picks,) = read_picks(path)
    assert picks.image == "m"
    assert picks.positions.tolist() == [[40, 24]]
    assert picks.diameter is None
    path.write_text("14\t35\t20\t20\n")
    assert read_picks(path).picks[0].diameter == 20


def test_boxes_are_written_at_the_size_asked_for_else_their_own_else_the_diameter(tmp_path):
    path = tmp_path / "m.box"
    path.write_text("14 35 20 10 -3\n")
    found = read_picks(path)
    write_picks(found, path)
    assert path.read_text() == "14\t35\t20\t10\t-3\n"
    write_picks(found, path, box_size=7)
    assert path.read_text() == "20.5\t36.5\t7\t7\t-3\n"
    picks = Picks("m", np.array([[40.0, 24.0]]), diameter=10)
    write_picks(PicksTable.of([picks]), path)
    assert path.read_text() == "19\t35\t10\t10\n"


def test_boxes_of_unknown_size_ask_for_it(tmp_path):
    with pytest.raises(InputError, match="give box_size"):
        write_picks(table(2, images=("a",)), tmp_path / "a.box")


def test_box_files_of_the_zoo(shared_data):
    folder = shared_data / "formats/napari_boxmanager"
    centres = [[40, 24], [62, 36], [51, 78]]
    for name in ("2d_center.box", "2d_left.box"):
        assert read_picks(folder / name).picks[0].positions.tolist() == centres
    float_centres = read_picks(folder / "2d_center_float.box").picks[0].positions
    assert float_centres[0].tolist() == [40.7, 24.3]
    with pytest.warns(InputWarning, match="holds no picks"):
        assert read_picks(folder / "2d_empty.box").n_picks == 0


@pytest.mark.parametrize(
    ("name", "line"), [("2d_corrupt_has_string.box", 2), ("2d_corrupt_unqual_columns.box", 3)]
)
def test_corrupt_boxes_name_the_file_and_the_line(shared_data, name, line):
    with pytest.raises(InputError, match=rf"{name}, line {line}: .* were expected"):
        read_picks(shared_data / "formats/napari_boxmanager" / name)


def test_helicon_segments_keep_the_number_of_their_helix(tmp_path):
    path = tmp_path / "h.box"
    path.write_text(
        "#micrograph: actin.mrc\n#segment length: 90\n#segment width: 80\n"
        "#helix: (1, 2),(3, 4),80\n1\t2\n3\t4\n#helix: (5, 6),(5, 6),80\n5\t6\n"
    )
    (picks,) = read_picks(path)
    assert picks.image == "actin.mrc"
    assert picks.positions.tolist() == [[2, 1], [4, 3], [6, 5]]
    assert picks.columns["helix"].tolist() == [0, 0, 1]
    assert picks.diameter == 80


def test_eman2_json_keeps_what_it_does_not_know(tmp_path):
    path = tmp_path / "m_info.json"
    document = {"quality": 5, "boxes": [[10, 20, "manual"], [30.5, 40, "gauss"]]}
    path.write_text(json.dumps(document))
    found = read_picks(path)
    assert found.images == ["m"]
    assert found.picks[0].positions.tolist() == [[20, 10], [40, 30.5]]
    write_picks(found, path)
    assert json.loads(path.read_text()) == document


def test_eman2_json_boxes_in_3d(tmp_path):
    path = tmp_path / "t_info.json"
    box = [1, 2, 3, "tomobox", 0.5, 4]
    path.write_text(json.dumps({"boxes_3d": [box], "boxes": []}))
    found = read_picks(path)
    assert found.picks[0].positions.tolist() == [[3, 2, 1]]
    assert found.picks[0].scores.tolist() == [0.5]
    write_picks(found, path, format="eman-json")
    assert json.loads(path.read_text())["boxes_3d"] == [box]


def test_eman2_json_boxes_from_the_centre_need_the_shape(tmp_path):
    path = tmp_path / "t_info.json"
    path.write_text(json.dumps({"apix_unbin": 2.0, "boxes_3d": [[4, 0, -8, "a", 1, 0]]}))
    with pytest.raises(InputError, match="centre of the tomogram: give the shape"):
        read_picks(path)
    (picks,) = read_picks(path, shapes={"t": (100, 200, 300)}, pixel_size=4.0)
    assert picks.positions.tolist() == [[46, 100, 152]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[1]", "a JSON list, not an object"),
        ('{"boxes": [["a", 1]]}', "does not start with 2 numbers"),
        ('{"boxes": [[1]]}', "does not start with 2 numbers"),
        ("{}", "neither copick nor eman-json"),
    ],
)
def test_damaged_json_is_one_sentence(tmp_path, text, message):
    path = tmp_path / "m.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_picks(path)
