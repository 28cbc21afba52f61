"""Pickers of Topaz's weights; what Topaz would save is made up here, Topaz is not needed."""

from pathlib import Path

import numpy as np
import pytest
import torch

from napari_cryoml._errors import InputError
from napari_cryoml.data import ArrayImage
from napari_cryoml.models import detectors
from napari_cryoml.picking import Picker, _imported, picker_from_topaz

NETWORK = detectors.create("resnet8", units=2, batch_norm=False)


@pytest.fixture(autouse=True)
def weights(monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
    """Let the reading of a `.sav` file give a small network of known weights."""
    torch.manual_seed(0)
    state = NETWORK.build().state_dict()
    monkeypatch.setattr(_imported, "import_topaz", lambda path, trust: (NETWORK, state))
    return state


def _image(seed: int = 0, shape: tuple[int, ...] = (160, 120), pixel_size: float | None = None):
    pixels = np.random.default_rng(seed).normal(100, 5, shape).astype(np.float32)
    return ArrayImage(pixels, f"{seed}.mrc", pixel_size)


def test_the_weights_and_the_sampling_of_topaz_come_through(tmp_path: Path, weights: dict) -> None:
    image = _image(pixel_size=2.0)
    picker = picker_from_topaz(
        "m.sav", trust=True, diameter=40, downsampling=2, images=[image], seed=3
    )
    picker.save(tmp_path / "m.safetensors")
    again = Picker.load(tmp_path / "m.safetensors")
    assert again.preprocessor.apply(image)[0].shape == (80, 60)
    assert again.preprocessor.mixture is not None
    assert again.preprocessor.seed == 3
    assert again.diameter_angstrom == 80
    assert all(torch.equal(again.detector.state_dict()[key], weights[key]) for key in weights)
    assert np.array_equal(again.score(image).values, picker.score(image).values)
    assert again.summary["imported_from"] == "m.sav"
    assert again.threshold == 0


def test_without_images_each_is_normalised_by_itself() -> None:
    picker = picker_from_topaz("m.sav", trust=True, diameter=40, downsampling=4, pixel_size=1.5)
    assert picker.preprocessor.mixture is None
    assert picker.preprocessor.config.normalisation == "percentile"
    assert picker.preprocessor.pixel_size == 1.5
    assert picker.score(_image()).values.shape == (10, 8)


def test_a_pixel_size_given_helps_where_images_do_not_say() -> None:
    picker = picker_from_topaz(
        "m.sav", trust=True, diameter=40, downsampling=4, images=[_image()], pixel_size=1.5
    )
    assert picker.preprocessor.pixel_size == 1.5


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"downsampling": 0}, "downsampling is a number above 0"),
        ({"downsampling": float("inf")}, "downsampling is a number above 0"),
        ({"downsampling": 20}, r"diameter of 40 px and a downsampling of 20 .* check both"),
        ({"downsampling": 2, "images": [_image(shape=(9, 9, 9))]}, "picks 2-D images"),
    ],
)
def test_what_does_not_suit_is_a_sentence(options: dict, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        picker_from_topaz("m.sav", trust=True, diameter=40, **options)
