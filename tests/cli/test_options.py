from pathlib import Path

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.cli._options import (
    check_folder,
    check_output,
    config_of,
    field_help,
    pixel_size_of,
    with_settings,
)
from napari_cryoml.data import ArrayImage
from napari_cryoml.picking import PickerConfig
from napari_cryoml.simulate import MicrographConfig

CONFIG = PickerConfig(diameter=20)


def _images(*pixel_sizes: float | None) -> list[ArrayImage]:
    return [ArrayImage(np.zeros((4, 4), np.float32), f"{i}", s) for i, s in enumerate(pixel_sizes)]


def test_settings_reach_every_depth() -> None:
    settings = ["separation=1", "training.crop_size = 96", "training.augmentation.flips=false"]
    config = with_settings(CONFIG, [*settings, "network.units=4"])
    assert config.separation == 1
    assert config.training.crop_size == 96
    assert config.training.augmentation.flips is False
    assert config.network.units == 4
    assert config.diameter == 20


def test_none_and_lists_can_be_typed() -> None:
    assert with_settings(CONFIG, ["training.minutes=none"]).training.minutes is None
    assert with_settings(MicrographConfig(), ["shape=64, 80"]).shape == (64, 80)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("separation", "takes name=value; 'separation' was given"),
        ("nonsense=1", "choose one of diameter, ndim"),
        ("training.nonsense=1", "choose one of sampler, minutes"),
        ("nonsense.steps=1", "no group of options named 'nonsense'"),
        ("separation.x=1", "no group of options named 'separation'"),
        ("separation=wide", "separation: .* 'wide' was given"),
        ("separation=-1", "separation: .*greater than 0.* was given"),
    ],
)
def test_a_wrong_setting_is_a_sentence(setting: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        with_settings(CONFIG, [setting])


def test_a_wrong_option_is_a_sentence() -> None:
    with pytest.raises(InputError, match=r"particles_per_image: .* -3 was given"):
        config_of(PickerConfig, diameter=3, particles_per_image=-3)


def test_help_of_an_option_is_that_of_its_config() -> None:
    assert field_help(PickerConfig, "model", ["a", "b"]).endswith("One of a, b.")
    assert "log-odds" not in field_help(PickerConfig, "device")


@pytest.mark.parametrize(
    ("images", "given", "expected"),
    [
        ((), None, None),
        ((), 2.0, 2.0),
        ((1.5, 1.5), None, 1.5),
        ((1.5, 1.501), None, 1.5),
        ((1.5, 3.0), None, None),
        ((1.5, None), None, None),
        ((None,), None, None),
        ((1.5,), 2.0, 2.0),
    ],
)
def test_the_pixel_size_to_reckon_with(images, given, expected) -> None:
    assert pixel_size_of(_images(*images), given) == expected


@pytest.mark.parametrize("given", [0.0, -1.0, float("nan"), float("inf")])
def test_a_pixel_size_is_a_positive_number(given: float) -> None:
    with pytest.raises(InputError, match="--pixel-size takes a number of angstrom above 0"):
        pixel_size_of([], given)


def test_folders_for_results_are_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "m.safetensors"
    assert check_output(path) == path
    assert path.parent.is_dir()


def test_a_place_that_takes_no_file_is_a_sentence(tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(InputError, match="is a folder: give the name of a file"):
        check_output(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot be made \(.*\): choose another folder"):
        check_output(tmp_path / "file" / "m.safetensors")
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(InputError, match="cannot be written to: choose another folder"):
        check_folder(tmp_path)
