"""The CRM's nightly list of accounts, as a German system writes it."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta

from .company import EXPORT_DAYS, FIRST_DAY, Account, accounts

# Accounts that gave notice, and the day on which they left.
LEFT = {
    "A-1022": date(2025, 12, 31),
    "A-1037": date(2026, 1, 31),
    "A-1071": date(2026, 3, 31),
    "A-1083": date(2026, 6, 30),
    "A-1096": date(2026, 6, 30),
    "A-1118": date(2026, 8, 31),
}


def account_rows(night: int) -> list[dict]:
    """The complete CRM list as of a night: German headings, comma decimals, dates as written in Germany."""
    rows = []
    for account in accounts():
        rng = random.Random(account.id)
        renewal = EXPORT_DAYS[0] + timedelta(days=rng.randrange(-20, 480))
        changed = datetime.combine(FIRST_DAY, time(8)) - timedelta(hours=rng.randrange(8000))
        status = "aktiv"
        owner = account.owner
        if account.id in LEFT:
            status = "gekündigt"
        if night >= 1 and account.id == "A-1012":
            owner, changed = "Telse Wulff" if owner != "Telse Wulff" else "Merle Dircks", datetime(2026, 9, 13, 11, 5)
        if night >= 2 and account.id in ("A-1031", "A-1044"):
            status, changed = "gefährdet", datetime(2026, 9, 14, 16, 40)
        rows.append(_account_row(account, owner, renewal, status, changed))
    return rows


def _account_row(account: Account, owner: str, renewal: date, status: str, changed: datetime) -> dict:
    return {
        "Kundennummer": account.id,
        "Firma": account.name,
        "Stufe": account.tier,
        "Segment": account.segment,
        "Betreuer": owner,
        "Region": account.region,
        "Jahreswert": f"{account.annual_value_cents // 100},{account.annual_value_cents % 100:02d}",
        "Verlängerung": renewal.strftime("%d.%m.%Y"),
        "Kunde seit": account.started.strftime("%d.%m.%Y"),
        "Status": status,
        "Gekündigt zum": LEFT[account.id].strftime("%d.%m.%Y") if account.id in LEFT else "",
        "Domäne": account.domain,
        "Helpdesk-Nr": str(account.organization) if account.links_by == "organisation" else "",
        "Geändert am": changed.strftime("%d.%m.%Y %H:%M"),
    }
