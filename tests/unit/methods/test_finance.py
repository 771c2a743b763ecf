"""NPV, IRR, payback against Excel's documentation, numpy-financial, pyxirr and fractions (oracles/finance.json)."""

from __future__ import annotations

from datetime import date

import pytest
from support.oracle_schedules import oracle

from hansei.methods import finance


def _dates(case: dict) -> list[date]:
    return [date.fromisoformat(day) for day in case["dates"]]


def test_every_internal_rate_of_return() -> None:
    cases = oracle("finance")["irr"]
    assert len(cases) >= 13
    for case in cases:
        found = finance.irr(case["cashflows"])
        if not case["agree"]:
            assert found.is_ambiguous
            assert found.rate is None
            both = [case["irr_numpy_financial"], case["irr_pyxirr"]]
            assert list(found.rates) == pytest.approx(sorted(both), rel=1e-9)
        elif case["irr_pyxirr"] is None:
            assert (found.rates, found.sign_changes, found.rate) == ((), 0, None)
        else:
            # The two peers agree to about 1e-8 between themselves.
            tolerance = max(1e-9, 2 * abs(case["irr_pyxirr"] - case["irr_numpy_financial"]))
            assert found.nearest == pytest.approx(case["irr_pyxirr"], abs=tolerance), case["source"]
            assert found.is_ambiguous or found.rate == found.nearest
            assert found.is_ambiguous <= (found.sign_changes > 1)
            for rate in found.rates:
                assert finance.npv(rate, case["cashflows"]) == pytest.approx(0, abs=1e-6)
        if case["published"] is not None:
            assert found.nearest == pytest.approx(case["published"], abs=case["published_tol"])


def test_every_net_present_value() -> None:
    cases = oracle("finance")["npv"]
    assert len(cases) >= 6
    for case in cases:
        assert finance.npv(case["rate"], case["cashflows"]) == pytest.approx(case["npv"], rel=1e-9)
        assert case["npv"] == pytest.approx(case["published"], abs=case["published_tol"])


def test_excels_npv_discounts_the_first_flow_too() -> None:
    flows = [-10000, 3000, 4200, 6800]
    assert finance.npv_excel(0.1, flows) == pytest.approx(1188.44, abs=0.005)  # Excel's documentation
    assert finance.npv(0.1, flows) == pytest.approx(1188.443412335223 * 1.1, rel=1e-9)


def test_every_rate_on_dates() -> None:
    cases = oracle("finance")["xirr"]
    assert len(cases) >= 13
    for case in cases:
        found = finance.xirr(_dates(case), case["amounts"])
        assert min(abs(rate - case["xirr"]) for rate in found.rates) < 1e-8, case.get("id")
        if "xnpv" in case:
            value = finance.xnpv(case["xnpv_rate"], _dates(case), case["amounts"])
            assert value == pytest.approx(case["xnpv"], rel=1e-9)
            assert found.rate == pytest.approx(case["published"]["xirr"], abs=1e-8)


def test_every_payback_and_return() -> None:
    cases = oracle("finance")["roi_payback"]
    assert len(cases) >= 4
    for case in cases:
        investment, benefits, rate = case["investment"], case["annual_benefits"], case["rate"]
        flows = [-investment, *benefits]
        found = {
            "roi": finance.roi(sum(benefits), investment),
            "npv": finance.npv(rate, flows),
            "irr": finance.irr(flows).rate,
            "payback_periods": finance.payback(flows),
            "discounted_payback_periods": finance.payback(flows, rate),
            "profitability_index": finance.profitability_index(rate, investment, benefits),
        }
        for name, value in found.items():
            expected = case[name]
            assert value == (None if expected is None else pytest.approx(expected, rel=1e-9)), (name, investment)


def test_a_rate_that_only_touches_zero_is_found() -> None:
    # -1000 (1 - 1.1/(1+r))^2: worth nothing at 10 % and less than nothing everywhere else.
    found = finance.irr([-1000, 2200, -1210])
    assert found.rates == (pytest.approx(0.1, abs=1e-5),)
    assert found.sign_changes == 2


def test_three_rates_are_all_named() -> None:
    # Roots at 5 %, 20 % and 60 %: (x - 1.05)(x - 1.2)(x - 1.6) in x = 1 + r.
    found = finance.irr([1000, -3850, 4860, -2016])
    assert found.rates == pytest.approx((0.05, 0.2, 0.6), rel=1e-8)
    assert found.is_ambiguous


def test_zero_flows_do_not_move_the_rate_and_no_flow_has_none() -> None:
    assert finance.irr([0, 0, -100, 0, 121]).rate == pytest.approx(0.1)
    assert finance.irr([]).rates == ()
    assert finance.irr([0.0, 0.0]).rates == ()
    assert finance.payback([]) is None
    assert finance.payback([-100, 60, 39]) is None


def test_monthly_and_annual_rates_compound_into_each_other() -> None:
    monthly = finance.per_period(0.08, 12)
    assert (1 + monthly) ** 12 == pytest.approx(1.08)
    assert finance.per_year(monthly, 12) == pytest.approx(0.08)


def test_what_cannot_be_discounted_is_refused() -> None:
    with pytest.raises(ValueError, match="more than everything"):
        finance.npv(-1.0, [1, 2])
    with pytest.raises(ValueError, match="as many dates"):
        finance.xnpv(0.1, [date(2026, 1, 1)], [1.0, 2.0])
