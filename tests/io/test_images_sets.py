import shutil

import numpy as np
import pytest

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.io import IMAGE_SUFFIXES, open_image, open_images, write_mrc
from napari_cryoml.io._decoded import DecodedImages


@pytest.fixture
def folder(tmp_path):
    """Return a folder of mic_1, mic_2 and mic_10, with things beside them that are no images."""
    for number in (10, 1, 2):
        write_mrc(tmp_path / f"mic_{number}.mrc", np.full((3, 5), number), 1.5)
    (tmp_path / ".mic_3.mrc").write_bytes(b"hidden")
    (tmp_path / "particles.star").write_text("data_")
    (tmp_path / "deeper").mkdir()
    write_mrc(tmp_path / "deeper" / "mic_4.mrc", np.zeros((3, 5)))
    return tmp_path


def names(images):
    return [image.name for image in images]


def test_a_folder_gives_its_images_in_natural_order(folder):
    assert names(open_images([folder])) == ["mic_1.mrc", "mic_2.mrc", "mic_10.mrc"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("mic_*.mrc", ["mic_1.mrc", "mic_2.mrc", "mic_10.mrc"]),
        ("*", ["mic_1.mrc", "mic_2.mrc", "mic_10.mrc"]),
        ("mic_?.mrc", ["mic_1.mrc", "mic_2.mrc"]),
        ("**/*_[14].mrc", ["mic_4.mrc", "mic_1.mrc"]),
    ],
)
def test_patterns_give_what_they_match(folder, pattern, expected):
    assert names(open_images([folder / pattern])) == expected


def test_files_come_in_the_order_given_and_once(folder):
    files = [folder / "mic_10.mrc", str(folder / "mic_1.mrc"), folder, folder / "*.mrc"]
    assert names(open_images(files)) == ["mic_10.mrc", "mic_1.mrc", "mic_2.mrc"]


def test_a_single_path_need_not_be_in_a_list(folder):
    assert names(open_images(str(folder / "mic_2.mrc"))) == ["mic_2.mrc"]
    assert open_images([]) == []


def test_brackets_in_a_real_name_are_no_pattern(tmp_path):
    write_mrc(tmp_path / "a[1].mrc", np.zeros((3, 5)))
    assert names(open_images([tmp_path / "a[1].mrc"])) == ["a[1].mrc"]


def test_one_image_of_a_stack_can_be_opened(tmp_path):
    write_mrc(tmp_path / "a.mrcs", np.zeros((3, 4, 5)))
    assert names(open_images([tmp_path / "a.mrcs#2", tmp_path / "a.mrcs"])) == [
        "a.mrcs#2",
        "a.mrcs#0",
        "a.mrcs#1",
    ]


def test_two_images_of_one_name_are_refused_with_both_paths(folder):
    write_mrc(folder / "deeper" / "mic_1.mrc", np.zeros((3, 5)))
    with pytest.raises(InputError, match=r"named mic_1\.mrc: .*mic_1\.mrc and .*deeper"):
        open_images([folder, folder / "deeper"])


def test_an_unreadable_file_of_a_folder_is_left_out_with_a_warning(folder):
    (folder / "mic_11.mrc").write_bytes(b"")
    (folder / "mic_12.mrc").write_bytes(b"")
    (folder / "mic_13.eer").write_bytes(b"")
    with pytest.warns(InputWarning) as caught:
        images = open_images([folder])
    assert names(images) == ["mic_1.mrc", "mic_2.mrc", "mic_10.mrc"]
    messages = sorted(str(warning.message) for warning in caught)
    assert len(messages) == 2
    assert messages[0].startswith("Left out: mic_11.mrc is not an MRC file")
    assert "(1 more like it.)" in messages[0]
    assert messages[1].startswith("Left out: mic_13.eer")


def test_a_file_that_is_named_must_be_readable(folder):
    (folder / "mic_11.mrc").write_bytes(b"")
    with pytest.raises(InputError, match=r"mic_11\.mrc is not an MRC file"):
        open_images([folder / "mic_1.mrc", folder / "mic_11.mrc"])
    with pytest.raises(InputError, match="There is no file"):
        open_images([folder / "mic_99.mrc"])


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"gives no image: MRC .* were expected"):
        open_images([tmp_path])
    (tmp_path / "a.dm4").write_bytes(b"")
    with pytest.raises(InputError, match=r"gives no image that can be read\. a\.dm4 .*dm2mrc"):
        open_images([tmp_path])


def test_a_pattern_without_images_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"The pattern .*\*\.mrc gives no image"):
        open_images([tmp_path / "*.mrc"])


def test_one_oddity_of_many_files_is_one_warning(folder):
    for path in folder.glob("*.mrc"):
        if not path.name.startswith("."):
            path.write_bytes(path.read_bytes() + b"surplus")
    with pytest.warns(InputWarning) as caught:
        assert len(open_images([folder])) == 3
    assert [str(warning.message) for warning in caught] == [
        "Each of 3 files (mic_1.mrc, mic_2.mrc, mic_10.mrc) holds 7 bytes more than its header "
        "announces; they are ignored."
    ]


def test_a_zarr_store_among_files_is_one_image(folder):
    zarr = pytest.importorskip("zarr")
    zarr.create_array(folder / "mic_5.zarr", data=np.zeros((3, 5)))
    assert names(open_images([folder])) == ["mic_1.mrc", "mic_2.mrc", "mic_5.zarr", "mic_10.mrc"]


def test_suffixes_are_those_that_open(folder):
    for suffix in IMAGE_SUFFIXES - {".zarr"}:
        assert suffix == suffix.lower()
        assert suffix.startswith(".")
    shutil.copy(folder / "mic_1.mrc", folder / "copy.REC")
    assert ".rec" in IMAGE_SUFFIXES
    assert open_image(folder / "copy.REC").shape == (3, 5)
    shutil.copy(folder / "mic_1.mrc", folder / "map.ccp4")
    assert open_image(folder / "map.ccp4").shape == (3, 5)


def test_decoded_images_are_kept_within_the_budget(tmp_path):
    paths = [tmp_path / f"{number}" for number in range(3)]
    decoded = []

    def decode(path):
        decoded.append(path.name)
        return np.zeros(100, np.uint8)

    for path in paths:
        path.write_bytes(b"x")
    cache = DecodedImages(250)
    for index in (0, 0, 1, 0, 2, 0, 1):
        cache.get(paths[index], decode)
    assert decoded == ["0", "1", "2", "1"]
    assert cache.n_bytes <= 250


def test_the_newest_decoded_image_is_kept_however_large(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x")
    cache = DecodedImages(1)
    assert cache.get(path, lambda _: np.zeros(100)) is cache.get(path, lambda _: np.ones(100))


def test_a_real_folder_opens(shared_data):
    images = open_images([shared_data / "micrographs" / "empiar10028_ribosome80S"])
    assert names(images) == [f"06{n}_10028.png" for n in range(1, 6)]
