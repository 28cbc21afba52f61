"""The service answers edits, and makes the features of neighbours meanwhile."""

import pickle

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, ArrayImage
from napari_cryoml.features import FeatureCache
from napari_cryoml.io import open_images, write_mrc
from napari_cryoml.picking.live import (
    LiveAnswer,
    LiveConfig,
    LivePicker,
    LiveRequest,
    LiveService,
    _service,
)

CONFIG = LiveConfig(diameter=14, encoder=False, device="cpu")


def clicks(fields, n: int = 3, name: str = "a") -> dict[str, Annotations]:
    return {name: Annotations.of_positives(fields[name][1][:n])}


@pytest.fixture
def made(monkeypatch) -> list[str]:
    """Return the names of the images whose features are made from now on, in order."""
    names: list[str] = []
    picker_features = LivePicker.features

    def features(self, name, config):
        before = list(names)
        found = picker_features(self, name, config)
        if name not in before:
            names.append(name)
        return found

    monkeypatch.setattr(LivePicker, "features", features)
    return names


def service_of(fields, **options) -> LiveService:
    return LiveService([image for image, _ in fields.values()], **options)


def test_it_answers_as_the_live_picker_does(fields, cache):
    request = LiveRequest(clicks(fields), "b", CONFIG)
    answer = service_of(fields).answer(request)
    expected = LivePicker.of([image for image, _ in fields.values()], cache).answer(request)
    assert isinstance(answer, LiveAnswer)
    np.testing.assert_array_equal(answer.picks.positions, expected.picks.positions)
    np.testing.assert_array_equal(answer.picks.scores, expected.picks.scores)


def test_requests_and_answers_travel_between_processes(fields):
    request = pickle.loads(pickle.dumps(LiveRequest(clicks(fields), "b", CONFIG)))  # noqa: S301
    answer = service_of(fields).answer(request)
    again = pickle.loads(pickle.dumps(answer))  # noqa: S301
    np.testing.assert_array_equal(again.picks.positions, answer.picks.positions)
    np.testing.assert_array_equal(again.score_map.values, answer.score_map.values)
    assert (again.prior, again.threshold) == (answer.prior, answer.threshold)


def test_before_the_first_request_there_is_nothing_to_do_ahead(fields, made):
    assert service_of(fields).idle() is False
    assert made == []


def test_quiet_moments_make_the_neighbours_one_at_a_time(fields, made):
    service = service_of(fields)
    service.answer(LiveRequest(clicks(fields, name="b"), "b", CONFIG))
    assert made == ["b"]
    assert service.idle() is True
    assert made == ["b", "c"]  # the next comes first
    assert service.idle() is True
    assert service.idle() is False  # that was the last
    assert made == ["b", "c", "a", "d"]
    assert service.idle() is False
    assert len(made) == 4


@pytest.mark.parametrize(("n_ahead", "ahead"), [(0, []), (1, ["b"]), (2, ["b", "c"])])
def test_no_more_is_made_ahead_than_asked(fields, made, n_ahead, ahead):
    service = service_of(fields, n_ahead=n_ahead)
    service.answer(LiveRequest(clicks(fields), "a", CONFIG))
    while service.idle():
        pass
    assert made == ["a", *ahead]


def test_work_ahead_follows_the_image_on_show_and_the_options(fields, made):
    service = service_of(fields, n_ahead=1)
    service.answer(LiveRequest(clicks(fields), "a", CONFIG))
    service.idle()
    service.answer(LiveRequest(clicks(fields), "c", CONFIG))
    service.idle()
    assert made == ["a", "b", "c", "d"]
    other = LiveConfig(**{**CONFIG.model_dump(), "diameter": 16.0})
    service.answer(LiveRequest(clicks(fields), "c", other))
    assert service.idle() is False
    assert service._is_ready("d", other)
    assert not service._is_ready("b", other)


def with_a_flat_one(fields) -> list[ArrayImage]:
    images = [image for image, _ in fields.values()]
    return [images[0], ArrayImage(np.ones((96, 96)), "flat"), *images[1:]]


def test_an_image_that_is_refused_is_tried_once(fields, made):
    service = LiveService(with_a_flat_one(fields))
    service.answer(LiveRequest(clicks(fields), "a", CONFIG))
    rounds = 0
    while service.idle():
        rounds += 1
        assert rounds < 10
    assert made == ["a", "b", "c", "d"]
    with pytest.raises(InputError, match="flat"):  # said when the user comes to it
        service.answer(LiveRequest(clicks(fields), "flat", CONFIG))
    assert service.idle() is False


def test_other_options_give_refused_images_another_chance(fields):
    service = service_of(fields)
    large = LiveConfig(diameter=97, encoder=False, device="cpu")
    with pytest.raises(InputError, match="diameter"):
        service.answer(LiveRequest(clicks(fields), "a", large))
    while service.idle():
        pass
    service.answer(LiveRequest(clicks(fields), "a", CONFIG))
    while service.idle():
        pass
    assert all(service._is_ready(name, CONFIG) for name in fields)


def test_a_file_that_has_gone_stops_no_work_ahead(fields, tmp_path):
    for name in ("a", "b", "c"):
        write_mrc(tmp_path / f"{name}.mrc", fields[name][0].array)
    images = open_images(tmp_path)
    service = LiveService(images)
    (tmp_path / "b.mrc").unlink()
    labels = {"a.mrc": Annotations.of_positives(fields["a"][1][:3])}
    service.answer(LiveRequest(labels, "a.mrc", CONFIG))
    rounds = 0
    while service.idle():
        rounds += 1
        assert rounds < 10
    assert service._is_ready("c.mrc", CONFIG)
    assert not service._is_ready("b.mrc", CONFIG)
    with pytest.raises(InputError, match=r"b\.mrc"):
        service.answer(LiveRequest(labels, "b.mrc", CONFIG))


def test_after_an_error_the_next_request_is_answered(fields):
    service = service_of(fields)
    with pytest.raises(InputError):
        service.answer(LiveRequest({}, "a", CONFIG))
    assert len(service.answer(LiveRequest(clicks(fields), "a", CONFIG)).picks) > 0


def test_features_on_disk_are_read_by_the_next_service(fields, tmp_path, monkeypatch):
    first = service_of(fields, folder=tmp_path)
    request = LiveRequest(clicks(fields), "a", CONFIG)
    expected = first.answer(request)

    def refuse(*_):
        raise AssertionError("features were made again")

    monkeypatch.setattr("napari_cryoml.picking.live._engine.live_features", refuse)
    found = service_of(fields, folder=tmp_path).answer(request)
    np.testing.assert_array_equal(found.picks.scores, expected.picks.scores)
    assert FeatureCache(folder=tmp_path).get(_service.live_key(fields["a"][0], CONFIG)) is not None


@pytest.mark.parametrize(
    ("n", "wanted", "expected"),
    [(5, 4, [0, 1, 3, 4]), (3, 4, [0, 1, 2]), (100, 4, [12, 37, 62, 87]), (0, 4, []), (9, 1, [4])],
)
def test_names_are_taken_from_all_over_a_list(n, wanted, expected):
    names = [str(number) for number in range(n)]
    assert _service._spread(names, wanted) == [str(number) for number in expected]
