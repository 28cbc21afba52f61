import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import starfile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from napari_cryoml._errors import InputWarning
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io import convert_picks, read_picks, scale, write_picks
from napari_cryoml.io._formats import _poses
from napari_cryoml.io._formats._poses import DYNAMO, MOTL, RELION, STOPGAP

CONVENTIONS = [RELION, DYNAMO, MOTL, STOPGAP]
# Format and suffix of each file that holds poses.
FILES = [
    ("star", ".star"),
    ("relion5-tomo", ".star"),
    ("stopgap", ".star"),
    ("dynamo", ".tbl"),
    ("motl", ".em"),
    ("csv", ".csv"),
    ("copick", ".json"),
    ("portal", ".ndjson"),
]
CLASSY = [file for file in FILES if file[0] not in {"copick", "portal"}]
SHAPES = {"t": (200, 300, 400)}
X, Y, Z = (np.array(v, float) for v in ([0, 0, 1], [0, 1, 0], [1, 0, 0]))  # offsets zyx


def table(n=4, seed=0, **options):
    rng = np.random.default_rng(seed)
    rotations = Rotation.random(n, rng=seed).as_matrix()
    positions = rng.uniform(20, 180, (n, 3))
    picks = Picks("t", positions, None, 10.0, None, rotations=rotations, **options)
    return PicksTable.of([picks])


def turned(convention, angles, offset):
    return (convention.matrices([angles])[0] @ offset).round(12) + 0.0


def test_relion_turns_the_views_axis_onto_the_beam():
    """RELION's rot and tilt name the direction in the reference that is seen along the beam.

    (Heymann et al. 2005: the view vector is cos(rot) sin(tilt), sin(rot) sin(tilt), cos(tilt).) So
    a tilt of 90 degrees brings +x of the reference to the beam's +z in the image.
    """
    np.testing.assert_array_equal(turned(RELION, (0, 90, 0), X), Z)
    np.testing.assert_array_equal(turned(RELION, (90, 90, 0), Y), Z)
    # psi turns the image's frame by +90 about z: what lay along x is then seen along -y.
    np.testing.assert_array_equal(turned(RELION, (0, 0, 90), X), -Y)


def test_dynamo_turns_the_template_clockwise():
    """Dynamo's wiki: the template rotates clockwise about its z axis, then about its new x axis.

    Seen from +z, where x points right and y up, clockwise brings +y to +x; seen from +x, it brings
    +z to +y.
    """
    np.testing.assert_array_equal(turned(DYNAMO, (90, 0, 0), Y), X)
    np.testing.assert_array_equal(turned(DYNAMO, (0, 90, 0), Z), Y)
    # First z, then the new x: +z goes to the new y, which tdrot has brought to +x.
    np.testing.assert_array_equal(turned(DYNAMO, (90, 90, 0), Z), X)


@pytest.mark.parametrize("convention", [MOTL, STOPGAP])
def test_motive_lists_turn_the_reference_counter_clockwise(convention):
    """TOM and STOPGAP rotate the reference about the fixed z by phi, x by theta, and z by psi.

    Columns are named in the order of the rotations. Counter-clockwise about z brings +x to +y,
    about x +y to +z.
    """
    np.testing.assert_array_equal(turned(convention, (90, 0, 0), X), Y)
    np.testing.assert_array_equal(turned(convention, (0, 90, 0), Y), Z)
    # x -> y by phi, y -> z by theta, and psi about z leaves it.
    np.testing.assert_array_equal(turned(convention, (90, 90, 35), X), Z)


def test_a_pair_of_relion_and_dynamo_that_is_known_to_be_one_pose():
    """Both programs make the same average of these (the pair of teamtomo's eulerangles)."""
    dynamo = DYNAMO.matrices([[-47.2730, 1.1777, -132.3000]])
    np.testing.assert_allclose(RELION.matrices([[137.7, 1.1777, 42.727]]), dynamo, atol=1e-12)


@pytest.mark.parametrize("convention", CONVENTIONS)
@settings(max_examples=40, deadline=None)
@given(quaternion=st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1))
def test_angles_and_matrices_are_inverse(convention, quaternion):
    matrix = Rotation.from_quat(quaternion).as_matrix()[None]
    again = convention.matrices(convention.angles(matrix))
    np.testing.assert_allclose(again, matrix, atol=1e-7)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_unknown_orientations_stay_unknown(convention):
    matrices = np.stack([np.eye(3), np.full((3, 3), np.nan)])
    angles = convention.angles(matrices)
    assert np.isfinite(angles[0]).all()
    assert np.isnan(angles[1]).all()
    assert np.isnan(convention.matrices(angles)[1]).all()


def test_matrices_of_columns_zyx_and_xyz():
    about_z = Rotation.from_euler("z", 90, degrees=True).as_matrix()  # +x to +y
    np.testing.assert_allclose(_poses.other_axes(about_z) @ X, Y, atol=1e-12)


