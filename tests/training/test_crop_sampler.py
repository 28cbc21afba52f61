import numpy as np
import pytest
import torch

from napari_cryoml._errors import InputError
from napari_cryoml.data import ArrayCrops
from napari_cryoml.training import CropAugmentationConfig, CropSampler, CropStore, standardised
from napari_cryoml.training._crop_order import epoch_order

PLAIN = CropAugmentationConfig(kind="none")


def _crops(n: int, shape: tuple[int, ...] = (4, 4, 4)) -> np.ndarray:
    return np.random.default_rng(0).normal(3, 2, (n, 1, *shape)).astype(np.float32)


class Read:
    """Crops that are read from somewhere, and how often."""

    def __init__(self, array: np.ndarray) -> None:
        self._crops = ArrayCrops.of(array)
        self.n_channels, self.shape = self._crops.n_channels, self._crops.shape
        self.reads: list[int] = []

    def __len__(self) -> int:
        return len(self._crops)

    def read(self, rows: np.ndarray) -> np.ndarray:
        self.reads += np.asarray(rows).tolist()
        return self._crops.read(rows)


class Listed:
    """Stands for an array of which rows are read from files, as `io.LazyBoxes` does."""

    def __init__(self, array: np.ndarray) -> None:
        self._array, self.ndim, self.shape = array, array.ndim, array.shape
        self.reads: list[int] = []

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        self.reads += rows.tolist()
        return self._array[rows]


def _epoch(sampler: CropSampler) -> list:
    return [sampler.draw() for _ in range(sampler.steps_per_epoch)]


@pytest.mark.parametrize("shape", [(6, 5), (4, 5, 6)])
def test_crops_come_with_mean_0_and_deviation_1(shape: tuple[int, ...]) -> None:
    batch = CropSampler(_crops(7, shape), augmentation=PLAIN).draw()
    (view,) = batch.views
    assert view.shape == (7, 1, *shape)
    assert view.dtype == torch.float32
    flat = view.flatten(1)
    assert torch.allclose(flat.mean(1), torch.zeros(7), atol=1e-5)
    assert torch.allclose(flat.square().mean(1), torch.ones(7), atol=1e-4)


def test_gaps_take_the_mean_and_a_crop_of_one_value_becomes_0() -> None:
    crops = _crops(4)
    crops[0, 0, 0, 0, 0] = np.nan
    crops[1] = np.inf
    crops[2] = 1e6
    normal = standardised(crops)
    assert np.isfinite(normal).all()
    assert abs(normal[0, 0, 0, 0, 0]) < 1e-5
    assert not normal[1:3].any()
    assert np.isnan(crops[0, 0, 0, 0, 0]), "the crops that were given stay as they are"


def test_an_epoch_holds_every_row_and_the_last_batch_is_full() -> None:
    rows = np.arange(3, 13)
    sampler = CropSampler(_crops(20), rows=rows, batch=4, augmentation=PLAIN)
    assert sampler.steps_per_epoch == 3
    for epoch in range(2):
        batches = _epoch(sampler)
        drawn = [row for batch in batches for row in batch.rows.tolist()]
        assert [len(batch.rows) for batch in batches] == [4, 4, 4]
        assert set(drawn) == set(rows.tolist())
        assert len(set(drawn[:10])) == 10
        assert {batch.epoch for batch in batches} == {epoch}
        assert sampler.epoch == epoch + 1


def test_without_shuffling_rows_come_in_their_order() -> None:
    sampler = CropSampler(_crops(5), batch=2, augmentation=PLAIN, shuffle=False)
    assert [batch.rows.tolist() for batch in _epoch(sampler)] == [[0, 1], [2, 3], [4]]


def test_the_seed_decides_all() -> None:
    draws = [CropSampler(_crops(6), batch=3, seed=seed).draw() for seed in (1, 1, 2)]
    assert torch.equal(draws[0].rows, draws[1].rows)
    assert torch.equal(draws[0].views[0], draws[1].views[0])
    assert not torch.equal(draws[0].views[0], draws[2].views[0])


def test_views_differ_and_belong_to_the_same_rows() -> None:
    crops = _crops(5)
    batch = CropSampler(crops, batch=5, n_views=2).draw()
    first, second = batch.views
    assert first.shape == second.shape == (5, 1, 4, 4, 4)
    assert not torch.equal(first, second)
    plain = CropSampler(crops, batch=5, n_views=2, augmentation=PLAIN).draw()
    expected = torch.from_numpy(standardised(crops))[plain.rows]
    assert torch.equal(plain.views[0], expected)
    assert torch.equal(plain.views[1], expected)


