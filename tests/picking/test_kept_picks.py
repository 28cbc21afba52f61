from dataclasses import dataclass

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import ArrayImage, Picks, ScoreMap
from napari_cryoml.jobs import Command, InlinePool, Outcome, run_inline
from napari_cryoml.picking import ImageDone, ImagePicked, KeptPicks, PickingPlan
from napari_cryoml.picking._image_work import ImageWork, PickedImage
from napari_cryoml.picking._pick import pick_each


@dataclass
class Brightest(ImageWork):
    """Picks the brightest pixel; what it has looked at is noted."""

    seen: list
    version: str = "1"

    def __call__(self, image):
        self.seen.append(image.name)
        pixels = image.read()
        if not np.isfinite(pixels).all():
            raise InputError(f"{image.name} holds no numbers: export it again.")
        place = np.argwhere(pixels == pixels.max()).astype(float)
        map_ = ScoreMap(pixels, np.ones(pixels.ndim), np.zeros(pixels.ndim))
        scores = np.full(len(place), pixels.max(), np.float32)
        return PickedImage(Picks(image.name, place, scores, image.pixel_size, 7.5), map_, "here")

    def digest(self):
        return f"brightest {self.version}"


@pytest.fixture(params=[2, 3], ids=["2d", "3d"])
def images(request):
    rng = np.random.default_rng(0)
    shape = (6, 7, 8)[: request.param]
    return [ArrayImage(rng.random(shape, np.float32), f"{n}.mrc", 1.5) for n in range(4)]


@pytest.fixture
def kept(tmp_path):
    return KeptPicks(tmp_path / "kept")


def picked(images, work, **plan):
    events = []
    table = run_inline(pick_each(images, work, PickingPlan(**plan)), events.append)
    return table, events


def test_a_second_run_looks_at_no_image(images, kept):
    first, _ = picked(images, Brightest([]), kept=kept)
    work = Brightest([])
    second, events = picked(images, work, kept=kept)
    assert work.seen == []
    assert [event.done for event in events] == [1, 2, 3, 4]
    for before, after in zip(first, second, strict=True):
        np.testing.assert_array_equal(before.positions, after.positions)
        np.testing.assert_array_equal(before.scores, after.scores)
        assert (before.image, before.pixel_size, before.diameter) == (
            after.image,
            after.pixel_size,
            after.diameter,
        )


def test_score_maps_are_kept_with_the_picks(images, kept):
    picked(images, Brightest([]), kept=kept)
    _, events = picked(images, Brightest([]), kept=kept)
    assert all(isinstance(event, ImagePicked) for event in events)
    np.testing.assert_array_equal(events[2].score_map.values, images[2].read())


def test_only_what_is_missing_is_done_and_the_order_stays(images, kept):
    picked([images[1], images[3]], Brightest([]), kept=kept)
    work = Brightest([])
    table, _ = picked(images, work, kept=kept)
    assert work.seen == ["0.mrc", "2.mrc"]
    assert [entry.image for entry in table] == ["0.mrc", "1.mrc", "2.mrc", "3.mrc"]


def test_a_stopped_run_keeps_what_it_did(images, kept):
    job = pick_each(images, Brightest([]), PickingPlan(kept=kept))
    next(job)
    with pytest.raises(StopIteration):
        job.send(Command.STOP)
    work = Brightest([])
    picked(images, work, kept=kept)
    assert work.seen == ["1.mrc", "2.mrc", "3.mrc"]


def test_another_model_or_image_is_not_taken_for_the_same(images, kept):
    picked(images, Brightest([]), kept=kept)
    other = Brightest([], version="2")
    picked(images, other, kept=kept)
    assert len(other.seen) == 4
    changed = [ArrayImage(image.read() + 1, image.name, 1.5) for image in images]
    work = Brightest([])
    picked(changed, work, kept=kept)
    assert len(work.seen) == 4


def test_maps_that_were_not_kept_are_made_when_they_are_wanted(images, kept):
    _, events = picked(images, Brightest([]), kept=kept, with_maps=False)
    assert {type(event) for event in events} == {ImageDone}
    work = Brightest([])
    _, events = picked(images, work, kept=kept)
    assert {type(event) for event in events} == {ImagePicked}
    assert len(work.seen) == 4


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"no archive at all"])
def test_a_damaged_file_is_made_again(images, kept, content):
    picked(images, Brightest([]), kept=kept)
    for path in kept.folder.iterdir():
        path.write_bytes(content)
    work = Brightest([])
    table, _ = picked(images, work, kept=kept)
    assert len(work.seen) == len(table) == 4


def test_a_file_with_a_pickle_is_never_opened(images, kept):
    picked(images, Brightest([]), kept=kept)
    for path in kept.folder.iterdir():
        np.savez(path.open("wb"), positions=np.array([{}], dtype=object), device=np.array("x"))
    work = Brightest([])
    picked(images, work, kept=kept)
    assert len(work.seen) == 4


def test_a_refused_image_is_said_and_not_kept(images, kept):
    images[1] = ArrayImage(np.full_like(images[1].read(), np.nan), "1.mrc")
    table, events = picked(images, Brightest([]), kept=kept)
    assert events[1].message == "Left out: 1.mrc holds no numbers: export it again."
    assert len(table) == 3
    work = Brightest([])
    picked(images, work, kept=kept)
    assert work.seen == ["1.mrc"]


def test_no_half_written_file_has_a_final_name(images, kept, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda number: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(InputError, match=r"cannot be kept in .*full"):
        picked(images, Brightest([]), kept=kept)
    assert list(kept.folder.iterdir()) == []


def test_a_pool_does_the_work(images):
    class Backwards(InlinePool):
        """Finishes the last item first, as workers may."""

        def outcomes(self, work, items):
            done = {number: work(items[number]) for number in reversed(range(len(items)))}
            for number in range(len(items)):
                yield Outcome(number, done[number])

    work = Brightest([])
    table, _ = picked(images, work, pool=Backwards())
    assert work.seen == ["3.mrc", "2.mrc", "1.mrc", "0.mrc"]
    assert [entry.image for entry in table] == ["0.mrc", "1.mrc", "2.mrc", "3.mrc"]
