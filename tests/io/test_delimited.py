import pytest
from coordinate_tables import table

from napari_cryoml._errors import InputError
from napari_cryoml.data import PicksTable
from napari_cryoml.io import read_picks, write_picks


@pytest.mark.parametrize(
    "text",
    [
        "image_name,x_coord,y_coord\nm,1,2.5\n",
        "micrograph;X;Y\nm;1;2.5\n",
        "X-Coordinate, Y-Coordinate\n1, 2.5\n",
        "Image Path\tCenter X\tCenter Y\nm\t1\t2.5\n",
        "x y\n1 2.5\n",
        "index,axis-0,axis-1\n0,2.5,1\n",
        "_rlnMicrographName,_rlnCoordinateX,_rlnCoordinateY\nm,1,2.5\n",
        "\ufeffx,y\r\n1,2.5\r\n",
    ],
)
def test_headers_are_taken_as_they_come(tmp_path, text):
    path = tmp_path / "m.csv"
    path.write_text(text, encoding="utf-8")
    (picks,) = read_picks(path)
    assert picks.image == "m"
    assert picks.positions.tolist() == [[2.5, 1]]


def test_further_columns_scores_and_diameters(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text(
        "image_name,x,y,z,confidence,diameter,who\n7,1,2,3,0.5,30,me\n7,4,5,6,0.25,30,\n"
    )
    (picks,) = read_picks(path)
    assert picks.image == "7"
    assert picks.positions.tolist() == [[3, 2, 1], [6, 5, 4]]
    assert picks.scores.tolist() == [0.5, 0.25]
    assert picks.diameter == 30
    write_picks(read_picks(path), path)
    assert path.read_text() == (
        "image_name,x_coord,y_coord,z_coord,score,diameter,who\n"
        "7,1.0,2.0,3.0,0.5,30,me\n7,4.0,5.0,6.0,0.25,30,\n"
    )


def test_images_without_scores_stay_without(tmp_path):
    picks = PicksTable((*table(2, ("a",)), *table(2, ("b",), scores=False)))
    write_picks(picks, tmp_path / "p.csv")
    found = read_picks(tmp_path / "p.csv")
    assert found["a"].scores.tolist() == [0, 0.125, 0.25]
    assert found["b"].scores is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("1,2\n3,4\n", "no columns for x and y"),
        ("x,y\n1,2\n1,up\n", "line 3: 'up', '1' was found where numbers"),
        ("x,y\n1,2\n1,\n", "line 3"),
    ],
)
def test_damaged_tables_are_one_sentence(tmp_path, text, message):
    path = tmp_path / "p.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_picks(path)


def test_topaz_gets_whole_pixels_and_names_without_extension(tmp_path):
    write_picks(table(2, images=("m/a.mrc",), step=0.4), tmp_path / "p.txt")
    assert (tmp_path / "p.txt").read_text().splitlines()[:2] == [
        "image_name\tx_coord\ty_coord\tscore",
        "a\t10\t20\t0.0",
    ]


def test_topaz_text_of_the_zoo(shared_data, tmp_path):
    path = shared_data / "formats/topaz_empiar10025/particles.txt"
    found = read_picks(path)
    assert (len(found), found.n_picks) == (30, 1500)
    write_picks(found, tmp_path / "again.txt")
    lines = path.read_text().split("\n")
    assert sorted((tmp_path / "again.txt").read_text().split("\n")) == sorted(lines)


def test_plain_columns_of_numbers(tmp_path):
    path = tmp_path / "t.coords"
    path.write_text("1 2 3\n4 5 6\n")
    assert read_picks(path).picks[0].positions.tolist() == [[3, 2, 1], [6, 5, 4]]
    path.write_text("9 1 2 3\n")
    found = read_picks(path)
    assert found.picks[0].columns["class"].tolist() == [9]
    write_picks(found, path)
    assert path.read_text() == "9 1 2 3\n"
    path.write_text("1 2 3 4 5\n")
    with pytest.raises(InputError, match="has 5 columns of numbers"):
        read_picks(path)


def test_plain_text_of_the_zoo(shared_data):
    (picks,) = read_picks(shared_data / "formats/pytom/coords_tomogram_000_WBP.txt")
    assert picks.positions.tolist() == [[232, 60, 68], [232, 73, 108]]
