"""How the times in core.tickets come about from a ticket's ledger and turns, as sums whose terms can be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from hansei.indicators.tickets import Row, TicketRecord, owner_sums
from hansei.warehouse.ledger import SUMMED_OWNERS

TIMES = ("calendar", "business")
_INSTANTS = {
    "first_reply": "first_replied_at",
    "first_resolution": "first_solved_at",
    "full_resolution": "solved_at",
}


@dataclass(frozen=True)
class Figure:
    """One time of core.tickets: `terms` (what, seconds) add up to `seconds`; `stored` is what the table holds."""

    name: str
    time: str
    terms: tuple[tuple[str, int], ...]
    stored: int

    @property
    def seconds(self) -> int:
        return sum(seconds for _, seconds in self.terms)

    @property
    def is_tied(self) -> bool:
        return self.seconds == self.stored


def figures(record: TicketRecord) -> list[Figure]:
    """Every time that core.tickets has for the ticket, calendar before business; what it has not (yet) is left out."""
    told = []
    for name, terms in _terms(record):
        for time in TIMES:
            stored = record.ticket[f"{name}_{time}_seconds"]
            if stored is not None:
                told.append(Figure(name, time, tuple(terms[time]), stored))
    return told


def _terms(record: TicketRecord) -> Iterator[tuple[str, dict[str, list[tuple[str, int]]]]]:
    """(name of a figure, its terms per time)."""
    for name, column in _INSTANTS.items():
        instant = record.ticket[column]
        if instant is not None:
            yield name, {time: _up_to(record, name, instant, time) for time in TIMES}
    # The first turn is the opening's: its reply is the first reply.
    later = [turn for turn in record.turns[1:] if turn["replied_at"] is not None]
    yield "next_reply", {time: _parts(later, "turn", "turn_number", f"reply_{time}_seconds") for time in TIMES}
    sums = owner_sums(record.segments)
    for name, owners in SUMMED_OWNERS.items():
        had = [(owner, sums[owner]) for owner in owners if owner in sums]
        yield name, {time: [(owner, sum_[i]) for owner, sum_ in had] for i, time in enumerate(TIMES)}
    alone = [
        segment
        for segment in record.segments
        if segment["assignee_id"] is None and segment["owner"] != "closed" and segment["ended_at"] is not None
    ]
    yield "unassigned", {time: _parts(alone, "span", "segment_number", f"{time}_seconds") for time in TIMES}


def _parts(rows: Iterable[Row], word: str, number: str, seconds: str) -> list[tuple[str, int]]:
    return [(f"{word} {row[number]}", row[seconds]) for row in rows]


def _up_to(record: TicketRecord, name: str, instant: datetime, time: str) -> list[tuple[str, int]]:
    """The spans that ended by then, by owner, and the part of the one in which it lies."""
    full = [row for row in record.segments if row["ended_at"] is not None and row["ended_at"] <= instant]
    sums = owner_sums(full)
    terms = [(owner, both[TIMES.index(time)]) for owner, both in sums.items()]
    inside = [
        row
        for row in record.segments
        if row["started_at"] < instant and (row["ended_at"] is None or row["ended_at"] > instant)
    ]
    for row in inside:
        begun = row[f"{time}_seconds_before"]
        terms.append((f"part of span {row['segment_number']}", _line(record, name, time) - begun))
    return terms


def _line(record: TicketRecord, name: str, time: str) -> int:
    """Seconds on the ticket's own line at the instant: of a reply from its turn, else as core.tickets has it."""
    if name == "first_reply" and record.turns:
        return record.turns[0][f"reply_{time}_seconds"]
    return record.ticket[f"{name}_{time}_seconds"]
