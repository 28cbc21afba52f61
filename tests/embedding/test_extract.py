"""Extraction: in order, resumable, stoppable, and clear about what it left out."""

import copy
import json
import pickle

import numpy as np
import pytest

from napari_cryoml import __version__
from napari_cryoml._errors import InputError
from napari_cryoml.data import ArrayCrops, ArrayImage, Picks, PicksTable
from napari_cryoml.embedding import Extracted, Whitening, encoders, extract
from napari_cryoml.io import open_image, rotations_of, write_mrc
from napari_cryoml.jobs import Command, InlinePool, run_inline
from napari_cryoml.preprocess import PickCrops

RINGS = encoders.create("rings", rings=4, orders=2)


class Counted(ArrayCrops):
    """Crops that know which of them were read, in what order they like."""

    def __init__(self, array, ids):
        super().__init__(array, ids)
        object.__setattr__(self, "asked", [])

    def batches(self, size):
        order = np.arange(len(self))[::-1]
        for start in range(0, len(self), size):
            yield order[start : start + size]

    def read(self, rows):
        self.asked.extend(np.asarray(rows).tolist())
        return super().read(rows)


class InImages(Counted):
    """Crops of two images, one of which cannot be read."""

    @property
    def images(self):
        return np.array(["good.mrc", "bad.mrc"] * len(self))[: len(self)]

    @property
    def positions(self):
        return np.zeros((len(self), 2))

    def read(self, rows):
        if (self.images[rows] == "bad.mrc").any():
            raise InputError("bad.mrc is damaged: copy it again.")
        return super().read(rows)


def some_crops(n=10, ndim=2, seed=0, kind=Counted):
    array = np.random.default_rng(seed).normal(size=(n, 1, *[9] * ndim)).astype(np.float32)
    return kind(array, np.array([f"crop {row}" for row in range(n)]))


def without_looking(crops):
    """Forget what was read until now: a store looks at some crops to know them again."""
    crops.asked.clear()
    return crops


def events_of(job):
    events = []
    embedding = run_inline(job, events.append)
    return embedding, events


@pytest.mark.parametrize("ndim", [2, 3])
def test_vectors_are_those_of_the_encoder_in_the_order_of_the_crops(ndim):
    crops = some_crops(ndim=ndim)
    embedding, events = events_of(extract(crops, RINGS, batch=4))
    expected = RINGS.build().encode(crops, np.arange(10)).astype(np.float16)
    assert embedding.vectors.dtype == np.float16
    np.testing.assert_array_equal(embedding.ids, crops.ids)
    np.testing.assert_allclose(embedding.vectors, expected, atol=0.01)
    assert all(isinstance(event, Extracted) for event in events)
    assert [event.done for event in events] == [0, 4, 8, 10, 10]
    assert {event.total for event in events} == {10}
    assert all(event.rate > 0 for event in events[1:-1])


def test_the_provenance_says_how_vectors_were_made():
    embedding = run_inline(extract(some_crops(), RINGS))
    origin = json.loads(json.dumps(embedding.provenance))
    assert origin["encoder"] == "rings"
    assert encoders.create("rings", **origin["options"]) == RINGS
    assert origin["version"] == __version__
    assert origin["size"] == [9, 9]
    assert origin["notes"] == []


def test_columns_come_along():
    array = np.random.default_rng(0).normal(size=(3, 1, 8, 8))
    crops = ArrayCrops.of(array, columns={"protein": np.array(["a", "b", "c"])})
    embedding = run_inline(extract(crops, RINGS, columns={"score": np.arange(3.0)}))
    assert embedding.table["protein"].tolist() == ["a", "b", "c"]
    assert embedding.table["score"].tolist() == [0, 1, 2]


def test_picks_keep_their_places():
    images = [
        ArrayImage(np.random.default_rng(k).normal(size=(40, 40)), f"{k}.mrc") for k in (0, 1)
    ]
    table = PicksTable.of(Picks(i.name, np.array([[9.0, 9.5], [20.0, 21.0]])) for i in images)
    crops = PickCrops(images, table, 12)
    embedding = run_inline(extract(crops, RINGS, batch=3))
    np.testing.assert_array_equal(embedding.positions, crops.positions)
    np.testing.assert_array_equal(embedding.images, ["0.mrc", "0.mrc", "1.mrc", "1.mrc"])
    assert embedding.provenance["box"] == 12


