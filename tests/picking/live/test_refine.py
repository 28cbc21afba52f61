"""A network trained beside the live picker: no label leaks, and both are measured alike."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, ArrayImage
from napari_cryoml.evaluation import match
from napari_cryoml.jobs import run_inline
from napari_cryoml.picking import Picker, PickerConfig, PickersCompared, train_picker
from napari_cryoml.picking._beside import Beside, learn_beside, live_config
from napari_cryoml.picking._train import _Run
from napari_cryoml.picking._validation import EstimatedCurve, Examination, HeldOut, hold_out
from napari_cryoml.picking._workspace import Workspace
from napari_cryoml.picking.live import LiveConfig, _teaching
from napari_cryoml.picking.live._teaching import learn_live, with_positives

DIAMETER = 14.0
SIDE = 160
LIVE = LiveConfig(diameter=DIAMETER, encoder=False, device="cpu")


def spots(seed, contrast=2.0, name=None):
    """Return noise with 25 discs of `contrast` standard deviations, and their centres."""
    rng = np.random.default_rng(seed)
    steps = (np.arange(5) + 0.5) * SIDE / 5
    centres = np.stack(np.meshgrid(steps, steps, indexing="ij"), -1).reshape(-1, 2)
    centres = centres + rng.uniform(-5, 5, centres.shape)
    pixels = rng.normal(size=(SIDE, SIDE)).astype(np.float32)
    grid = np.indices(pixels.shape)
    for centre in centres:
        pixels[((grid - centre[:, None, None]) ** 2).sum(0) < (DIAMETER / 2) ** 2] -= contrast
    return ArrayImage(pixels, name or f"{seed}"), centres


def config(**options):
    training = {"minutes": None, "steps": 3, "crops": 2, "crop_size": 64, "validate_every": 1e6}
    return PickerConfig(diameter=DIAMETER, particles_per_image=25, training=training, **options)


def split(training, positives, whole=()):
    return HeldOut(training, positives, frozenset(whole), independent=True)


def taught(images, held, seed=0, names=None):
    teacher = run_inline(learn_live(images, held, LIVE))
    return teacher.labels(names or [image.name for image in images], seed)


def test_confident_picks_are_particles_and_none_is_labelled_or_held_out():
    image, centres = spots(0)
    other, other_centres = spots(1)
    held = split({"0": Annotations.of_positives(centres[:12])}, {"0": centres[12:16]})
    found = taught([image, other], held)
    assert len(found["0"]) and len(found["1"])
    assert (match(found["0"], centres[16:], DIAMETER / 2) >= 0).mean() > 0.8
    assert (match(found["1"], other_centres, DIAMETER / 2) >= 0).mean() > 0.8
    assert cdist(found["0"], centres[:12]).min() > DIAMETER / 2
    assert cdist(found["0"], centres[12:16]).min() > DIAMETER


def test_a_place_the_user_denied_is_never_a_label():
    image, centres = spots(0)
    positives = Annotations.of_positives(centres[:12])
    before = taught([image], split({"0": positives}, {}))["0"]
    denied = before[:2]
    labels = Annotations(np.concatenate([centres[:12], denied]), [1] * 12 + [0] * 2)
    after = taught([image], split({"0": labels}, {})).get("0", np.empty((0, 2)))
    assert not len(after) or cdist(after, denied).min() > DIAMETER / 2


def test_images_held_out_as_a_whole_teach_nothing():
    images = [spots(seed)[0] for seed in range(3)]
    centres = [spots(seed)[1] for seed in range(3)]
    held = split({"0": Annotations.of_positives(centres[0][:12])}, {"1": centres[1]}, ["1"])
    assert taught(images, held).keys() == {"0", "2"}


def test_the_held_out_labels_do_not_change_what_is_taught_elsewhere():
    images = [spots(seed)[0] for seed in range(2)]
    centres = [spots(seed)[1] for seed in range(2)]
    training = {"0": Annotations.of_positives(centres[0][:12])}
    first = taught(images, split(training, {"0": centres[0][12:14]}), names=["1"])
    second = taught(images, split(training, {"0": centres[0][20:]}), names=["1"])
    assert np.array_equal(first["1"], second["1"])


def test_the_users_labels_are_not_drowned_and_the_seed_draws(monkeypatch):
    monkeypatch.setattr(_teaching, "_MOST_OTHERS", 2)
    images = [spots(seed)[0] for seed in range(4)]
    centres = spots(0)[1]
    held = split({"0": Annotations.of_positives(centres[:3])}, {})
    found = [taught(images, held, seed) for seed in (0, 0, 1)]
    counts = [sum(map(len, entry.values())) for entry in found]
    assert 0 < counts[0] <= _teaching._EACH * 3
    assert len(found[0]) <= 3
    flat = [np.concatenate([entry[name] for name in sorted(entry)]) for entry in found]
    assert np.array_equal(flat[0], flat[1])
    assert not np.array_equal(flat[0], flat[2])


def test_too_few_clicks_teach_nothing():
    image, centres = spots(0)
    assert taught([image], split({"0": Annotations.of_positives(centres[:2])}, {})) == {}


def test_an_image_that_shows_nothing_is_passed_over():
    image, centres = spots(0)
    flat = ArrayImage(np.ones((SIDE, SIDE), np.float32), "flat")
    held = split({"0": Annotations.of_positives(centres[:12])}, {})
    assert taught([image, flat], held).keys() == {"0"}


def test_positives_are_added_beside_what_there_is():
    labels = {"a": Annotations([[1, 1], [2, 2]], [1, 0])}
    joined = with_positives(labels, {"a": np.array([[3.0, 3]]), "b": np.array([[4.0, 4]])})
    assert joined["a"].positives.tolist() == [[1, 1], [3, 3]]
    assert joined["a"].negatives.tolist() == [[2, 2]]
    assert joined["b"].positives.tolist() == [[4, 4]]
    assert labels["a"].positives.tolist() == [[1, 1]]


def workspace_of(images):
    place = Workspace(LIVE.preprocessor())
    for image in images:
        place.add(image)
    return place


def test_pickers_are_asked_for_the_same_labels_in_the_same_images():
    images, labels = [], {}
    for seed in range(6):
        image, centres = spots(seed)
        images.append(image)
        labels[image.name] = Annotations.of_positives(centres[:10])
    held = hold_out(labels, 0.2, seed=0)
    examination = Examination.of(held, config(), workspace_of(images))
    asked = []

    def perfect(name):
        asked.append(name)
        return spots(int(name))[1], np.arange(25, 0, -1).astype(np.float32)

    assert examination.curve(perfect).recall[-1] == 1
    assert asked == held.images
    assert (
        examination.curve(lambda name: (np.empty((0, 2)), np.empty(0, np.float32))).recall.size == 0
    )
    beside = run_inline(learn_beside(images, workspace_of(images), held, config(), LIVE))
    assert beside.average_precision == pytest.approx(live_by_hand(images, held))
    assert beside.n_held_out == sum(len(rows) for rows in held.positives.values())


def live_by_hand(images, held):
    """Return the live picker's figure, written out for images held out as a whole."""
    teacher = run_inline(learn_live(images, held, LIVE))
    scores, found = [], []
    for name, positives in held.positives.items():
        positions, log_odds = teacher.pick(name)
        scores.append(log_odds)
        found.append(match(positions, positives, DIAMETER / 2) >= 0)
    scores, found = np.concatenate(scores), np.concatenate(found)
    order = np.argsort(-scores, kind="stable")
    n_held_out = sum(map(len, held.positives.values()))
    n_particles = 25.0 * len(held.positives)
    return EstimatedCurve(scores[order], found[order], n_held_out, n_particles).average_precision


