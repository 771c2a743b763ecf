"""Which periods a threshold calls a breach: one judging function for each kind, found by the kind's name.

A period is judged as the newest of its time: no rule looks at later values, so that what was said of it stands until
its own value, or an earlier one, is restated.
"""

from __future__ import annotations

from collections.abc import Callable

from hansei.pipeline.breach_cases import Case
from hansei.pipeline.chart_breaches import assurance_fail_breaches, spc_concern_breaches
from hansei.pipeline.forecast_breaches import forecast_breaches
from hansei.pipeline.limit_breaches import (
    benchmark_breaches,
    consecutive_breaches,
    m_of_n_breaches,
    relative_breaches,
    static_breaches,
)
from hansei.signals.breaches import Finding

# A kind of catalog/thresholds.py without a function here is found by a test.
KINDS: dict[str, Callable[[Case], Finding]] = {
    "static": static_breaches,
    "relative": relative_breaches,
    "consecutive": consecutive_breaches,
    "m_of_n": m_of_n_breaches,
    "benchmark": benchmark_breaches,
    "spc_concern": spc_concern_breaches,
    "assurance_fail": assurance_fail_breaches,
    "forecast": forecast_breaches,
}


def find(case: Case) -> Finding:
    """What the threshold says of every period of its series."""
    return KINDS[case.threshold.kind](case)
