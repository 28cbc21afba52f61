import numpy as np
from napari.layers import Layer

from napari_cryoml._napari._sample_data import simulated_tomogram


def test_a_tomogram_comes_with_its_particles():
    image, points = (Layer.create(*layer) for layer in simulated_tomogram())
    assert image.data.shape == (48, 160, 160)
    assert len(points.data) == 60
    assert sorted(set(points.features["class"])) == [f"complex_0{n}" for n in range(1, 5)]
    np.testing.assert_allclose(points.scale, image.scale)
    assert points.shown.all()
    volume = np.asarray(image.data)
    inside = np.rint(points.data).astype(int)
    # Particles are dark, as in raw tomograms.
    assert volume[tuple(inside.T)].mean() < volume.mean() - 0.5 * volume.std()
