"""Batches of whole crops, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_cryoml._errors import InputError
from napari_cryoml.data import Crops, MissingWedge
from napari_cryoml.objectives import CropBatch
from napari_cryoml.training._crop_augmentation import augment_crops
from napari_cryoml.training._crop_augmentation_config import CropAugmentationConfig
from napari_cryoml.training._crop_order import Rows, epoch_order
from napari_cryoml.training._crop_pairs import CropPairs
from napari_cryoml.training._crop_store import CropStore
from napari_cryoml.training._kept_views import KeptViews

LabelSource = Callable[[int], "npt.ArrayLike | Tensor | None"]


class CropSampler:
    """Draws crops in epochs: each once, in an order of chance, unless some are to come more often.

    All batches are of one size: the last of an epoch is filled up from the beginning of its
    order, so that no batch is too small for batch norm or a queue. Of crops that are stored
    together in the chunks of a file, whole chunks are drawn by chance, many at a time, and their
    crops are mixed: each chunk is read once an epoch.

    Parameters
    ----------
    crops : Crops, CropStore, or array of shape (n, C, y, x) or (n, C, z, y, x)
        Of crops and arrays each channel is brought to mean 0 and deviation 1; a store has its own
        normalisation.
    labels : array of shape (n,), int, optional
        Number of the class of each of all crops; -1, as all are if not given, for no label.
    rows : array of shape (m,), int, optional
        Which crops are drawn; all if not given.
    batch : int, default 64
        Crops a batch; fewer if there are not as many.
    n_views : int, default 1
        Variations of each crop.
    augmentation : CropAugmentationConfig
    wedge : MissingWedge, optional
        Of the tomograms of 3-D crops.
    seed : int, default 0
        Of the order and the variations.
    shuffle : bool, default True
        False draws the rows in their order, each once, the last batch as small as it comes.
    balanced : bool, default False
        Draw labelled rows of each class equally often; as many rows make an epoch as before.
    labelled_share : float, optional
        Least share of labelled rows in each batch, to whole rows rounded down; they are repeated
        in place of others, which wait for another epoch. 1 draws labelled rows alone; none draws
        all rows as they come. Which rows are labelled is seen anew at the start of each epoch.
    new_labels : callable, optional
        Is asked at the start of each epoch, with its number, for the labels of all crops from
        there on, as `CropObjective.begin_epoch` gives them; None leaves them as they are.
    device : torch.device or str, default "cpu"
        Where crops are varied.
    pairs : CropPairs, optional
        Each view after the first shows another crop of the same group, drawn anew each time. Crops
        that have no partner are not drawn.
    describe : callable, optional
        Makes of varied crops what is kept and drawn in their place, where variations are kept
        (`CropAugmentationConfig.copies`); see `CropObjective.described`.

    Attributes
    ----------
    labels : tensor of shape (n,), int32
        May be replaced at any time.
    epoch : int
        How often all rows were drawn.

    Raises
    ------
    InputError
        If there is nothing to draw, labels are not as many as crops, or no crop has a partner.
    """

    def __init__(
        self,
        crops: Crops | CropStore | npt.NDArray[np.generic],
        labels: npt.ArrayLike | Tensor | None = None,
        rows: npt.ArrayLike | None = None,
        batch: int = 64,
        n_views: int = 1,
        augmentation: CropAugmentationConfig | None = None,
        wedge: MissingWedge | None = None,
        seed: int = 0,
        shuffle: bool = True,
        *,
        balanced: bool = False,
        labelled_share: float | None = None,
        new_labels: LabelSource | None = None,
        device: torch.device | str = "cpu",
        pairs: CropPairs | None = None,
        describe: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self._store = crops if isinstance(crops, CropStore) else CropStore(crops)
        n = len(self._store)
        # Ten million rows are kept several times over: half the memory of the usual integers.
        kind = np.int32 if n <= np.iinfo(np.int32).max else np.int64
        chosen = np.arange(n, dtype=kind) if rows is None else np.asarray(rows).astype(kind)
        self._rows: Rows = chosen
        if not len(self._rows):
            raise InputError("There are no crops to draw: choose some.")
        self._pairs = pairs
        if pairs is not None:
            self._rows = pairs.paired(self._rows.astype(np.intp))
        self.labels = np.full(n, -1, np.int32) if labels is None else labels
        self._batch, self._n_views = min(batch, len(self._rows)), n_views
        self._augmentation = augmentation or CropAugmentationConfig()
        self._wedge, self._shuffle, self._balanced = wedge, shuffle, balanced
        self._labelled_share = labelled_share
        self._new_labels, self._device = new_labels, torch.device(device)
        self._rng = np.random.default_rng(seed)
        self._generator = torch.Generator(self._device).manual_seed(seed)
        self._order, self._at, self.epoch = self._rows[:0], 0, 0
        self._fetched = 0
        self._describe = describe
        self._kept = self._kept_views() if self._augmentation.copies and pairs is None else None

    @property
    def labels(self) -> Tensor:
        """Number of the class of each of all crops, -1 for none, shape (n,), int32."""
        return self._labels

    @labels.setter
    def labels(self, labels: npt.ArrayLike | Tensor) -> None:
        values = torch.as_tensor(labels if isinstance(labels, Tensor) else np.asarray(labels))
        if values.shape != (len(self._store),):
            raise InputError(
                f"{len(self._store)} crops need as many labels; an array of shape "
                f"{tuple(values.shape)} was given."
            )
        self._labels = values.detach().cpu().int()

    @property
    def steps_per_epoch(self) -> int:
        """Batches that hold all rows."""
        return math.ceil(len(self._rows) / self._batch)

    def draw(self) -> CropBatch:
        """Return the next batch."""
        if self._at >= len(self._order):
            self._begin_epoch()
        rows = self._next_rows()
        epoch = self.epoch
        self._at += self._batch
        if self._at >= len(self._order):
            self.epoch += 1
        numbers = torch.from_numpy(rows.astype(np.int64))
        return CropBatch(self._views(rows), self._labels[numbers].long(), numbers, epoch)

    def halve(self) -> bool:
        """Halve the batches from now on; False at two crops, which batch norm needs."""
        if self._batch <= 2:
            return False
        self._batch //= 2
        return True

    def _begin_epoch(self) -> None:
        labels = None if self._new_labels is None else self._new_labels(self.epoch)
        if labels is not None:
            self.labels = labels
        self._order, self._at, self._fetched = self._rows, 0, 0
        if self._shuffle:
            self._order = epoch_order(
                self._rows,
                self._labels.numpy(),
                self._rng,
                labelled_share=self._labelled_share,
                balanced=self._balanced,
                block=self._store.block,
                window=self._store.window,
            )

    def _fetch(self) -> None:
        """Have the store read what comes next at one go, where that is quicker."""
        window = self._store.window
        while self._store.block > 1 and self._fetched < min(
            self._at + self._batch, len(self._order)
        ):
            self._store.fetch(self._order[self._fetched : self._fetched + window])
            self._fetched += window

    def _next_rows(self) -> Rows:
        self._fetch()
        rows = self._order[self._at : self._at + self._batch]
        lacking = self._batch - len(rows)
        return np.concatenate([rows, self._order[:lacking]]) if self._shuffle else rows

    def _views(self, rows: Rows) -> tuple[Tensor, ...]:
        """Return variations of crops, or of their partners, all made in one go."""
        if self._kept is not None:
            return self._kept.draw(rows, self._n_views)
        images = self._read(rows)
        if self._pairs is None:
            shown = images.repeat(self._n_views, *[1] * (images.ndim - 1))
        else:
            others = [self._pairs.draw(rows, self._rng) for _ in range(self._n_views - 1)]
            shown = torch.cat([images, *map(self._read, others)])
        varied = augment_crops(shown, self._augmentation, self._wedge, self._generator)
        return tuple(varied.chunk(self._n_views))

    def _kept_views(self) -> KeptViews:
        copies = max(self._augmentation.copies, self._n_views)
        return KeptViews(len(self._store), copies, self._described, self._rng)

    def _described(self, rows: Rows, is_varied: npt.NDArray[np.bool_]) -> Tensor:
        """Return what is kept of crops, some of which are varied."""
        images, varied = self._read(rows), torch.from_numpy(is_varied).to(self._device)
        images[varied] = augment_crops(
            images[varied], self._augmentation, self._wedge, self._generator
        )
        if self._describe is None:
            return images
        with torch.no_grad():
            return self._describe(images)

    def _read(self, rows: Rows) -> Tensor:
        return torch.from_numpy(self._store.read(rows)).to(self._device)
