"""Classifiers tell what they called each crop whose label was held out."""

import numpy as np
import pytest
from tests.classification.shapes import labelled_shapes

from napari_cryoml.classification import systems, train
from napari_cryoml.evaluation import ClassificationReport
from napari_cryoml.jobs import run_inline

SYSTEMS = {
    "few_shot": {"n_shells": 4, "degree": 2},
    "supervised3d": {
        "network": "compact",
        "network_options": {"units": 8},
        "training": {"epochs": 1, "batch": 8},
        "least_steps": 0,
    },
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_report_counts_what_held_out_crops_were_called(name):
    data = labelled_shapes(30, unlabelled=6)
    classifier = run_inline(train(data, systems.create(name, **SYSTEMS[name])))
    rows = np.flatnonzero(classifier.held_out >= 0)
    again = ClassificationReport.of(data.labels[rows], classifier.held_out[rows], data.classes)
    assert len(rows) == classifier.report.n
    assert np.array_equal(again.confusion, classifier.report.confusion)
    assert (data.labels[rows] >= 0).all()


def test_too_few_labels_hold_nothing_out():
    data = labelled_shapes(3 * 2, noise=0.1)
    classifier = run_inline(train(data, systems.create("supervised3d", **SYSTEMS["supervised3d"])))
    assert classifier.report is None
    assert (classifier.held_out == -1).all()
