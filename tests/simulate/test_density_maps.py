import gzip

import numpy as np
import pytest

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.io import write_mrc
from napari_cryoml.simulate import DensityMap, procedural_maps, read_map
from napari_cryoml.simulate._density import render
from napari_cryoml.simulate._density_maps import boxed
from napari_cryoml.simulate._structures import read_atoms, splat

ATOM = (
    "HETATM{n:5d} {name:<4s} LIG A{n:4d}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00          {el:>2s}"
)


def pdb(path, atoms):
    """Write atoms (element, x, y, z)."""
    lines = [
        ATOM.format(n=n + 1, name=element, x=x, y=y, z=z, el=element)
        for n, (element, x, y, z) in enumerate(atoms)
    ]
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt") as file:
        file.write("\n".join([*lines, "END", ""]))
    return path


def gaussian(centre, sigma=2.0, shape=(24, 26, 28)):
    return render(np.array([centre], float), sigma, shape).astype(np.float32)


def centre_of_mass(array):
    grid = np.stack(np.indices(array.shape), axis=-1)
    return (grid * array[..., None]).sum(axis=(0, 1, 2)) / array.sum()


@pytest.mark.parametrize("scale", [1.0, 0.001, 500.0])
@pytest.mark.parametrize("ground", [0.0, 3.0])
def test_maps_of_any_scale_and_ground_are_alike(tmp_path, scale, ground):
    array = gaussian((10.3, 15, 12.6)) * scale + ground * scale
    write_mrc(tmp_path / "thing.mrc", array, 5.0)
    made = read_map(tmp_path / "thing.mrc", box=20)
    assert (made.name, made.pixel_size, made.array.shape) == ("thing", 5.0, (20, 20, 20))
    assert np.mean(made.array**2) == pytest.approx(1)
    expected = gaussian((10, 10, 10), shape=(20,) * 3)
    expected /= np.sqrt(np.mean(expected**2))
    np.testing.assert_allclose(made.array, expected, atol=0.02 * expected.max())


@pytest.mark.parametrize("pixel_size", [3.0, 5.0, 7.3])
def test_another_grid_shows_the_same_blob(tmp_path, pixel_size):
    write_mrc(tmp_path / "thing.mrc", gaussian((10.3, 15, 12.6), sigma=3.0), 5.0)
    made = read_map(tmp_path / "thing.mrc", pixel_size=pixel_size, box=24)
    expected = gaussian((12, 12, 12), sigma=15 / pixel_size, shape=(24,) * 3)
    expected /= np.sqrt(np.mean(expected**2))
    np.testing.assert_allclose(made.array, expected, atol=0.02 * expected.max())


def test_the_default_box_holds_the_complex(tmp_path):
    write_mrc(tmp_path / "thing.mrc", gaussian((12, 13, 14)), 5.0)
    made = read_map(tmp_path / "thing.mrc")
    assert made.array.shape[0] == 2 * np.ceil(1.25 * made.radius)
    assert made.radius == pytest.approx(2 * np.sqrt(2 * np.log(10)) + 0.5, abs=1)


@pytest.mark.parametrize("name", ["two.pdb", "two.ent", "two.pdb.gz"])
def test_two_atoms_fall_on_their_voxels_in_zyx(tmp_path, name):
    path = pdb(tmp_path / name, [("C", 0, 0, 0), ("C", 40.0, 20.0, -60.0)])
    made = read_map(path, pixel_size=10.0, box=16)
    assert made.name == "two"
    brightest = np.argsort(made.array.ravel())[-2:]
    voxels = {tuple(int(i) for i in np.unravel_index(v, made.array.shape)) for v in brightest}
    # x 0 to 40, y 0 to 20, z -60 to 0: about the middle, in steps of 10 angstrom.
    assert voxels == {(11, 7, 6), (5, 9, 10)}


def test_heavier_atoms_are_brighter_and_water_is_left_out(tmp_path):
    path = pdb(tmp_path / "one.pdb", [("C", 0, 0, 0), ("FE", 0, 0, 30)])
    with path.open("r+") as file:
        text = file.read().replace("END", ATOM.format(n=3, name="O", x=0, y=0, z=0, el="O"))
        file.seek(0)
        file.write(text.replace("O    LIG A   3", "O    HOH A   3"))
    positions, weights = read_atoms(path)
    np.testing.assert_allclose(positions, [[0, 0, 0], [30, 0, 0]])
    assert weights[1] / weights[0] == pytest.approx(7.17 / 2.51, rel=0.02)


