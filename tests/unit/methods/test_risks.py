"""The risk matrix and simulated losses against oracles/risk.json, and Panjer's recursion written a second time here."""

from __future__ import annotations

import numpy as np
import pytest
from support.oracle_schedules import oracle

from hansei.methods import losses, risks

YEARS = 200_000
SEED = 20260302


def panjer(rate: float, pmf: list[float], length: int) -> np.ndarray:
    """P(loss of a year = j units) for Poisson events, by Panjer's recursion."""
    found = [np.exp(rate * (pmf[0] - 1))]
    for total in range(1, length):
        terms = (size * pmf[size] * found[total - size] for size in range(1, min(total, len(pmf) - 1) + 1))
        found.append(rate / total * sum(terms))
    return np.array(found)


def test_every_cell_of_the_matrix() -> None:
    cells = oracle("risk")["matrix_5x5"]
    assert len(cells) >= 17
    for cell in cells:
        found = risks.risk_score(cell["likelihood"], cell["consequence"])
        assert (found, risks.grade(found)) == (cell["score"], cell["grade"])


def test_every_band_of_likelihood() -> None:
    cases = oracle("risk")["likelihood_from_probability"]
    assert len(cases) >= 12
    for case in cases:
        assert risks.likelihood(case["probability"]) == case["likelihood"], case


def test_every_annual_loss_and_revenue_at_risk() -> None:
    for case in oracle("risk")["annual_loss_expectancy"]:
        found = risks.annual_loss(case["annual_rate"], case["single_loss"], case["exposure_factor"])
        assert found == pytest.approx(case["ale"], rel=1e-9)
    for case in oracle("risk")["revenue_at_risk"]:
        customers = [(customer["arr"], customer["p_churn"]) for customer in case["customers"]]
        assert risks.revenue_at_risk(customers) == pytest.approx(case["revenue_at_risk"], rel=1e-9)
    assert risks.revenue_at_risk([]) == 0


def test_the_share_of_breaching_periods_is_never_certain() -> None:
    assert risks.smoothed_probability(0, 12) == pytest.approx(0.5 / 13)
    assert risks.smoothed_probability(12, 12) == pytest.approx(12.5 / 13)


@pytest.mark.parametrize("case", range(3))
def test_simulated_lattice_losses_agree_with_panjer(case: int) -> None:
    cases = oracle("risk")["monte_carlo_discrete"]
    if case >= len(cases):
        pytest.skip("fewer cases")
    case = cases[case]
    unit, pmf, expected = case["severity"]["unit"], case["severity"]["pmf"], case["expected"]
    frequency = losses.Poisson(case["frequency"]["lam"])
    severity = losses.Empirical(tuple(float(unit * step) for step in range(len(pmf))), tuple(pmf))
    found = losses.figures(losses.simulate(frequency, severity, YEARS, SEED), (0.5, 0.75, 0.9, 0.95, 0.99, 0.995))
    assert losses.expected_loss(frequency, severity) == pytest.approx(expected["mean"], rel=1e-9)
    assert losses.loss_sd(frequency, severity) == pytest.approx(expected["sd"], rel=1e-9)
    assert found.mean == pytest.approx(expected["mean"], abs=4 * expected["sd"] / np.sqrt(YEARS))
    none = expected["p_no_loss"]
    assert found.no_loss_probability == pytest.approx(none, abs=4 * np.sqrt(none * (1 - none) / YEARS) + 1e-9)
    reach = np.cumsum(panjer(frequency.mean, pmf, 400))
    assert reach[-1] == pytest.approx(1)
    for level, exact in expected["quantiles_var"].items():
        level = float(level)
        assert unit * int(np.argmax(reach >= level)) == exact  # the second method agrees with the oracle
        error = 4 * np.sqrt(level * (1 - level) / YEARS)
        least, most = (unit * int(np.argmax(reach >= level + step)) for step in (-error, error))
        assert least <= found.value_at_risk[level] <= most
    for level, exact in expected["expected_shortfall"].items():
        assert found.expected_shortfall[float(level)] == pytest.approx(exact, rel=0.02)


def test_the_shortfall_of_years_that_are_known_exactly() -> None:
    # The losses of the oracle's first case as a sample without chance: as many years of each loss as its probability.
    case = oracle("risk")["monte_carlo_discrete"][0]
    unit, pmf = case["severity"]["unit"], case["severity"]["pmf"]
    chances = panjer(case["frequency"]["lam"], pmf, 80)
    years = np.repeat(unit * np.arange(80.0), np.round(chances * 1_000_000).astype(int))
    found = losses.figures(years, (0.9, 0.95, 0.99))
    for level, exact in case["expected"]["expected_shortfall"].items():
        assert found.expected_shortfall[float(level)] == pytest.approx(exact, rel=1e-4)
        assert found.value_at_risk[float(level)] == case["expected"]["quantiles_var"][level]


