from dataclasses import replace

import numpy as np
import pytest
import starfile
from coordinate_tables import assert_same, table

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io import read_picks, scale, write_picks

PER_MICROGRAPH = """
data_

loop_
_rlnCoordinateX #1
_rlnCoordinateY #2
_rlnAutopickFigureOfMerit #3
 10.5 20.25 0.5
 11 21 -1
"""

JOINED = """
# version 30001

data_optics

loop_
_rlnOpticsGroup #1
_rlnOpticsGroupName #2
_rlnMicrographOriginalPixelSize #3
_rlnImagePixelSize #4
1 opticsGroup1 0.8 3.2
2 opticsGroup2 1.6 3.2

# version 30001

data_particles

loop_
_rlnMicrographName #1
_rlnCoordinateX #2
_rlnCoordinateY #3
_rlnImageName #4
_rlnOpticsGroup #5
_myOwnColumn #6
m/b.mrc 1 2 000001@x.mrcs 1 left
m/a.mrc 3 4 000002@x.mrcs 2 right
m/b.mrc 5 6 000003@x.mrcs 1 up
"""

CENTRED = """
data_optics

loop_
_rlnOpticsGroup #1
_rlnTomoTiltSeriesPixelSize #2
1 2.0

data_particles

loop_
_rlnTomoName #1
_rlnCenteredCoordinateXAngst #2
_rlnCenteredCoordinateYAngst #3
_rlnCenteredCoordinateZAngst #4
_rlnOpticsGroup #5
TS_01 0 0 0 1
TS_01 20 -10 4 1
"""


