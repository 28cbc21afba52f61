import pytest

from napari_cryoml.picking import PickerConfig
from napari_cryoml.picking.live import LiveConfig
from napari_cryoml.recipes import settings_of, with_settings

TRAINING = {"minutes": None, "steps": 30, "crop_size": 96}


@pytest.mark.parametrize(
    "config",
    [
        LiveConfig(diameter=1 / 3, pixel_size=1.35, encoder=False, head="linear", seed=4),
        LiveConfig(diameter=20.0, particles_per_image=7.5, ndim=3, mask_borders=False),
        PickerConfig(diameter=24.7, autoencoder="auto", live_labels=True, training=TRAINING),
        PickerConfig(diameter=24.7, ndim=3, working_diameter=11.5, normalisation="percentile"),
    ],
)
def test_the_settings_of_a_config_make_the_same_config(config):
    plain = type(config)(diameter=1.0, ndim=config.ndim)
    settings = settings_of(config, leave_out=("ndim", "marked"))
    assert with_settings(plain, settings) == config


def test_what_is_told_otherwise_is_left_out():
    settings = settings_of(LiveConfig(diameter=20.0), leave_out=("diameter", "ndim"))
    assert "encoder=true" in settings
    assert "pixel_size=none" in settings
    assert not [one for one in settings if one.startswith(("diameter=", "ndim="))]