def test_simulated_lognormal_losses_hit_the_exact_moments() -> None:
    cases = oracle("risk")["monte_carlo_lognormal"]
    assert len(cases) >= 3
    for case in cases:
        frequency = losses.Poisson(case["frequency"]["lam"])
        severity = losses.Lognormal(case["severity"]["meanlog"], case["severity"]["sdlog"])
        expected = case["expected"]
        assert losses.expected_loss(frequency, severity) == pytest.approx(expected["mean"], rel=1e-9)
        assert losses.loss_sd(frequency, severity) == pytest.approx(expected["sd"], rel=1e-9)
        found = losses.figures(losses.simulate(frequency, severity, YEARS, SEED))
        assert found.mean == pytest.approx(expected["mean"], abs=4 * expected["sd"] / np.sqrt(YEARS))
        none = expected["p_no_loss"]
        assert found.no_loss_probability == pytest.approx(none, abs=4 * np.sqrt(none * (1 - none) / YEARS) + 1e-9)


def test_estimates_by_three_points() -> None:
    for case in oracle("risk")["pert"]:
        pert, expected = losses.Pert(case["min"], case["mode"], case["max"]), case["expected"]
        assert (pert.mean, pert.sd) == (pytest.approx(expected["mean"]), pytest.approx(expected["sd"], rel=1e-9))
        assert pert.shape == (pytest.approx(expected["alpha"]), pytest.approx(expected["beta"]))
        for name in ("p05", "p50", "p95"):
            assert pert.quantile(int(name[1:]) / 100) == pytest.approx(expected[name], rel=1e-9)
        _assert_drawn(pert)
    for case in oracle("risk")["triangular"]:
        triangular, expected = losses.Triangular(case["min"], case["mode"], case["max"]), case["expected"]
        assert triangular.mean == pytest.approx(expected["mean"])
        for name in ("p50", "p95"):
            assert triangular.quantile(int(name[1:]) / 100) == pytest.approx(expected[name], rel=1e-9)
        _assert_drawn(triangular)


def _assert_drawn(severity: losses.Severity) -> None:
    drawn = severity.draw(np.random.default_rng(SEED), YEARS)
    assert drawn.mean() == pytest.approx(severity.mean, abs=4 * severity.sd / np.sqrt(YEARS))
    assert drawn.std() == pytest.approx(severity.sd, rel=0.02)
    assert drawn.min() >= severity.minimum
    assert drawn.max() <= severity.maximum


def test_clustered_events_have_the_variance_that_was_asked_for() -> None:
    frequency, severity = losses.NegativeBinomial(4.0, 2.0), losses.Empirical((10.0,))
    drawn = losses.simulate(frequency, severity, YEARS, SEED)
    assert drawn.mean() == pytest.approx(40, abs=4 * np.sqrt(12) * 10 / np.sqrt(YEARS))
    assert drawn.std() == pytest.approx(10 * np.sqrt(4 + 16 / 2), rel=0.02)
    assert losses.loss_sd(frequency, severity) == pytest.approx(10 * np.sqrt(12))


def test_a_lognormal_from_its_middle_and_its_rare_case() -> None:
    severity = losses.Lognormal.of(1000, 5000)
    drawn = severity.draw(np.random.default_rng(SEED), YEARS)
    assert np.median(drawn) == pytest.approx(1000, rel=0.02)
    assert np.quantile(drawn, 0.95) == pytest.approx(5000, rel=0.02)
    with pytest.raises(ValueError, match="does not hold"):
        losses.Lognormal.of(10, 5)


def test_the_same_seed_gives_the_same_years() -> None:
    frequency, severity = losses.Poisson(3), losses.Lognormal(5, 1)
    first, again = (losses.simulate(frequency, severity, 1000, [SEED, 7]) for _ in range(2))
    other = losses.simulate(frequency, severity, 1000, [SEED, 8])
    assert (first == again).all()
    assert not (first == other).all()


def test_no_event_is_no_loss() -> None:
    found = losses.figures(losses.simulate(losses.Poisson(0), losses.Lognormal(5, 1), 100, SEED))
    assert (found.mean, found.no_loss_probability, found.value_at_risk[0.99]) == (0, 1, 0)


@pytest.mark.parametrize(
    ("ask", "complaint"),
    [
        (lambda: risks.likelihood(1.01), "no probability"),
        (lambda: risks.likelihood(float("nan")), "no probability"),
        (lambda: risks.risk_score(0, 3), "likelihood of 0"),
        (lambda: risks.risk_score(3, 6), "consequence of 6"),
        (lambda: risks.grade(0), "within 1 and 25"),
        (lambda: risks.smoothed_probability(3, 2), "no share"),
        (lambda: risks.annual_loss(-1, 2), "not negative"),
        (lambda: risks.revenue_at_risk([(1, 2)]), "no probability"),
        (lambda: losses.simulate(losses.Poisson(1), losses.Lognormal(1, 1), 0, 1), "at least one year"),
    ],
)
def test_what_is_no_risk_is_refused(ask, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ask()
