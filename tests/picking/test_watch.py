import os

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import Picks
from napari_cryoml.io import images_in, open_image, write_mrc
from napari_cryoml.jobs import Command
from napari_cryoml.picking import Folder, ImageDone, WatchConfig, watch_folder
from napari_cryoml.picking._image_work import ImageWork, PickedImage


class Corner(ImageWork):
    """Finds one particle in the corner of each image; one of zeros is refused."""

    def __call__(self, image):
        if not image.read().any():
            raise InputError(f"{image.name} shows nothing.")
        return PickedImage(Picks(image.name, np.zeros((1, 2))), None, "here")

    def digest(self):
        return "corner"


class World:
    """A folder, a clock that is moved by sleeping, and what is written."""

    def __init__(self, path, **options):
        self.path, self.now, self.written = path, 0.0, []
        self.known = set()
        config = WatchConfig(**{"every": 1.0, "patience": 10, **options})
        folder = Folder(path, config, images_in, open_image)
        self.job = watch_folder(
            folder,
            Corner(),
            self.write,
            is_written=lambda image: image.name in self.known,
            sleep=self.sleep,
            clock=lambda: self.now,
        )

    def sleep(self, seconds):
        self.now += seconds

    def write(self, picks):
        self.written.append(picks.image)

    def run_for(self, seconds):
        """Return what was told meanwhile."""
        end = self.now + seconds
        told = []
        while self.now < end:
            event = next(self.job, None)
            if event is None:
                break
            if event.message:
                told.append(event)
        return told

    def add(self, name, value=1.0):
        path = self.path / name
        write_mrc(path, np.full((6, 8), value, np.float32), 1.0)
        return path


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_images_are_picked_once_as_they_come(world):
    world.add("a.mrc")
    assert [event.image for event in world.run_for(4)] == ["a.mrc"]
    world.add("b.mrc")
    world.add("c.mrc")
    assert [event.image for event in world.run_for(4)] == ["b.mrc", "c.mrc"]
    assert world.run_for(4) == []
    assert world.written == ["a.mrc", "b.mrc", "c.mrc"]


def test_a_file_that_still_grows_is_left_alone(world):
    whole = world.add("a.mrc").read_bytes()
    path = world.path / "a.mrc"
    for length in (100, 900, 1100, len(whole) - 8):
        path.write_bytes(whole[:length])
        assert world.run_for(1) == []
    path.write_bytes(whole)
    assert [event.message for event in world.run_for(4)] == ["a.mrc: 1 picks."]


def test_a_half_written_file_that_rests_is_waited_for_and_then_said(world):
    whole = world.add("a.mrc").read_bytes()
    path = world.path / "a.mrc"
    path.write_bytes(whole[: len(whole) // 2])
    assert world.run_for(8) == []
    (event,) = world.run_for(8)
    assert event.message.startswith("Left out: ")
    assert "a.mrc" in event.message
    assert world.run_for(8) == []
    path.write_bytes(whole)
    assert [event.image for event in world.run_for(4)] == ["a.mrc"]


def test_an_image_that_changes_is_picked_again(world):
    path = world.add("a.mrc")
    world.run_for(4)
    write_mrc(path, np.ones((9, 9), np.float32), 1.0)
    world.run_for(4)
    assert world.written == ["a.mrc", "a.mrc"]


def test_a_clock_of_files_that_goes_back_changes_nothing(world):
    path = world.add("a.mrc")
    os.utime(path, (10**10, 10**10))  # in the year 2286
    world.run_for(4)
    other = world.add("b.mrc")
    os.utime(other, (1, 1))
    world.run_for(4)
    assert world.written == ["a.mrc", "b.mrc"]


def test_a_refused_image_is_said_and_the_next_ones_are_picked(world):
    world.add("empty.mrc", 0.0)
    (event,) = world.run_for(4)
    assert event.message == "Left out: empty.mrc shows nothing."
    world.add("good.mrc")
    (event,) = world.run_for(4)
    assert isinstance(event, ImageDone)
    assert world.written == ["good.mrc"]


def test_after_a_restart_only_what_is_missing_is_done(world):
    world.add("a.mrc")
    world.add("b.mrc")
    world.known = {"a.mrc"}
    world.run_for(4)
    assert world.written == ["b.mrc"]


def test_stop_ends_at_once_and_returns_the_count(world):
    world.add("a.mrc")
    world.run_for(4)
    with pytest.raises(StopIteration) as end:
        world.job.send(Command.STOP)
    assert end.value.value == 1


def test_it_ends_by_itself_once_nothing_comes(tmp_path):
    world = World(tmp_path, idle_minutes=0.5)
    world.add("a.mrc")
    world.run_for(60)
    assert 30 < world.now < 40


def test_picks_that_cannot_be_written_end_the_watch(world):
    def full(picks):
        raise InputError("The disk is full.")

    world.write = full
    world.job = watch_folder(
        Folder(world.path, WatchConfig(every=1), images_in, open_image),
        Corner(),
        full,
        is_written=lambda image: False,
        sleep=world.sleep,
        clock=lambda: world.now,
    )
    world.add("a.mrc")
    with pytest.raises(InputError, match="The disk is full"):
        world.run_for(10)


def test_a_folder_that_goes_is_one_sentence(world):
    world.run_for(2)
    world.path.rmdir()
    with pytest.raises(InputError, match="cannot be listed"):
        world.run_for(5)
