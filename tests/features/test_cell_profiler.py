import importlib.metadata

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import ArrayCrops
from napari_cryoml.features import measurement_sets


def images(n=2, dtype=np.float32):
    rng = np.random.default_rng(0)
    y, x = np.indices((24, 24)) - 12
    cell = np.exp(-(((y**2 + x**2) / 60) ** 2))
    given = (0.1 + 0.6 * cell) * rng.uniform(0.8, 1, (n, 2, 24, 24))
    return (given * (np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 1)).astype(dtype)


def test_without_the_package_one_sentence_says_how_to_get_it(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(InputError, match=r"pip install 'napari-cryoml\[proteins\]'"):
        measurement_sets.create("cellprofiler").measure(images())


class TestWithThePackage:
    @pytest.fixture(autouse=True)
    def package(self):
        pytest.importorskip("cp_measure", reason="cp-measure is not installed")
        self.config = measurement_sets.create("cellprofiler")

    def test_values_stand_where_they_should(self):
        mask = np.zeros((2, 24, 24), bool)
        mask[0, 6:18, 6:18] = mask[1, 4:20, 8:16] = True
        found = self.config.measure(images(), mask, ["p", "m"])
        assert found.values.shape == (2, 440)
        area = found.values[:, found.names.index("Area")]
        assert area.tolist() == [144, 128]
        mean = found.values[0, found.names.index("Intensity_MeanIntensity__p")]
        assert mean == pytest.approx(images()[0, 0][mask[0]].mean(), rel=1e-3)

    def test_types_tell_the_scale_and_costes_adds_columns(self):
        whole = images(dtype=np.uint16)
        crops = ArrayCrops.of(whole)
        plain = self.config.measure_crops(crops, [1]).values
        np.testing.assert_allclose(
            plain, self.config.measure(whole[[1]] / 65535).values, rtol=1e-3, atol=1e-4
        )
        more = measurement_sets.create("cellprofiler", costes=True).measure(images()[:1])
        assert more.values.shape == (1, 444)

    def test_a_wrong_scale_is_a_sentence(self):
        for factor in (1e-7, 5000):
            with pytest.raises(InputError, match="need pixels from 0 to 1"):
                self.config.measure(factor * images())

    def test_cells_that_cannot_be_measured_are_rows_without_values(self):
        given = images(3)
        given[1, 0, 0, 0] = np.nan
        mask = np.ones((3, 24, 24), bool)
        mask[2] = False
        found = self.config.measure(given, mask)
        assert np.isnan(found.values[1:]).all()
        assert np.isfinite(found.values[0]).sum() > 400
        assert self.config.measure(given[:0]).names == found.names

    def test_volumes_are_refused(self):
        with pytest.raises(InputError, match="take the set builtin for 3-D"):
            self.config.measure(np.zeros((2, 1, 4, 4, 4)))
