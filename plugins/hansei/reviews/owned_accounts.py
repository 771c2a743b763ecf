"""The accounts of one account owner as a review tells them: those that need somebody, and how many do not."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from hansei.reviews.base import Figure, Frozen, Text


class OwnedAccount(Frozen):
    """One account at the period's end: clocks that ran late in the period, and those that still do."""

    account_id: Text
    name: Text = ""
    tier: Text
    annual_value: Figure | None = None
    renewal_date: dt.date | None = None
    breach_count: int = Field(ge=0)
    open_breach_count: int = Field(ge=0)
    renews_soon: bool


class OwnedAccounts(Frozen):
    """All that an owner looks after at the period's end; `shown` are those that need somebody, gravest first."""

    account_count: int = Field(ge=1)
    annual_value: Figure
    exposed_value: Figure
    renewal_days: int
    shown: tuple[OwnedAccount, ...]
