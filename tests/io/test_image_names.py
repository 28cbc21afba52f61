import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cryoml._errors import InputError
from napari_cryoml.io import match_images


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("a.mrc", "a.mrc"),
        ("Micrographs/a.mrc", "a.mrc"),
        ("a", "/data/a.tif"),
        ("MotionCorr/job002/a.mrc", "/elsewhere/a.png"),
        ("a_autopick.star", "a.mrc"),
        ("a_manualpick", "a.mrc"),
        ("a_info.json", "a.hdf"),
        ("a.mrc.tomostar", "a.mrc"),
        ("C:\\data\\a.mrc", "a.mrc"),
        ("J2/imported/000090334788266266069_a.mrc", "a.mrc"),
        ("a", "012345678901234567_a_patch_aligned_doseweighted.mrc"),
        ("000002@Stacks/s.mrcs", "s.mrcs#1"),
        ("May08_03.05.02.bin_avg", "May08_03.05.02.bin_avg.png"),
    ],
)
def test_one_image_under_many_names(name, image):
    assert match_images([name], [image, "other.mrc"]) == {name: image}


def test_names_without_an_image_are_left_out():
    assert match_images(["a", "b"], ["a.mrc"]) == {"a": "a.mrc"}
    assert match_images([], ["a.mrc"]) == {}
    assert match_images(["a"], []) == {}


def test_the_closest_agreement_wins():
    assert match_images(["a.mrc"], ["a.tif", "a.mrc"]) == {"a.mrc": "a.mrc"}
    images = ["p/Square_1/x.mrc", "p/Square_2/x.mrc"]
    assert match_images(["Square_2/x.mrc"], images) == {"Square_2/x.mrc": images[1]}


def test_an_image_that_is_taken_is_not_given_twice():
    assert match_images(["a.mrc", "a_autopick"], ["a.mrc"]) == {"a.mrc": "a.mrc"}
    assert match_images(["S1/x.mrc", "S2/x.mrc"], ["d/S1/x.mrc"]) == {"S1/x.mrc": "d/S1/x.mrc"}


def test_slices_of_a_stack_are_different_images():
    images = ["s.mrcs#0", "s.mrcs#1"]
    assert match_images(["1@s.mrcs", "2@s.mrcs"], images) == {
        "1@s.mrcs": "s.mrcs#0",
        "2@s.mrcs": "s.mrcs#1",
    }


def test_an_ambiguous_name_lists_the_candidates():
    with pytest.raises(InputError, match=r"'x\.mrc' fits 2 images \('S1/x\.mrc', 'S2/x\.mrc'\)"):
        match_images(["x.mrc"], ["S1/x.mrc", "S2/x.mrc"])
    with pytest.raises(InputError, match="and 2 more"):
        match_images(["x"], [f"S{n}/x.mrc" for n in range(8)])


def test_two_names_for_one_image_are_refused():
    with pytest.raises(InputError, match=r"2 names .* fit the one image 'x\.mrc'"):
        match_images(["S1/x.mrc", "S2/x.mrc"], ["x.mrc"])


names = st.lists(st.text("abc_1", min_size=1, max_size=6), unique=True, max_size=8)


@given(names)
def test_every_image_answers_to_its_own_name(images):
    assert match_images(images, images) == {image: image for image in images}