def test_an_assembly_is_built(tmp_path):
    path = pdb(tmp_path / "half.pdb", [("C", 20, 0, 0)])
    remarks = [
        "REMARK 350 BIOMOLECULE: 1",
        "REMARK 350 APPLY THE FOLLOWING TO CHAINS: A",
        "REMARK 350   BIOMT1   1  1.000000  0.000000  0.000000        0.00000",
        "REMARK 350   BIOMT2   1  0.000000  1.000000  0.000000        0.00000",
        "REMARK 350   BIOMT3   1  0.000000  0.000000  1.000000        0.00000",
        "REMARK 350   BIOMT1   2 -1.000000  0.000000  0.000000        0.00000",
        "REMARK 350   BIOMT2   2  0.000000 -1.000000  0.000000        0.00000",
        "REMARK 350   BIOMT3   2  0.000000  0.000000  1.000000        0.00000",
    ]
    path.write_text("\n".join([*remarks, path.read_text()]))
    np.testing.assert_allclose(sorted(read_atoms(path)[0][:, 2]), [-20, 20])


def test_a_splat_is_the_sum_of_gaussians():
    positions = np.array([[0.0, 0.0, 0.0], [3.3, 2.0, 5.7]])
    made = splat(positions, np.array([1.0, 2.0]), 1.5)
    placed = positions + np.ceil(4 * 1.5) + 1
    expected = sum(
        weight * render(place[None], 1.5, made.shape)
        for weight, place in zip((1, 2), placed, strict=True)
    )
    assert made.sum() == pytest.approx(3)
    np.testing.assert_allclose(made, expected, atol=1e-3 * expected.max())


def test_files_that_are_no_maps_are_told_in_a_sentence(tmp_path):
    with pytest.raises(InputError, match="was not found"):
        read_map(tmp_path / "none.pdb")
    (tmp_path / "bad.pdb").write_text("hello")
    with pytest.raises(InputError, match=r"bad\.pdb holds no atoms"):
        read_map(tmp_path / "bad.pdb")
    (tmp_path / "bad.cif").write_text("hello")
    with pytest.raises(InputError, match=r"bad\.cif cannot be read as PDB or mmCIF"):
        read_map(tmp_path / "bad.cif")
    write_mrc(tmp_path / "flat.mrc", np.ones((8, 8), np.float32), 1.0)
    with pytest.raises(InputError, match="three axes"):
        read_map(tmp_path / "flat.mrc")
    write_mrc(tmp_path / "sizeless.mrc", np.ones((8, 8, 8), np.float32))
    with pytest.raises(InputError, match="no voxel size"):
        read_map(tmp_path / "sizeless.mrc")
    write_mrc(tmp_path / "nothing.mrc", np.zeros((8, 8, 8), np.float32), 1.0)
    with pytest.raises(InputError, match="not all 0"):
        read_map(tmp_path / "nothing.mrc")


def test_a_box_that_is_too_small_is_told(tmp_path):
    write_mrc(tmp_path / "thing.mrc", gaussian((12, 13, 14), sigma=3.0), 5.0)
    with pytest.warns(InputWarning, match="does not fit into a box of 8 voxels"):
        read_map(tmp_path / "thing.mrc", box=8)


def test_made_up_complexes_differ_and_fit():
    maps = procedural_maps(6, 32, 10.0, seed=3)
    assert [entry.name for entry in maps[:2]] == ["complex_01", "complex_02"]
    assert all(4 < entry.radius < 13 for entry in maps)
    flat = np.stack([entry.array.ravel() for entry in maps])
    agreement = np.corrcoef(flat) - np.eye(6)
    assert agreement.max() < 0.95
    again = procedural_maps(6, 32, 10.0, seed=3)
    np.testing.assert_array_equal(maps[5].array, again[5].array)
    assert not np.array_equal(maps[5].array, procedural_maps(6, 32, 10.0, seed=4)[5].array)
    with pytest.raises(InputError, match="1 or more"):
        procedural_maps(0, 32, 10.0)


@pytest.mark.parametrize(("old", "new"), [(5, 8), (8, 5), (6, 4), (5, 7), (7, 7)])
def test_centres_stay_centres(old, new):
    array = np.zeros((old,) * 3, np.float32)
    array[(old // 2,) * 3] = 1
    made = boxed(array, new)
    assert made.shape == (new,) * 3
    assert np.argwhere(made).tolist() == [[new // 2] * 3]


def test_a_map_must_be_a_volume():
    with pytest.raises(InputError, match="volume of finite numbers"):
        DensityMap(np.ones((4, 4)), 1.0, "flat")
    with pytest.raises(InputError, match="size of its voxels"):
        DensityMap(np.ones((4, 4, 4)), 0.0, "sizeless")
