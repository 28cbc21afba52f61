import numpy as np
import pytest
from scipy import fft
from scipy.spatial.distance import cdist

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import MissingWedge, grid_frequencies
from napari_cryoml.evaluation import posed_signal_to_noise
from napari_cryoml.jobs import run_inline
from napari_cryoml.simulate import (
    DensityMap,
    TomogramConfig,
    procedural_maps,
    random_rotations,
    simulate_tomogram,
    tomogram_job,
)
from napari_cryoml.simulate._central_slices import tilt_planes
from napari_cryoml.simulate._density import render
from napari_cryoml.simulate._neighbours import fill
from napari_cryoml.simulate._slab import Slab
from napari_cryoml.simulate._tilt_series import TiltSeriesConfig
from napari_cryoml.simulate._tomograms import _draw

MAPS = procedural_maps(2, 16, 10.0)
PLAIN = TiltSeriesConfig(snr=None, ctf=False, mtf=False)


def simulated(seed=0, maps=MAPS, **options):
    config = TomogramConfig(
        **({"shape": (24, 40, 48), "n_particles": 6, "tilt_step": 10, "box": 16} | options)
    )
    return simulate_tomogram(maps, config, seed)


def test_the_truth_belongs_to_the_tomogram():
    made = simulate_tomogram(
        MAPS, TomogramConfig(shape=(24, 40, 48), n_particles=6, box=16), name="tomo_7.mrc"
    )
    assert (made.image.shape, made.image.dtype) == ((24, 40, 48), np.float32)
    assert (made.picks.image, made.picks.pixel_size, made.pixel_size) == ("tomo_7.mrc", 10.0, 10.0)
    assert sorted(made.picks.columns["class"]) == ["complex_01"] * 3 + ["complex_02"] * 3
    np.testing.assert_allclose(np.linalg.det(made.picks.rotations), 1)
    assert made.wedge == MissingWedge(-60, 60)


def test_the_job_tells_each_particle_and_tilt():
    config = TomogramConfig(shape=(24, 40, 48), n_particles=6, tilt_step=20, box=16)
    events = []
    made = run_inline(tomogram_job(MAPS, config), events.append)
    n_tilts = len(config.tilts)
    assert [event.done for event in events] == list(range(6 + 2 * n_tilts + 1))
    assert {event.total for event in events} == {6 + 2 * n_tilts}
    np.testing.assert_array_equal(made.image, simulate_tomogram(MAPS, config).image)


def test_a_job_that_is_stopped_knows_the_particles_it_has_drawn():
    config = TomogramConfig(shape=(24, 40, 48), n_particles=6, tilt_step=20, box=16, snr=None)
    events = []
    job = tomogram_job(MAPS, config)
    made = run_inline(job, events.append, lambda: len(events) > 2)
    whole = simulate_tomogram(MAPS, config)
    assert len(made.picks) == 2
    assert set(map(tuple, made.picks.positions)) < set(map(tuple, whole.picks.positions))
    assert made.image.var() < whole.image.var()
    assert len(events) == 3 + len(config.tilts)


def test_a_seed_is_a_tomogram():
    first, again, other = simulated(), simulated(), simulated(seed=1)
    np.testing.assert_array_equal(first.image, again.image)
    assert not np.array_equal(first.picks.positions, other.picks.positions)


def test_particles_lie_inside_and_do_not_overlap():
    radii = [3.0, 5.0]
    kinds, positions = fill(np.arange(30) % 2, radii, (24, 40, 48), np.random.default_rng(0))
    own = np.take(radii, kinds)
    assert ((positions - own[:, None] >= 0) & (positions + own[:, None] <= [23, 39, 47])).all()
    apart = cdist(positions, positions) + np.diag(np.full(len(own), np.inf))
    assert (apart >= own[:, None] + own).all()


def test_particles_show_where_the_truth_says():
    made = simulated(snr=None, n_particles=3, maps=MAPS[:1], tilt_step=3)
    clear = np.ones(made.image.shape, bool)
    grid = np.moveaxis(np.indices(made.image.shape), 0, -1)
    for position in made.picks.positions:
        clear &= np.linalg.norm(grid - position, axis=-1) > MAPS[0].radius + 2
    assert np.square(made.image[clear]).mean() < 0.05 * np.square(made.image[~clear]).mean()
    assert made.image[~clear].mean() > 0
    dark = simulated(snr=None, n_particles=3, maps=MAPS[:1], tilt_step=3, dark=True)
    np.testing.assert_allclose(dark.image, -made.image, atol=1e-4)


def test_noise_has_deviation_one():
    assert simulated(snr=1e-6, tilt_step=3).image.std() == pytest.approx(1, rel=0.1)


