"""An owner's accounts laid out: a sentence on all of them, and a row for each that needs somebody."""

from __future__ import annotations

from dataclasses import dataclass

from hansei.reviews import figures
from hansei.reviews.evidence import Evidence
from hansei.reviews.locales import Locale
from hansei.reviews.owned_accounts import OwnedAccount
from hansei.reviews.standing import label_in

MOST_ROWS = 20  # the tail is only counted


@dataclass(frozen=True)
class AccountRow:
    name: str
    tier: str
    value: str
    missed: str
    open: str
    renewal: str
    is_urgent: bool


@dataclass(frozen=True)
class AccountsView:
    sentences: tuple[str, ...]
    rows: tuple[AccountRow, ...]
    rest: str


def view_accounts(evidence: Evidence, words: Locale) -> AccountsView | None:
    """None in an edition that is about no account owner."""
    owned = evidence.accounts
    if owned is None:
        return None
    total = words.say(
        "accounts.total",
        accounts=words.count(owned.account_count, "account"),
        value=words.number(owned.annual_value),
        exposed=words.number(owned.exposed_value),
    )
    quiet = owned.account_count - len(owned.shown)
    said = (total, words.say("accounts.quiet", count=quiet)) if quiet else (total,)
    left = len(owned.shown) - MOST_ROWS
    return AccountsView(
        sentences=said,
        rows=tuple(_row(one, words) for one in owned.shown[:MOST_ROWS]),
        rest=words.say("accounts.rest", count=left) if left > 0 else "",
    )


def _row(one: OwnedAccount, words: Locale) -> AccountRow:
    renewal = words.day(one.renewal_date) if one.renewal_date else figures.NOTHING
    return AccountRow(
        name=words.name(one.name or one.account_id),
        tier=label_in("account_tier", one.tier, words),
        value=words.number(one.annual_value) if one.annual_value is not None else figures.NOTHING,
        missed=words.number(one.breach_count),
        open=words.number(one.open_breach_count),
        renewal=words.say("accounts.soon", day=renewal) if one.renews_soon else renewal,
        is_urgent=one.renews_soon and one.open_breach_count > 0,
    )
