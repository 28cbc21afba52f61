"""Images of cells as layers, and cells on them."""

import numpy as np
import pytest
import tifffile
import zarr
from napari.components import ViewerModel
from napari.layers import Layer

from napari_cryoml._errors import InputError
from napari_cryoml._napari._cell_channels import channels_of, labels_of, likely_roles
from napari_cryoml._napari._cell_view import OwnLayers, known_columns, write_features
from napari_cryoml._napari._image_layers import KEY
from napari_cryoml._napari._reader import get_reader
from napari_cryoml.preprocess import CellsConfig, cut_cells, dense_table

PIXELS = np.random.default_rng(0).integers(0, 900, (3, 20, 30)).astype(np.uint16)
PALETTE = np.array([[0, 0, 0, 0], [1, 0, 0, 1], [0, 1, 0, 1]], float)


def _ome(path):
    channel = {"Name": ["GFP", "RFP", "DAPI"]}
    data = {"axes": "CYX", "Channel": channel, "PhysicalSizeX": 0.2, "PhysicalSizeXUnit": "µm"}
    tifffile.imwrite(path, PIXELS, ome=True, metadata=data)


def _zarr(path):
    group = zarr.open_group(path, mode="w", zarr_format=2)
    group.create_array("0", data=PIXELS)
    axes = [{"name": "c"}, *({"name": a, "unit": "micrometer"} for a in "yx")]
    scale = [{"type": "scale", "scale": [1.0, 0.2, 0.2]}]
    sets = [{"path": "0", "coordinateTransformations": scale}]
    group.attrs["multiscales"] = [{"axes": axes, "datasets": sets}]
    group.attrs["omero"] = {"channels": [{"label": name} for name in ("GFP", "RFP", "DAPI")]}


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.mark.parametrize(("write", "name"), [(_ome, "a.ome.tif"), (_zarr, "a.zarr")])
def test_an_image_of_several_channels_becomes_a_layer_a_channel(tmp_path, viewer, write, name):
    write(tmp_path / name)
    path = str(tmp_path / name)
    for data in get_reader(path)(path):
        viewer.add_layer(Layer.create(*data))
    assert [layer.name for layer in viewer.layers] == [
        f"{c} · {name}" for c in ("GFP", "RFP", "DAPI")
    ]
    for layer, pixels in zip(viewer.layers, PIXELS, strict=True):
        np.testing.assert_array_equal(layer.data, pixels)
        assert layer.metadata[KEY]["image"] == name
        low, high = layer.contrast_limits
        assert pixels.min() <= low < high <= pixels.max()
    channels = channels_of(viewer)
    assert {channel.image for channel in channels} == {name}
    assert channels[0].pixel_size == pytest.approx(2000)
    protein, marker = likely_roles(channels)
    names = {channel.key: channel.name for channel in channels}
    assert (names[protein], names[marker]) == (f"GFP · {name}", f"RFP · {name}")


def test_what_is_no_image_at_all_is_the_sentence_of_images(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, imagej=True, metadata={"axes": "TYX"})
    path = str(tmp_path / "a.tif")
    with pytest.raises(InputError, match="one image"):
        get_reader(path)(path)


def _labels():
    labels = np.zeros((20, 30), np.int32)
    labels[3:8, 4:9], labels[10:15, 12:17], labels[2:6, 20:26] = 7, 2, 12
    return labels


def test_what_is_known_of_cells_goes_to_the_row_of_their_label(viewer):
    layer = viewer.add_labels(_labels(), scale=(2, 2), features={"mine": np.arange(13)})
    image = viewer.add_image(PIXELS, scale=(1, 2, 2))
    channels = channels_of(viewer)
    assert [channel.index for channel in channels] == [0, 1, 2]
    assert channels[0].layer is image
    with pytest.warns(UserWarning, match="no signal"):
        crops = cut_cells(image.data, layer.data, CellsConfig(size=8), image_name="a")
    table = dense_table(crops.columns["label"], crops.columns, image_name="a")
    write_features(layer, table)
    features = layer.features
    assert features["label"].tolist() == features["index"].tolist() == list(range(13))
    assert features["mine"].tolist() == list(range(13))
    assert features["area"][[2, 7, 12]].tolist() == [25, 25, 24]
    assert set(features["roi_id"]) == {"a"}
    layer.selected_label = 7
    assert "area: 25" in layer.get_status(position=(10, 12), world=True)["value"]
    known = known_columns(layer, np.array([12, 2]), lambda name: name != "area")
    assert known["area"].tolist() == [24, 25]


def test_classes_are_a_layer_that_stays_the_same_one(viewer):
    cells = viewer.add_labels(_labels(), scale=(3, 3), translate=(5, 6), name="mine")
    own = OwnLayers(viewer)
    codes = np.zeros(13, np.uint8)
    codes[[2, 7]] = 1, 2
    own.show_classes(cells.data, codes, PALETTE, cells)
    layer = own.classes
    assert np.unique(layer.data[cells.data == 7]).tolist() == [2]
    assert np.unique(layer.data[cells.data == 12]).tolist() == [0]
    np.testing.assert_array_equal(layer.scale, cells.scale)
    np.testing.assert_array_equal(layer.translate, cells.translate)
    assert labels_of(viewer) == [cells]
    layer.name = "renamed"
    codes[12] = 2
    own.show_classes(cells.data, codes, PALETTE, cells)
    assert own.classes is layer
    assert len(viewer.layers) == 2
    assert np.unique(layer.data[cells.data == 12]).tolist() == [2]
    np.testing.assert_allclose(layer.get_color(2), PALETTE[2])
    viewer.layers.remove(layer)
    own.show_classes(cells.data, codes, PALETTE, cells)
    assert own.classes is not layer
    own.close()
    assert list(viewer.layers) == [cells]


def test_labels_beyond_the_codes_are_no_cells(viewer):
    cells = viewer.add_labels(_labels())
    own = OwnLayers(viewer)
    own.show_classes(cells.data, np.array([0, 0, 1], np.uint8), PALETTE, cells)
    assert np.unique(own.classes.data[cells.data > 2]).tolist() == [0]
    assert own.classes.data[12, 14] == 1
