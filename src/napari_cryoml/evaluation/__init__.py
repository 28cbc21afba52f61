"""Metrics and curves."""

from napari_cryoml.evaluation._classification import ClassificationReport, purity
from napari_cryoml.evaluation._matching import match
from napari_cryoml.evaluation._neighbourhoods import neighbourhood_recall, trustworthiness
from napari_cryoml.evaluation._picks import Evaluation, evaluate_picks
from napari_cryoml.evaluation._precision_recall import RECALLS, PrecisionRecall
from napari_cryoml.evaluation._snr import (
    SignalToNoise,
    posed_signal_to_noise,
    signal_to_noise,
)

__all__ = [
    "RECALLS",
    "ClassificationReport",
    "Evaluation",
    "PrecisionRecall",
    "SignalToNoise",
    "evaluate_picks",
    "match",
    "neighbourhood_recall",
    "posed_signal_to_noise",
    "purity",
    "signal_to_noise",
    "trustworthiness",
]
