"""Metrics and curves."""

from napari_cryoml.evaluation._classification import ClassificationReport, purity
from napari_cryoml.evaluation._matching import match
from napari_cryoml.evaluation._neighbourhoods import neighbourhood_recall, trustworthiness
from napari_cryoml.evaluation._picks import Evaluation, evaluate_picks
from napari_cryoml.evaluation._precision_recall import RECALLS, PrecisionRecall

__all__ = [
    "RECALLS",
    "ClassificationReport",
    "Evaluation",
    "PrecisionRecall",
    "evaluate_picks",
    "match",
    "neighbourhood_recall",
    "purity",
    "trustworthiness",
]
