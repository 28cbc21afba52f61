import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.evaluation import ClassificationReport, purity


def test_the_confusion_of_a_few_items():
    report = ClassificationReport.of([0, 0, 1, 1, 1], [0, 1, 1, 1, 0], ("a", "b"))
    assert report.confusion.tolist() == [[1, 1], [1, 2]]
    assert report.accuracy == pytest.approx(0.6)
    np.testing.assert_allclose(report.recall, [1 / 2, 2 / 3])
    np.testing.assert_allclose(report.precision, [1 / 2, 2 / 3])
    assert report.macro_f1 == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_a_class_without_items_does_not_count():
    report = ClassificationReport.of([0, 0], [0, 0], ("a", "b"))
    assert np.isnan(report.recall[1])
    assert report.macro_f1 == 1.0


def test_no_items_have_no_accuracy():
    assert np.isnan(ClassificationReport.of([], [], ("a", "b")).accuracy)


@pytest.mark.parametrize("given", [[0], [0, 2]])
def test_answers_that_do_not_fit(given):
    with pytest.raises(InputError):
        ClassificationReport.of([0, 1], given, ("a", "b"))


def test_purity_of_clusters():
    np.testing.assert_allclose(purity([0, 0, 0, 2, -1], [5, 5, 6, 7, 7]), [2 / 3, np.nan, 1.0])