@pytest.fixture
def file(tmp_path):
    def make(text, name="picks.star"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return make


def test_a_per_micrograph_file_is_named_after_itself(file):
    (picks,) = read_picks(file(PER_MICROGRAPH, "m_autopick.star"))
    assert picks.image == "m_autopick"
    assert picks.positions.tolist() == [[20.25, 10.5], [21, 11]]
    assert picks.scores.tolist() == [0.5, -1]
    assert picks.pixel_size is None


def test_a_joined_file_is_split_by_image_with_each_pixel_size(file):
    found = read_picks(file(JOINED))
    assert found.images == ["m/b.mrc", "m/a.mrc"]
    assert found["m/b.mrc"].positions.tolist() == [[2, 1], [6, 5]]
    assert [picks.pixel_size for picks in found] == [0.8, 1.6]
    assert found["m/b.mrc"].columns["myOwnColumn"].tolist() == ["left", "up"]


def test_a_per_micrograph_file_under_another_name_keeps_its_image(file, tmp_path):
    found = read_picks(file(PER_MICROGRAPH, "m_autopick.star"))
    write_picks(found, tmp_path / "all.star")
    assert read_picks(tmp_path / "all.star").images == ["m_autopick"]
    write_picks(found, tmp_path / "m_autopick.star")
    assert "rlnMicrographName" not in (tmp_path / "m_autopick.star").read_text()


def test_a_pixel_size_that_the_source_lacks_is_written(file, tmp_path):
    found = read_picks(file(PER_MICROGRAPH))
    told = replace(found, picks=(replace(found.picks[0], pixel_size=1.25),))
    write_picks(told, tmp_path / "out.star")
    assert read_picks(tmp_path / "out.star").picks[0].pixel_size == 1.25


def test_blocks_labels_and_their_order_survive_filtering(file, tmp_path):
    found = read_picks(file(JOINED))
    kept = PicksTable((found["m/b.mrc"].take(np.array([1])),), found.extra)
    write_picks(kept, tmp_path / "out.star")
    blocks = starfile.read(tmp_path / "out.star", always_dict=True)
    assert list(blocks) == ["optics", "particles"]
    assert blocks["optics"]["rlnMicrographOriginalPixelSize"].tolist() == [0.8, 1.6]
    assert list(blocks["particles"].columns) == [
        "rlnMicrographName",
        "rlnCoordinateX",
        "rlnCoordinateY",
        "rlnImageName",
        "rlnOpticsGroup",
        "myOwnColumn",
    ]
    assert blocks["particles"].iloc[0].tolist() == ["m/b.mrc", 5, 6, "000003@x.mrcs", 1, "up"]


def test_scaling_shows_in_the_optics_groups(file, tmp_path):
    write_picks(scale(read_picks(file(JOINED)), 0.5), tmp_path / "out.star")
    found = read_picks(tmp_path / "out.star")
    assert [picks.pixel_size for picks in found] == [1.6, 3.2]
    assert found["m/a.mrc"].positions.tolist() == [[2, 1.5]]


@pytest.mark.parametrize(
    ("labels", "values", "expected"),
    [
        ("rlnMicrographPixelSize rlnMicrographOriginalPixelSize", "2 1", 2.0),
        ("rlnImagePixelSize", "4", 4.0),
        ("rlnImagePixelSize rlnImageName", "4 1@a.mrcs", None),
        ("rlnMagnification rlnDetectorPixelSize", "50000 5", 1.0),
        ("rlnMagnification rlnDetectorPixelSize rlnImageName", "50000 5 1@a.mrcs", None),
        ("rlnMicrographPixelSize", "0", None),
    ],
)
def test_the_pixel_size_is_that_of_the_coordinates(file, labels, values, expected):
    names = ["rlnCoordinateX", "rlnCoordinateY", *labels.split()]
    header = "\n".join(f"_{name}" for name in names)
    (picks,) = read_picks(file(f"data_\n\nloop_\n{header}\n1 2 {values}\n"))
    assert picks.pixel_size == expected


def test_new_picks_get_an_optics_group_for_each_pixel_size(tmp_path):
    picks = PicksTable((*table(2, images=("a.mrc",)), *table(2, ("b.mrc",), pixel_size=2.0)))
    write_picks(picks, tmp_path / "out.star")
    blocks = starfile.read(tmp_path / "out.star", always_dict=True)
    assert list(blocks) == ["optics", "particles"]
    assert blocks["optics"]["rlnMicrographPixelSize"].tolist() == [1.5, 2.0]
    assert blocks["particles"]["rlnOpticsGroup"].tolist() == [1, 1, 1, 2, 2, 2]
    assert blocks["particles"]["rlnAutopickFigureOfMerit"].tolist()[:3] == [0, 0.125, 0.25]
    assert_same(read_picks(tmp_path / "out.star"), picks)


def test_new_picks_without_pixel_size_are_a_single_block(tmp_path):
    write_picks(table(2, pixel_size=None), tmp_path / "out.star")
    blocks = starfile.read(tmp_path / "out.star", always_dict=True)
    assert list(blocks) == [""]


def test_new_tomogram_picks_carry_the_names_relion_expects(tmp_path):
    write_picks(table(3, images=("tomograms/TS_01.mrc",)), tmp_path / "out.star")
    blocks = starfile.read(tmp_path / "out.star", always_dict=True)
    assert blocks["optics"]["rlnTomoTiltSeriesPixelSize"].tolist() == [1.5]
    assert set(blocks["particles"]["rlnTomoName"]) == {"TS_01"}
    assert blocks["particles"]["rlnCoordinateZ"].tolist() == [30, 31, 32]


def test_centred_angstrom_become_voxels_of_the_given_tomogram(file):
    path = file(CENTRED)
    (full,) = read_picks(path, shapes={"TS_01.mrc": (100, 200, 300)})
    assert full.positions.tolist() == [[50, 100, 150], [52, 95, 160]]
    assert full.pixel_size == 2.0
    (binned,) = read_picks(path, shapes={"TS_01": (50, 100, 150)}, pixel_size=4.0)
    assert binned.positions.tolist() == [[25, 50, 75], [26, 47.5, 80]]
    assert binned.pixel_size == 4.0


def test_centred_angstrom_find_the_tomograms_file_beside_them(file):
    path = file(CENTRED)
    file(
        "data_global\n\nloop_\n_rlnTomoName\n_rlnTomoSizeX\n_rlnTomoSizeY\n_rlnTomoSizeZ\n"
        "TS_01 300 200 100\n",
        "tomograms.star",
    )
    (picks,) = read_picks(path)
    assert picks.positions[0].tolist() == [50, 100, 150]


def test_centred_angstrom_without_a_shape_say_what_to_give(file):
    with pytest.raises(InputError, match=r"centre of the tomogram: give the shape \(z, y, x\)"):
        read_picks(file(CENTRED))
    with pytest.raises(InputError, match="give the pixel size"):
        text = CENTRED.replace("_rlnTomoTiltSeriesPixelSize", "_rlnVoltage")
        read_picks(file(text), shapes={"TS_01": (100, 200, 300)})


def test_centred_angstrom_round_trip(file, tmp_path):
    shapes = {"TS_01": (100, 200, 300)}
    found = read_picks(file(CENTRED), shapes=shapes)
    write_picks(found, tmp_path / "out.star", shapes=shapes)
    frame = starfile.read(tmp_path / "out.star")["particles"]
    assert frame["rlnCenteredCoordinateXAngst"].tolist() == [0, 20]
    assert frame["rlnCenteredCoordinateZAngst"].tolist() == [0, 4]


def test_new_relion5_tomogram_particles(tmp_path):
    shapes = {"a": (100, 200, 300)}
    picks = table(3, images=("a",))
    (path,) = write_picks(picks, tmp_path / "p.star", format="relion5-tomo", shapes=shapes)
    assert_same(read_picks(path, shapes=shapes), picks)
    with pytest.raises(InputError, match="give the shape"):
        write_picks(picks, path, format="relion5-tomo")
    with pytest.raises(InputError, match="give pixel_size"):
        no_size = table(3, images=("a",), pixel_size=None)
        write_picks(no_size, path, format="relion5-tomo", shapes=shapes)


def test_unset_figures_of_merit_are_no_scores_and_are_written_again(file, tmp_path):
    found = read_picks(file(PER_MICROGRAPH.replace("0.5\n", "-999\n").replace("-1\n", "-999\n")))
    assert found.picks[0].scores is None
    write_picks(found, tmp_path / "out.star")
    frame = starfile.read(tmp_path / "out.star")
    assert frame["rlnAutopickFigureOfMerit"].tolist() == [-999, -999]


def test_images_without_scores_beside_scored_ones_are_unset(tmp_path):
    scored, unscored = table(2, ("a",)).picks[0], table(2, ("b",), scores=False).picks[0]
    write_picks(PicksTable((scored, unscored)), tmp_path / "out.star")
    frame = starfile.read(tmp_path / "out.star")["particles"]
    assert frame["rlnAutopickFigureOfMerit"].tolist()[3:] == [-999, -999, -999]


def test_slices_of_a_stack_get_relions_names(tmp_path):
    write_picks(table(2, images=("stack.mrcs#0", "stack.mrcs#11")), tmp_path / "out.star")
    frame = starfile.read(tmp_path / "out.star")["particles"]
    assert set(frame["rlnMicrographName"]) == {"000001@stack.mrcs", "000012@stack.mrcs"}


@pytest.mark.parametrize("name", ["with blank.mrc", "a#b.mrc", "0042", "ä_é.mrc"])
def test_odd_names_of_images_survive(tmp_path, name):
    write_picks(table(2, images=(name,)), tmp_path / "out.star")
    assert read_picks(tmp_path / "out.star").images == [name]


def test_columns_of_other_formats_do_not_become_labels(tmp_path):
    picks = Picks("a", np.array([[1.0, 2.0]]), columns={"width": np.array([9.0])})
    write_picks(PicksTable.of([picks]), tmp_path / "out.star")
    assert "width" not in (tmp_path / "out.star").read_text()


def test_a_file_without_rows_gives_an_empty_table(file, tmp_path):
    joined = "\n".join(JOINED.splitlines()[:-3]) + "\n"
    with pytest.warns(InputWarning, match="holds no picks"):
        found = read_picks(file(joined))
    assert len(found) == 0
    write_picks(found, tmp_path / "out.star")
    assert "_myOwnColumn" in (tmp_path / "out.star").read_text()
    single = "\n".join(PER_MICROGRAPH.splitlines()[:-2]) + "\n"
    with pytest.warns(InputWarning, match="holds no picks"):
        found = read_picks(file(single, "m.star"))
    assert found.images == ["m"]


def test_an_empty_loop_before_a_commented_block_is_read(file):
    parts = JOINED.split("# version 30001")
    empty = "\n".join(parts[2].splitlines()[:-3]) + "\n"
    with pytest.warns(InputWarning, match="holds no picks"):
        found = read_picks(file(f"{empty}\n# version 30001\n{parts[1]}"))
    assert len(found) == 0
    assert list(found.extra["star"].blocks) == ["particles", "optics"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no data_ block"),
        ("data_a\n\n_b 1\n", r"no particle coordinates \(blocks found: data_a\)"),
        (PER_MICROGRAPH + "1 2\n3 4 5 6 7\n", "is damaged"),
        (PER_MICROGRAPH.replace("10.5", "ten"), "not a number"),
        (PER_MICROGRAPH.replace("10.5", "nan"), "no number for a coordinate in row 1"),
        (PER_MICROGRAPH + "\ndata_", "is damaged"),
    ],
)
def test_damaged_files_are_one_sentence(file, text, message):
    with pytest.raises(InputError, match=message):
        read_picks(file(text))


