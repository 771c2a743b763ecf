"""What the sources count of their own against our tables, for the brief: a sentence, and the days that differ most."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hansei.reviews.foundations import Explained, TieOut
from hansei.reviews.locales import Locale

MOST_DAYS = 5


@dataclass(frozen=True)
class Table:
    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sentences(found: Iterable[TieOut], words: Locale) -> Iterable[str]:
    """One sentence per entity that a source counts: both totals, and what makes the difference."""
    for item in found:
        told = {
            "source": words.name(item.source),
            "rows": words.count(item.theirs, "ticket" if item.entity == "tickets" else "row"),
            "first": words.day(item.first_day),
            "last": words.day(item.last_day),
        }
        if item.theirs == item.ours and not item.explained and not item.unexplained:
            yield words.say("tie_outs.same", **told)
            continue
        told["ours"] = words.number(item.ours)
        if item.explained:
            told["reasons"] = words.listed([_reason(part, words) for part in item.explained])
        if item.unexplained:
            key = "tie_outs.left_beside" if item.explained else "tie_outs.left"
            yield words.say(key, count=item.unexplained, **told)
        else:
            yield words.say("tie_outs.explained_by" if item.explained else "tie_outs.explained", **told)


def table(found: Iterable[TieOut], words: Locale) -> Table | None:
    """The days that differ most; None where no day does."""
    items = tuple(found)
    several = len({(item.source, item.entity) for item in items}) > 1
    rows = []
    for item in items:
        source, entity = words.name(item.source), words.entity(item.entity)
        place = (words.say("tie_outs.source_and_entity", source=source, entity=entity),) if several else ()
        for day in item.days[:MOST_DAYS]:
            left = (Explained(reason="unexplained", count=day.unexplained),) if day.unexplained else ()
            reasons = words.listed([_reason(part, words) for part in (*day.explained, *left)])
            rows.append((*place, words.day(day.day), words.number(day.theirs), words.number(day.ours), reasons))
    if not rows:
        return None
    names = (*(("source",) if several else ()), "day", "theirs", "ours", "difference")
    headings = tuple(words.say(f"tie_outs.headings.{name}") for name in names)
    return Table(words.say("tie_outs.caption"), headings, tuple(rows))


def _reason(part: Explained, words: Locale) -> str:
    key = f"tie_outs.reasons.{part.reason}"
    reason = words.say(key) if words.knows(key) else part.reason
    return words.say("tie_outs.reason", number=words.number(part.count), reason=reason)
