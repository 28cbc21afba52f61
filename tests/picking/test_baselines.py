"""Baselines find balls and labelled shapes, in 2-D and 3-D."""

import csv

import numpy as np
import pytest
from scipy import ndimage

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, ArrayImage, Picks
from napari_cryoml.evaluation import evaluate_picks, match
from napari_cryoml.io import open_images
from napari_cryoml.picking import _blobs, baselines
from napari_cryoml.preprocess import PreprocessConfig, Preprocessor

DIAMETER = 8.0
CENTRES = {
    2: np.array([[12, 12], [14, 40], [38, 22], [50, 50], [30, 56]], float),
    3: np.array([[8, 9, 10], [9, 24, 22], [24, 10, 25], [23, 26, 8]], float),
}


def preprocessor_for(*images, diameter=DIAMETER):
    config = PreprocessConfig(working_diameter=DIAMETER, normalisation="percentile")
    return Preprocessor.fit(images, diameter, config, seed=0)


def image_of_balls(ndim, contrast=-1.0, noise=0.2, seed=0, name="image"):
    shape = (64, 66) if ndim == 2 else (34, 36, 35)
    pixels = np.random.default_rng(seed).normal(0, noise, shape)
    for centre in CENTRES[ndim]:
        distance = np.linalg.norm(np.indices(shape) - centre.reshape(-1, *(1,) * ndim), axis=0)
        pixels += contrast * (distance <= DIAMETER / 2)
    return ArrayImage(pixels, name)


def assert_found(picks, centres, tolerance=1.5):
    best = picks.positions[: len(centres)]
    assert (match(best, centres, tolerance) >= 0).all()


@pytest.mark.parametrize("name", ["log", "dog"])
@pytest.mark.parametrize("ndim", [2, 3])
def test_blob_filters_find_balls_without_labels(name, ndim):
    image = image_of_balls(ndim)
    picks = baselines.create(name).build(preprocessor_for(image)).pick(image)
    assert_found(picks, CENTRES[ndim])
    assert picks.scores[len(CENTRES[ndim]) - 1] > 1.5 * picks.scores[len(CENTRES[ndim])]