@pytest.mark.parametrize(
    ("network", "live", "better"),
    [(0.8, 0.7, "network"), (0.7, 0.8, "live"), (0.8, 0.8, "live"), (None, 0.7, None)],
)
def test_a_network_has_to_do_better_than_what_is_at_hand(network, live, better):
    beside = Beside({}, live, 20, asked=True)
    assert beside.compared(network).better == better
    assert beside.summary(network)["better"] == better


def test_with_few_labels_there_is_no_figure_to_compare():
    image, centres = spots(0)
    held = hold_out({"0": Annotations.of_positives(centres[:10])}, 0.2, seed=0)
    beside = run_inline(learn_beside([image], workspace_of([image]), held, config(), LIVE))
    assert beside.average_precision is None
    assert beside.compared(1.0).better is None
    assert "too few labels" in beside.compared(1.0).message


def test_without_the_live_picker_nothing_is_done():
    held = hold_out({}, 0.2, seed=0)
    beside = run_inline(learn_beside([], None, held, config(), None))
    assert not beside.asked
    assert beside.summary(0.5) == {}


def test_a_live_picker_that_cannot_be_fitted_stops_no_training(monkeypatch):
    image, centres = spots(0)
    held = hold_out({"0": Annotations.of_positives(centres)}, 0.2, seed=0)

    def refuse(*_):
        raise InputError("There is no place to compare with.")

    monkeypatch.setattr(_teaching.LivePicker, "examples", refuse)
    events = []
    place = workspace_of([image])
    beside = run_inline(learn_beside([image], place, held, config(), LIVE), events.append)
    assert not beside.asked
    assert "no place to compare" in events[-1].message
    with pytest.raises(InputError, match="no place"):
        run_inline(learn_beside([image], place, held, config(live_labels=True), LIVE))