@pytest.mark.parametrize(("name", "suffix"), FILES)
@pytest.mark.parametrize("seed", range(3))
def test_a_file_gives_its_poses_back(tmp_path, name, suffix, seed):
    before = table(seed=seed)
    (path, *_) = write_picks(before, tmp_path / f"t{suffix}", format=name, shapes=SHAPES)
    after = read_picks(path, shapes=SHAPES).picks[0]
    np.testing.assert_allclose(after.rotations, before.picks[0].rotations, atol=1e-6)
    np.testing.assert_allclose(after.positions, before.picks[0].positions, atol=1e-4)


@pytest.mark.parametrize(("first", "first_suffix"), FILES)
@pytest.mark.parametrize(("second", "second_suffix"), FILES)
def test_the_pose_is_the_same_in_each_format(tmp_path, first, first_suffix, second, second_suffix):
    before = table(seed=5)
    one, two = tmp_path / "one" / f"t{first_suffix}", tmp_path / "two" / f"t{second_suffix}"
    write_picks(before, one, format=first, shapes=SHAPES)
    convert_picks(one, two, target_format=second, shapes=SHAPES, pixel_size=10.0)
    after = read_picks(two, shapes=SHAPES).picks[0]
    np.testing.assert_allclose(after.rotations, before.picks[0].rotations, atol=1e-6)
    np.testing.assert_allclose(after.positions, before.picks[0].positions, atol=1e-4)


@pytest.mark.parametrize(("name", "suffix"), [("star", ".star"), ("stopgap", ".star")])
def test_angles_that_are_as_they_were_are_written_as_they_were(tmp_path, name, suffix):
    path = tmp_path / f"t{suffix}"
    write_picks(table(3), path, format=name)
    text = path.read_text()
    write_picks(read_picks(path), path, format=name)
    assert path.read_text() == text


def test_angles_beyond_half_a_turn_are_kept_and_changed_ones_replaced(tmp_path):
    path = tmp_path / "t.star"
    write_picks(table(2), path)
    frame = starfile.read(path, always_dict=True)["particles"]
    frame[list(RELION.columns)] = [[3867.465, 671.269, 10742.958], [10.0, 20.0, 30.0]]
    starfile.write(frame, path, overwrite=True)
    found = read_picks(path)
    changed = found.picks[0].rotations.copy()
    changed[1] = RELION.matrices([[1, 2, 3]])[0]
    picks = replace(found.picks[0], rotations=changed)
    write_picks(PicksTable((picks,), found.extra), path)
    angles = starfile.read(path)[list(RELION.columns)].to_numpy()
    np.testing.assert_allclose(angles, [[3867.465, 671.269, 10742.958], [1, 2, 3]])


def test_the_box_of_a_relion_particle_turns_it_too(tmp_path):
    """rlnAngle... turn the reference in the box, and rlnTomoSubtomogram... the box with it."""
    path = tmp_path / "t.star"
    frame = {"rlnTomoName": ["t", "t"], "rlnCoordinateX": [50.0, 60.0]}
    frame |= {"rlnCoordinateY": [50.0, 60.0], "rlnCoordinateZ": [50.0, 60.0]}
    inner, outer = [[0, 0, 90], [5, 6, 7]], [[0, 90, 0], [40, 50, 60]]
    for convention, angles in ((RELION, inner), (_poses.RELION_BOX, outer)):
        frame |= dict(zip(convention.columns, np.array(angles, float).T, strict=True))
    frame |= {"rlnOriginXAngst": [4.0, 0], "rlnOriginYAngst": [0.0, 0], "rlnOriginZAngst": [0.0, 0]}
    frame |= {"rlnTomoTiltSeriesPixelSize": [2.0, 2.0]}
    starfile.write(pd.DataFrame(frame), path)
    found = read_picks(path)
    picks = found.picks[0]
    # In the box +x goes to -y by psi, which the box's tilt about y leaves.
    np.testing.assert_allclose(picks.rotations[0] @ X, -Y, atol=1e-12)
    expected = _poses.RELION_BOX.matrices(outer) @ RELION.matrices(inner)
    np.testing.assert_allclose(picks.rotations, expected, atol=1e-12)
    # The origin of 2 voxels along x of the box, which lies along z of the tomogram, is subtracted.
    np.testing.assert_allclose(picks.positions, [[48, 50, 50], [60, 60, 60]], atol=1e-9)
    again = tmp_path / "again.star"
    turned = replace(picks, rotations=np.stack([np.eye(3), picks.rotations[1]]))
    write_picks(PicksTable((turned,), found.extra), again)
    written = read_picks(again).picks[0]
    np.testing.assert_allclose(written.rotations, turned.rotations, atol=1e-6)
    np.testing.assert_allclose(written.positions, picks.positions, atol=1e-6)
    columns = starfile.read(again)
    np.testing.assert_allclose(columns[list(_poses.RELION_BOX.columns)], outer)
    np.testing.assert_allclose(columns[list(RELION.columns)].iloc[1], inner[1])
    assert columns["rlnCoordinateZ"].tolist() == pytest.approx([50, 60])