@pytest.mark.parametrize("name", ["log", "dog"])
def test_contrast_is_chosen_or_read_off_the_labels(name):
    bright = image_of_balls(2, contrast=+1.0)
    preprocessor = preprocessor_for(bright)
    labels = {"image": Annotations.of_positives(CENTRES[2][:2])}
    for contrast in ("bright", "labels"):
        baseline = baselines.create(name, contrast=contrast).build(preprocessor, [bright], labels)
        assert_found(baseline.pick(bright), CENTRES[2])
    dark = baselines.create(name).build(preprocessor, [bright], labels).pick(bright)
    assert (match(dark.positions[:5], CENTRES[2], 1.5) == -1).any()


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("ratio", [1.2, 1.6, 3.0])
def test_the_filters_answer_most_to_a_ball_of_their_size(ndim, ratio):
    size = 41 if ndim == 3 else 81
    distance = np.linalg.norm(np.indices((size,) * ndim) - size // 2, axis=0)
    middle = (size // 2,) * ndim
    log_answers, dog_answers = [], []
    for radius in (5.5, 7.5, 9.5):
        pixels = (distance <= radius).astype(float)
        sigma = _blobs.log_sigma(7.5, ndim)
        log_answers.append(-ndimage.gaussian_laplace(pixels, sigma)[middle])
        narrow = _blobs.dog_sigma(7.5, ndim, ratio)
        wide = ndimage.gaussian_filter(pixels, narrow * ratio)
        dog_answers.append((ndimage.gaussian_filter(pixels, narrow) - wide)[middle])
    assert np.argmax(log_answers) == np.argmax(dog_answers) == 1


def test_a_narrow_difference_of_gaussians_is_a_laplacian():
    assert _blobs.dog_sigma(7, 2, 1.0001) == pytest.approx(_blobs.log_sigma(7, 2), rel=1e-3)


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_template_finds_what_was_labelled(ndim):
    image = image_of_balls(ndim, noise=0.5)
    labels = {"image": Annotations.of_positives(CENTRES[ndim][:3])}
    baseline = baselines.create("template").build(preprocessor_for(image), [image], labels)
    picks = baseline.pick(image, threshold=0.3)
    assert_found(picks, CENTRES[ndim])
    assert picks.scores.max() <= 1


def test_the_template_finds_rotated_copies_before_other_shapes():
    bar = np.zeros((64, 64))
    bar[12:16, 8:20] = bar[40:52, 42:46] = 1
    bar[44:49, 14:19] = 1.5
    pixels = ndimage.gaussian_filter(bar, 1) + np.random.default_rng(0).normal(0, 0.05, bar.shape)
    image = ArrayImage(pixels)
    labels = {"image": Annotations.of_positives([[13.5, 13.5]])}
    config = PreprocessConfig(working_diameter=14, normalisation="percentile")
    preprocessor = Preprocessor.fit([image], 14, config, 0)
    picks = baselines.create("template").build(preprocessor, [image], labels).pick(image)
    assert_found(picks, np.array([[13.5, 13.5], [45.5, 43.5]]))
    assert picks.scores[1] == pytest.approx(picks.scores[0], rel=0.02)
    assert picks.scores[2] < 0.95 * picks.scores[1]


def test_labels_at_the_edge_do_not_spoil_the_template():
    image = image_of_balls(2, noise=0.3)
    positions = np.vstack((CENTRES[2][:2], [[0, 0], [63, 65], [-1, 30]]))
    labels = {"image": Annotations.of_positives(positions)}
    baseline = baselines.create("template").build(preprocessor_for(image), [image], labels)
    assert np.isfinite(baseline.average).all()
    assert_found(baseline.pick(image), CENTRES[2])


def test_positions_are_pixels_of_the_image_not_of_the_working_grid():
    small = image_of_balls(2, noise=0)
    image = ArrayImage(ndimage.zoom(small.array, 3, order=1, grid_mode=True, mode="nearest"))
    baseline = baselines.create("log").build(preprocessor_for(image, diameter=3 * DIAMETER))
    score_map = baseline.score(image)
    np.testing.assert_allclose(score_map.scale, [3, 3])
    assert_found(baseline.pick(image), 3 * CENTRES[2] + 1, tolerance=3)


@pytest.mark.parametrize(("name", "options"), [("template", {}), ("log", {"contrast": "labels"})])
@pytest.mark.parametrize("labels", [None, {"other": [[1, 1]]}, {"image": np.empty((0, 2))}])
def test_labels_are_asked_for_where_they_are_needed(name, options, labels):
    image = image_of_balls(2)
    given = labels and {key: Annotations.of_positives(rows) for key, rows in labels.items()}
    with pytest.raises(InputError, match="label some"):
        baselines.create(name, **options).build(preprocessor_for(image), [image], given)


def test_all_baselines_are_registered():
    assert set(baselines) == {"log", "dog", "template"}


def read_truth(folder):
    rows = list(csv.DictReader((folder / "particles.csv").open()))
    names = sorted({row["image_name"] for row in rows})
    return {
        f"{name}.png": np.array(
            [[row["y_coord"], row["x_coord"]] for row in rows if row["image_name"] == name], float
        )
        for name in names
    }


def test_ten_labels_find_apoferritin(shared_data):
    folder = shared_data / "micrographs" / "empiar10146_apoferritin"
    truth = read_truth(folder)
    labelled, tested = open_images([folder / name for name in list(truth)[:2]])
    preprocessor = Preprocessor.fit([labelled, tested], 60, PreprocessConfig(), seed=0)
    labels = {labelled.name: Annotations.of_positives(truth[labelled.name][:10])}
    baseline = baselines.create("template").build(preprocessor, [labelled], labels)
    found = evaluate_picks(
        [baseline.pick(tested)], [Picks(tested.name, truth[tested.name])], radius=24
    )
    assert found.pooled.average_precision > 0.9


@pytest.mark.parametrize("ndim", [2, 3])
def test_extrema_are_those_that_no_neighbour_with_a_common_edge_exceeds(ndim):
    values = np.random.default_rng(0).normal(size=(7, 8, 9)[:ndim])
    steps = [s for s in np.ndindex((3,) * ndim) if 0 < sum(abs(i - 1) for i in s) <= 2]
    padded = np.pad(values, 1, constant_values=-np.inf)
    around = [
        padded[tuple(slice(i, i + n) for i, n in zip(s, values.shape, strict=True))] for s in steps
    ]
    assert len(steps) == {2: 8, 3: 18}[ndim]
    expected = np.where(values >= np.max(around, axis=0), values, -np.inf)
    np.testing.assert_allclose(_blobs.local_extrema(values), expected, rtol=1e-6)


def test_scores_are_twentieths_above_a_level():
    values = np.array([[0.0, 2, 0, 5, 0, 12, 0]])
    assert _blobs.in_levels(values, 3)[0, [1, 3, 5]].tolist() == [-3, 3, 17]
    assert np.isfinite(_blobs.in_levels(np.ones((4, 4)), 3)).all()


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_published_blobs_have_a_threshold_and_keep_apart(ndim):
    image = image_of_balls(ndim, noise=0.1)
    config = baselines.create("dog", sigma=3.0, ratio=1.1, level=10)
    found = config.build(preprocessor_for(image)).pick(image, 0.0)
    assert len(found) == len(CENTRES[ndim])
    assert_found(found, CENTRES[ndim])
    picks = config.build(preprocessor_for(image)).pick(image)
    assert len(picks) > len(found)
    gaps = np.linalg.norm(picks.positions[:, None] - picks.positions, axis=-1)
    assert gaps[~np.eye(len(picks), dtype=bool)].min() > 3.0


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_contrast_is_that_which_stands_out(ndim, sign):
    image = image_of_balls(ndim, contrast=sign)
    picker = baselines.create("dog", contrast="auto").build(preprocessor_for(image), [image])
    assert_found(picker.pick(image), CENTRES[ndim])


def test_a_sigma_is_that_of_the_image_not_of_the_working_grid():
    image = image_of_balls(2)
    fine = ArrayImage(np.repeat(np.repeat(image.array, 2, 0), 2, 1), "image")
    one = baselines.create("dog", sigma=3.0, ratio=1.1).build(preprocessor_for(image))
    two = baselines.create("dog", sigma=6.0, ratio=1.1).build(preprocessor_for(fine, diameter=16.0))
    assert one._sigma_px(4.0, 2, 1.1) == pytest.approx(two._sigma_px(4.0, 2, 1.1))


def test_a_sigma_that_cannot_be_seen_is_refused():
    image = image_of_balls(2)
    with pytest.raises(InputError, match="finer than the reduced image"):
        baselines.create("dog", sigma=0.3).build(preprocessor_for(image)).pick(image)
