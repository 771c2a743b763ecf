"""Measures of accuracy and the flow of a backlog against oracles/forecast.json, and what they refuse."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from support.oracle_schedules import oracle

from hansei.signals import forecast_accuracy as measures
from hansei.signals.backlog_forecasts import backlog_ends, simulated, throughput


def test_every_measure():
    cases = oracle("forecast")["accuracy"]
    assert cases
    for case in cases:
        expected = case["expected"]
        found = measures.accuracy(case["y_true"], case["y_pred"], case["y_train"], case["period"])
        for name in ("mae", "rmse", "mape", "smape", "mase"):
            assert getattr(found, name) == pytest.approx(expected[name], rel=1e-9), name
        assert measures.pinball(case["y_true"], case["y_pred"], 0.9) == pytest.approx(expected["pinball_q90"], rel=1e-9)


def test_repeating_last_year_on_airline_passengers():
    for case in oracle("forecast")["airpassengers"]:
        found = measures.accuracy(case["actual"], case["snaive"]["mean"], case["y"], case["period"])
        expected = case["snaive_accuracy"]
        assert (found.mae, found.rmse, found.mape, found.mase) == pytest.approx(
            [expected[name] for name in ("MAE", "RMSE", "MAPE", "MASE")], rel=1e-9
        )


def test_probabilities_and_intervals_by_hand():
    assert measures.brier([1, 0, 1], [0.8, 0.4, 1.0]) == pytest.approx((0.04 + 0.16) / 3)
    assert measures.coverage([1, 2, 3, 4], [0, 2, 4, 0], [1, 3, 5, 3]) == 0.5
    assert measures.pinball([10], [12], 0.9) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: measures.brier([], []), "0 values cannot be held against 0"),
        (lambda: measures.brier([1, 0], [0.5]), "2 values cannot be held against 1"),
        (lambda: measures.brier([1], [1.2]), "within 0 and 1"),
        (lambda: measures.pinball([1], [1], 1.0), "between 0 and 1"),
        (lambda: measures.naive_error([1, 2], 0), "1 or more"),
    ],
)
def test_what_cannot_be_measured(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()


def test_what_has_no_scale_has_no_scaled_error():
    found = measures.accuracy([0.0], [0.0], [3, 3, 3])
    assert (found.mae, found.mape, found.smape, found.mase) == (0, None, None, None)
    assert measures.naive_error([1.0]) is None


def test_every_flow_of_a_backlog():
    cases = oracle("forecast")["backlog_flow"]
    assert cases
    for case in cases:
        arrivals, completed, ends = (
            [row[name] for row in case["rows"]] for name in ("arrivals", "completed", "backlog_end")
        )
        assert backlog_ends(case["start"], arrivals, completed) == ends
        assert throughput(completed) == pytest.approx(case["throughput_mean"], rel=1e-9)


@pytest.mark.parametrize(
    ("start", "arrivals", "completed"),
    [
        (25, [10, 11, 8, 6], [9, 9, 10, 16]),
        (3, [1, 0, 2], [4, 5, 2]),
        (0, [3, 2], [1, 0]),
        (4, [1, 1], [2, 9]),
        (2, [2, 2, 2], [2, 2, 2]),
    ],
)
def test_the_simulation_is_every_order_of_past_weeks(start, arrivals, completed):
    net = [a - c for a, c in zip(arrivals, completed, strict=True)]
    found = simulated(start, arrivals, completed)
    for ahead in range(1, 5):
        ends = []
        for order in product(net, repeat=ahead):
            backlog = start
            for flow in order:
                backlog = max(backlog + flow, 0)
            ends.append(backlog)
        row = found.probabilities[ahead - 1]
        assert row.sum() == pytest.approx(1)
        assert found.means()[ahead - 1] == pytest.approx(np.mean(ends))
        for limit in (-1, 0, start, start + 2.5, 1000):
            assert found.above(limit)[ahead - 1] == pytest.approx(np.mean(np.array(ends) > limit)), (ahead, limit)


def test_a_flow_without_periods():
    with pytest.raises(ValueError, match="0 periods of flow"):
        simulated(3, [], [])
    with pytest.raises(ValueError, match="2 periods of arrivals, but 1"):
        backlog_ends(3, [1, 2], [1])