def test_a_rewritten_file_is_read_anew(file):
    assert read_picks(file(PER_MICROGRAPH)).n_picks == 2
    assert read_picks(file(PER_MICROGRAPH + "12 22 3\n")).n_picks == 3


def test_several_blocks_of_coordinates_warn(shared_data):
    with pytest.warns(InputWarning, match="data_block_2 was read, data_block_3 was not"):
        found = read_picks(shared_data / "formats/starfile/rln3.1_data_style.star")
    assert found.n_picks == 2


def test_a_single_particle_in_a_block_without_loop(file):
    (picks,) = read_picks(file("data_\n\n_rlnCoordinateX 4\n_rlnCoordinateY 5\n"))
    assert picks.positions.tolist() == [[5, 4]]


ZOO = [
    ("cryocat/relion_3.0.star", 3, 1, 3, None),
    ("cryocat/relion_3.1_optics.star", 3, 2, 3, None),
    ("cryocat/relion_4.0.star", 3, 13, 1746, 1.971),
    ("cryocat/relion5_clean_warp2_particles_matching.star", 3, 5, 1218, 0.7894),
    ("cryodrgn/relion31.star", 2, 1, 5, 1.403),
    ("cryodrgn/relion31.v2.star", 2, 1, 5, 1.403),
    ("cryodrgn/relion31.6opticsgroups.star", 2, 139, 139, 1.035),
    ("cryodrgn/relion5.star", 2, 2, 17, 0.89),
    ("cryodrgn/FinalRefinement-OriginalParticles-PfCRT.star", 2, 3, 5, None),
    ("pytom/relion_with_optics_group.star", 2, 1, 60, 0.796),
    ("pytom/subtomo_format.star", 3, 8, 1037, None),
    ("topaz_empiar10025/particles.star", 2, 30, 1500, None),
    ("starfile/one_loop.star", 3, 1, 16, None),
]


