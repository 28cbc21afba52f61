import numpy as np
import tifffile
from napari.layers import Layer

from napari_cryoml._napari._sample_data import simulated_cells, simulated_tomogram


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


def test_cells_come_with_their_labels_and_what_they_are():
    marker, protein, labels = (Layer.create(*layer) for layer in simulated_cells())
    assert (marker.name, protein.name, labels.name) == ("marker", "protein", "cells")
    assert marker.data.shape == protein.data.shape == labels.data.shape == (512, 512)
    assert len(labels.features) == labels.data.max() + 1
    assert (labels.features["label"] == np.arange(len(labels.features))).all()
    assert len(set(labels.features["class"][1:])) > 3
    path = protein.metadata["napari_cryoml"]["path"]
    np.testing.assert_array_equal(tifffile.imread(path), [protein.data, marker.data])
    assert marker.data[labels.data > 0].mean() > 1.3 * marker.data[labels.data == 0].mean()
