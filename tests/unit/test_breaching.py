"""Every kind of threshold that people can write is one that the night can judge; which of them the brief tells."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from hansei.catalog.thresholds import AnyThreshold
from hansei.pipeline.breaching import KINDS
from hansei.pipeline.evidence import holds_value_against_limit


def test_every_kind_that_can_be_written_is_judged() -> None:
    written = {get_args(kind.model_fields["kind"].annotation)[0] for kind in get_args(AnyThreshold)}
    assert len(written) >= 7
    assert set(KINDS) == written


@pytest.mark.parametrize(
    ("kind", "value", "limit", "verdict", "is_told"),
    [
        ("static", 0.7, 0.8, "breach_critical", True),
        ("static", 0.8, 0.8, "within", True),
        ("static", None, 0.8, "too_few_data", True),
        ("consecutive", 0.7, 0.8, "within", False),  # beyond the limit, but not for long enough
        ("consecutive", 0.7, 0.8, "breach_warning", True),
        ("m_of_n", 0.9, 0.8, "breach_critical", False),  # two weeks before lie beyond, this one does not
        ("relative", 0.7, None, "too_few_data", False),  # no baseline
        ("spc_concern", 0.7, 0.8, "breach_critical", False),
    ],
)
def test_the_brief_says_misses_only_of_a_value_that_lies_beyond(kind, value, limit, verdict, is_told) -> None:
    row: dict[str, Any] = {"kind": kind, "value": value, "limit_value": limit, "verdict": verdict}
    assert holds_value_against_limit(row, "higher_is_better") is is_told
