import pytest
import torch
from toy_crops import build_network

from napari_cryoml._errors import InputError
from napari_cryoml.models import PairedInpainting
from napari_cryoml.objectives import CropBatch, Inpainting


def batch_of(source, target):
    n = len(source)
    return CropBatch((source, target), torch.full((n,), -1), torch.arange(n))


def objective_of(protein=0, n_channels=2, layer="conv4"):
    torch.manual_seed(0)
    network = PairedInpainting(layer=layer, width=1 / 16).build((8, 8), 1, n_channels)
    return Inpainting(protein=protein).build(network)


@pytest.mark.parametrize("protein", [0, 1])
def test_the_loss_is_the_squared_error_of_the_targets_protein(protein):
    objective = objective_of(protein).eval()
    source, target = torch.randn(2, 3, 2, 8, 8)
    with torch.no_grad():
        encoded = objective.rest(objective.network.feature_map(source))
        marker = target[:, 1 - protein : 2 - protein]
        drawn = objective.decoder(encoded, marker)
        expected = ((drawn - target[:, protein : protein + 1]) ** 2).mean()
        torch.testing.assert_close(objective(batch_of(source, target)).total, expected)


def test_the_targets_protein_is_not_seen():
    objective = objective_of().eval()
    source, target = torch.randn(2, 3, 2, 8, 8)
    other = target.clone()
    other[:, 0] += 1
    with torch.no_grad():
        assert torch.equal(objective._drawn(source, target), objective._drawn(source, other))
        other[:, 1] += 1
        assert not torch.equal(objective._drawn(source, target), objective._drawn(source, other))


def test_the_source_tells_what_is_drawn():
    """One protein fills the marker, the other what is around it; markers alone cannot tell."""

    def cells(kinds):
        marker = torch.zeros(len(kinds), 8, 8)
        for number, at in enumerate(torch.randint(0, 4, (len(kinds),))):
            marker[number, at : at + 4, 2:6] = 1
        protein = torch.where(kinds[:, None, None] > 0, marker, 1 - marker)
        return torch.stack([protein, marker], dim=1)

    objective = objective_of(layer="conv3").train()
    optimiser = torch.optim.Adam(objective.parameters(), lr=1e-2)
    for _ in range(40):
        kinds = torch.arange(16) % 2
        loss = objective(batch_of(cells(kinds), cells(kinds))).total
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    blind = 0.25  # of 0 and 1, equally likely at each pixel, a half is the best guess
    assert loss < 0.3 * blind


def test_what_it_draws_of_a_cell_has_its_markers():
    objective = objective_of(protein=1, n_channels=3).eval()
    crops = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        drawn = objective.reconstruct(crops)
    assert torch.equal(drawn[:, [0, 2]], crops[:, [0, 2]])
    assert not torch.equal(drawn[:, 1], crops[:, 1])


def test_a_channel_that_is_not_there_is_refused():
    with pytest.raises(InputError, match=r"Channel 2 was to be drawn, but the crops have 2"):
        Inpainting(protein=2).build(build_network("toy", 2, n_channels=2))
