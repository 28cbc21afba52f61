"""Paired Cell Inpainting from crops to a file of an encoder."""

import numpy as np
import pytest
import torch

from napari_cryoml._errors import InputError
from napari_cryoml.classification import PretrainedEncoder, pretrain, systems
from napari_cryoml.data import ArrayCrops
from napari_cryoml.embedding import encoders
from napari_cryoml.jobs import run_inline
from napari_cryoml.training import CropSampler, normalised

PROTEINS = np.array(list("aaaabbbbcccd"))


def cells(**columns):
    pixels = np.random.default_rng(0).normal(size=(12, 2, 12, 12)).astype(np.float32)
    return ArrayCrops.of(pixels, columns=columns)


def small(**options):
    known = {"network_options": {"width": 1 / 16}, "device": "cpu", "precision": "float32"}
    usual = {"training": {"epochs": 1, "batch": 4}}
    return systems.create("paired_inpainting", **known, pretraining=usual | options)


@pytest.fixture(scope="module")
def encoder():
    return run_inline(pretrain(cells(protein=PROTEINS), small()))


def test_the_settings_are_those_published():
    first = systems.create("paired_inpainting").spelled_out().pretraining
    optimizer = first.training.optimizer
    assert (first.training.epochs, first.training.batch) == (30, 64)
    assert (optimizer.kind, optimizer.learning_rate, optimizer.betas[0]) == ("adam", 1e-4, 0.5)
    assert (optimizer.weight_decay, optimizer.schedule, optimizer.warm_up) == (0, "constant", 0)
    assert systems.create("paired_inpainting").normalisation == "min_max"


def test_source_and_target_are_mirrored_each_by_itself(monkeypatch):
    drawn = []
    draw = CropSampler.draw
    monkeypatch.setattr(CropSampler, "draw", lambda self: drawn.append(draw(self)) or drawn[-1])
    crops = cells(protein=PROTEINS)
    run_inline(pretrain(crops, small()))
    images = torch.from_numpy(normalised(crops.array, "min_max"))
    mirrored = [images, images.flip(2), images.flip(3), images.flip(2, 3)]
    partner_turns = []
    for batch in drawn:
        for row, source, target in zip(batch.rows, *batch.views, strict=True):
            turn = [number for number, kind in enumerate(mirrored) if (kind[row] == source).all()]
            other = [
                (number, at)
                for number, kind in enumerate(mirrored)
                for at in range(12)
                if (kind[at] == target).all()
            ]
            assert len(turn) == len(other) == 1
            assert other[0][1] != row
            assert PROTEINS[other[0][1]] == PROTEINS[row]
            partner_turns.append(turn[0] == other[0][0])
    assert 0 < sum(partner_turns) < len(partner_turns)


def test_a_lone_cell_of_a_protein_is_left_out_and_said(encoder):
    assert encoder.notes == ("Left out, as the only ones of their protein: 1 of 12 crops.",)


def test_vectors_are_the_maxima_of_any_layer_up_to_its_own(encoder, tmp_path):
    encoder.save(tmp_path / "e.safetensors")
    again = PretrainedEncoder.load(tmp_path / "e.safetensors")
    images = cells().read([0, 5])
    assert again.vectors(images).shape == (2, 24)
    network = again.network.build((12, 12), 1, 2).eval()
    again.put_into(network)
    with torch.no_grad():
        shown = torch.from_numpy(normalised(images, "min_max"))
        second = network.trunk[3](network.trunk[:3](shown)).amax(dim=(2, 3))
    found = encoders.create("classifier", model=tmp_path / "e.safetensors", layer="conv2")
    vectors = found.build().encode(cells(), [0, 5])
    np.testing.assert_allclose(vectors, second, atol=0.02)  # bfloat16, where it is quick
    with pytest.raises(InputError, match="does not fit"):
        again.with_options(layer="conv5")


def test_cells_without_proteins_are_refused():
    with pytest.raises(
        InputError, match=r"pairs of one protein, but the crops have no column.*gene"
    ):
        run_inline(pretrain(cells(gene=PROTEINS), small()))
    named = small(objective_options={"same": ("gene",)})
    assert run_inline(pretrain(cells(gene=PROTEINS), named)).objective == "inpainting"
    with pytest.raises(InputError, match="no two of them belong to the same protein"):
        run_inline(pretrain(cells(protein=np.arange(12).astype(str)), small()))
