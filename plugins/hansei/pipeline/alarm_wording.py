"""Why an alarm moved, in one sentence that a manager understands, from the words of include/templates/locales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from hansei.board.alarms import Alarm, Event, Part
from hansei.catalog.documents import Language
from hansei.indicators.periods import period_name
from hansei.reviews.locales import LANGUAGES, Locale, locale

RECORDED: Language = "en"  # the language of the board's events
_NAMED = 3  # segments that a sentence names; the others are counted


def why(what: str, grain: str, start: date, parts: Sequence[Mapping[str, Any]]) -> str:
    """For the record. `parts`: `label` and `reason` of what came in, or of the part that speaks."""
    words = locale(RECORDED)
    places = _places([part["label"] for part in parts], words)
    reason = parts[0]["reason"] if parts else ""
    return words.say(f"news.{what}", places=places, period=period_name(grain, start), reason=reason).strip()


def woken_why(muted_until: date | None) -> str:
    return locale(RECORDED).say("news.woken", day=muted_until)


def escalated_why(alarm: Alarm) -> str:
    return locale(RECORDED).say("news.escalated", days=alarm.escalate_after_days, name=alarm.escalate_to)


def overdue_whys(alarm: Alarm) -> dict[str, str]:
    """By language."""
    return {name: locale(name).say("news.overdue", days=alarm.escalate_after_days) for name in LANGUAGES}


def other_whys(event: Event, alarm: Alarm, parts: Sequence[Part]) -> dict[str, str]:
    """What the event says in the languages that are not recorded."""
    joined = [part for part in parts if part.joined_period == event.period_start] if event.what == "joined" else parts
    labels = [part.segment_label for part in joined or parts]
    found = {}
    for name in LANGUAGES:
        if name == RECORDED:
            continue
        words = locale(name)
        found[name] = words.say(
            f"news.{event.what}",
            places=_places(labels, words),
            period=words.period(event.grain, event.period_start) if event.period_start else "",
            reason="",
            days=alarm.escalate_after_days,
            name=alarm.escalate_to,
            day=words.day(alarm.muted_until or event.at.date()),
        )
    return found


def _places(labels: Sequence[str], words: Locale) -> str:
    whole = words.say("whole_service")
    named = [label or whole[:1].upper() + whole[1:] for label in labels]
    more = len(named) - _NAMED
    text = words.say("between").join(named[:_NAMED])
    return text + (words.say("places_more", count=more) if more > 0 else "")
