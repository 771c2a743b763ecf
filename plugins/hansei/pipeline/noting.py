"""Dated notes of an indicator's chart: what the review says, changes of definitions and schedules, longest outages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from hansei.catalog import Catalog
from hansei.catalog.measures import Indicator
from hansei.catalog.reviews import WHOLE, Review
from hansei.catalog.segments import narrowed
from hansei.pipeline.phases import PhaseStart, calendar_changes, phase_starts
from hansei.reviews.evidence import DURATIONS, Note
from hansei.warehouse import Warehouse

# What a chart can carry; people's own notes always stand.
MOST_NOTES = 6
MOST_OUTAGES = 3


def longest_outages(warehouse: Warehouse, first: date, following: date) -> list[Note]:
    """The outages that cost most agreed service time, those that still last first; none of planned windows."""
    query = (
        "SELECT service, started_date, down_calendar_seconds FROM core.service_outages "
        "WHERE started_date >= :first AND started_date < :following AND NOT is_within_planned "
        "ORDER BY CASE WHEN down_calendar_seconds IS NULL THEN 0 ELSE 1 END, down_calendar_seconds DESC, "
        f"started_date, service LIMIT {MOST_OUTAGES}"
    )
    return [
        Note(date=row["started_date"], kind="outage", what=row["service"], seconds=row["down_calendar_seconds"])
        for row in warehouse.rows(query, {"first": first, "following": following})
    ]


def notes_of(
    catalog: Catalog,
    review: Review,
    indicator: Indicator,
    about: str,
    span: tuple[date, date],
    outages: Sequence[Note],
    labels: Mapping[str, str],
) -> tuple[Note, ...]:
    """Notes of the days from the first of `span` to before the second.

    A day that people wrote of needs no other note. Outages stand where work arrives and waits.
    """
    first, following = span
    said = [
        Note(date=note.date, text=note.text)
        for note in review.notes
        if not note.indicators or indicator.id in note.indicators
    ]
    taken = {note.date for note in said}
    waits = indicator.unit in ("count", *DURATIONS) and about == WHOLE
    known = [*_changes(catalog, indicator, about, labels), *(outages if waits else ())]
    fitting = [note for note in known if first <= note.date < following and note.date not in taken]
    return tuple(sorted([*said, *fitting[: max(MOST_NOTES - len(said), 0)]], key=lambda note: note.order))


def _changes(catalog: Catalog, indicator: Indicator, about: str, labels: Mapping[str, str]) -> Iterable[Note]:
    """Changes of definitions and schedules, the newest first.

    Another calendar is no new phase of what is told in time of the clock; its readers want to know all the same.
    """
    starts = dict.fromkeys(phase_starts(catalog, indicator))
    if indicator.unit in DURATIONS:
        starts |= dict.fromkeys(s for s in calendar_changes(catalog) if s.dimension[0] in indicator.segments)
    for start in sorted(starts, key=lambda start: (start.day, start.why), reverse=True):
        if about == WHOLE or start.concerns(about):
            yield _note(start, labels)


def _note(start: PhaseStart, labels: Mapping[str, str]) -> Note:
    told = {"date": start.day, "kind": start.kind, "what": start.what}
    if start.dimension is None:
        return Note(**told)
    segment_id = narrowed(WHOLE, *start.dimension)
    return Note(**told, segment_id=segment_id, segment_label=labels.get(segment_id, start.dimension[1]))
