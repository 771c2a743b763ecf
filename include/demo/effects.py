"""The planted troubles as the world sees them: what changes for which tickets from which day on.

`troubles.yaml` tells the same in words and figures; the tests hold the two together.
"""

from __future__ import annotations

from datetime import date

from .company import BILLING, INTEGRATIONS, SCHEDULE_CHANGE, TERMINALS, Team

GOLD_LOSES_DISPATCHER = date(2026, 8, 10)
CHAT_BOT_RELEASE = date(2026, 8, 3)
BILLING_CHECKLIST = date(2026, 4, 13)  # the improvement that worked
ROUTING_FORM = date(2026, 6, 1)  # the improvement that did not


def first_reply_factor(team: Team, day: date) -> float:
    """Terminal Operations: besides the shorter opening hours, one shift carries the work of two."""
    return 4.5 if team is TERMINALS and day >= SCHEDULE_CHANGE else 1.0


def resolution_factor(tier: str | None, day: date) -> float:
    """Gold accounts: nobody pulls their tickets forward any more, so that a third misses its target."""
    return 3.2 if tier == "Gold" and day >= GOLD_LOSES_DISPATCHER else 1.0


def reopen_chance(team: Team, day: date) -> float:
    if team is not BILLING:
        return 0.06
    return 0.24 if day < BILLING_CHECKLIST else 0.06


def reassignment_chance(team: Team) -> float:
    """The routing form of June changed nothing for Integrations: there is no date in this function."""
    return 0.36 if team is INTEGRATIONS else 0.07


def score_shares(channel: str, day: date) -> tuple[float, ...]:
    """Shares of the CSAT scores 1 to 5."""
    if channel == "chat" and day >= CHAT_BOT_RELEASE:
        return (0.17, 0.15, 0.16, 0.26, 0.26)
    return (0.03, 0.04, 0.08, 0.27, 0.58)


def bot_confidence(day: date) -> float:
    """Mean confidence of the chat bot; its new version understands less."""
    return 0.58 if day >= CHAT_BOT_RELEASE else 0.79
