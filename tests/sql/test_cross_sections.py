"""Cases of two spans of time by every dimension: counted by hand, on both engines."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from hansei.catalog import Catalog
from hansei.indicators.cross_sections import Spans, Yardstick, cross_section
from hansei.warehouse import Warehouse
from hansei.warehouse.tables import create_table

SPANS = Spans((date(2026, 3, 2), date(2026, 3, 30)), (date(2026, 3, 30), date(2026, 4, 6)))
# team, channel, solved on, resolution in hours, reopened; one row per ticket
TICKETS = [
    ("desk:1", "mail", date(2026, 3, 2), 1, False),
    ("desk:1", "mail", date(2026, 3, 29), 5, True),
    ("desk:1", "phone", date(2026, 3, 15), 3, False),
    ("desk:2", "mail", date(2026, 3, 16), 2, False),
    (None, "mail", date(2026, 3, 17), 9, True),
    ("desk:1", "mail", date(2026, 3, 30), 6, True),
    ("desk:1", "mail", date(2026, 4, 5), 7, False),
    ("desk:2", "phone", date(2026, 4, 1), 4, True),
    # Outside: the day before the first span, the day after the last one.
    ("desk:2", "phone", date(2026, 3, 1), 50, True),
    ("desk:2", "phone", date(2026, 4, 6), 50, True),
]


@pytest.fixture
def tickets(warehouse: Warehouse, catalog: Catalog) -> Warehouse:
    model = catalog.tables["core.tickets"]
    create_table(warehouse, "core.tickets", {name: column.type for name, column in model.columns.items()})
    flags = dict.fromkeys(("is_deleted", "is_merged", "is_spam", "is_bot_only"), False)
    rows = [
        {
            "ticket_id": f"desk:{number}",
            "solved_team_id": team,
            "channel": channel,
            "solved_priority": "normal",
            "solved_account_tier": "gold",
            "solved_account_owner": f"owner {number % 2}",
            "solved_date": solved,
            "first_solved_date": solved,
            "first_solved_at": datetime.combine(solved, time(12)),
            "is_solved": True,
            "full_resolution_calendar_seconds": hours * 3600,
            "reopen_count": int(reopened),
            **flags,
        }
        for number, (team, channel, solved, hours, reopened) in enumerate(TICKETS)
    ]
    warehouse.insert("core.tickets", rows)
    return warehouse


def _by(cells, dimension: str) -> dict[str, list[float]]:
    values, sums = cells.by(dimension)
    return {value: sums[:, at].tolist() for at, value in enumerate(values)}


def test_a_share_is_counted_in_both_spans(tickets: Warehouse, catalog: Catalog) -> None:
    cells = cross_section(tickets, catalog, catalog.indicators["reopen_rate"], SPANS)
    assert _by(cells, "team") == {
        "desk:1": [3, 1, 1, 2, 1, 1],
        "desk:2": [1, 0, 0, 1, 1, 1],
        "unknown": [1, 1, 1, 0, 0, 0],
    }
    assert _by(cells, "channel") == {"mail": [4, 2, 2, 2, 1, 1], "phone": [1, 0, 0, 1, 1, 1]}
    assert cells.is_share


def test_a_quantile_is_told_by_its_cases_beyond_the_limit(tickets: Warehouse, catalog: Catalog) -> None:
    indicator = catalog.indicators["resolution_median"]
    cells = cross_section(tickets, catalog, indicator, SPANS, "team=desk:1", Yardstick(4 * 3600.0, True))
    assert "team" not in cells.dimensions
    assert _by(cells, "channel") == {"mail": [2, 1, 1, 2, 2, 2], "phone": [1, 0, 0, 0, 0, 0]}
    unknown = cross_section(tickets, catalog, indicator, SPANS, "team=unknown", Yardstick(4 * 3600.0, True))
    assert (unknown.n0.sum(), unknown.x0.sum(), unknown.n1.sum()) == (1, 1, 0)


def test_a_mean_keeps_sums_and_squares(tickets: Warehouse, catalog: Catalog) -> None:
    cells = cross_section(tickets, catalog, catalog.indicators["resolution_mean"], SPANS)
    hour = 3600.0
    seconds = {"mail": [4, 17 * hour, 111 * hour**2, 2, 13 * hour, 85 * hour**2]}
    seconds["phone"] = [1, 3 * hour, 9 * hour**2, 1, 4 * hour, 16 * hour**2]
    assert _by(cells, "channel") == seconds
    assert not cells.is_share


def test_people_are_cut_by_only_where_a_review_is_about_them(tickets: Warehouse, catalog: Catalog) -> None:
    """Else an account owner could be held up in the whole service's brief as what drove a change."""
    indicator, yardstick = catalog.indicators["resolution_median"], Yardstick(4 * 3600.0, True)
    whole = cross_section(tickets, catalog, indicator, SPANS, yardstick=yardstick)
    assert "account_owner" in indicator.segments and "account_owner" not in whole.dimensions
    own = cross_section(tickets, catalog, indicator, SPANS, yardstick=yardstick, about="account_owner")
    assert _by(own, "account_owner") == {"owner 0": [3, 1, 1, 1, 1, 1], "owner 1": [2, 1, 1, 2, 1, 1]}
