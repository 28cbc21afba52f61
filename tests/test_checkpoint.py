import errno
import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch

from napari_cryoml import checkpoint
from napari_cryoml._errors import InputError

HEADER = {"kind": "picker", "pixel_size": 1.5, "names": ["µ", "b"], "nothing": None}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


def rewrite_header(path: Path, **changes: object) -> None:
    """Change what our metadata says, leaving the tensors as they are."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    table = json.loads(content[8 : 8 + length])
    about = json.loads(table["__metadata__"]["napari_cryoml"]) | changes
    table["__metadata__"]["napari_cryoml"] = json.dumps(about)
    text = json.dumps(table).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])


def test_what_is_saved_is_loaded(path):
    tensors = {
        "float": torch.randn(2, 3),
        "whole": torch.tensor(7),
        "half": torch.ones(3, dtype=torch.bfloat16),
        "empty": torch.zeros(0, 4),
        "transposed": torch.arange(6.0).reshape(2, 3).T,
    }
    checkpoint.save(path, tensors, HEADER)
    loaded, header = checkpoint.load(path)
    assert header == HEADER == checkpoint.read_header(path)
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype
        assert torch.equal(loaded[name], tensor)


def test_shared_memory_and_gradients_are_no_hindrance(path):
    weight = torch.nn.Parameter(torch.ones(4))
    checkpoint.save(path, {"a": weight, "b": weight, "c": weight[:2]}, {})
    loaded, _ = checkpoint.load(path)
    assert loaded["b"].tolist() == [1] * 4
    assert loaded["c"].tolist() == [1] * 2


def test_loaded_tensors_do_not_hang_on_the_file(path):
    checkpoint.save(path, {"a": torch.ones(3)}, {})
    loaded, _ = checkpoint.load(path)
    path.unlink()
    loaded["a"] += 1
    assert loaded["a"].tolist() == [2] * 3


def test_no_tensors_and_no_header_are_fine(path):
    checkpoint.save(path, {}, {})
    assert checkpoint.load(path) == ({}, {})


def test_saving_replaces_and_leaves_nothing_else(path):
    checkpoint.save(path, {"a": torch.zeros(1)}, {"n": 1})
    checkpoint.save(path, {"a": torch.ones(1)}, {"n": 2})
    assert checkpoint.load(path)[1] == {"n": 2}
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_others_may_read_what_the_umask_allows(path):
    before = os.umask(0o022)
    try:
        checkpoint.save(path, {}, {})
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("number", "sentence"), [(errno.ENOSPC, "no space left"), (errno.EIO, "cannot be written")]
)
def test_a_failing_disk_is_one_sentence_and_keeps_the_old_file(path, monkeypatch, number, sentence):
    checkpoint.save(path, {"a": torch.ones(1)}, {"n": 1})

    def fail(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(InputError, match=sentence):
        checkpoint.save(path, {"a": torch.zeros(1)}, {"n": 2})
    assert checkpoint.load(path)[1] == {"n": 1}
    assert list(path.parent.iterdir()) == [path]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no folder .*nowhere"):
        checkpoint.save(tmp_path / "nowhere" / "a.safetensors", {}, {})


def test_what_is_not_there_or_a_folder(tmp_path):
    with pytest.raises(InputError, match="no checkpoint"):
        checkpoint.load(tmp_path / "none")
    with pytest.raises(InputError, match="is a folder"):
        checkpoint.load(tmp_path)


class Trap:
    def __reduce__(self):
        return (os.mkdir, ("trapped",))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ".pkl"])
def test_pickles_are_refused_unread(tmp_path, monkeypatch, suffix):
    monkeypatch.chdir(tmp_path)
    plain, zipped = Path("plain" + suffix), Path("zipped" + suffix)
    plain.write_bytes(pickle.dumps(Trap()))
    torch.save({"a": Trap()}, zipped)
    assert zipfile.is_zipfile(zipped)
    for path in (plain, zipped):
        with pytest.raises(InputError, match=r"pickle.*import-topaz --trust"):
            checkpoint.load(path)
    assert not Path("trapped").exists()


def test_a_topaz_model_is_sent_to_the_importer(tmp_path):
    path = tmp_path / "m.sav"
    torch.save({}, path)
    with pytest.raises(InputError, match="import it with napari-cryoml pick import-topaz --trust"):
        checkpoint.load(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"hello, this is text", b"\x89HDF\r\n\x1a\n" + bytes(99), b"\xff" * 8 + b"{"],
)
def test_other_files_are_no_checkpoints(path, content):
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not a checkpoint"):
        checkpoint.load(path)


def test_other_programs_safetensors(path):
    from safetensors.torch import save_file

    save_file({"a": torch.ones(1)}, path)
    with pytest.raises(InputError, match="of another program"):
        checkpoint.load(path)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_a_truncated_file_is_damaged(path, kept):
    checkpoint.save(path, {"a": torch.ones(100)}, HEADER)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(InputError, match="is damaged"):
        checkpoint.load(path)


@pytest.mark.parametrize("changes", [{"version": "one"}, {"header": 3}])
def test_an_altered_header_is_damaged(path, changes):
    checkpoint.save(path, {}, HEADER)
    rewrite_header(path, **changes)
    with pytest.raises(InputError, match="is damaged"):
        checkpoint.load(path)


def test_a_newer_layout_asks_for_an_update(path):
    checkpoint.save(path, {}, HEADER)
    rewrite_header(path, version=checkpoint.VERSION + 1, written_by="9.9")
    with pytest.raises(InputError, match=r"9\.9 .*update napari-cryoml"):
        checkpoint.load(path)


def test_importing_it_needs_no_torch():
    code = "import sys, napari_cryoml.checkpoint; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 0
