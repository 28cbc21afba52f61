"""What users get wrong with live picking, and what they are told."""

import numpy as np
import pytest

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import Annotations, ArrayImage
from napari_cryoml.jobs import run_inline
from napari_cryoml.picking import ImagePicked
from napari_cryoml.picking.live import LiveConfig, LivePicker, LiveRequest, pick_live

DIAMETER = 24.0
PLACES = np.array([[40.0, 40], [40, 90], [40, 150], [95, 60], [90, 120], [150, 45], [145, 150]])
CONFIG = LiveConfig(diameter=DIAMETER, encoder=False, device="cpu")


def micrograph(name="a", size=192, scale=1.0, pixel_size=None, seed=0):
    """Return discs of one diameter at `PLACES`, times a scale, in noise."""
    grid = np.indices((round(size * scale),) * 2).transpose(1, 2, 0) / scale
    gaps = np.linalg.norm(grid[None] - PLACES[:, None, None], axis=-1)
    discs = -np.clip(DIAMETER / 2 - gaps.min(axis=0), 0, 3)
    noise = np.random.default_rng(seed).normal(size=discs.shape)
    return ArrayImage((discs + noise).astype(np.float32), name, pixel_size)


def particles(rows, negatives=()):
    positions = np.concatenate([rows, np.reshape(negatives, (-1, 2))])
    return Annotations(positions, np.array([1] * len(rows) + [0] * len(negatives), np.int8))


def ask(images, labels, name="a", config=CONFIG):
    return LivePicker.of(images).answer(LiveRequest(labels, name, config))


def said(answer, part):
    return [note for note in answer.notes if part in note]


def test_good_labels_need_no_words():
    answer = ask([micrograph()], {"a": particles(PLACES[:5])})
    assert answer.notes == ()
    assert not answer.preview
    assert answer.n_labels == 5


@pytest.mark.parametrize(("n", "words"), [(1, "2 more particles"), (2, "one more particle")])
def test_one_or_two_clicks_show_a_preview(n, words):
    answer = ask([micrograph()], {"a": particles(PLACES[:n])})
    assert answer.preview
    assert said(answer, words)
    best = answer.picks.positions[: len(PLACES)]
    found = np.linalg.norm(best[:, None] - PLACES, axis=2).min(axis=0) < DIAMETER / 2
    assert found.sum() >= 5


def test_no_click_is_a_sentence():
    with pytest.raises(InputError, match="click on three or more"):
        ask([micrograph()], {})
    with pytest.raises(InputError, match="click on three or more"):
        ask([micrograph()], {"a": particles(np.empty((0, 2)), [[60.0, 60.0]])})


def test_clicks_outside_and_in_the_border_are_ignored_and_said():
    bad = np.array([[-30.0, 50.0], [80.0, 400.0], [3.0, 100.0]])
    good = ask([micrograph()], {"a": particles(PLACES[:4])})
    answer = ask([micrograph()], {"a": particles(np.concatenate([PLACES[:4], bad]))})
    assert said(answer, "2 labels lie outside the image")
    assert said(answer, "near the border")
    assert answer.n_labels == 4
    np.testing.assert_array_equal(answer.picks.positions, good.picks.positions)
    np.testing.assert_array_equal(answer.picks.scores, good.picks.scores)


def test_clicks_in_padding_are_ignored_and_said():
    padded = micrograph().array.copy()
    padded[:, 120:] = 0
    answer = ask([ArrayImage(padded, "a")], {"a": particles(PLACES)})
    assert said(answer, "padding")
    assert answer.n_labels == int((PLACES[:, 1] < 108).sum())
    assert (answer.picks.positions[:, 1] < 120).all()


def test_nothing_but_clicks_outside_is_an_error():
    with pytest.raises(InputError, match="outside the image"):
        ask([micrograph()], {"a": particles(PLACES + 500)})


def test_contradictory_clicks_are_said():
    labels = {"a": particles(PLACES[:5], PLACES[:1] + 2)}
    assert said(ask([micrograph()], labels), "both as particle and as no particle")
    twice = {"a": particles(np.concatenate([PLACES[:5], PLACES[:1] + 2]))}
    assert said(ask([micrograph()], twice), "labelled twice")


@pytest.mark.parametrize("factor", [10, 0.1])
def test_a_diameter_ten_times_off_is_noticed(factor):
    size = 900
    rng = np.random.default_rng(0)
    places = np.stack(np.meshgrid(*[np.arange(60, 860, 100)] * 2, indexing="ij"), -1).reshape(-1, 2)
    grid = np.indices((size, size)).transpose(1, 2, 0)
    # Smooth blobs: matter thins out towards the rim of a particle.
    blobs = np.zeros((size, size))
    for place in places:
        blobs -= 4 * np.exp(-0.5 * np.square((grid - place) / 8).sum(axis=-1))
    image = ArrayImage((blobs + rng.normal(size=blobs.shape)).astype(np.float32), "a")
    config = LiveConfig(diameter=30 * factor, encoder=False, device="cpu", mask_borders=False)
    answer = ask([image], {"a": particles(places[18:26].astype(float))}, config=config)
    (note,) = said(answer, "diameter is")
    proposed = float(note.rpartition("set it to ")[2].partition(",")[0])
    assert 15 < proposed < 60


