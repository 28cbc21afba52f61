import numpy as np
import pytest
from tests.averaging.conftest import particles
from tests.averaging.phantoms import WEDGE, subtomograms

from napari_cryoml._errors import InputError
from napari_cryoml.averaging import (
    AverageConfig,
    AverageRequest,
    AverageStep,
    ClassAverage,
    CropService,
    ThumbnailsRequest,
    thumbnails,
)
from napari_cryoml.averaging._reading import read_what_can
from napari_cryoml.averaging._thumbnails import crossed
from napari_cryoml.data import ArrayCrops
from napari_cryoml.jobs import ChildService, run_inline

QUICK = AverageConfig(iterations=3, starts=1, angular_step=15)


class GoneCrops:
    """Crops of three images, two rows each, of which some have gone; remembers what was read."""

    shape = (16, 16)
    images = np.array(["a", "a", "b", "b", "c", "c"])

    def __init__(self, *gone, channels=1):
        self.array = np.random.default_rng(0).normal(size=(6, channels, 16, 16)).astype(np.float32)
        self.n_channels = channels
        self.gone = gone
        self.reads = []

    def read(self, rows):
        missing = sorted(set(self.images[rows]) & set(self.gone))
        if missing:
            raise InputError(f"{missing[0]}.mrc has gone: put it back.")
        self.reads.append(list(rows))
        return self.array[rows]


def rows(*numbers):
    return np.array(numbers, np.intp)


class TestReading:
    def test_all_rows_are_read_at_once_where_none_has_gone(self):
        crops = GoneCrops()
        found, could, notes = read_what_can(crops, rows(3, 0))
        assert (found == crops.array[[3, 0]]).all()
        assert could.all()
        assert notes == ()
        assert len(crops.reads) == 1

    def test_images_that_have_gone_do_not_keep_the_others_back(self):
        crops = GoneCrops("b")
        found, could, notes = read_what_can(crops, rows(5, 3, 0, 2))
        assert could.tolist() == [True, False, True, False]
        assert (found == crops.array[[5, 0]]).all()
        assert notes == ("b.mrc has gone: put it back.",)

    def test_without_images_there_is_one_sentence(self):
        class Broken(ArrayCrops):
            def read(self, rows):
                raise InputError("The file has gone.")

        crops = Broken(np.zeros((2, 1, 8, 8)), np.array(["a", "b"]))
        found, could, notes = read_what_can(crops, rows(0, 1))
        assert found.shape == (0, 1, 8, 8)
        assert not could.any()
        assert notes == ("The file has gone.",)


class TestThumbnails:
    def test_come_in_the_order_of_the_rows(self):
        crops = GoneCrops()
        reply = CropService(crops).answer(ThumbnailsRequest(rows(4, 1, 4), 24))
        assert reply.rows.tolist() == [4, 1, 4]
        assert (reply.images == thumbnails(crops.array[[4, 1, 4]], 24)).all()
        assert reply.notes == ()

    def test_are_read_once(self):
        crops = GoneCrops()
        service = CropService(crops)
        service.answer(ThumbnailsRequest(rows(0, 1), 24))
        service.answer(ThumbnailsRequest(rows(1, 2, 0), 24))
        assert crops.reads == [[0, 1], [2]]
        service.answer(ThumbnailsRequest(rows(1), 32))
        assert crops.reads[-1] == [1]

    def test_are_forgotten_when_memory_is_short(self):
        crops = GoneCrops()
        service = CropService(crops, cache_bytes=24 * 24 * 2)
        service.answer(ThumbnailsRequest(rows(0, 1, 2, 3), 24))
        service.answer(ThumbnailsRequest(rows(0), 24))
        assert crops.reads[-1] == [0]

    @pytest.mark.parametrize("channels", [1, 2])
    def test_are_crossed_where_an_image_has_gone_and_asked_for_again(self, channels):
        crops = GoneCrops("b", "c", channels=channels)
        service = CropService(crops)
        for _ in range(2):
            reply = service.answer(ThumbnailsRequest(rows(2, 0, 4), 24))
            cross = crossed(24, *([3] if channels > 1 else []))
            assert (reply.images[0] == cross).all()
            assert (reply.images[2] == cross).all()
            assert (reply.images[1] == thumbnails(crops.array[:1], 24)[0]).all()
            assert reply.notes == ("b.mrc has gone: put it back.", "c.mrc has gone: put it back.")

    def test_of_no_rows_are_none(self):
        reply = CropService(GoneCrops()).answer(ThumbnailsRequest(rows(), 24))
        assert reply.images.shape == (0, 24, 24)


