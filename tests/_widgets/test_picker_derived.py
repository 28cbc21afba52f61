import pytest

from napari_cryoml._widgets.picker._derived import derived_text
from napari_cryoml.picking import PickerConfig


@pytest.mark.parametrize("ndim", [2, 3])
def test_lengths_are_in_angstrom_where_the_pixel_size_is_known(ndim):
    config = PickerConfig(diameter=100.0, ndim=ndim, separation=0.5, particles_per_image=70)
    text = derived_text(config, (400,) * ndim, 1.5)
    assert "Diameter: 150 Å (100 px)" in text
    assert "Least distance of picks: 75 Å (50 px)" in text
    assert text.endswith("an image: 70")
    assert "Å" not in derived_text(config, (400,) * ndim, None)