def test_labels_follow_their_rows_and_may_be_replaced() -> None:
    sampler = CropSampler(_crops(6), labels=np.arange(6) % 3, batch=6, augmentation=PLAIN)
    batch = sampler.draw()
    assert torch.equal(batch.labels, batch.rows % 3)
    assert batch.labels.dtype == torch.int64
    sampler.labels = -np.ones(6)
    assert (sampler.draw().labels == -1).all()
    with pytest.raises(InputError, match="6 crops need as many labels"):
        sampler.labels = np.zeros(5)


def test_new_labels_are_asked_for_at_the_start_of_each_epoch() -> None:
    asked: list[int] = []

    def new_labels(epoch: int) -> torch.Tensor | None:
        asked.append(epoch)
        return torch.full((4,), epoch) if epoch else None

    sampler = CropSampler(_crops(4), batch=2, augmentation=PLAIN, new_labels=new_labels)
    labels = [sampler.draw().labels.tolist() for _ in range(4)]
    assert asked == [0, 1]
    assert labels == [[-1, -1], [-1, -1], [1, 1], [1, 1]]


def test_balanced_epochs_hold_each_class_equally_often() -> None:
    labels = np.array([0] * 8 + [1] * 2 + [-1] * 4)
    sampler = CropSampler(_crops(14), labels=labels, batch=7, augmentation=PLAIN, balanced=True)
    drawn = torch.cat([batch.labels for batch in _epoch(sampler)])
    assert torch.bincount(drawn + 1).tolist() == [4, 5, 5]


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("batch", [3, 8, 40])
def test_each_batch_has_its_share_of_labels(balanced: bool, batch: int) -> None:
    labels = np.full(40, -1)
    labels[[3, 7, 30]] = [0, 1, 1]
    sampler = CropSampler(
        _crops(40, (4, 4)),
        labels=labels,
        batch=batch,
        augmentation=PLAIN,
        balanced=balanced,
        labelled_share=0.5,
    )
    assert sampler.steps_per_epoch == -(-40 // batch)
    seen: set[int] = set()
    for _ in range(4):
        batches = _epoch(sampler)
        assert all((drawn.labels >= 0).sum() >= batch // 2 for drawn in batches)
        rows = torch.cat([drawn.rows for drawn in batches])[:40]
        counts = np.bincount(rows, minlength=40)
        assert counts[labels < 0].max() == 1
        assert counts[labels == 0].sum() in ((10,) if balanced else (6, 7))
        seen |= set(rows.tolist())
    assert len(seen) > 30


def test_more_labels_than_the_share_are_all_drawn_once() -> None:
    labels = np.array([0] * 6 + [-1] * 2)
    sampler = CropSampler(_crops(8), labels=labels, batch=4, labelled_share=0.25)
    rows = torch.cat([batch.rows for batch in _epoch(sampler)])
    assert sorted(rows.tolist()) == list(range(8))


def test_labelled_crops_alone_are_those_of_each_epoch() -> None:
    known = torch.tensor([0, 1, -1, -1, -1, -1])
    joined = torch.tensor([0, 1, 1, 0, -1, -1])
    sampler = CropSampler(
        _crops(6),
        labels=known,
        batch=3,
        augmentation=PLAIN,
        labelled_share=1,
        new_labels=lambda epoch: joined if epoch == 1 else known,
    )
    drawn = [sorted(torch.cat([b.rows for b in _epoch(sampler)]).tolist()) for _ in range(3)]
    assert drawn[0] == drawn[2] == [0, 0, 0, 1, 1, 1]
    assert set(drawn[1]) == {0, 1, 2, 3}


def test_a_share_of_no_labels_is_none() -> None:
    sampler = CropSampler(_crops(4), batch=4, labelled_share=0.5)
    assert sorted(sampler.draw().rows.tolist()) == [0, 1, 2, 3]
    with pytest.raises(InputError, match="None of the crops to learn from has a label"):
        CropSampler(_crops(4), labelled_share=1).draw()


def test_halving_doubles_the_steps_down_to_two_crops() -> None:
    sampler = CropSampler(_crops(8), batch=8, augmentation=PLAIN)
    assert sampler.halve()
    assert (len(sampler.draw().rows), sampler.steps_per_epoch) == (4, 2)
    assert sampler.halve()
    assert not sampler.halve()


def test_crops_from_files_are_read_once_if_they_fit_into_memory() -> None:
    array = _crops(6)
    source = Read(array)
    store = CropStore(source, memory_bytes=2 * 64 * 4)
    for _ in range(2):
        assert np.allclose(store.read([5, 0, 5, 1]), standardised(array[[5, 0, 5, 1]]), atol=2e-3)
        assert np.allclose(store.read([2, 3, 4]), standardised(array[[2, 3, 4]]), atol=2e-3)
    counts = np.bincount(source.reads, minlength=6)
    assert sorted(counts.tolist()) == [1, 1, 1, 2, 2, 2]


def test_float16_arrays_are_taken_as_they_are() -> None:
    array = _crops(3).astype(np.float16)
    view = CropSampler(array, augmentation=PLAIN, shuffle=False).draw().views[0]
    assert torch.allclose(view, torch.from_numpy(standardised(array)))


def test_what_cannot_be_drawn_is_a_sentence() -> None:
    with pytest.raises(InputError, match="no crops to draw"):
        CropSampler(_crops(3), rows=[])


def test_boxes_of_a_list_are_read_once_as_far_as_they_fit() -> None:
    array = Listed(_crops(6))
    store = CropStore(ArrayCrops.of(array), memory_bytes=2 * 4**3 * 4)
    first = store.read(np.arange(6))
    again = store.read(np.arange(6))
    assert array.reads == [0, 1, 2, 3, 4, 5, 4, 5]
    assert np.allclose(first, again, atol=2e-3)
    assert np.array_equal(first, CropStore(_crops(6)).read(np.arange(6)))


class Chunked(Listed):
    """Rows in chunks of a file, and how often each chunk was read."""

    rows_per_chunk = 8

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        self.reads += np.unique(np.asarray(rows) // self.rows_per_chunk).tolist()
        return self._array[rows]


def _chunked(n: int, fits: int) -> tuple[Chunked, CropStore]:
    """Return crops in chunks, and a store that has room for some of them."""
    array = Chunked(_crops(n, (4, 4)))
    return array, CropStore(ArrayCrops.of(array), memory_bytes=2 * 16 * fits)


@pytest.mark.parametrize("fits", [64, 128, 400])
def test_each_chunk_is_read_about_once_an_epoch(fits: int) -> None:
    array, store = _chunked(400, fits)
    sampler = CropSampler(store, batch=10, augmentation=PLAIN)
    normal = torch.from_numpy(standardised(array._array))
    seen = []
    for batch in _epoch(sampler):
        assert torch.allclose(batch.views[0], normal[batch.rows], atol=2e-3)
        seen += batch.rows.tolist()
    assert sorted(seen) == list(range(400))
    # Windows end within chunks, which are read a second time.
    assert len(array.reads) <= 50 + 400 // store.window + 1
    array.reads.clear()
    _epoch(sampler)
    assert len(array.reads) == 0 if fits == 400 else len(array.reads) <= 50 + 400 // store.window


def test_crops_of_many_chunks_are_mixed() -> None:
    _, store = _chunked(4000, 1600)
    sampler = CropSampler(store, batch=50, augmentation=PLAIN, seed=1)
    chunks = [len(np.unique(batch.rows.numpy() // 8)) for batch in _epoch(sampler)]
    assert np.mean(chunks) > 25
    first = [batch.rows.tolist() for batch in _epoch(sampler)]
    assert first != [batch.rows.tolist() for batch in _epoch(sampler)]


def test_a_store_holds_no_more_than_it_may() -> None:
    _, store = _chunked(4000, 200)
    for batch in _epoch(CropSampler(store, batch=64, augmentation=PLAIN)):
        held = len(store._kept) + sum(len(rows) for rows, _ in store._ahead)
        assert held <= 200, batch
    assert store._place.nbytes == 4 * 4000


def test_rows_that_were_not_fetched_are_read_all_the_same() -> None:
    array, store = _chunked(100, 40)
    store.fetch([3, 4, 5])
    store.fetch([50, 51])
    array.reads.clear()
    rows = [51, 3, 80, 3, 5]
    assert np.allclose(store.read(rows), standardised(array._array[rows]), atol=2e-3)
    assert array.reads == [10]


@pytest.mark.parametrize("block", [1, 8])
def test_labels_draw_rows_as_often_in_blocks(block: int) -> None:
    rng, labels = np.random.default_rng(0), np.arange(64) % 2
    order = epoch_order(np.arange(64), labels, rng, labelled_share=1, block=block, window=16)
    assert sorted(order.tolist()) == list(range(64))
    stretches = [len(np.unique(order[at : at + 16] // 8)) for at in range(0, 64, 16)]
    assert all(n == 2 for n in stretches) == (block == 8)
    balanced = epoch_order(np.arange(64), labels, rng, balanced=True, block=block, window=16)
    assert np.bincount(labels[balanced]).tolist() == [32, 32]


def test_many_classes_are_balanced_at_once() -> None:
    labels = np.repeat(np.arange(3000), 2)
    order = epoch_order(np.arange(6000), labels, np.random.default_rng(0), balanced=True)
    assert (np.bincount(labels[order]) == 2).all()
