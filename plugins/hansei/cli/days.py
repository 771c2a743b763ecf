"""Days as people type them."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hansei.errors import HanseiError


def day_of(option: str, text: str, example: str = "2026-09-07") -> date:
    """The day that an option or argument names; one clear line where it names none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise HanseiError(option, f"{text!r} is no day", f"write it as {example}") from None


def instant(text: str | None, option: str) -> datetime | None:
    """A time in naive UTC; None where none is given."""
    if text is None:
        return None
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise HanseiError(option, f"{text!r} is no time", "write it as 2026-09-14T00:00:00 (UTC)") from None
    return given.astimezone(UTC).replace(tzinfo=None) if given.tzinfo else given