def test_the_live_picker_beside_a_network_looks_for_the_same_particles():
    other = LiveConfig(diameter=99, separation=1.5, head="linear")
    options = live_config(config(separation=0.7), 1.5, other)
    assert (options.diameter, options.separation, options.pixel_size) == (DIAMETER, 0.7, 1.5)
    assert options.head == "linear"
    assert live_config(config()).particles_per_image == 25


def test_a_network_is_trained_beside_the_live_picker(tmp_path, monkeypatch):
    images, labels = [], {}
    for seed in range(3):
        image, centres = spots(seed)
        images.append(image)
        if seed < 2:
            labels[image.name] = Annotations(centres[:18], [1] * 16 + [0] * 2)
    painted = {}
    original = _Run._training_labels

    def noted(run, name):
        painted[name] = original(run, name)
        return painted[name]

    monkeypatch.setattr(_Run, "_training_labels", noted)
    events = []
    options = config(live_labels=True)
    job = train_picker(images, labels, options, out=tmp_path / "m", live=LIVE)
    summary = Picker.load(run_inline(job, events.append)).summary
    compared = events[-1]
    assert isinstance(compared, PickersCompared)
    assert (compared.network, compared.live) == (
        summary["validation_ap"],
        summary["live_validation_ap"],
    )
    assert summary["better"] == compared.better == "live"  # three steps teach next to nothing
    assert 0.8 < summary["live_validation_ap"] <= 1
    assert summary["positives"] == 32
    assert summary["validation_labels"] == compared.n_held_out == 6
    held = hold_out(labels, 0.2, seed=0)
    added = sum(len(painted[name].positives) for name in painted) - (32 - 6)
    assert added == summary["live_labels"] > 0
    assert len(painted["2"].positives) > 0
    for name, asked in held.positives.items():
        assert cdist(painted[name].positives, asked).min() > DIAMETER / 2


def test_the_live_picker_leaves_the_training_as_it_is(tmp_path):
    images, labels = [], {}
    image, centres = spots(0)
    images.append(image)
    labels[image.name] = Annotations.of_positives(centres)
    maps = []
    for name, live in (("alone", None), ("beside", LIVE)):
        path = run_inline(train_picker(images, labels, config(), out=tmp_path / name, live=live))
        maps.append(Picker.load(path).score(image).values)
    assert np.array_equal(*maps)
