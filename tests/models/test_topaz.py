"""The mapping of Topaz's weights, on files with Topaz's names made here; Topaz is not needed."""

import pickle
from collections import OrderedDict
from importlib.machinery import ModuleSpec

import pytest
import torch

from napari_cryoml._errors import InputError
from napari_cryoml.models import _topaz, detectors, import_topaz

THEIR_PARTS = {ours: theirs for theirs, ours in _topaz._PARTS.items()}


@pytest.fixture(autouse=True)
def topaz(monkeypatch):
    """Make believe that Topaz is installed."""
    monkeypatch.setattr(_topaz, "find_spec", lambda name: ModuleSpec(name, None))


def random_state(config):
    torch.manual_seed(0)
    detector = config.build()
    for tensor in detector.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(0.1, 1)
    return detector.state_dict()


def their_name_in_sequence(name, batch_norm):
    """Topaz numbers convolution, batch norm and PReLU one after the other."""
    _, block, part, leaf = name.split(".")
    place = ("conv", "norm", "activation") if batch_norm else ("conv", "activation")
    return f"features.features.{int(block) * len(place) + place.index(part)}.{leaf}"


def their_name_in_blocks(name, step):
    """Topaz names the parts of a block; dropout takes up numbers, too."""
    _, block, part, leaf = name.split(".")
    return f"features.features.{int(block) * step}.{THEIR_PARTS[part]}.{leaf}"


def as_topaz(config, state, step=1):
    renamed = OrderedDict()
    for name, tensor in state.items():
        if name.startswith("classifier."):
            renamed[name] = tensor
        elif config.activation == "prelu":
            renamed[their_name_in_sequence(name, config.batch_norm)] = tensor
        else:
            renamed[their_name_in_blocks(name, step)] = tensor
    return renamed


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("name", list(detectors))
def test_weights_come_through(tmp_path, name, ndim, batch_norm):
    config = detectors.create(name, ndim=ndim, units=1, batch_norm=batch_norm)
    state = random_state(config)
    path = tmp_path / "weights.sav"
    torch.save(as_topaz(config, state), path)
    found, imported = import_topaz(path, trust=True)
    assert found == config
    found.build().load_state_dict(imported)
    assert all(torch.equal(imported[key], tensor) for key, tensor in state.items())


def test_dropout_between_the_blocks_does_not_matter(tmp_path):
    config = detectors.create("resnet8", units=1)
    path = tmp_path / "weights.sav"
    torch.save(as_topaz(config, random_state(config), step=2), path)
    assert import_topaz(path, trust=True)[0] == config


class MaxPool(torch.nn.Module):
    pass


class FakeModel(torch.nn.Module):
    """A pickled module, as Topaz saves after training."""

    def __init__(self, state, extra=None):
        super().__init__()
        self.state, self.extra = state, extra or torch.nn.Identity()

    def state_dict(self):
        return self.state


def test_a_whole_module_is_read(tmp_path):
    config = detectors.create("resnet8", units=1)
    path = tmp_path / "model_epoch10.sav"
    torch.save(FakeModel(as_topaz(config, random_state(config))), path)
    found, state = import_topaz(str(path), trust=True)
    assert found == config
    assert state.keys() == config.build().state_dict().keys()


def test_pooling_is_refused(tmp_path):
    config = detectors.create("resnet8", units=1)
    path = tmp_path / "m.sav"
    torch.save(FakeModel(as_topaz(config, random_state(config)), MaxPool()), path)
    with pytest.raises(InputError, match="with pooling"):
        import_topaz(path, trust=True)


def test_another_unit_scaling_is_refused(tmp_path):
    config = detectors.create("conv31", units=2)
    weights = as_topaz(config, random_state(config))
    weights["features.features.3.weight"] = torch.ones(3, 2, 5, 5)
    path = tmp_path / "m.sav"
    torch.save(weights, path)
    with pytest.raises(InputError, match="no network known here"):
        import_topaz(path, trust=True)


@pytest.mark.parametrize("content", [[1, 2], {"a": torch.ones(1)}, torch.ones(2)])
def test_other_pickles_are_refused(tmp_path, content):
    path = tmp_path / "m.sav"
    torch.save(content, path)
    with pytest.raises(InputError, match="should hold a detector of Topaz"):
        import_topaz(path, trust=True)


def test_without_trust_nothing_is_read(tmp_path):
    path = tmp_path / "m.sav"
    path.write_bytes(b"not even a pickle")
    with pytest.raises(InputError, match=r"run any code.*--trust"):
        import_topaz(path, trust=False)


def test_without_topaz_it_says_how_to_get_it(tmp_path, monkeypatch):
    path = tmp_path / "m.sav"
    path.write_bytes(pickle.dumps({}))
    monkeypatch.setattr(_topaz, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'pip install "napari-cryoml\[topaz\]"'):
        import_topaz(path, trust=True)


def test_damaged_and_missing_files(tmp_path):
    path = tmp_path / "m.sav"
    with pytest.raises(InputError, match="There is no file"):
        import_topaz(path, trust=True)
    path.write_bytes(b"\x80\x02garbage")
    with pytest.raises(InputError, match="could not be read as a model of Topaz"):
        import_topaz(path, trust=True)