@pytest.mark.parametrize(
    ("name", "suffix", "labels", "sign"),
    [
        ("star", ".star", ("rlnOriginX", "rlnOriginY", "rlnOriginZ"), -1),
        ("stopgap", ".star", ("x_shift", "y_shift", "z_shift"), 1),
        ("dynamo", ".tbl", ("dx", "dy", "dz"), 1),
        ("motl", ".em", ("shift_x", "shift_y", "shift_z"), 1),
    ],
)
def test_shifts_move_the_particles_and_stay_in_the_file(tmp_path, name, suffix, labels, sign):
    before = table(2).picks[0]
    shifts = dict(zip(labels, np.array([[1.0, 2, 3], [0, 0, 0.5]]).T, strict=True))
    plain, path = tmp_path / f"plain{suffix}", tmp_path / f"t{suffix}"
    moved = replace(before, columns=shifts)
    write_picks(PicksTable.of([moved]), path, format=name)
    found = read_picks(path).picks[0]
    np.testing.assert_allclose(found.positions, before.positions, atol=1e-4)
    # Without its shift, the particle's coordinates are those that were written.
    without = {key: value for key, value in found.columns.items() if key not in labels}
    zeros = dict.fromkeys(labels, np.zeros(2))
    by_hand = sign * np.column_stack([shifts[label] for label in labels[::-1]])
    coordinates = replace(found, positions=found.positions - by_hand, columns=without | zeros)
    write_picks(PicksTable.of([coordinates]), plain, format=name)
    np.testing.assert_allclose(
        read_picks(plain).picks[0].positions, before.positions - by_hand, atol=1e-4
    )
    for label, values in shifts.items():
        np.testing.assert_allclose(found.columns[label], values)


def test_shifts_in_angstrom_need_a_pixel_size(tmp_path):
    path = tmp_path / "t.star"
    columns = {f"rlnOrigin{axis}Angst": np.array([6.0]) for axis in "XYZ"}
    write_picks(PicksTable.of([Picks("t", np.full((1, 3), 50.0), columns=columns)]), path)
    with pytest.warns(InputWarning, match="no pixel size of its coordinates"):
        without = read_picks(path)
    assert without.picks[0].positions.tolist() == [[50, 50, 50]]
    told = read_picks(path, pixel_size=2.0)
    assert told.picks[0].positions.tolist() == [[47, 47, 47]]
    for found in (without, told):
        again = write_picks(found, tmp_path / "again.star")[0]
        frame = starfile.read(again)
        assert frame["rlnCoordinateX"].tolist() == [50]
        assert frame["rlnOriginXAngst"].tolist() == [6]
    halved = scale(told, 0.5)
    write_picks(halved, path)
    assert read_picks(path, pixel_size=4.0).picks[0].positions.tolist() == [[23.5, 23.5, 23.5]]


def test_nobody_has_aligned_angles_that_are_all_zero(tmp_path):
    for name in ("t.star", "t.tbl", "t.em"):
        unaligned = PicksTable.of([Picks("t", np.full((2, 3), 5.0))])
        (path, *_) = write_picks(unaligned, tmp_path / name)
        assert read_picks(path).picks[0].rotations is None


def test_matrices_in_json_turn_the_reference_and_act_on_xyz(tmp_path):
    """A particle whose x axis points along y of the tomogram: the first column is 0, 1, 0."""
    matrix = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    place = {"x": 1.0, "y": 2.0, "z": 3.0}
    points = [{"location": place, "xyz_rotation_matrix": m} for m in (matrix, None, [[1]])]
    path = tmp_path / "t.ndjson"
    path.write_text("\n".join(map(json.dumps, points)))
    rotations = read_picks(path).picks[0].rotations
    np.testing.assert_allclose(rotations[0] @ X, Y, atol=1e-12)
    assert np.isnan(rotations[1:]).all()
    write_picks(read_picks(path), path)
    written = [json.loads(line) for line in path.read_text().splitlines()]
    assert [point.get("xyz_rotation_matrix") for point in written] == [matrix, None, [[1]]]


def test_an_image_without_poses_beside_one_with_them(tmp_path):
    with_poses = table(2).picks[0]
    both = PicksTable.of([with_poses, Picks("u", np.full((1, 3), 5.0))])
    (path, *_) = write_picks(both, tmp_path / "t.csv")
    found = read_picks(path)
    np.testing.assert_allclose(found["t"].rotations, with_poses.rotations, atol=1e-9)
    np.testing.assert_allclose(found["u"].rotations, np.eye(3)[None])