class TestAverages:
    def average(self, crops, numbers, **options):
        job = CropService(crops).answer(AverageRequest(np.asarray(numbers, np.intp), **options))
        return run_inline(job)

    @pytest.fixture
    def crops(self):
        made = particles(30, 4)
        return ArrayCrops.of(np.stack([made.crops, -made.crops], axis=1))

    def test_are_over_the_rows_that_were_asked_for(self, crops):
        found = self.average(crops, [3, 20, 5], config=QUICK)
        assert isinstance(found, ClassAverage)
        assert found.used.tolist() == [0, 1, 2]
        assert len(found.scores) == 3

    def test_are_of_one_channel(self, crops):
        one, two = (self.average(crops, [0], channel=channel) for channel in (0, 1))
        assert one.average == pytest.approx(-two.average, abs=1e-5)

    def test_of_many_rows_only_a_sample_is_read(self, crops):
        config = QUICK.model_copy(update={"most": 6})
        found = self.average(crops, range(30), config=config)
        assert len(found.used) == 6
        assert np.isfinite(found.scores).sum() == 6
        assert np.isfinite(found.scores[found.used]).all()
        assert found.notes[0] == "A random 6 of 30 crops were averaged."

    def test_leave_out_what_cannot_be_read(self):
        found = self.average(GoneCrops("a"), [0, 2, 4, 5], config=QUICK)
        assert found.used.tolist() == [1, 2, 3]
        assert np.isnan(found.scores[0])
        assert "a.mrc has gone: put it back." in found.notes

    def test_of_images_that_have_all_gone_are_refused(self):
        with pytest.raises(InputError, match="has gone"):
            self.average(GoneCrops("a"), [0, 1], config=QUICK)

    def test_of_no_rows_are_refused(self, crops):
        with pytest.raises(InputError, match="nothing to average"):
            self.average(crops, [], config=QUICK)

    def test_are_in_angstrom_where_the_crops_or_the_request_know_it(self, crops):
        assert self.average(crops, [0, 1], config=QUICK).pixel_size is None
        assert self.average(crops, [0, 1], config=QUICK, pixel_size=2.0).frc.unit == "Å"


def test_volumes_are_aligned_within_the_wedge_that_the_crops_know():
    made = subtomograms(8, 2.0)
    crops = ArrayCrops.of(made.boxes[:, None], wedge=WEDGE, pixel_size=8.0)
    config = AverageConfig(iterations=2, angular_step=30)
    request = AverageRequest(rows(5, 0, 1, 2, 3, 4), config)
    events = []
    found = run_inline(CropService(crops).answer(request), events.append)
    assert found.rotations.shape == (6, 3, 3)
    assert found.frc.unit == "Å"
    steps = [event for event in events if isinstance(event, AverageStep)]
    assert len(steps) == 2
    missing = np.abs(np.fft.rfftn(steps[0].current.average)) * (steps[0].current.weights == 0)
    assert missing.max() < 1e-2
    assert steps[0].current.weights.min() < 6


class ReducedCrops:
    """Crops cut at twice the size they are given in, of particles of 8 image pixels."""

    shape, box, diameter, n_channels = (16, 16), 32, 8.0, 1

    def __init__(self, array):
        self.array = array

    def read(self, rows):
        return self.array[rows]


def test_without_a_pixel_size_periods_are_told_in_pixels_of_the_images():
    crops = ReducedCrops(GoneCrops().array)
    average = run_inline(CropService(crops).answer(AverageRequest(rows(0, 1, 2), QUICK)))
    assert average.frc.unit == "px"
    assert average.frc.period(0.5) == 4.0


def test_what_lies_beside_the_particle_is_masked():
    array = GoneCrops().array
    beside = array.copy()
    beside[..., :3, :] += 50 * np.random.default_rng(1).normal(size=beside[..., :3, :].shape)
    found = [
        run_inline(CropService(ReducedCrops(each)).answer(AverageRequest(rows(0, 1, 2, 3), QUICK)))
        for each in (array, beside)
    ]
    np.testing.assert_allclose(found[0].frc.values, found[1].frc.values, atol=0.2)


def test_the_service_works_in_a_child_process():
    crops = ArrayCrops.of(particles(12, 4).crops[:, None])
    with ChildService.start(CropService, crops) as service:
        small = service.wait(service.ask(ThumbnailsRequest(rows(0, 11), 32)), 60)
        assert small.error is None
        assert (small.reply.images == thumbnails(crops.array[[0, 11]], 32)).all()
        ticket = service.ask(AverageRequest(rows(*range(12)), QUICK), replaces="average")
        found = service.wait(ticket, 60)
        assert found.error is None
        assert len(found.reply.used) == 12
        events = [answer.event for answer in service.poll() if answer.ticket == ticket]
        assert events[-1].done == events[-1].total
