"""The pipeline's stages, one function each. Every stage runs from the command line, from tests and from a DAG."""

from hansei.pipeline.context import Context, context
from hansei.pipeline.delivering import resend
from hansei.pipeline.erasing import erase
from hansei.pipeline.nightly import close_run, extract, judge, measure, model, open_run, publish, run_night, share
from hansei.pipeline.notifying import notify, told_through
from hansei.pipeline.replaying import replay
from hansei.pipeline.review_delivering import deliver_reviews
from hansei.pipeline.reviewing import build_review, due_reviews, raise_for_failed, readiness
from hansei.pipeline.weekly_housekeeping import housekeep

__all__ = [
    "Context",
    "build_review",
    "close_run",
    "context",
    "deliver_reviews",
    "due_reviews",
    "erase",
    "extract",
    "housekeep",
    "judge",
    "measure",
    "model",
    "notify",
    "open_run",
    "publish",
    "raise_for_failed",
    "readiness",
    "replay",
    "resend",
    "run_night",
    "share",
    "told_through",
]
