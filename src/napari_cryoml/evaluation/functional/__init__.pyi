from ._compare import Comparison, Fold, compare
from ._enrichment import EnrichedTerm, enrichment
from ._evaluate import evaluate_functional, functional_score
from ._report import (
    OPTIMISTIC,
    TITLES,
    FunctionalReport,
    Score,
)
from ._spec import MetricSpec
from ._terms import TermScore

__all__ = [
    "OPTIMISTIC",
    "TITLES",
    "Comparison",
    "EnrichedTerm",
    "Fold",
    "FunctionalReport",
    "MetricSpec",
    "Score",
    "TermScore",
    "compare",
    "enrichment",
    "evaluate_functional",
    "functional_score",
]