def test_orientations_come_along():
    image = ArrayImage(np.random.default_rng(0).normal(size=(9, 9, 30)).astype(np.float32), "t")
    turns = np.stack([np.eye(3)[[1, 2, 0]], np.full((3, 3), np.nan)])
    picks = Picks("t", np.array([[4.0, 4, 6], [4, 4, 20]]), rotations=turns)
    rows = run_inline(extract(PickCrops([image], PicksTable.of([picks]), 8), RINGS))
    np.testing.assert_allclose(rotations_of(rows.table), turns, atol=1e-12)


@pytest.mark.parametrize("n", [0, 1])
def test_few_crops(n):
    embedding = run_inline(extract(some_crops(n), RINGS))
    assert len(embedding) == n


def test_equal_crops_have_equal_vectors():
    array = np.repeat(np.random.default_rng(0).normal(size=(1, 1, 9, 9)), 3, axis=0)
    vectors = run_inline(extract(ArrayCrops.of(array), RINGS, batch=2)).vectors
    np.testing.assert_array_equal(vectors[0], vectors[1])
    np.testing.assert_allclose(vectors[0], vectors[2], atol=2e-3)


# stopping and resuming


def test_a_stopped_job_returns_the_rows_done():
    job = extract(some_crops(), RINGS, batch=4, columns={"number": np.arange(10)})
    next(job)
    next(job)
    event = job.send(Command.STOP)
    assert event.done == 4
    with pytest.raises(StopIteration) as end:
        next(job)
    embedding = end.value.value
    assert embedding.ids.tolist() == ["crop 6", "crop 7", "crop 8", "crop 9"]
    assert embedding.table["number"].tolist() == [6, 7, 8, 9]
    assert embedding.finite.all()


def test_a_job_that_is_stopped_before_it_begins_is_empty():
    job = extract(some_crops(), RINGS)
    next(job)
    job.send(Command.STOP)
    with pytest.raises(StopIteration) as end:
        next(job)
    assert len(end.value.value) == 0


def killed(crops, store, n_batches):
    """Run some batches and leave the job as a kill would."""
    job = extract(crops, RINGS, store=store, batch=3)
    for _ in range(n_batches + 1):
        next(job)
    job.close()


def test_what_was_done_is_not_done_again(tmp_path):
    store, crops = tmp_path / "kept" / "vectors.part", some_crops()
    killed(crops, store, 2)
    without_looking(crops)
    embedding, events = events_of(extract(crops, RINGS, store=store, batch=3))
    assert events[0].done == 6
    assert set(range(4)) <= set(crops.asked)
    assert events[-1].done == 10
    fresh = run_inline(extract(some_crops(), RINGS, batch=3))
    np.testing.assert_array_equal(embedding.vectors, fresh.vectors)
    _, events = events_of(extract(some_crops(), RINGS, store=store))
    assert [event.done for event in events] == [10, 10]


@pytest.mark.parametrize("lost", [1, 11, 60])
def test_a_half_written_end_is_cut_off(tmp_path, lost):
    store = tmp_path / "vectors.part"
    killed(some_crops(), store, 2)
    store.write_bytes(store.read_bytes()[:-lost])
    embedding, events = events_of(extract(some_crops(), RINGS, store=store, batch=3))
    assert events[0].done == 3
    assert "was cut off; 3 vectors were kept" in events[0].message
    fresh = run_inline(extract(some_crops(), RINGS, batch=3))
    np.testing.assert_array_equal(embedding.vectors, fresh.vectors)
    _, events = events_of(extract(some_crops(), RINGS, store=store))
    assert events[0].done == 10
    assert not events[0].message


def test_a_changed_byte_is_seen(tmp_path):
    store = tmp_path / "vectors.part"
    killed(some_crops(), store, 3)
    content = bytearray(store.read_bytes())
    header = content.index(b"\n") + 1
    record = (len(content) - header) // 3
    content[header + record + 40] ^= 1
    store.write_bytes(content)
    _, events = events_of(extract(some_crops(), RINGS, store=store, batch=3))
    assert events[0].done == 3
    content[header : header + 4] = b"\xff\xff\xff\xff"  # rows that no file could hold
    store.write_bytes(content)
    _, events = events_of(extract(some_crops(), RINGS, store=store, batch=3))
    assert events[0].done == 0


