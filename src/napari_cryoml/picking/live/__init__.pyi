from ._calibration import Calibration, calibrate, expected_curve
from ._certify import (
    Certificate,
    ReviewPlan,
    best_threshold,
    certify,
    plan_review,
    review_threshold,
)
from ._channels import live_features
from ._config import LEAST_CLICKS, LiveConfig, MarkedBox
from ._engine import LivePicker
from ._fit import fit_live
from ._head import Head, fit_head
from ._jobs import pick_live
from ._messages import LiveAnswer, LiveFigures, LiveRequest, SuggestRequest
from ._model import LiveModel
from ._prior import Estimate
from ._queue import Suggestion, suggest_clicks
from ._service import LiveService

__all__ = [
    "LEAST_CLICKS",
    "Calibration",
    "Certificate",
    "Estimate",
    "Head",
    "LiveAnswer",
    "LiveConfig",
    "LiveFigures",
    "LiveModel",
    "LivePicker",
    "LiveRequest",
    "LiveService",
    "MarkedBox",
    "ReviewPlan",
    "SuggestRequest",
    "Suggestion",
    "best_threshold",
    "calibrate",
    "certify",
    "expected_curve",
    "fit_head",
    "fit_live",
    "live_features",
    "pick_live",
    "plan_review",
    "review_threshold",
    "suggest_clicks",
]
