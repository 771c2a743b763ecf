"""Gathers the accounts of one account owner: broken promises of the period, open ones, value, and renewals near.

Accounts are companies and these are facts about contracts, so that no line is too small to be told; whatever counts
people inside an owner's accounts follows the rules of small cells as everywhere.
"""

from __future__ import annotations

from datetime import UTC, date, timedelta

from hansei.catalog import Catalog
from hansei.catalog.segments import parse_segment
from hansei.reviews.owned_accounts import OwnedAccount, OwnedAccounts
from hansei.warehouse import Warehouse

DIMENSION = "account_owner"
_QUERY = """
    WITH owned AS (
      SELECT versions.account_id, accounts.account_name, versions.tier, versions.annual_value, versions.renewal_date
      FROM core.account_versions AS versions
      INNER JOIN core.accounts AS accounts ON versions.account_id = accounts.account_id
      WHERE versions.owner = :owner AND versions.valid_from < :end_at AND versions.valid_to >= :end_at
        AND NOT accounts.is_deleted AND (accounts.churned_date IS NULL OR accounts.churned_date >= :following)
    ),
    counted AS (
      SELECT
        account_id,
        COUNT(CASE WHEN breached_date >= :first THEN 1 END) AS breach_count,
        COUNT(CASE WHEN ended_date IS NULL OR ended_date >= :following THEN 1 END) AS open_breach_count
      FROM core.account_breaches
      WHERE breached_date < :following AND NOT (is_deleted OR is_merged OR is_spam OR is_bot_only)
      GROUP BY account_id
    ),
    exposed AS (
      SELECT DISTINCT account_id FROM core.account_spans
      WHERE kind = 'exposed' AND started_date < :following AND (ended_date IS NULL OR ended_date >= :following)
    )
    SELECT
      owned.*,
      COALESCE(counted.breach_count, 0) AS breach_count,
      COALESCE(counted.open_breach_count, 0) AS open_breach_count,
      exposed.account_id IS NOT NULL AS is_exposed
    FROM owned
    LEFT JOIN counted ON owned.account_id = counted.account_id
    LEFT JOIN exposed ON owned.account_id = exposed.account_id
    ORDER BY owned.account_id
"""


def gather_accounts(
    warehouse: Warehouse, catalog: Catalog, first: date, following: date, about: str
) -> OwnedAccounts | None:
    """The accounts of whom an edition is about, as they stood at the period's end; None where it is about no owner."""
    owner = parse_segment(about).get(DIMENSION)
    if owner is None:
        return None
    ends = catalog.service.midnight(following).astimezone(UTC).replace(tzinfo=None)
    rows = warehouse.rows(_QUERY, {"owner": owner, "first": first, "following": following, "end_at": ends})
    if not rows:
        return None
    days = next(iter(catalog.churn.values())).renewal_days
    every = [
        OwnedAccount(
            account_id=row["account_id"],
            name=row["account_name"] or "",
            tier=row["tier"],
            annual_value=row["annual_value"],
            renewal_date=row["renewal_date"],
            breach_count=row["breach_count"],
            open_breach_count=row["open_breach_count"],
            renews_soon=_is_soon(row["renewal_date"], following, days),
        )
        for row in rows
    ]
    shown = [one for one in every if one.breach_count or one.open_breach_count or one.renews_soon]
    return OwnedAccounts(
        account_count=len(every),
        annual_value=sum(float(one.annual_value or 0) for one in every),
        exposed_value=sum(float(row["annual_value"] or 0) for row in rows if row["is_exposed"]),
        renewal_days=days,
        shown=tuple(sorted(shown, key=_gravest)),
    )


def _is_soon(renewal: date | None, following: date, days: int) -> bool:
    return renewal is not None and following <= renewal < following + timedelta(days=days)


def _gravest(one: OwnedAccount) -> tuple:
    """Open breaches before a renewal first, then open ones, then by what the contract is worth."""
    is_open = one.open_breach_count > 0
    return (not (is_open and one.renews_soon), not is_open, -(one.annual_value or 0.0), one.account_id)
