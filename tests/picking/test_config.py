import pytest
from pydantic import ValidationError

from napari_cryoml._errors import InputError
from napari_cryoml.picking import PickerConfig
from napari_cryoml.training import TrainingConfig


def test_the_diameter_is_the_only_option_without_a_default() -> None:
    assert PickerConfig(diameter=50).model == "conv31"
    with pytest.raises(ValidationError):
        PickerConfig()


def test_the_working_diameter_follows_the_receptive_field() -> None:
    small = PickerConfig(diameter=50).preprocess_config().working_diameter
    large = PickerConfig(diameter=50, model="conv63").preprocess_config().working_diameter
    assert small == pytest.approx(0.45 * 31)
    assert large == pytest.approx(0.45 * 63)
    own = PickerConfig(diameter=50, working_diameter=20).preprocess_config()
    assert own.working_diameter == 20


def test_the_published_weight_of_the_autoencoder() -> None:
    assert PickerConfig(diameter=50, autoencoder="auto").reconstruction_weight(100) == 0.1
    assert PickerConfig(diameter=50, autoencoder=3).reconstruction_weight(100) == 3
    assert PickerConfig(diameter=50).reconstruction_weight(10) == 0


def test_expected_particles() -> None:
    assert PickerConfig(diameter=10).expected_particles((100, 200)) == 50
    assert PickerConfig(diameter=10, particles_per_image=7).expected_particles((100, 200)) == 7
    assert PickerConfig(diameter=10).expected_particles((100, 200), n_labels=60) == 90
    sure = PickerConfig(diameter=10, particles_per_image=7)
    assert sure.expected_particles((100, 200), n_labels=9) == 9
    in_a_tomogram = PickerConfig(diameter=10, ndim=3).expected_particles((100, 100, 100))
    assert in_a_tomogram == 1000 / 16
    assert PickerConfig(diameter=99).expected_particles((100, 100)) == 1


@pytest.mark.parametrize("option", ["model", "objective"])
def test_an_unknown_name_is_a_sentence_with_the_known_ones(option: str) -> None:
    config = PickerConfig(diameter=10, **{option: "nonsense"})
    with pytest.raises(InputError, match=r"nonsense.*choose one of .*(conv31|ge_binomial)"):
        config.detector_config() if option == "model" else config.objective_config()


def test_the_options_of_the_network_reach_it() -> None:
    config = PickerConfig(diameter=10, network={"units": 4, "batch_norm": False}).detector_config()
    assert (config.units, config.batch_norm, config.ndim) == (4, False, 2)
    again = PickerConfig.model_validate(
        PickerConfig(diameter=10, network={"units": 4}).model_dump()
    )
    assert again.network.units == 4


def test_a_file_from_before_these_options_is_read() -> None:
    former = PickerConfig(diameter=10).model_dump(mode="json")
    del former["network"]
    assert PickerConfig.model_validate(former) == PickerConfig(diameter=10)


@pytest.mark.parametrize(("ndim", "edge"), [(2, 128), (3, 47)])
def test_crops_of_tomograms_are_cut_smaller(ndim, edge):
    training = PickerConfig(diameter=14, ndim=ndim).training_for(10)
    assert training.crop_size == edge
    assert training.steps == 180
    small = PickerConfig(diameter=14, ndim=ndim, training=TrainingConfig(crop_size=40))
    assert small.training_for(10).crop_size == 40
