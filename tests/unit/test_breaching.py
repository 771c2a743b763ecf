"""Every kind of threshold that people can write is one that the night can judge; which of them the brief tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, get_args

import numpy as np
import pytest

from hansei.catalog import Catalog, load_catalog
from hansei.catalog.surveys import Benchmark
from hansei.catalog.thresholds import THRESHOLD_FILE, AnyThreshold
from hansei.pipeline.breach_cases import Case
from hansei.pipeline.breaching import KINDS, find
from hansei.pipeline.evidence import holds_value_against_limit
from hansei.pipeline.series import Series
from hansei.settings import load_settings
from hansei.signals import spc
from hansei.signals.breaches import Finding
from hansei.signals.series import Block


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


MONTHS = np.arange("2018-01", "2023-01", dtype="datetime64[M]").astype("datetime64[D]")
KIND_KEYS = {
    "static": {"warning": 0.78, "critical": 0.7, "unit": "ratio", "alarm": {"recovery": 0.8}},
    "consecutive": {"warning": 0.8, "unit": "ratio"},
    "m_of_n": {"m": 2, "n": 3, "warning": 0.78, "critical": 0.7, "unit": "ratio"},
    "relative": {
        "warning": 5,
        "critical": 10,
        "unit": "percent",
        "baseline_from": date(2018, 1, 1),
        "baseline_until": date(2018, 12, 1),
    },
    "benchmark": {"benchmark": "trade"},
    "spc_concern": {},
    "assurance_fail": {"target": 0.95, "unit": "ratio"},
    "forecast": {"warning": 0.85, "critical": 0.8, "unit": "ratio"},
}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    months = [{"month": "2018-01-01", "value": 0.8}, {"month": "2020-05-01", "value": 0.78}]
    about = {"id": "trade", "title": "t", "source": "s", "owner": "o", "action": "a", "missing_month": "skipped"}
    trade = Benchmark.model_validate({**about, "indicator": "csat_top_box", "months": months})
    return replace(load_catalog(load_settings({})), benchmarks={"trade": trade})


def series_of(last: int) -> Series:
    """The first `last` months of 30 teams' shares, with gaps, a fall in the middle and a new phase."""
    source = np.random.default_rng(11)
    shape = (30, len(MONTHS))
    counts = source.integers(20, 80, shape).astype("float64")
    true = np.where(np.arange(len(MONTHS)) < 35, 0.82, source.uniform(0.6, 0.9, (30, 1)))
    hits = source.binomial(counts.astype(int), true).astype("float64")
    values = np.where(source.random(shape) < 0.1, np.nan, hits / counts)[:, :last]
    stored = {"value": values, "numerator": hits, "denominator": counts, "sample_count": counts}
    stored |= {"lower_bound": values - 0.1, "upper_bound": values + 0.1}
    phases = np.broadcast_to((np.arange(len(MONTHS)) >= 40).astype("int32"), shape)[:, :last]
    full = np.ones((30, last), dtype=bool)
    return Series(
        grain="month",
        keys=[("csat_top_box", f"team={row}") for row in range(30)],
        block=Block(values, phases, np.ones(30, dtype="int8"), MONTHS[:last]),
        is_stored=full,
        is_ready=full,
        states=np.where(np.isnan(values), "insufficient", "ok").astype(object),
        versions=np.ones((30, last), dtype="int32"),
        stored={name: figures[:, :last] for name, figures in stored.items()},
    )


def finding_of(catalog: Catalog, kind: str, last: int) -> Finding:
    common = {"id": "limit", "indicator": "csat_top_box", "grain": "month", "segments": ["team=*"], "approver": "head"}
    threshold = THRESHOLD_FILE.validate_python(
        {**common, "kind": kind, "reason": "it was agreed so", "valid_from": date(2018, 12, 1), **KIND_KEYS[kind]}
    )
    series = series_of(last)
    known = spc.known_then(series.block.values, series.block.phases, 12)
    return find(Case(threshold, catalog.indicators["csat_top_box"], catalog, series, known))


@pytest.mark.parametrize("kind", sorted(KIND_KEYS))
def test_what_was_said_of_a_period_stands_whatever_comes_after_it(catalog: Catalog, kind: str) -> None:
    assert set(KIND_KEYS) == set(KINDS)
    whole = finding_of(catalog, kind, len(MONTHS))
    assert whole.is_breach.any()
    assert whole.is_recovered.any()
    # Of a period without a usable value, and of one before the threshold holds, nothing good or bad is said.
    silent = np.isnan(series_of(len(MONTHS)).block.values) | (np.datetime64("2018-12-01") > MONTHS)
    assert not (whole.is_breach | whole.is_recovered | whole.is_judged)[silent].any()
    assert not (whole.is_breach & whole.is_recovered).any()
    for last in (12, 30, 36, 41, 55):
        then = finding_of(catalog, kind, last)
        assert (then.is_breach == whole.is_breach[:, :last]).all()
        assert (then.is_recovered == whole.is_recovered[:, :last]).all()
        assert (then.cases == whole.cases[:, :last]).all()
        assert (then.pattern_starts == whole.pattern_starts[:, :last]).all()
        for before, after in zip(then.limits, whole.limits, strict=True):
            assert np.allclose(before, after[:, :last], rtol=1e-12, equal_nan=True)
