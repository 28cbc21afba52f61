import pytest
import torch
from torch import nn
from torch.nn import functional

from napari_cryoml.models import Classifier, classifiers, grad_cam


class Corner(Classifier):
    """Class 1 has a bright first corner, class 0 a dark one; all else does not matter."""

    def __init__(self, shape):
        super().__init__(shape, 2)
        self.latent = 1
        self.head = nn.Linear(1, 2)
        with torch.no_grad():
            self.head.weight[:] = torch.tensor([[-1.0], [1.0]])
            self.head.bias.zero_()

    def feature_map(self, crops):
        pool = functional.avg_pool2d if crops.ndim == 4 else functional.avg_pool3d
        return pool(crops, 4)

    def vectors(self, feature_map):
        corner = (slice(None), slice(None), *(slice(1),) * (feature_map.ndim - 2))
        return feature_map[corner].flatten(1)


@pytest.mark.parametrize("ndim", [2, 3])
def test_what_the_class_depends_on_lights_up(ndim):
    crops = torch.zeros(2, 1, *(16,) * ndim)
    crops[(0, 0, *(slice(0, 4),) * ndim)] = 1
    crops[(1, 0, *(slice(0, 4),) * ndim)] = -1
    shown = grad_cam(Corner((16,) * ndim), crops, torch.tensor([1, 0]))
    for evidence in shown:
        assert evidence[(0,) * ndim] == 1
        assert evidence[(8,) * ndim] == 0
        assert evidence[(-1,) * ndim] == 0


def test_no_evidence_stays_zero():
    crops = torch.ones(1, 1, 16, 16)
    assert (grad_cam(Corner((16, 16)), crops, torch.tensor([0])) == 0).all()


def test_it_is_the_formula():
    torch.manual_seed(0)
    network = classifiers.create("dsrf3d", units=3, hidden=8).build((12, 14), 3).eval()
    crops, labels = torch.randn(2, 1, 12, 14), torch.tensor([2, 0])
    maps = network.feature_map(crops)
    maps.retain_grad()
    scores = network.head(network.vectors(maps))
    (scores[0, 2] + scores[1, 0]).backward()
    weights = maps.grad.sum(dim=(2, 3)) / (6 * 7)
    evidence = torch.einsum("bc,bcyx->byx", weights, maps.detach()).relu()
    expected = functional.interpolate(evidence[:, None], size=(12, 14), mode="bilinear")[:, 0]
    expected /= expected.flatten(1).amax(dim=1)[:, None, None]
    torch.testing.assert_close(grad_cam(network, crops, labels), expected)


def test_gradients_that_were_there_and_modes_are_kept():
    network = classifiers.create("dsrf3d", units=2, hidden=4).build((8, 8), 2).train()
    network.head.weight.grad = torch.ones_like(network.head.weight)
    network.trunk.eval()
    for parameter in network.trunk.parameters():
        parameter.requires_grad_(False)
    grad_cam(network, torch.randn(1, 1, 8, 8), torch.tensor([1]))
    assert (network.head.weight.grad == 1).all()
    assert network.dense[0].weight.grad is None
    assert [network.training, network.trunk.training] == [True, False]


def test_it_works_where_gradients_are_off():
    network = classifiers.create("compact", units=8).build((16, 16, 16), 2)
    crops, labels = torch.randn(2, 1, 16, 16, 16), torch.tensor([0, 1])
    expected = grad_cam(network, crops, labels)
    with torch.no_grad():
        assert torch.equal(grad_cam(network, crops, labels), expected)
    with torch.inference_mode():
        assert torch.equal(grad_cam(network, crops.clone(), labels), expected)


def test_the_modes_come_back_after_an_error():
    network = Corner((16, 16)).train()
    with pytest.raises(RuntimeError):
        grad_cam(network, torch.zeros(1, 1, 16, 16), torch.tensor([7]))
    assert network.training
