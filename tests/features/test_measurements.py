import json

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.features import MeasurementReport, Measurements, Reduction


def table(n=50, d=6, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 3)) @ rng.normal(size=(3, d)) + 0.01 * rng.normal(size=(n, d))
    return Measurements(tuple("abcdefgh"[:d]), (values * 10.0 ** np.arange(d)).astype(np.float32))


def test_missing_and_constant_measurements_are_counted_and_named():
    values = table().values
    values[:4, 1] = np.nan
    values[:, 2] = 5
    values[7] = np.nan
    report = Measurements(tuple("abcdef"), values).report()
    assert report.missing == {"b": 4}
    assert report.constant == ("c",)
    assert (report.n_empty, report.n_cells, report.n_measurements) == (1, 50, 6)
    said = report.sentences()
    assert said[0].startswith("1 of 50 cells show nothing")
    assert "b in 4" in said[1]
    assert said[2].endswith("cells: c.")


def test_a_table_without_faults_has_no_sentences():
    assert table().report().sentences() == ()
    none = Measurements(("a",), np.empty((0, 1), np.float32)).report()
    assert isinstance(none, MeasurementReport)
    assert none.n_cells == 0


def test_many_names_are_cut_short():
    values = np.ones((3, 9), np.float32)
    said = Measurements(tuple("abcdefghi"), values).report().sentences()
    assert "a, b, c, d, e and 4 more" in said[0]


def test_components_are_those_of_scikit_learn():
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    given = table()
    found, reduction = given.reduced(0.99)
    expected = PCA(0.99).fit_transform(StandardScaler().fit_transform(given.values))
    assert found.values.shape == expected.shape == (50, 3)
    np.testing.assert_allclose(np.abs(found.values), np.abs(expected), atol=1e-3)
    assert reduction.share > 0.99
    assert found.names == ("pc_1", "pc_2", "pc_3")


def test_other_cells_are_turned_the_same_way_also_from_a_file():
    given = table()
    found, reduction = given.reduced(0.9)
    again = Reduction.from_json(json.loads(json.dumps(reduction.to_json())))
    part = Measurements(given.names[::-1], given.values[3:9, ::-1])
    np.testing.assert_allclose(again.apply(part).values, found.values[3:9], atol=1e-5)


def test_rare_and_constant_measurements_are_left_out_and_single_gaps_count_as_the_mean():
    values = table(n=100).values
    values[:30, 1] = np.nan
    values[:, 3] = 2
    values[5, 0] = np.nan
    values[9] = np.nan
    given = Measurements(tuple("abcdef"), values)
    found, reduction = given.reduced()
    assert reduction.left_out == ("b", "d")
    assert reduction.names == ("a", "c", "e", "f")
    assert np.isnan(found.values[9]).all()
    assert np.isfinite(np.delete(found.values, 9, axis=0)).all()


@pytest.mark.parametrize(
    ("values", "share", "sentence"),
    [
        (np.ones((5, 2)), 0.9, "No measurement differs"),
        (np.full((5, 2), np.nan), 0.9, "two cells that could be measured; there are 0 of 5"),
        (np.arange(10.0).reshape(5, 2), 1.5, "share of the variance above 0, up to 1; 1.5"),
        (np.arange(10.0).reshape(5, 2), 0, "share of the variance"),
    ],
)
def test_what_cannot_be_reduced_is_a_sentence(values, share, sentence):
    with pytest.raises(InputError, match=sentence):
        Measurements(("a", "b"), values.astype(np.float32)).reduced(share)


def test_other_measurements_and_damaged_files_are_a_sentence():
    _, reduction = table().reduced()
    with pytest.raises(InputError, match="lack 3 of 6 measurements, the first is 'd'"):
        reduction.apply(table(d=3))
    with pytest.raises(InputError, match="cannot be read"):
        Reduction.from_json({"names": []})
    with pytest.raises(InputError, match="2 names need a table"):
        Measurements(("a", "b"), np.ones((3, 3), np.float32))