@pytest.mark.parametrize("change", ["options", "ids", "pixels", "encoder"])
def test_a_store_of_something_else_is_begun_anew(tmp_path, change):
    store = tmp_path / "vectors.part"
    run_inline(extract(some_crops(), RINGS, store=store))
    crops, config = some_crops(), RINGS
    if change == "options":
        config = encoders.create("rings", rings=5, orders=2)
    elif change == "encoder":
        config = encoders.create("spectrum")
    elif change == "ids":
        crops = Counted(crops.array, crops.ids[::-1])
    else:
        crops = some_crops(seed=1)
    embedding, events = events_of(extract(crops, config, store=store))
    assert events[0].done == 0
    assert "begun anew" in events[0].message
    assert any("begun anew" in note for note in embedding.provenance["notes"])
    expected = config.build().encode(crops, np.arange(10))
    np.testing.assert_allclose(embedding.vectors, expected, atol=0.01)


def test_a_store_knows_when_an_image_was_written_again(tmp_path):
    path, store = tmp_path / "one.mrc", tmp_path / "vectors.part"
    table = PicksTable.of([Picks("one.mrc", np.array([[9.0, 9.5], [20.0, 21.0]]))])
    write_mrc(path, np.random.default_rng(0).normal(size=(40, 40)).astype(np.float32))
    run_inline(extract(PickCrops([open_image(path)], table, 12), RINGS, store=store))
    _, events = events_of(extract(PickCrops([open_image(path)], table, 12), RINGS, store=store))
    assert events[0].done == 2
    write_mrc(path, np.random.default_rng(1).normal(size=(40, 44)).astype(np.float32))
    _, events = events_of(extract(PickCrops([open_image(path)], table, 12), RINGS, store=store))
    assert events[0].done == 0


def test_a_file_that_is_none_of_ours_is_left_alone(tmp_path):
    store = tmp_path / "notes.txt"
    store.write_text("precious\n")
    with pytest.raises(InputError, match=r"notes\.txt is there already"):
        run_inline(extract(some_crops(), RINGS, store=store))
    assert store.read_text() == "precious\n"


def test_a_store_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be kept"):
        run_inline(extract(some_crops(), RINGS, store=tmp_path / "file" / "vectors.part"))
    with pytest.raises(InputError, match="cannot be kept"):
        run_inline(extract(some_crops(), RINGS, store=tmp_path))


# what cannot be encoded


def test_crops_without_numbers_are_named(tmp_path):
    crops = some_crops()
    crops.array[[3, 7]] = np.nan
    for _ in range(2):  # the second time from the store
        embedding, events = events_of(extract(crops, RINGS, store=tmp_path / "vectors.part"))
        assert np.flatnonzero(~embedding.finite).tolist() == [3, 7]
        assert np.isnan(embedding.vectors[[3, 7]]).all()
        assert "2 of 10 crops" in events[-1].message
        assert "crop 3" in embedding.provenance["notes"][-1]


def test_an_image_that_cannot_be_read_spoils_no_other(tmp_path):
    store = tmp_path / "vectors.part"
    embedding, events = events_of(extract(some_crops(kind=InImages), RINGS, store=store, batch=4))
    assert embedding.finite.tolist() == [True, False] * 5
    notes = embedding.provenance["notes"]
    assert notes[0] == "bad.mrc is damaged: copy it again."
    assert sum("bad.mrc" in event.message for event in events) == 1
    # Mended, it is tried again; the others are not.
    again, events = events_of(extract(some_crops(kind=InImages), RINGS, store=store, batch=4))
    assert events[0].done == 5
    np.testing.assert_array_equal(again.vectors, embedding.vectors)


def test_nothing_but_refusals_is_an_error():
    class AllBad(InImages):
        @property
        def images(self):
            return np.array(["bad.mrc"] * len(self))

    with pytest.raises(InputError, match=r"bad\.mrc is damaged"):
        run_inline(extract(some_crops(kind=AllBad), RINGS))


def test_crops_that_an_encoder_cannot_use_are_refused_at_once():
    crops = some_crops()
    with pytest.raises(InputError, match="rings"):
        next(extract(crops, encoders.create("live", diameter=5)))
    assert crops.asked == []


def test_wrong_columns_and_batches_are_refused():
    with pytest.raises(InputError, match="10 crops need 10 values of 'score', not 3"):
        next(extract(some_crops(), RINGS, columns={"score": np.arange(3)}))
    with pytest.raises(InputError, match="batch"):
        next(extract(some_crops(), RINGS, batch=0))
    with pytest.raises(InputError, match="whitened by none, standard or pca"):
        run_inline(extract(some_crops(), RINGS, whiten="zca"))


