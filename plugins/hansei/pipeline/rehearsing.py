"""A threshold on trial: what it would have done over the last months, before it is saved. Nothing is written."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
from dateutil.relativedelta import relativedelta

from hansei.catalog import Catalog
from hansei.catalog.documents import parse, read_document
from hansei.catalog.segments import matches_any
from hansei.catalog.threshold_checks import check_thresholds
from hansei.catalog.thresholds import THRESHOLD_FILE, RelativeThreshold, Threshold
from hansei.errors import DefinitionError, HanseiError
from hansei.indicators.periods import next_period, period_start
from hansei.pipeline.breach_cases import Case
from hansei.pipeline.context import Context
from hansei.pipeline.readiness import Readiness
from hansei.pipeline.series import Series, read_series
from hansei.pipeline.threshold_rows import Said, reached_rows, say
from hansei.pipeline.verdicts import FIXED_AFTER
from hansei.signals import alarms as machine
from hansei.signals import breaches, rehearsals, spc
from hansei.signals.rehearsals import Raised
from hansei.warehouse import Warehouse, open_read_copy

# Periods after an incident in which an alarm still counts as having seen it.
GRACE_PERIODS = 4
# Periods in a row that the chart calls worse before they count as an incident that people would know of.
LEAST_WORSE = 2


@dataclass(frozen=True)
class Incident:
    """Something that is known to have been bad. `segment_id` None: it is not known where."""

    first: date
    last: date
    what: str
    segment_id: str | None = None


@dataclass(frozen=True)
class RehearsedAlarm:
    """`opened`, `closed`: first days of the periods that open and close it; `breaches`: those that count as its own."""

    opened: date
    closed: date | None
    days: int
    segments: tuple[str, ...]
    breaches: tuple[date, ...]


@dataclass(frozen=True)
class Rehearsal:
    """What the threshold would have done from `since` until `until`; `missed` of `incidents`; signs of a flood."""

    threshold: Threshold
    since: date
    until: date
    segment_count: int
    alarms: tuple[RehearsedAlarm, ...]
    alarm_days: int
    incidents: tuple[Incident, ...]
    missed: tuple[Incident, ...]
    signs: tuple[str, ...]


def rehearse(context: Context, file: Path, months: int, incidents: Path | None = None) -> Rehearsal:
    """The threshold in `file` over the read copy. Incidents are those of a file, and what the chart called worse."""
    catalog, threshold = threshold_on_trial(context.catalog, file)
    told = read_incidents(incidents) if incidents else []
    with open_read_copy(context.settings) as warehouse:
        return rehearse_on(warehouse, catalog, threshold, months, told)


def threshold_on_trial(catalog: Catalog, file: Path) -> tuple[Catalog, Threshold]:
    """The threshold of a file that need not lie among the definitions, checked against them."""
    if not file.is_file():
        raise HanseiError(str(file), "is no file", "name the file of a threshold, see docs/thresholds.md")
    document = read_document(file)
    found = parse(document, THRESHOLD_FILE)
    if found is None:
        raise DefinitionError(document.faults)
    if not isinstance(found, Threshold):
        raise HanseiError(str(file), f"is a {found.kind}, not a threshold", "rehearse a file with a limit")
    documents = {**catalog.documents, ("thresholds", found.id): document}
    tried = replace(catalog, thresholds={found.id: found}, documents=documents)
    if faults := list(check_thresholds(tried)):
        raise DefinitionError(faults)
    return tried, found


def read_incidents(file: Path) -> list[Incident]:
    """Lines of a CSV file with the columns day, what and, where it is known, segment."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except OSError as error:
        raise HanseiError(str(file), f"cannot be read ({error.strerror})", "name a CSV file") from None
    found = []
    for number, row in enumerate(rows, start=2):
        try:
            day = date.fromisoformat(row.get("day") or "")
        except ValueError:
            next_step = "write columns day (2026-07-06), what and segment"
            raise HanseiError(f"{file}:{number}", f"day {row.get('day')!r} is no day", next_step) from None
        found.append(Incident(day, day, row.get("what") or "incident", row.get("segment") or None))
    return found


def rehearse_on(
    warehouse: Warehouse, catalog: Catalog, threshold: Threshold, months: int, told: Sequence[Incident] = ()
) -> Rehearsal:
    """As `rehearse`, on an open warehouse."""
    series = _series(warehouse, catalog, threshold)
    starts, grain = series.block.period_starts, series.grain
    ready = np.flatnonzero((series.is_stored & series.is_ready).any(axis=0))
    if not len(ready):
        raise HanseiError(threshold.id, "no finished period is ready to be judged", "run a night first: `hansei night`")
    until = next_period(grain, starts[ready[-1]].item())
    since = until - relativedelta(months=months)
    if isinstance(threshold, RelativeThreshold):
        since = max(since, threshold.baseline_until)
    tried = threshold.model_copy(update={"valid_from": since, "valid_to": None})
    known = spc.known_then(series.block.values, series.block.phases, FIXED_AFTER[grain])
    case = Case(tried, catalog.indicators[threshold.indicator], catalog, series, known)
    codes = _codes(case, say(case))
    raised = rehearsals.raised_by(_findings(tried, codes))
    alarms = tuple(_told(alarm, codes, series, tried, until) for alarm in raised)
    alarm_days = sum(alarm.days for alarm in alarms)
    incidents = (*(one for one in told if since <= one.first < until), *_worse_runs(warehouse, series, since))
    return Rehearsal(
        threshold=threshold,
        since=since,
        until=until,
        segment_count=len(series.keys),
        alarms=alarms,
        alarm_days=alarm_days,
        incidents=incidents,
        missed=tuple(one for one in incidents if not _is_seen(one, raised, series)),
        signs=rehearsals.flood_signs(raised, (until - since).days, alarm_days),
    )