def test_small_complexes_are_fainter():
    blobs = [
        DensityMap(render(np.full((1, 3), 12.0), sigma, (24,) * 3), 10.0, name)
        for name, sigma in (("small", 1.5), ("large", 3.0))
    ]
    made = simulated(
        snr=None, maps=blobs, shape=(48, 72, 72), n_particles=6, box=24, ctf=False, mtf=False
    )
    rows, boxes, _ = made.boxes(20)
    power = np.square(boxes).sum(axis=(1, 2, 3))
    names = made.picks.columns["class"][rows]
    assert power[names == "small"].mean() < 0.5 * power[names == "large"].mean()


@pytest.mark.parametrize("snr", [0.5, 0.1])
def test_particles_that_lie_alone_have_the_wanted_ratio(snr):
    made = simulated(
        snr=snr, maps=MAPS[:1], shape=(40, 160, 160), n_particles=60, box=20, tilt_step=4
    )
    rows, boxes, shifts = made.boxes(20)
    found = posed_signal_to_noise(boxes, made.picks.rotations[rows], shifts, made.wedge)
    assert len(found.pairs) > 15
    # Neighbours that reach into a box count as noise.
    assert 0.7 * snr < found.value < 1.2 * snr


def test_a_crowd_that_finds_no_room_is_told():
    with pytest.warns(InputWarning, match=r"Only \d+ of 500 particles found room"):
        made = simulated(n_particles=500)
    assert 0 < len(made.picks) < 500


def test_what_has_no_room_is_told():
    with pytest.raises(InputError, match="no room in a tomogram of 16 voxels"):
        simulated(maps=procedural_maps(1, 64, 10.0), shape=(16, 40, 48))
    with pytest.raises(InputError, match="1 map or more"):
        simulated(maps=[])
    with pytest.raises(ValueError, match="16 voxels or more"):
        TomogramConfig(shape=(8, 64, 64))


@pytest.mark.parametrize("tilt", [-50.0, 0.0, 30.0])
def test_a_projection_of_the_slab_is_that_of_the_blob(tilt):
    shape, offset = (20, 24, 30), np.array([4.0, -3.0, 6.0])
    centre = np.array(shape) // 2
    volume = render((centre + offset)[None], 1.6, shape).astype(np.float32)
    config = PLAIN.model_copy(update={"tilt_min": tilt, "tilt_max": tilt + 5, "tilt_step": 5})
    slab = Slab(shape, config)
    matrix = next(iter(slab._matrices()))
    planes = volume.transpose(0, 2, 1).reshape(-1, shape[1])
    image = (matrix.T @ planes).T
    place = (offset @ tilt_planes(np.array([tilt]))[0])[1:]
    middle = [centre[1], image.shape[1] // 2]
    expected = render((place + middle)[None], 1.6, image.shape)
    np.testing.assert_allclose(image, expected, atol=0.02 * expected.max())


def test_back_projection_gives_the_volume_without_the_wedge():
    shape = (32, 32, 32)
    volume = render(np.array([[16.0, 13, 18], [18, 19, 13]]), 1.8, shape).astype(np.float32)
    config = PLAIN.model_copy(update={"tilt_min": -40, "tilt_max": 70, "tilt_step": 2})
    made = Slab(shape, config).signal(volume)
    spectrum = fft.fftn(volume)
    # Frequency 0 along x and z is filled by every tilt; the ramp keeps little of it.
    k = np.hypot(*np.moveaxis(grid_frequencies(shape)[..., [0, 2]], -1, 0))
    kept = config.wedge.mask(shape) & (k > 0)
    seen = fft.ifftn(spectrum * kept).real
    made -= made.mean(axis=(0, 2), keepdims=True)
    assert np.corrcoef(made.ravel(), seen.ravel())[0, 1] > 0.97
    assert made.std() == pytest.approx(seen.std(), rel=0.1)


def test_drawing_turns_about_the_centre():
    offsets = np.array([[0.0, 0, 0], [4, 0, 0], [0, 3, 0], [0, -2, 3]])
    array = render(offsets + 10, 1.4, (20,) * 3).astype(np.float32)
    rotation = random_rotations(1, np.random.default_rng(2))
    position = np.array([[11.3, 14.8, 20.5]])
    matter = np.zeros((24, 30, 36), np.float32)
    _draw(matter, array, position, rotation)
    expected = render(offsets @ rotation[0].T + position, 1.4, matter.shape)
    np.testing.assert_allclose(matter, expected, atol=0.02 * expected.max())


def test_boxes_are_cut_about_the_nearest_voxel():
    made = simulated()
    rows, boxes, shifts = made.boxes(8)
    for row, box, shift in zip(rows, boxes, shifts, strict=True):
        z, y, x = np.rint(made.picks.positions[row] - shift).astype(int)
        assert np.abs(shift).max() <= 0.5
        np.testing.assert_array_equal(box[4, 4, 4], made.image[z, y, x])
    assert made.boxes(24)[0].size == 0
