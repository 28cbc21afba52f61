"""Feature maps kept in memory and on disk."""

import os
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml._registry import Config
from napari_cryoml.data import ArrayImage
from napari_cryoml.features import (
    FeatureCache,
    FeatureMap,
    feature_key,
    neighbours,
    user_cache_folder,
)
from napari_cryoml.io import open_image, write_mrc

BYTES = 2 * 3 * 100  # of one map


def a_map(value: float, mask: bool = False) -> FeatureMap:
    values = np.full((3, 10, 10), value, np.float16)
    usable = (np.arange(100).reshape(10, 10) % 2).astype(bool) if mask else None
    return FeatureMap(values, np.array([2.0, 3.0]), np.array([0.5, 0.0]), usable)


def same(one: FeatureMap, other: FeatureMap | None) -> bool:
    if other is None or (one.mask is None) != (other.mask is None):
        return False
    masks = one.mask is None or np.array_equal(one.mask, other.mask)
    arrays = [(one.values, other.values), (one.scale, other.scale), (one.offset, other.offset)]
    return masks and all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in arrays)


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)


def aged(folder: Path) -> None:
    """Put the files written until now into the past, in their order."""
    for rank, path in enumerate(files(folder)):
        os.utime(path, ns=(rank * 10**9, rank * 10**9))


def test_memory_keeps_what_was_used_last():
    cache = FeatureCache(memory_bytes=2 * BYTES)
    cache.put("a", a_map(1))
    cache.put("b", a_map(2))
    cache.get("a")
    cache.put("c", a_map(3))
    assert [key in cache for key in "abc"] == [True, False, True]
    assert cache.get("b") is None
    assert cache.memory_used == 2 * BYTES


def test_memory_stays_bounded_when_a_key_is_put_again():
    cache = FeatureCache(memory_bytes=2 * BYTES)
    for value in range(5):
        cache.put("a", a_map(value))
    assert cache.memory_used == BYTES
    assert same(a_map(4), cache.get("a"))


def test_a_map_larger_than_the_memory_stays_until_the_next():
    cache = FeatureCache(memory_bytes=10)
    cache.put("a", a_map(1))
    assert "a" in cache
    cache.put("b", a_map(2))
    assert "a" not in cache
    assert "b" in cache


@pytest.mark.parametrize("mask", [False, True])
def test_what_leaves_the_memory_comes_back_from_disk(tmp_path, mask):
    cache = FeatureCache(memory_bytes=BYTES, folder=tmp_path / "made" / "late")
    for value, key in enumerate("abc"):
        cache.put(key, a_map(value, mask))
    assert all(same(a_map(value, mask), cache.get(key)) for value, key in enumerate("abc"))
    assert cache.memory_used <= 2 * BYTES


def test_another_run_finds_the_maps(tmp_path):
    FeatureCache(folder=tmp_path).put("a", a_map(1))
    later = FeatureCache(folder=tmp_path)
    assert "a" in later
    assert same(a_map(1), later.get("a"))


