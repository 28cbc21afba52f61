import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import ArrayCrops
from napari_cryoml.embedding import encoders, extract
from napari_cryoml.features import measurement_sets
from napari_cryoml.jobs import Command, run_inline


def cells(n=40, seed=0, **known):
    from scipy import ndimage

    rng = np.random.default_rng(seed)
    disc = np.hypot(*(np.indices((20, 20)) - 10)) < 7
    rough = ndimage.gaussian_filter(rng.normal(size=(n, 2, 20, 20)), (0, 0, 1, 1))
    return ArrayCrops.of(100 + 300 * disc * (1 + rough), **known)


def test_vectors_are_principal_components_of_measurements():
    crops = cells()
    found = run_inline(extract(crops, encoders.create("measurements")))
    measured = measurement_sets.create("builtin").measure(crops.read(range(40)))
    other = type(measured)(measured.names, np.arcsinh(measured.values)).reduced(0.99)[0].values
    assert found.vectors.shape == other.shape
    squared = np.square(found.vectors[:, None].astype(float) - found.vectors).sum(axis=2)
    expected = np.square(other[:, None].astype(float) - other).sum(axis=2)
    assert np.corrcoef(squared.ravel(), expected.ravel())[0, 1] > 0.999
    fewer = run_inline(extract(crops, encoders.create("measurements", pca=0.6)))
    assert fewer.n_features < found.n_features


def test_masks_and_names_of_channels_are_used():
    masks = np.zeros((40, 20, 20), bool)
    masks[:, 5:15, 5:15] = True
    plain, masked = cells(channels=("p", "m")), cells(channels=("p", "m"), masks=masks)
    config = encoders.create("measurements")
    names = config.measurements().measure_crops(masked, [0]).names
    assert "shape_area" in names
    assert "pair_correlation_p_m" in names
    changed = cells(masks=masks).array.copy()
    changed[:, :, :2] = 5000
    encoder = config.build()
    beside = ArrayCrops.of(changed, masks=masks)
    np.testing.assert_allclose(
        encoder.encode(beside, range(40)), encoder.encode(masked, range(40)), atol=0.05
    )
    assert encoder.encode(plain, [0]).shape[1] < encoder.encode(masked, [0]).shape[1]


def test_a_constant_crop_loses_its_vector_and_the_others_keep_theirs():
    images = cells().array.copy()
    images[7] = 3
    found = run_inline(extract(ArrayCrops.of(images), encoders.create("measurements")))
    assert np.flatnonzero(~found.finite).tolist() == [7]
    notes = " ".join(found.provenance["notes"])
    assert "1 of 40 cells show nothing" in notes
    assert "1 of 40 crops could not be encoded" in notes


def test_a_cell_by_itself_has_measurements_and_a_note():
    found = run_inline(extract(cells(n=1), encoders.create("measurements")))
    assert found.finite.all()
    assert found.n_features > 100
    assert any("two cells" in note for note in found.provenance["notes"])


def test_a_stopped_job_reduces_what_was_reached():
    job = extract(cells(), encoders.create("measurements"), batch=10)
    next(job)
    next(job)
    with pytest.raises(StopIteration) as end:
        while True:
            job.send(Command.STOP)
    assert len(end.value.value) == 10
    assert end.value.value.finite.all()


def test_unknown_sets_groups_and_missing_packages_are_said_before_work():
    for options, sentence in [
        ({"measurement_set": "other"}, "no set of measurements named 'other'"),
        ({"set_options": {"groups": ["colour"]}}, "no group of measurements named 'colour'"),
        ({"set_options": {"colour": 1}}, "colour"),
    ]:
        with pytest.raises(InputError, match=sentence):
            run_inline(extract(cells(), encoders.create("measurements", **options)))
