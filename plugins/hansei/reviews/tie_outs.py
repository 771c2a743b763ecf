"""What the sources count of their own against our tables, for the brief: a sentence, and the days that differ most."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hansei.reviews import figures
from hansei.reviews.figures import agree, listed, name, number, plural
from hansei.reviews.foundations import Explained, TieOut

MOST_DAYS = 5
_WORDS = {
    "deleted": "deleted",
    "merged": "merged",
    "spam": "spam",
    "bot_only": "answered by bots only",
    "quarantined": "in quarantine",
    "held": "held back",
    "time_zone": "on another day by the source's clock",
    "late": "later than our rows",
    "unexplained": "unexplained",
}


@dataclass(frozen=True)
class Table:
    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sentences(found: Iterable[TieOut]) -> Iterable[str]:
    """One sentence per entity that a source counts: both totals, and what makes the difference."""
    for item in found:
        days = f"{figures.day(item.first_day)} to {figures.day(item.last_day)}"
        told = f"{name(item.source)} counts {plural(item.theirs, _row(item.entity))} from {days}, we count"
        reasons = [_reason(part) for part in item.explained]
        if item.theirs == item.ours and not reasons and not item.unexplained:
            yield f"{told} the same, day by day."
            continue
        left = "nothing is unexplained"
        if item.unexplained:
            left = f"{number(item.unexplained)} {agree(item.unexplained, 'is')} unexplained"
        between = f": {listed(reasons)}" if reasons else ""
        yield f"{told} {number(item.ours)}{between}; {left}."


def table(found: Iterable[TieOut]) -> Table | None:
    """The days that differ most; None where no day does."""
    items = tuple(found)
    several = len({(item.source, item.entity) for item in items}) > 1
    rows = []
    for item in items:
        for day in item.days[:MOST_DAYS]:
            reasons = [_reason(part) for part in day.explained]
            reasons += [f"{number(day.unexplained)} unexplained"] if day.unexplained else []
            place = (f"{name(item.source)}, {name(item.entity.replace('_', ' '))}",) if several else ()
            rows.append((*place, figures.day(day.day), number(day.theirs), number(day.ours), listed(reasons)))
    if not rows:
        return None
    headings = (*(("Source",) if several else ()), "Day", "Theirs", "Ours", "Difference")
    return Table("Days that differ most", headings, tuple(rows))


def _row(entity: str) -> str:
    return "ticket" if entity == "tickets" else "row"


def _reason(part: Explained) -> str:
    return f"{number(part.count)} {_WORDS.get(part.reason, part.reason)}"
