"""Whether an improvement pays: net present value, internal rate of return, payback, return on investment.

The first flow is at t = 0 and is not discounted. Excel's NPV discounts it too: `npv_excel` is that, apart.
Sources: Brealey, Myers & Allen; Excel's documentation of NPV, IRR, XNPV and XIRR (actual days over 365).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

DAYS_PER_YEAR = 365.0
# Rates are looked for between (1 + r) = e^-25 and e^25 per period, densely around zero.
_GRID = np.sinh(np.linspace(-np.arcsinh(2500.0), np.arcsinh(2500.0), 4001)) / 100
_TOUCHES = 1e-10


def npv(rate: float, flows: Sequence[float]) -> float:
    """Present value of flows at t = 0, 1, 2, ..."""
    return _value(rate, np.asarray(flows, dtype=float), np.arange(len(flows), dtype=float))


def npv_excel(rate: float, flows: Sequence[float]) -> float:
    """What Excel's NPV gives: the first flow is one period away, too."""
    return _value(rate, np.asarray(flows, dtype=float), np.arange(1, len(flows) + 1, dtype=float))


def xnpv(rate: float, dates: Sequence[date], flows: Sequence[float]) -> float:
    """Present value on the first date listed, of flows on dates."""
    return _value(rate, np.asarray(flows, dtype=float), _years(dates, flows))


@dataclass(frozen=True)
class Irr:
    """The rates at which the present value is zero, rising. `rate` is given only where there is exactly one.

    No change of sign: no rate. Several changes: several rates may exist, and none of them means what one hopes; show
    the net present value instead.
    """

    rates: tuple[float, ...]
    sign_changes: int

    @property
    def rate(self) -> float | None:
        return self.rates[0] if len(self.rates) == 1 else None

    @property
    def is_ambiguous(self) -> bool:
        return len(self.rates) > 1

    @property
    def nearest(self) -> float | None:
        """The rate nearest to zero, which is what spreadsheets and numpy-financial tend to show of several."""
        return min(self.rates, key=abs, default=None)


def irr(flows: Sequence[float]) -> Irr:
    """Internal rates of return per period of flows at t = 0, 1, 2, ..."""
    return _rates(np.asarray(flows, dtype=float), np.arange(len(flows), dtype=float))


def xirr(dates: Sequence[date], flows: Sequence[float]) -> Irr:
    """Internal rates of return per year of flows on dates, in any order."""
    years = _years(dates, flows)
    order = np.argsort(years, kind="stable")
    return _rates(np.asarray(flows, dtype=float)[order], years[order])


def payback(flows: Sequence[float], rate: float = 0.0) -> float | None:
    """Periods until the (discounted) flows have paid back what went out, straight inside the period.

    None where they never do, or where nothing was put in first.
    """
    discounted = np.asarray(flows, dtype=float) / (1 + rate) ** np.arange(len(flows))
    if not len(discounted) or discounted[0] >= 0:
        return None
    running = np.cumsum(discounted)
    # Sums of decimals miss zero by a hair where it is reached exactly.
    paid = np.flatnonzero(running >= -1e-12 * np.abs(discounted).sum())
    if not len(paid):
        return None
    period = int(paid[0])
    return period - 1 + float(-running[period - 1] / discounted[period])


def roi(benefit: float, cost: float) -> float | None:
    """(benefit - cost) / cost; None where nothing was spent."""
    return (benefit - cost) / cost if cost > 0 else None


def profitability_index(rate: float, investment: float, benefits: Sequence[float]) -> float | None:
    """Present value of what comes back per unit put in; None where nothing was put in."""
    return npv(rate, [0.0, *benefits]) / investment if investment > 0 else None


def per_period(annual_rate: float, periods_per_year: float) -> float:
    """The rate per period that compounds to the annual one."""
    return (1 + annual_rate) ** (1 / periods_per_year) - 1


def per_year(rate: float, periods_per_year: float) -> float:
    """The annual rate that a rate per period compounds to."""
    return (1 + rate) ** periods_per_year - 1


def _value(rate: float, flows: np.ndarray, times: np.ndarray) -> float:
    if rate <= -1:
        raise ValueError(f"a rate of {rate:g} takes more than everything")
    return float((flows * (1 + rate) ** -times).sum())


def _years(dates: Sequence[date], flows: Sequence[float]) -> np.ndarray:
    if len(dates) != len(flows) or not len(dates):
        raise ValueError("give as many dates as flows, and at least one")
    return np.array([(day - dates[0]).days for day in dates]) / DAYS_PER_YEAR


def _rates(flows: np.ndarray, times: np.ndarray) -> Irr:
    """All rates at which the flows are worth nothing: sign changes over a grid, each closed in on by Brent's method."""
    from scipy.optimize import brentq, minimize_scalar

    kept = flows != 0
    flows, times = flows[kept], times[kept]
    changes = int((np.sign(flows[1:]) != np.sign(flows[:-1])).sum())
    if not changes:
        return Irr((), 0)
    times = times - times.min()
    scale = float(np.abs(flows).sum())

    def value(log_rate: float) -> float:
        """Sign and zeros of the present value, without overflow: seen from the last flow where rates are negative."""
        reference = 0.0 if log_rate >= 0 else times[-1]
        return float((flows * np.exp(-log_rate * (times - reference))).sum()) / scale

    values = np.array([value(point) for point in _GRID])
    roots = _GRID[values == 0].tolist()
    for left in np.flatnonzero(values[:-1] * values[1:] < 0):
        roots.append(float(brentq(value, _GRID[left], _GRID[left + 1], xtol=1e-15, rtol=8.9e-16, maxiter=500)))
    # A value that touches zero without crossing it: the nearest points of each turn towards zero.
    near = np.abs(values)
    for middle in np.flatnonzero((near[1:-1] < near[:-2]) & (near[1:-1] < near[2:])) + 1:
        if values[middle - 1] * values[middle] > 0 and values[middle] * values[middle + 1] > 0:
            ends = (_GRID[middle - 1], _GRID[middle + 1])
            found = minimize_scalar(lambda point: abs(value(point)), bounds=ends, method="bounded")
            if found.fun < _TOUCHES:
                roots.append(float(found.x))
    return Irr(tuple(float(np.expm1(root)) for root in sorted(roots)), changes)