def test_volumes_and_views_are_kept_as_they_are(tmp_path):
    values = np.random.default_rng(0).normal(size=(4, 5, 6, 7)).astype(np.float16)[:, ::2, :, ::-1]
    volume = FeatureMap(values, np.ones(3), np.zeros(3))
    FeatureCache(folder=tmp_path).put("v", volume)
    assert same(volume, FeatureCache(folder=tmp_path).get("v"))


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "foreign", "moved"])
def test_a_damaged_file_is_made_again_silently(tmp_path, damage):
    cache = FeatureCache(folder=tmp_path)
    cache.put("a", a_map(1))
    (path,) = files(tmp_path)
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "empty":
        content = bytearray()
    elif damage == "flipped":
        content[-1] ^= 1
    elif damage == "foreign":
        content = bytearray(b"no map at all " * 100)
    else:
        cache.put("b", a_map(2))
        other = next(file for file in files(tmp_path) if file != path)
        content = bytearray(other.read_bytes())
    path.write_bytes(content)
    later = FeatureCache(folder=tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert later.get("a") is None
        assert not path.exists()
        assert same(a_map(7), later.get_or_make("a", lambda: a_map(7)))
    assert same(a_map(7), FeatureCache(folder=tmp_path).get("a"))


def test_a_file_of_another_kind_of_map_is_made_again(tmp_path):
    from safetensors.numpy import save_file

    cache = FeatureCache(folder=tmp_path)
    cache.put("a", a_map(1))
    (path,) = files(tmp_path)
    save_file({"values": np.zeros(3)}, path, metadata={"key": "a"})
    assert FeatureCache(folder=tmp_path).get("a") is None


def test_disk_deletes_what_was_used_longest_ago(tmp_path):
    FeatureCache(folder=tmp_path).put("size", a_map(0))
    size = files(tmp_path)[0].stat().st_size
    cache = FeatureCache(memory_bytes=BYTES, folder=tmp_path, disk_bytes=int(4.5 * size))
    cache.clear()
    for value, key in enumerate("abcd"):
        cache.put(key, a_map(value))
    aged(tmp_path)
    cache.get("a")
    cache.put("e", a_map(4))
    fresh = FeatureCache(folder=tmp_path)
    assert [key in fresh for key in "abcde"] == [True, False, True, True, True]
    assert sum(path.stat().st_size for path in files(tmp_path)) <= 4.5 * size


def test_use_from_memory_counts_as_use_on_disk(tmp_path):
    cache = FeatureCache(folder=tmp_path)
    cache.put("a", a_map(1))
    aged(tmp_path)
    cache.get("a")
    assert files(tmp_path)[0].stat().st_mtime > 1000


def test_disk_never_exceeds_its_bound(tmp_path):
    bound = 40_000
    cache = FeatureCache(memory_bytes=0, folder=tmp_path, disk_bytes=bound)
    for number in range(100):
        cache.put(str(number), a_map(number))
        assert sum(path.stat().st_size for path in files(tmp_path)) <= bound
    assert len(files(tmp_path)) > 10


def test_a_map_larger_than_the_disk_room_deletes_nothing(tmp_path):
    cache = FeatureCache(folder=tmp_path, disk_bytes=3000)
    cache.put("small", a_map(1))
    cache.put("large", FeatureMap(np.zeros((3, 100, 100), np.float16), np.ones(2), np.zeros(2)))
    fresh = FeatureCache(folder=tmp_path)
    assert "small" in fresh
    assert "large" not in fresh


def test_half_written_files_are_no_entries_and_go_when_they_are_old(tmp_path):
    cache = FeatureCache(folder=tmp_path)
    cache.put("a", a_map(1))
    part = files(tmp_path)[0].with_suffix(".0123abcd.part")
    young = part.with_suffix(".4567.part")
    for path in (part, young):
        path.write_bytes(b"half")
    os.utime(part, ns=(0, 0))
    FeatureCache(folder=tmp_path).put("b", a_map(2))
    assert not part.exists()
    assert young.exists()


def test_clear_leaves_files_of_others(tmp_path):
    mine = tmp_path / "notes.features"
    mine.write_text("mine")
    cache = FeatureCache(folder=tmp_path)
    cache.put("a", a_map(1))
    cache.clear()
    assert "a" not in cache
    assert cache.get("a") is None
    assert cache.memory_used == 0
    assert files(tmp_path) == [mine]


def test_a_folder_that_cannot_be_written_is_said_once(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    cache = FeatureCache(folder=blocked)
    with pytest.warns(InputWarning, match="cannot be kept in"):
        cache.put("a", a_map(1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache.put("b", a_map(2))
    assert same(a_map(1), cache.get("a"))
    assert same(a_map(2), cache.get("b"))


def test_get_or_make_makes_once():
    made = []
    cache = FeatureCache()
    for _ in range(3):
        cache.get_or_make("a", lambda: made.append(1) or a_map(5))
    assert made == [1]


def test_one_writer_and_one_reader_agree(tmp_path):
    cache = FeatureCache(memory_bytes=3 * BYTES, folder=tmp_path, disk_bytes=60_000)
    keys = [str(number % 17) for number in range(300)]
    wrong = []

    def read() -> None:
        for key in keys:
            found = cache.get(key)
            if found is not None and not same(a_map(int(key)), found):
                wrong.append(key)

    reader = threading.Thread(target=read)
    reader.start()
    for key in keys:
        cache.put(key, a_map(int(key)))
    reader.join()
    assert not wrong
    assert cache.memory_used <= 3 * BYTES


class Settings(Config):
    order: int = 4
    name: str = "rings"


def test_key_changes_with_every_setting():
    image = ArrayImage(np.zeros((8, 8)))
    keys = [
        feature_key(image, config=Settings(), version=1),
        feature_key(image, config=Settings(order=5), version=1),
        feature_key(image, config=Settings(), version=2),
        feature_key(image, config=Settings()),
        feature_key(image, config=Settings(), version=1, diameter=np.float32(20)),
        feature_key(image, config=Settings(), version=1, diameter=np.array([20, 21])),
        feature_key(image, config=Settings(), version=1, diameter=Path("20")),
    ]
    assert len(set(keys)) == len(keys)


def test_key_does_not_change_with_the_order_of_settings():
    image = ArrayImage(np.zeros((8, 8)))
    assert feature_key(image, a=1, b=(2, 3)) == feature_key(image, b=[2, 3], a=np.int64(1))


def test_key_of_an_image_in_memory_follows_its_pixels():
    pixels = np.arange(12.0).reshape(3, 4)
    key = feature_key(ArrayImage(pixels))
    assert feature_key(ArrayImage(pixels.astype(np.float32), name="another")) == key
    assert feature_key(ArrayImage(pixels + 1)) != key
    assert feature_key(ArrayImage(pixels.reshape(4, 3))) != key
    assert feature_key(ArrayImage(pixels, pixel_size=1.5)) != key


def test_key_of_a_file_follows_its_state_and_not_its_content(tmp_path, monkeypatch):
    path = tmp_path / "a.mrc"
    write_mrc(path, np.zeros((8, 8), np.float32), 1.0)
    image = open_image(path)
    monkeypatch.setattr(type(image), "read", lambda *_: pytest.fail("the content was read"))
    key = feature_key(image)
    assert feature_key(open_image(path)) == key
    os.utime(path, ns=(1, 1))
    assert feature_key(image) != key


def test_images_of_a_stack_have_keys_of_their_own(tmp_path):
    path = tmp_path / "a.mrcs"
    write_mrc(path, np.zeros((2, 8, 8), np.float32), 1.0)
    assert feature_key(open_image(f"{path}#0")) != feature_key(open_image(f"{path}#1"))


def test_key_of_a_zarr_folder_follows_its_chunks(tmp_path):
    import zarr

    path = tmp_path / "a.zarr"
    stored = zarr.create_array(path, shape=(8, 8), chunks=(4, 4), dtype="f4")
    stored[:] = 1
    key = feature_key(open_image(path))
    for chunk in (file for file in path.rglob("*") if file.is_file()):
        os.utime(chunk, ns=(2 * 10**18, 2 * 10**18))
    assert feature_key(open_image(path)) != key


def test_key_of_a_lost_file_is_refused(tmp_path):
    path = tmp_path / "a.mrc"
    write_mrc(path, np.zeros((8, 8), np.float32), 1.0)
    image = open_image(path)
    path.unlink()
    with pytest.raises(InputError, match="cannot be found now"):
        feature_key(image)


def test_settings_that_have_no_text_are_refused():
    with pytest.raises(TypeError, match="cannot be a part of a key"):
        feature_key(ArrayImage(np.zeros((2, 2))), odd=object())


def test_user_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_cache_folder() == tmp_path / "napari-cryoml" / "features"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert Path.home() in user_cache_folder().parents


@pytest.mark.parametrize(
    ("current", "n", "expected"),
    [
        ("c", 4, "dbea"),
        ("c", 1, "d"),
        ("a", 3, "bcd"),
        ("e", 3, "dcb"),
        ("d", 10, "ecba"),
        ("c", 0, ""),
        ("c", -1, ""),
        ("x", 2, "ab"),
    ],
)
def test_neighbours_come_nearest_first(current, n, expected):
    assert neighbours("abcde", current, n) == list(expected)


def test_no_names_have_no_neighbours():
    assert neighbours([], "a", 3) == []