def test_numbers_that_are_too_large_become_the_largest(monkeypatch):
    class Huge:
        def encode(self, crops, rows):
            return np.array([[1e6, -1e6, np.inf, 0]] * len(rows), np.float32)

    monkeypatch.setattr(type(RINGS), "build", lambda _: Huge())
    vectors = run_inline(extract(some_crops(1), RINGS)).vectors
    np.testing.assert_array_equal(vectors[0], np.array([65504, -65504, np.nan, 0], np.float16))


# whitening


@pytest.mark.parametrize("kind", ["none", "standard", "pca"])
def test_new_rows_can_be_put_into_the_same_space(kind):
    crops = some_crops(40)
    embedding = run_inline(extract(crops, RINGS, whiten=kind, components=5))
    whitening = Whitening.from_json(json.loads(json.dumps(embedding.provenance["whitening"])))
    new = RINGS.build().encode(crops, np.arange(3))
    np.testing.assert_allclose(whitening.apply(new), embedding.vectors[:3], atol=0.02)


def test_standard_vectors_have_mean_0_and_deviation_1():
    vectors = np.random.default_rng(0).normal(5, (1, 10, 0), (500, 3)).astype(np.float32)
    vectors[7] = np.nan
    out = Whitening.fit(vectors, "standard", 0).apply(vectors)
    np.testing.assert_allclose(np.nanmean(out, axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(np.nanstd(out, axis=0), [1, 1, 0], atol=1e-5)
    assert np.isnan(out[7]).all()


def test_principal_components_keep_distances():
    rng = np.random.default_rng(1)
    vectors = (
        1000 + (rng.normal(size=(300, 2)) * (9, 3)) @ np.linalg.qr(rng.normal(size=(5, 2)))[0].T
    )
    out = Whitening.fit(vectors, "pca", 2).apply(vectors)
    np.testing.assert_allclose(out.std(axis=0), [9, 3], rtol=0.15)
    before = np.linalg.norm(vectors[:10] - vectors[10:20], axis=1)
    np.testing.assert_allclose(np.linalg.norm(out[:10] - out[10:20], axis=1), before, rtol=1e-4)
    assert Whitening.fit(vectors, "pca", 99).apply(vectors).shape == (300, 5)


@pytest.mark.parametrize("kind", ["none", "standard", "pca"])
@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (4, 0)])
def test_whitening_of_next_to_nothing(kind, shape):
    vectors = np.ones(shape, np.float16)
    assert np.isfinite(Whitening.fit(vectors, kind, 2).apply(vectors)).all()


def test_damaged_whitening_is_refused():
    with pytest.raises(InputError, match="make the embedding again"):
        Whitening.from_json({"kind": "pca", "mean": "x"})


def test_an_event_travels_to_another_process():
    event = Extracted(done=1, total=2, rate=3.0)
    assert pickle.loads(pickle.dumps(event)) == event  # noqa: S301


class Elsewhere(InlinePool):
    """Works on copies, as another process does, and finishes the last batch first."""

    def outcomes(self, work, items):
        done = list(super().outcomes(copy.deepcopy(work), copy.deepcopy(items)))[::-1]
        yield from reversed(done)


@pytest.mark.parametrize("ndim", [2, 3])
def test_workers_make_the_same_vectors(ndim, tmp_path):
    array = some_crops(10, ndim).array
    crops = ArrayCrops.of(array)
    alone = run_inline(extract(crops, RINGS, batch=3))
    store = tmp_path / "kept"
    spread = run_inline(extract(crops, RINGS, batch=3, store=store, pool=Elsewhere()))
    np.testing.assert_array_equal(alone.vectors, spread.vectors)
    kept = some_crops(10, ndim, kind=ArrayCrops)
    again = run_inline(extract(kept, RINGS, batch=3, store=store, pool=Elsewhere()))
    np.testing.assert_array_equal(alone.vectors, again.vectors)


def test_a_refusal_of_a_worker_is_said_as_ever(tmp_path):
    path = tmp_path / "gone.mrc"
    write_mrc(path, np.zeros((30, 30), np.float32), 1.0)
    picks = Picks("gone.mrc", np.array([[15.0, 15]]))
    crops = PickCrops([open_image(path)], PicksTable.of([picks]), 9)
    path.unlink()
    with pytest.raises(InputError, match=r"gone\.mrc"):
        run_inline(extract(crops, RINGS, pool=Elsewhere()))