def test_a_constant_image_is_a_sentence_and_in_a_list_it_is_left_out():
    flat = ArrayImage(np.full((192, 192), 7, np.float32), "flat")
    labels = {"a": particles(PLACES[:4])}
    with pytest.raises(InputError, match="flat"):
        ask([micrograph(), flat], labels, "flat")
    events = []
    table = run_inline(pick_live([flat, micrograph()], labels, CONFIG), events.append)
    assert [picks.image for picks in table] == ["a"]
    assert [event.image for event in events if isinstance(event, ImagePicked)] == ["a"]
    assert [event for event in events if "Left out" in event.message]


def test_labels_of_an_image_that_cannot_be_used_are_left_out():
    flat = ArrayImage(np.full((192, 192), 7, np.float32), "flat")
    labels = {"a": particles(PLACES[:4]), "flat": particles(PLACES[:4])}
    answer = ask([micrograph(), flat], labels)
    assert said(answer, "Labels were left out")
    assert said(answer, "flat")
    assert answer.n_labels == 4


def test_labels_of_images_not_in_the_list_are_left_out():
    labels = {"a": particles(PLACES[:4]), "b": particles(PLACES[:4])}
    answer = ask([micrograph()], labels)
    assert said(answer, "no image named 'b'")
    with pytest.raises(InputError, match="no image named 'b'"):
        ask([micrograph()], {"b": labels["b"]})


def test_an_image_on_show_that_is_not_in_the_list_is_a_sentence():
    with pytest.raises(InputError, match="no image named 'b'"):
        ask([micrograph()], {"a": particles(PLACES[:4])}, "b")
    with pytest.raises(InputError, match="no image on show"):
        ask([micrograph()], {"a": particles(PLACES[:4])}, None)


def test_images_of_different_pixel_sizes_are_brought_to_one_scale():
    images = [micrograph(pixel_size=2.0), micrograph("fine", scale=2.0, pixel_size=1.0, seed=1)]
    config = CONFIG.model_copy(update={"pixel_size": 2.0})
    answer = ask(images, {"a": particles(PLACES[:6])}, "fine", config)
    best = answer.picks.positions[: len(PLACES)] / 2
    found = np.linalg.norm(best[:, None] - PLACES, axis=2).min(axis=0) < DIAMETER / 2
    assert found.sum() >= 6
    assert answer.picks.diameter == pytest.approx(2 * DIAMETER)


def test_missing_pixels_do_not_spoil_the_rest():
    broken = micrograph().array.copy()
    broken[100:104, 20:24] = np.nan
    broken[0, 0] = np.inf
    with pytest.warns(InputWarning, match="17 pixels that are not finite"):
        answer = ask([ArrayImage(broken, "a")], {"a": particles(PLACES[:5])})
    assert np.isfinite(answer.picks.scores).all()
    assert np.isfinite(answer.score_map.values).all()
    best = answer.picks.positions[: len(PLACES)]
    found = np.linalg.norm(best[:, None] - PLACES, axis=2).min(axis=0) < DIAMETER / 2
    assert found.sum() >= 6


def test_an_image_of_missing_pixels_alone_is_a_sentence():
    empty = ArrayImage(np.full((192, 192), np.nan, np.float32), "empty")
    with pytest.raises(InputError, match="empty"):
        ask([micrograph(), empty], {"a": particles(PLACES[:4])}, "empty")


def test_an_image_smaller_than_a_particle_is_a_sentence():
    small = ArrayImage(np.random.default_rng(0).normal(size=(10, 12)).astype(np.float32), "small")
    with pytest.raises(InputError, match=r"small.*diameter"):
        ask([micrograph(), small], {"a": particles(PLACES[:4])}, "small")


def test_a_tomogram_among_micrographs_is_a_sentence():
    rng = np.random.default_rng(0)
    deep = ArrayImage(rng.normal(size=(32, 32, 32)).astype(np.float32), "deep")
    with pytest.raises(InputError, match="3 axes"):
        ask([micrograph(), deep], {"a": particles(PLACES[:4])}, "deep")
    flat = Annotations.of_positives(np.full((4, 3), 60.0))
    with pytest.raises(InputError, match="3 coordinates"):
        ask([micrograph()], {"a": flat})


def test_many_remarks_are_cut_short():
    names = [f"image {n}" for n in range(8)]
    labels = {"a": particles(PLACES[:4]), **{name: particles(PLACES[:1]) for name in names}}
    notes = ask([micrograph()], labels).notes
    assert len(notes) == 4
    assert "5 more remarks" in notes[-1]
