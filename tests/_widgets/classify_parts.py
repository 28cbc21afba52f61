"""What the tests of the Classify dock have in common: offers and made-up results."""

import numpy as np

from napari_cryoml._widgets.classes._class_list import ClassRow
from napari_cryoml._widgets.classify import ClassifyOffers
from napari_cryoml.averaging import AverageConfig, RefineConfig
from napari_cryoml.classification import systems
from napari_cryoml.evaluation import ClassificationReport
from napari_cryoml.preprocess import CropsConfig

FIRST = ("few_shot", "contrastive", "moco")
ROWS = (
    ClassRow("ribosome", "#E69F00", "1", 5, 43),
    ClassRow("proteasome", "#56B4E9", "2", 9, 47),
    ClassRow("junk", "#009E73", "3", 12, None),
)
NAMES = tuple(row.name for row in ROWS)
CONFUSION = np.array([[9, 1, 0], [0, 7, 2], [1, 0, 4]])


def offers():
    return ClassifyOffers(
        systems={name: systems[name] for name in FIRST},
        crops=CropsConfig,
        image_average=AverageConfig,
        volume_average=RefineConfig,
    )


def report():
    return ClassificationReport(NAMES, CONFUSION)


def heard(signal):
    said = []
    signal.connect(lambda *values: said.append(values[0] if len(values) == 1 else values))
    return said
