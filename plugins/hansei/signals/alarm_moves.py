"""From parts to alarms: what happens to the one alarm that an indicator can have standing.

One cause often trips many thresholds and segments of an indicator: whatever begins while its alarm stands joins it as
a part. An alarm is in trouble as long as one part is, recovers when the last of them does, and closes when all parts
have ended. Its severity is that of its gravest part so far, and never falls while it stands.

History that was restated moves a standing alarm, and never opens one: before new periods are looked at, the parts are
followed again through what was judged, and if they come out elsewhere than the record says, that is a move too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from hansei.signals.alarms import BREACH, CLOSED, NOT_READY, OPEN, RECOVERING, Findings, part_states


@dataclass(frozen=True)
class Recorded:
    """An alarm that stands, as it was recorded: OPEN or RECOVERING, and its severity so far."""

    condition: int
    severity: int


@dataclass(frozen=True)
class Move:
    """One thing that happens to an alarm.

    `what`: opened, joined, raised, recovering, relapsed, restated, closed or retired. `number`: 0 for the alarm that
    stood before, then 1, 2 ... for those of the scope that open here. `column`: the period in which it happens, and
    `row`: a part of which that is a period. `rows`: the parts that come in. `condition`, `severity`: of the alarm after
    it.
    """

    scope: int
    number: int
    what: str
    column: int
    row: int
    condition: int
    severity: int
    rows: tuple[int, ...] = ()


def alarm_moves(findings: Findings, standing: Mapping[int, Recorded]) -> list[Move]:
    """Every move in order of scopes, then of periods. `standing`: recorded alarms by scope."""
    states = part_states(findings)
    if not len(states):
        return []
    has_news = (states > CLOSED).any(axis=1)
    busy = set(np.unique(findings.scopes[has_news]).tolist()) | set(standing)
    moves: list[Move] = []
    for scope in sorted(busy):
        first, last = np.searchsorted(findings.scopes, [scope, scope + 1])
        moves.extend(_Walk(findings, states, scope, np.arange(first, last), standing.get(scope)).moves())
    return moves


@dataclass
class _Walk:
    """One scope's periods, one after the other."""

    findings: Findings
    states: np.ndarray
    scope: int
    rows: np.ndarray
    recorded: Recorded | None
    number: int = 0
    parts: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        found = self.findings
        self.parts = self.rows[(found.since[self.rows] >= 0) if self.recorded else np.zeros(len(self.rows), bool)]
        self.live_rows = self.rows[~found.is_retired[self.rows]]

    def moves(self) -> Iterator[Move]:
        if self.recorded is not None:
            yield from self._followed_again()
        found, live = self.findings, self.live_rows
        if not len(live):
            return
        for column in range(int(found.judged[live].min()) + 1, int(found.through[live].max()) + 1):
            is_new = (found.judged[live] < column) & (column <= found.through[live])
            # NO_PERIOD and GAP change nothing, so that columns without any finding need not be told apart here.
            if is_new.any():
                yield from self._step(column, live[is_new])

    def _followed_again(self) -> Iterator[Move]:
        """What is known today of the periods that were judged before; nothing where some of them are not ready."""
        found = self.findings
        kept = self._kept()
        last = self.parts[np.argmax(found.judged[self.parts])] if len(self.parts) else self.rows[0]
        column = int(max(found.judged[last], 0))
        if not len(kept):
            yield self._close("retired", column, last)
            return
        if (found.judged[kept] < found.since[kept]).any():
            return  # what was judged is not stored any more
        columns = np.arange(found.codes.shape[1])
        was_judged = (columns >= found.since[kept, None]) & (columns <= found.judged[kept, None])
        if (was_judged & (found.codes[kept] == NOT_READY)).any():
            return
        condition = int(self.states[kept, found.judged[kept]].max())
        if condition == self.recorded.condition:
            return
        if condition == CLOSED:
            yield self._close("retired" if len(kept) < len(self.parts) else "restated", column, last)
        elif condition == OPEN:
            yield self._turn("relapsed", column, last, OPEN)
        else:
            yield self._turn("recovering" if len(kept) < len(self.parts) else "restated", column, last, RECOVERING)

    def _step(self, column: int, new: np.ndarray) -> Iterator[Move]:
        found = self.findings
        entering = new[(self.states[new, column] == OPEN) & ~np.isin(new, self.parts)]
        severity = self._severity(column, entering)
        if len(entering) and self.recorded is None:
            self.number += 1
            self.parts, self.recorded = entering, Recorded(OPEN, severity)
            yield self._move("opened", column, entering[0], tuple(entering.tolist()))
            return
        if self.recorded is None:
            return
        if len(entering):
            self.parts = np.sort(np.concatenate([self.parts, entering]))
            yield self._move("joined", column, entering[0], tuple(entering.tolist()))
        kept = self._kept()
        where = np.clip(column, found.judged[kept], found.through[kept])
        condition = int(self.states[kept, np.maximum(where, 0)].max())
        speaking = kept[np.isin(kept, new)]
        row = int(speaking[0]) if len(speaking) else int(kept[0])
        if condition == CLOSED:
            yield self._close("closed", column, row)
            return
        if condition != self.recorded.condition:
            yield self._turn("relapsed" if condition == OPEN else "recovering", column, row, condition)
        severity = self._severity(column, speaking)
        if severity > self.recorded.severity:
            self.recorded = Recorded(self.recorded.condition, severity)
            yield self._move("raised", column, row)

    def _kept(self) -> np.ndarray:
        """The parts that are still judged."""
        return self.parts[~self.findings.is_retired[self.parts]]

    def _severity(self, column: int, rows: np.ndarray) -> int:
        breaching = rows[(self.findings.codes[rows, column] == BREACH) & (self.states[rows, column] == OPEN)]
        return int(self.findings.severities[breaching, column].max(initial=0))

    def _turn(self, what: str, column: int, row: int, condition: int) -> Move:
        self.recorded = Recorded(condition, self.recorded.severity)
        return self._move(what, column, row)

    def _close(self, what: str, column: int, row: int) -> Move:
        move = Move(self.scope, self.number, what, column, int(row), CLOSED, self.recorded.severity)
        self.recorded, self.parts = None, self.rows[:0]
        return move

    def _move(self, what: str, column: int, row: int, rows: tuple[int, ...] = ()) -> Move:
        now = self.recorded
        return Move(self.scope, self.number, what, column, int(row), now.condition, now.severity, rows)
