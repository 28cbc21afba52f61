"""How much of what is known of proteins their vectors hold."""

from napari_cryoml.evaluation.functional._compare import Comparison, Fold, compare
from napari_cryoml.evaluation.functional._enrichment import EnrichedTerm, enrichment
from napari_cryoml.evaluation.functional._evaluate import evaluate_functional, functional_score
from napari_cryoml.evaluation.functional._report import (
    OPTIMISTIC,
    TITLES,
    FunctionalReport,
    Score,
)
from napari_cryoml.evaluation.functional._spec import MetricSpec

__all__ = [
    "OPTIMISTIC",
    "TITLES",
    "Comparison",
    "EnrichedTerm",
    "Fold",
    "FunctionalReport",
    "MetricSpec",
    "Score",
    "compare",
    "enrichment",
    "evaluate_functional",
    "functional_score",
]
