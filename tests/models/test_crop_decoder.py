import pytest
import torch

from napari_cryoml.models import CropDecoder


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize(
    ("side", "grid", "stages", "small"),
    [(28, 7, 2, 7), (33, 9, 2, 9), (32, 4, 3, 4), (20, 20, 2, 5), (16, 1, 4, 1), (35, 8, 2, 9)],
)
def test_sides_are_doubled_from_the_grid_and_cut(ndim, side, grid, stages, small):
    decoder = CropDecoder((3, *(grid,) * ndim), (side,) * ndim, code=6, units=2)
    assert (decoder.stages, decoder.grid) == (stages, (2, *(small,) * ndim))
    crops, code = decoder(torch.randn(2, 3, *(grid,) * ndim))
    assert crops.shape == (2, 1, *(side,) * ndim)
    assert code.shape == (2, 6)
    assert code.min() >= 0


def test_sides_may_differ():
    crops, _ = CropDecoder((2, 3, 4, 5), (12, 15, 20), units=2)(torch.randn(1, 2, 3, 4, 5))
    assert crops.shape == (1, 1, 12, 15, 20)


def test_a_large_map_is_pooled_first():
    decoder = CropDecoder((160, 18, 18, 18), (40, 40, 40), code=8, units=2)
    assert decoder.encode.in_features == 160 * 5**3
    assert decoder.grid == (2, 5, 5, 5)
    small = CropDecoder((4, 8, 8), (32, 32), code=8, units=2, largest=64)
    assert small.encode.in_features == 4 * 4 * 4
    maps = torch.randn(1, 4, 8, 8)
    means = maps.unflatten(3, (4, 2)).unflatten(2, (4, 2)).mean(dim=(3, 5))
    torch.testing.assert_close(small(maps)[1], small.encode(means.flatten(1)).relu())


def test_a_map_of_pixels_does_not_make_a_huge_decoder():
    with torch.device("meta"):
        decoder = CropDecoder((1, 64, 64, 64), (64, 64, 64))
    assert sum(tensor.numel() for tensor in decoder.parameters()) < 10e6


def test_the_last_convolution_is_linear():
    torch.manual_seed(0)
    crops, _ = CropDecoder((4, 4, 4), (16, 16), code=8, units=4)(torch.randn(8, 4, 4, 4))
    assert crops.min() < 0 < crops.max()


def test_it_learns_to_draw():
    torch.manual_seed(0)
    decoder = CropDecoder((2, 4, 4), (15, 15), code=16, units=8)
    maps, wanted = torch.randn(4, 2, 4, 4), torch.randn(4, 1, 5, 5).repeat_interleave(3, 2)
    wanted = wanted.repeat_interleave(3, 3)
    optimizer = torch.optim.Adam(decoder.parameters(), lr=1e-2)
    for _ in range(120):
        optimizer.zero_grad()
        (decoder(maps)[0] - wanted).square().mean().backward()
        optimizer.step()
    assert (decoder(maps)[0] - wanted).square().mean() < 0.25 * wanted.var()