def test_formats_without_angles_say_what_they_leave_out(tmp_path):
    with pytest.warns(InputWarning, match=r"'coords' holds no orientations: those of 4 particles"):
        write_picks(table(), tmp_path / "t.coords")


@pytest.mark.parametrize(("name", "suffix"), CLASSY)
@pytest.mark.parametrize(
    "names", [["ribosome", "", "26S proteasome", "ribosome"], ["2", "", "7", "2"]]
)
def test_names_of_classes_survive(tmp_path, name, suffix, names):
    before = table(columns={"class": np.array(names)})
    path = write_picks(before, tmp_path / f"t{suffix}", format=name, shapes=SHAPES)[0]
    after = read_picks(path, shapes=SHAPES)
    assert after.picks[0].columns["class"].tolist() == names
    (again, *_) = write_picks(after, tmp_path / f"u{suffix}", format=name, shapes=SHAPES)
    assert read_picks(again, shapes=SHAPES).picks[0].columns["class"].tolist() == names


@pytest.mark.parametrize("name", ["star", "relion5-tomo"])
def test_confidence_of_classes_survives_in_star_files(tmp_path, name):
    sure = np.array([0.9, np.nan, 0.25, 1], np.float32)
    before = table(columns={"class": np.array(["b", "", "a", "b"]), "confidence": sure})
    path = write_picks(before, tmp_path / "t.star", format=name, shapes=SHAPES)[0]
    written = starfile.read(path)["particles"]["cryomlConfidence"]
    assert written.tolist() == [0.9, -1, 0.25, 1]
    after = read_picks(path, shapes=SHAPES)
    np.testing.assert_array_equal(after.picks[0].columns["confidence"], sure)
    (again,) = write_picks(after, tmp_path / "u.star", format=name, shapes=SHAPES)
    assert starfile.read(again)["particles"]["cryomlConfidence"].tolist() == [0.9, -1, 0.25, 1]


def test_relion_sees_numbers_of_classes(tmp_path):
    columns = {"class": np.array(["b", "a", "", "b"])}
    frame = starfile.read(write_picks(table(columns=columns), tmp_path / "t.star")[0])
    assert frame["particles"]["rlnClassNumber"].tolist() == [2, 1, 0, 2]
    columns["rlnClassNumber"] = np.array([5, 5, 5, 6])
    frame = starfile.read(write_picks(table(columns=columns), tmp_path / "t.star")[0])
    assert frame["particles"]["rlnClassNumber"].tolist() == [5, 5, 5, 6]


def test_numbers_take_away_the_names_of_an_older_file(tmp_path):
    path = tmp_path / "t.tbl"
    write_picks(table(columns={"class": np.array(list("abca"))}), path)
    assert (tmp_path / "t.classes.doc").read_text() == "1 a\n2 b\n3 c\n"
    write_picks(table(columns={"class": np.array(list("1231"))}), path)
    assert not (tmp_path / "t.classes.doc").exists()
    assert read_picks(path).picks[0].columns["class"].tolist() == list("1231")


def test_stopgap_files_are_told_from_relions(tmp_path):
    (path,) = write_picks(table(), tmp_path / "t.star", format="stopgap")
    assert "data_stopgap_motivelist" in path.read_text()
    first = starfile.read(path).iloc[0]
    expected = table().picks[0].positions[0] + 1
    np.testing.assert_allclose(first[["orig_z", "orig_y", "orig_x"]].tolist(), expected)
    assert first["halfset"] == "A"


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "formats/cryocat/relion_4.0.star",
        "formats/cryocat/relion_3.1_optics2.star",
        "formats/cryocat/relion5_clean_warp2_particles_matching.star",
        "formats/cryocat/b4_motl_CR_tm_topbott_clean600_1_dynamo.tbl",
        "formats/cryocat/au_1.em",
        "tomograms/chlamydomonas_empiar11830/atpase.star",
        "tomograms/chlamydomonas_empiar11830/putative_prohibitin.star",
    ],
)
@pytest.mark.parametrize(("second", "suffix"), CLASSY)
@pytest.mark.filterwarnings("ignore::napari_cryoml._errors.InputWarning")
def test_real_poses_pass_through_each_format(shared_data, tmp_path, name, second, suffix):
    before = read_picks(shared_data / name, pixel_size=2.0)
    shapes = dict.fromkeys(before.images, (4000, 8000, 8000))
    path = write_picks(
        before, tmp_path / f"t{suffix}", format=second, shapes=shapes, pixel_size=2.0
    )[0]
    after = read_picks(path, shapes=shapes)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_allclose(other.rotations, one.rotations, atol=1e-5)
        np.testing.assert_allclose(other.positions, one.positions, atol=2e-3)