@pytest.mark.parametrize(("name", "ndim", "images", "n", "pixel_size"), ZOO)
def test_dialects_of_the_zoo_round_trip(shared_data, tmp_path, name, ndim, images, n, pixel_size):
    path = shared_data / "formats" / name
    found = read_picks(path)
    assert (len(found), found.n_picks) == (images, n)
    assert {picks.ndim for picks in found} == {ndim}
    assert found.picks[0].pixel_size == pixel_size
    write_picks(found, tmp_path / "again.star")
    before = starfile.read(path, always_dict=True)
    after = starfile.read(tmp_path / "again.star", always_dict=True)
    assert list(after) == list(before)
    for block in before:
        if block in ("optics", "general"):
            assert str(after[block]) == str(before[block])
    key = found.extra["star"].particles
    assert list(after[key].columns) == list(before[key].columns)
    expected = before[key].assign(order=range(n))
    column = found.extra["star"].image_column
    groups = expected.groupby(column, sort=False)["order"]
    order = np.concatenate([np.asarray(rows) for _, rows in groups])
    for label in before[key].columns:
        ours, theirs = after[key][label].tolist(), before[key][label].iloc[order].tolist()
        if before[key][label].dtype.kind in "if":
            np.testing.assert_allclose(ours, theirs, rtol=1e-6, err_msg=label)
        else:
            assert ours == theirs, label


def test_the_manual_picks_of_the_zoo_have_no_scores(shared_data):
    name = "micrographs/empiar10017_betagal/manual_yflipped_14_57_34.star"
    (picks,) = read_picks(shared_data / name)
    assert len(picks) == 612
    assert picks.scores is None
    assert picks.positions[0].tolist() == [3477, 3822]
