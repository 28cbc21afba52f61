import pytest
from plain_numpy import cross_entropy, draw, value

from napari_cryoml.objectives import PN


def formula(positives, negatives, unlabelled, prior, share):
    background = cross_entropy(unlabelled, 0).mean()
    if len(negatives):
        background = (1 - share) * background + share * cross_entropy(negatives, 0).mean()
    return prior * cross_entropy(positives, 1).mean() + (1 - prior) * background


@pytest.mark.parametrize("n_negatives", [0, 5])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_formula(n_negatives, share):
    groups = draw(16, n_negatives, 240)
    objective = PN(negative_share=share).build(0.07)
    assert value(objective, groups) == pytest.approx(formula(*groups, 0.07, share), rel=1e-9)


def test_all_labelled_is_cross_entropy_with_class_weights():
    positives, negatives, _ = groups = draw(4, 6, 0)
    expected = 0.2 * cross_entropy(positives, 1).mean() + 0.8 * cross_entropy(negatives, 0).mean()
    assert value(PN().build(0.2), groups) == pytest.approx(expected)
