import numpy as np
import pytest
from scipy.spatial.distance import pdist

from napari_cryoml._errors import InputWarning
from napari_cryoml.simulate import MicrographConfig, simulate_micrograph
from napari_cryoml.simulate._density import random_complex
from napari_cryoml.simulate._micrographs import _add

CLEAN = {
    "ice": 0,
    "gold": 0,
    "aggregates": 0,
    "fragments": 0,
    "carbon": 0,
    "hot_pixels": 0,
    "gradient": 0,
    "contrast_variation": 0,
}


def config(**options):
    return MicrographConfig(**({"shape": (256, 300), "diameter": 30, "n_particles": 12} | options))


def within(shape, positions, radius):
    grid = np.moveaxis(np.indices(shape), 0, -1)
    near = np.zeros(shape, bool)
    for position in positions:
        near |= np.linalg.norm(grid - position, axis=-1) <= radius
    return near


def test_the_truth_belongs_to_the_image():
    made = simulate_micrograph(config(), 0, name="mic_7.mrc")
    assert made.image.shape == (256, 300)
    assert made.image.dtype == np.float32
    assert made.image.min() >= 0
    assert made.picks.image == "mic_7.mrc"
    assert (made.picks.pixel_size, made.picks.diameter) == (4.0, 30)
    assert made.orientations.shape == (len(made.picks), 3, 3)
    assert (made.picks.positions >= 0).all()
    assert (made.picks.positions <= [255, 299]).all()
    assert 1.5 <= made.defocus_um <= 3.0


def test_same_seed_same_micrograph():
    first, second, other = (simulate_micrograph(config(), seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.picks.positions, second.picks.positions)
    assert not np.array_equal(first.image, other.image)


def test_protein_is_dark():
    made = simulate_micrograph(config(**CLEAN, snr=1.0), 0)
    near = within(made.image.shape, made.picks.positions, 9)
    far = ~within(made.image.shape, made.picks.positions, 25)
    far[:20], far[-20:], far[:, :20], far[:, -20:] = False, False, False, False
    assert made.image[near].mean() < made.image[far].mean() - 3


@pytest.mark.parametrize("snr", [0.05, 0.5])
def test_snr_is_what_it_says(snr):
    options = config(**CLEAN, snr=snr, n_particles=25, shape=(512, 512), min_distance=1.5)
    made = simulate_micrograph(options, 3)
    inner = ((made.picks.positions > 20) & (made.picks.positions < 491)).all(axis=1)
    disc = within(made.image.shape, made.picks.positions[inner], 15)
    assert np.mean(made.clean[disc] ** 2) == pytest.approx(snr, rel=0.15)
    counts = made.image.astype(float)
    exposure = counts.mean() / 100
    noise = (counts / exposure - 100) / 10 - made.clean
    assert noise.std() == pytest.approx(1, abs=0.03)


def test_fixed_number_and_least_distance_are_kept():
    options = config(**CLEAN, count="fixed", n_particles=17, min_distance=1.0)
    positions = simulate_micrograph(options, 0).picks.positions
    assert len(positions) == 17
    assert pdist(positions).min() >= 30


def test_the_poisson_number_varies_about_its_mean():
    numbers = [
        len(simulate_micrograph(config(shape=(64, 64), diameter=6, min_distance=0), s).picks)
        for s in range(16)
    ]
    assert len(set(numbers)) > 4
    assert np.mean(numbers) == pytest.approx(12, abs=3)


def test_a_crowd_that_finds_no_room_is_warned_about():
    with pytest.warns(InputWarning, match="of 500 particles"):
        made = simulate_micrograph(config(**CLEAN, count="fixed", n_particles=500), 0)
    assert 20 < len(made.picks) < 500


def test_particles_cut_by_the_frame_are_drawn_but_not_in_the_truth():
    made = simulate_micrograph(config(**CLEAN, n_particles=40, snr=5.0, min_distance=1.2), 1)
    explained = within(made.image.shape, made.picks.positions, 22)
    rest = np.where(explained, 0, made.clean)
    assert np.abs(rest[:8]).max() > 0.5 or np.abs(rest[-8:]).max() > 0.5
    assert np.abs(rest[24:-24, 24:-24]).max() < 0.5


def test_particles_keep_off_contaminants():
    made = simulate_micrograph(config(ice=4, carbon=1, gold=2, n_particles=30), 4)
    assert {c.kind for c in made.contaminants} >= {"ice", "carbon", "gold"}
    assert len(made.picks) > 0
    for contaminant in made.contaminants:
        assert not contaminant.covers(made.picks.positions).any()


def test_an_empty_micrograph_holds_noise_alone():
    made = simulate_micrograph(config(**CLEAN, n_particles=0), 0)
    assert made.picks.positions.shape == (0, 2)
    np.testing.assert_allclose(made.clean, 0, atol=1e-6)
    assert made.image.std() > 5


def test_the_structure_does_not_follow_the_seed():
    one, two = (
        simulate_micrograph(config(**CLEAN, structure=s, n_particles=3), 5).clean for s in (0, 1)
    )
    assert not np.allclose(one, two)


def test_the_species_can_be_given():
    options = config(**CLEAN, symmetry="C3", structure=4, n_particles=3)
    same = random_complex(options.diameter, "C3", 4)
    other = random_complex(options.diameter, "D2", 5)
    by_name, given, different = (
        simulate_micrograph(options, 1, species=species).clean for species in (None, same, other)
    )
    np.testing.assert_array_equal(given, by_name)
    assert not np.allclose(different, by_name)


def test_hot_pixels_stand_out():
    made = simulate_micrograph(config(hot_pixels=2, gold=0), 0)
    assert 1 <= np.count_nonzero(made.image > 5 * np.median(made.image)) <= 2


def test_a_cut_particle_is_the_same_as_in_a_larger_canvas():
    species = random_complex(20, "C1", seed=0)
    large, small = np.zeros((60, 60)), np.zeros((30, 60))
    for canvas in (large, small):
        _add(canvas, species, np.array([27.0, 30.5]), np.eye(3), 1.0)
    np.testing.assert_allclose(small, large[:30], atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"defocus_min_um": 3.0, "defocus_max_um": 1.0},
        {"shape": (4, 100)},
        {"symmetry": "Q3"},
        {"snr": 0},
    ],
)
def test_impossible_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options)).split("_")[0]):
        MicrographConfig(**options)
