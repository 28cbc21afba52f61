import pytest
import torch
from torch import nn

from napari_cryoml.models import _crop_blocks as blocks


def test_steady_pooling_looks_ahead_and_keeps_the_size():
    x = torch.tensor([[[-5.0, -1.0, -3.0], [-4.0, -2.0, -6.0]]])
    pooled = blocks.SteadyMaxPool(2)(x[None])
    assert pooled.tolist() == [[[[-1, -1, -3], [-2, -2, -6]]]]


def test_pooling_by_the_ceiling_keeps_an_odd_last_pixel():
    x = torch.tensor([[[[-1.0, -2.0, -3.0]]]])
    row = x.expand(1, 1, 2, 3)
    assert blocks.max_pool(2)(row).tolist() == [[[[-1]]]]
    assert blocks.max_pool(2, ceil=True)(row).tolist() == [[[[-1, -3]]]]
    assert blocks.max_pool(3, (1, 2, 2))(torch.zeros(1, 1, 5, 4, 4)).shape == (1, 1, 5, 2, 2)


def test_branches_are_put_one_after_the_other():
    both = blocks.Branches(nn.Identity(), nn.ReLU())(torch.tensor([[-1.0, 2.0]]))
    assert both.tolist() == [[-1, 2, 0, 2]]


@pytest.mark.parametrize("ndim", [2, 3])
def test_means_and_maxima(ndim):
    x = torch.zeros(1, 2, *(4,) * ndim)
    x[(0, 1, *(0,) * ndim)] = 8
    means = blocks.MeanOfGrid(2)(x).reshape(2, *(2,) * ndim)
    assert means[(1, *(0,) * ndim)] == 8 / 2**ndim
    assert means.sum() == 8 / 2**ndim
    assert blocks.MeanAndMax()(x).tolist() == [[0, 8 / 4**ndim, 0, 8]]


def test_a_vector_by_itself_is_normalised_by_what_was_seen():
    norm = blocks.VectorNorm(2).train()
    norm.running_mean.copy_(torch.tensor([1.0, 2.0]))
    assert norm(torch.tensor([[1.0, 2.0]])).tolist() == [[0, 0]]
    assert norm(torch.tensor([[0.0, 0.0], [2.0, 2.0]])).sign().tolist() == [[-1, -1], [1, 1]]


def test_shapes_are_found_without_a_computation():
    layers = nn.Sequential(nn.Linear(4, 7), nn.BatchNorm1d(7))
    before = layers[1].running_var.clone()
    assert blocks.shape_after(layers, (4,)) == (7,)
    assert torch.equal(layers[1].running_var, before)
    assert blocks.shape_after(nn.Identity(), (1, 5, 6)) == (1, 5, 6)


def test_tiny_grids_are_convolved_in_single_precision():
    layer = blocks.convolution(3, 4, 4, 3)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(torch.ones(1, 4, 3, 3, 3)).dtype == torch.bfloat16
        tiny = layer(torch.ones(1, 4, 2, 3, 3).bfloat16())
    assert tiny.dtype == torch.float32
    torch.testing.assert_close(tiny, layer(torch.ones(1, 4, 2, 3, 3)))
