"""What alarms a rule would have raised, and when it would be too many."""

from __future__ import annotations

import numpy as np

from hansei.signals.alarms import BETWEEN, BREACH, GAP, RECOVERED, TOO_SMALL, Findings
from hansei.signals.rehearsals import ALWAYS, OFTEN, WIDE, Raised, flood_signs, raised_by

CODES = {"-": GAP, ".": BETWEEN, "+": RECOVERED, "x": BREACH, "?": TOO_SMALL}


def findings(*series: str, to_open: int = 2, to_close: int = 2) -> Findings:
    codes = np.array([[CODES[word] for word in line] for line in series], dtype="int8")
    each = np.ones(len(series), dtype="int64")
    return Findings(
        codes=codes,
        severities=np.zeros(codes.shape, dtype="int8"),
        scopes=each * 0,
        to_open=each * to_open,
        to_close=each * to_close,
        judged=-each,
        through=each * (codes.shape[1] - 1),
        since=-each,
        is_retired=np.zeros(len(series), dtype=bool),
    )


def test_an_alarm_opens_with_the_row_that_is_asked_for_and_closes_with_the_row_of_good_periods() -> None:
    assert raised_by(findings("+xx.++xx")) == [Raised(2, 5, (0,)), Raised(7, None, (0,))]


def test_a_period_that_is_too_small_is_no_part_of_either_row() -> None:
    assert raised_by(findings("x?xx+?+x")) == [Raised(3, 6, (0,))]


def test_what_stays_good_or_breaches_once_raises_nothing() -> None:
    assert raised_by(findings("++x+x+x+", "--------")) == []


def test_segments_of_one_cause_are_one_alarm() -> None:
    assert raised_by(findings("xx++++++", "+xx+++++")) == [Raised(1, 4, (0, 1))]


def test_too_many_alarms_too_long_or_of_too_many_parts() -> None:
    short = [Raised(5 * number, 5 * number + 1, (0,)) for number in range(7)]
    assert flood_signs(short[:6], 365, 42) == ()
    assert flood_signs(short, 365, 42) == (OFTEN,)
    assert flood_signs([Raised(2, None, (0,))], 100, 51) == (ALWAYS,)
    assert flood_signs([Raised(2, None, (0,))], 100, 50) == ()
    assert flood_signs([Raised(2, 3, tuple(range(6)))], 365, 7) == (WIDE,)
    # One alarm in a month is not many.
    assert flood_signs([Raised(2, 3, (0,))], 30, 7) == ()
