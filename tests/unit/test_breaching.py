"""Every kind of threshold that people can write is one that the night can judge."""

from __future__ import annotations

from typing import get_args

from hansei.catalog.thresholds import AnyThreshold
from hansei.pipeline.breaching import KINDS


def test_every_kind_that_can_be_written_is_judged() -> None:
    written = {get_args(kind.model_fields["kind"].annotation)[0] for kind in get_args(AnyThreshold)}
    assert len(written) >= 7
    assert set(KINDS) == written
