"""From findings to alarms: asks the pure machine what moved, and writes it to the board, one transaction a night.

What is written is a function of the findings, of what was recorded before, and of the instant that the night stands
for: a night that is run again, or that a crash cut short, writes nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import groupby
from typing import Any

import numpy as np
import sqlalchemy as sa

from hansei.board import alarms as board
from hansei.board import opened_board, writing
from hansei.board.alarms import Alarm, Happening, Part, Series
from hansei.catalog.alarms import ESCALATE_AFTER_DAYS
from hansei.indicators.periods import local_date, period_name
from hansei.pipeline.alarm_figures import Place, read_figures
from hansei.pipeline.alarm_findings import Found, Key, findings_of, read_found, with_lost_parts
from hansei.pipeline.alarm_wording import escalated_why, why, woken_why
from hansei.pipeline.context import Context
from hansei.signals.alarm_moves import Move, Recorded, alarm_moves
from hansei.signals.alarms import CLOSED, OPEN, RECOVERING, Findings, part_states
from hansei.signals.severity import SEVERITIES
from hansei.warehouse import Warehouse
from hansei.warehouse.runs import core_as_of

WHO = "pipeline"
Figures = Mapping[Place, Mapping[str, Any]]
_PART_STATES = ("closed", "recovering", "open")


def raise_alarms(context: Context, warehouse: Warehouse) -> dict[str, int]:
    """Moves every alarm as the signals of the night say; how many events of each kind were written."""
    as_of = core_as_of(warehouse)
    found = read_found(warehouse)
    with opened_board(context.settings) as engine, writing(engine) as connection:
        night = _Night(context, warehouse, connection, as_of, found)
        night.run()
    return dict(sorted(night.counts.items()))


@dataclass
class _Night:
    """One night over everything, in one transaction of the board."""

    context: Context
    warehouse: Warehouse
    connection: sa.Connection
    as_of: datetime
    found: Found
    counts: dict[str, int] = field(default_factory=dict)

    def run(self) -> None:
        standing = board.read_standing(self.connection)
        listed = board.read_parts(self.connection, [alarm.alarm_id for alarm in standing.values()])
        owned = [(alarm, part) for alarm in standing.values() for part in listed[alarm.alarm_id]]
        parts = {(alarm.indicator, part.series): part for alarm, part in owned}
        self.found = with_lost_parts(self.found, owned)
        book = board.read_book(self.connection)
        findings = findings_of(self.found, self.context.catalog, book, parts, self._today())
        touched = self._move(findings, standing, owned)
        self._let_time_pass(touched.values())
        self._note_parts(findings, touched, parts)
        self._note_book(findings, book)

    def _move(
        self, findings: Findings, standing: dict[str, Alarm], owned: Sequence[tuple[Alarm, Part]]
    ) -> dict[str, _Touched]:
        """Writes the moves of the findings; every alarm that stood or opened, by id."""
        number = {key.indicator: int(scope) for key, scope in zip(self.found.keys, findings.scopes, strict=True)}
        indicators = {scope: indicator for indicator, scope in number.items()}
        row_of = {key.place: row for row, key in enumerate(self.found.keys)}
        touched = {alarm.alarm_id: _Touched(alarm) for alarm in standing.values()}
        for alarm, part in owned:
            touched[alarm.alarm_id].joined[row_of[alarm.indicator, part.series]] = part.joined_period
        recorded = {number[name]: self._recorded(alarm) for name, alarm in standing.items() if name in number}
        moves = alarm_moves(findings, recorded)
        places = ((row, move.column) for move in moves for row in _speaking(move))
        figures = read_figures(self.warehouse, self.found, places)
        for (scope, ordinal), group in groupby(moves, key=lambda move: (move.scope, move.number)):
            mine = list(group)
            indicator = indicators[scope]
            one = touched[standing[indicator].alarm_id] if ordinal == 0 else self._open(indicator, mine.pop(0), figures)
            touched[one.alarm.alarm_id] = one
            for move in mine:
                one.follow(move, self.found)
            one.alarm = self._append(one.alarm, [self._happening(move, figures) for move in mine])
        return touched

    def _recorded(self, alarm: Alarm) -> Recorded:
        situation = board.read_situation(self.connection, alarm.alarm_id)
        condition = RECOVERING if situation.condition == "recovering" else OPEN
        return Recorded(condition, SEVERITIES.index(situation.severity))

    def _open(self, indicator: str, move: Move, figures: Figures) -> _Touched:
        key, start = self.found.keys[move.row], self.found.period(move.row, move.column)
        policies = [self.context.catalog.thresholds[self.found.keys[row].threshold_id].alarm for row in move.rows]
        hasty = min(policies, key=lambda policy: policy.patience_days or ESCALATE_AFTER_DAYS + 10_000)
        alarm = Alarm(
            alarm_id=self._new_id(indicator, f"{indicator}-{period_name(key.grain, start)}"),
            indicator=indicator,
            grain=key.grain,
            first_period=start,
            owner=figures[move.row, move.column]["owner"],
            escalate_to=hasty.escalate_to,
            escalate_after_days=hasty.patience_days or ESCALATE_AFTER_DAYS,
            opened_at=self.as_of,
        )
        one = _Touched(board.open_alarm(self.connection, alarm, self._happening(move, figures)))
        one.follow(move, self.found)
        self.counts["opened"] = self.counts.get("opened", 0) + 1
        return one

    def _new_id(self, indicator: str, wanted: str) -> str:
        known = board.known_ids(self.connection, indicator)
        return next(name for name in (wanted, *(f"{wanted}-{n}" for n in range(2, 10_000))) if name not in known)

    def _happening(self, move: Move, figures: Figures) -> Happening:
        key, start = self.found.keys[move.row], self.found.period(move.row, move.column)
        unknown = {"label": key.segment_id, "reason": ""}
        said = [figures.get((row, move.column), unknown) for row in _speaking(move)]
        return Happening(
            what=move.what,
            at=self.as_of,
            who=WHO,
            why=why(move.what, key.grain, start, said),
            severity=SEVERITIES[move.severity],
            grain=key.grain,
            period_start=start,
            is_end=move.condition == CLOSED,
        )

    def _append(self, alarm: Alarm, happenings: list[Happening]) -> Alarm:
        for one in happenings:
            self.counts[one.what] = self.counts.get(one.what, 0) + 1
        return board.append(self.connection, alarm, happenings)

    def _let_time_pass(self, touched: Iterable[_Touched]) -> None:
        """Wakes what was muted until today, and escalates what nobody has acknowledged in time."""
        for one in touched:
            situation = board.read_situation(self.connection, one.alarm.alarm_id)
            if situation.wakes(self._today()):
                told = woken_why(situation.muted_until)
                one.alarm = self._append(one.alarm, [Happening("woken", self.as_of, WHO, told)])
                continue
            alarm = one.alarm
            overdue = situation.is_overdue(self.as_of, alarm.escalate_after_days) and not situation.is_escalated
            if overdue and alarm.escalate_to:
                told = escalated_why(alarm)
                one.alarm = self._append(alarm, [Happening("escalated", self.as_of, WHO, told)])

    def _note_parts(self, findings: Findings, touched: dict[str, _Touched], known: dict[Any, Part]) -> None:
        """The newest figures and the state of every part of the alarms that stand, or stood until tonight."""
        places = {
            (one.alarm.alarm_id, row): one.column(row, findings) for one in touched.values() for row in one.joined
        }
        figures = read_figures(self.warehouse, self.found, ((row, column) for (_, row), column in places.items()))
        states = part_states(findings)
        parts = []
        for one in touched.values():
            for row, joined in sorted(one.joined.items()):
                column = places[one.alarm.alarm_id, row]
                word = "closed" if one.closed is not None else _PART_STATES[states[row, column]]
                word = "retired" if findings.is_retired[row] else word
                before, figure = known.get(self.found.keys[row].place), figures.get((row, column))
                if figure is not None:
                    part = _part_of(one.alarm, self.found.keys[row], joined, word, figure)
                    parts.extend([part] if part != before else [])
                elif before is not None and before.state != word:
                    parts.append(replace(before, state=word))
        board.keep_parts(self.connection, parts)

    def _note_book(self, findings: Findings, book: dict[Series, date]) -> None:
        judged = {}
        moved = np.flatnonzero((findings.through >= 0) & ~findings.is_retired)
        days = self.found.ends[findings.through[moved]].tolist()
        for row, day in zip(moved.tolist(), days, strict=True):
            series = self.found.keys[row].series
            if book.get(series, date.min) < day:
                judged[series] = day
        board.keep_book(self.connection, judged)

    def _today(self) -> date:
        return local_date(self.as_of, self.context.catalog.service.zone)


@dataclass
class _Touched:
    """An alarm that stands, or that closed tonight in column `closed`; `joined`: row of each part, and since when."""

    alarm: Alarm
    joined: dict[int, date] = field(default_factory=dict)
    closed: int | None = None

    def follow(self, move: Move, found: Found) -> None:
        for row in move.rows:
            self.joined[row] = found.period(row, move.column)
        if move.condition == CLOSED:
            self.closed = move.column

    def column(self, row: int, findings: Findings) -> int:
        """The last period that concerns the part."""
        return max(int(findings.through[row]) if self.closed is None else self.closed, 0)


def _speaking(move: Move) -> tuple[int, ...]:
    return move.rows or (move.row,)


def _part_of(alarm: Alarm, key: Key, joined: date, state: str, figure: Mapping[str, Any]) -> Part:
    return Part(
        alarm_id=alarm.alarm_id,
        threshold_id=key.threshold_id,
        segment_id=key.segment_id,
        segment_label=figure["label"],
        grain=key.grain,
        joined_period=joined,
        owner=figure["owner"],
        state=state,
        period_start=figure["period_start"],
        value=figure["value"],
        limit_value=figure["limit_value"],
        level=figure["level"],
        reason=figure["reason"],
    )