def _series(warehouse: Warehouse, catalog: Catalog, threshold: Threshold) -> Series:
    """The stored series that the threshold concerns."""
    name = threshold.indicator
    ready = {name: Readiness(warehouse, catalog).day(name)}
    for series in read_series(warehouse, catalog, threshold.grain, ready, {}):
        places = [
            place for place, (_, segment_id) in enumerate(series.keys) if matches_any(segment_id, threshold.segments)
        ]
        if places:
            return series.rows(np.array(places))
    found = f"{name} has no finished {threshold.grain} in {', '.join(threshold.segments)}"
    raise HanseiError(threshold.id, found, "run a night first, or name other segments: `hansei indicators show`")


def _codes(case: Case, said: Said) -> np.ndarray:
    """What the alarm machine is told of every period."""
    codes = np.full(said.words.shape, machine.BETWEEN, dtype="int8")
    codes[said.finding.is_recovered] = machine.RECOVERED
    codes[said.is_alarming] = machine.BREACH
    codes[said.words == breaches.TOO_FEW] = machine.TOO_SMALL
    codes[said.words == breaches.NOT_READY] = machine.NOT_READY
    codes[~reached_rows(case)] = machine.GAP
    return codes


def _findings(threshold: Threshold, codes: np.ndarray) -> machine.Findings:
    """Series of which nothing was judged before, all of one cause."""
    count, last = len(codes), codes.shape[1] - 1

    def each(number: int) -> np.ndarray:
        return np.full(count, number, dtype="int64")

    return machine.Findings(
        codes=codes,
        severities=np.zeros(codes.shape, dtype="int8"),
        scopes=each(0),
        to_open=each(threshold.alarm.periods_to_open),
        to_close=each(threshold.alarm.periods_to_close),
        judged=each(-1),
        through=each(last),
        since=each(-1),
        is_retired=np.zeros(count, dtype=bool),
    )


def _told(alarm: Raised, codes: np.ndarray, series: Series, threshold: Threshold, until: date) -> RehearsedAlarm:
    starts = series.block.period_starts
    rows = list(alarm.rows)
    first = max(alarm.opened - threshold.alarm.periods_to_open + 1, 0)
    last = len(starts) - 1 if alarm.closed is None else alarm.closed
    is_breach = (codes[rows, first : last + 1] == machine.BREACH).any(axis=0)
    opened, closed = starts[alarm.opened].item(), None if alarm.closed is None else starts[alarm.closed].item()
    end = until if closed is None else next_period(series.grain, closed)
    return RehearsedAlarm(
        opened=opened,
        closed=closed,
        days=(end - next_period(series.grain, opened)).days,
        segments=tuple(series.keys[row][1] for row in rows),
        breaches=tuple(starts[first : last + 1][is_breach].tolist()),
    )


def _worse_runs(warehouse: Warehouse, series: Series, since: date) -> Iterator[Incident]:
    """Runs of periods that the words call worse, in the segments that the threshold judges."""
    judged = {segment_id for _, segment_id in series.keys}
    rows = warehouse.rows(
        "SELECT segment_id, period_start FROM indicators.signals WHERE kind = 'verdict' AND indicator = :indicator "
        "AND grain = :grain AND verdict = 'worse' AND period_start >= :since ORDER BY segment_id, period_start",
        {"indicator": series.keys[0][0], "grain": series.grain, "since": since},
    )
    run: list[tuple[str, date]] = []
    for row in [*rows, None]:
        here = (row["segment_id"], row["period_start"]) if row else None
        follows = run and here and here == (run[-1][0], next_period(series.grain, run[-1][1]))
        if run and not follows:
            if len(run) >= LEAST_WORSE and run[0][0] in judged:
                what = f"worse on the chart for {len(run)} {series.grain}s"
                yield Incident(run[0][1], run[-1][1], what, run[0][0])
            run = []
        if here:
            run.append(here)


def _is_seen(incident: Incident, alarms: Sequence[Raised], series: Series) -> bool:
    """Whether an alarm of its segment, or of any where it concerns all or is not known, stood then or soon after."""
    starts = series.block.period_starts
    first, last = (
        int(np.searchsorted(starts, np.datetime64(period_start(series.grain, day), "D")))
        for day in (incident.first, incident.last)
    )
    return any(
        alarm.stands_in(first, last + GRACE_PERIODS)
        for alarm in alarms
        if incident.segment_id in (None, "all") or incident.segment_id in {series.keys[row][1] for row in alarm.rows}
    )
