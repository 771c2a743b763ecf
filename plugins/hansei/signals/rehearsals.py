"""What alarms a rule would have raised: the alarm machine over history that nobody had judged yet.

And whether they would have been worth having. A convention of ours: an alarm every two months from one rule, one that
stands most of the time, or one of very many parts is not read any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hansei.signals.alarm_moves import alarm_moves
from hansei.signals.alarms import Findings

DAYS_PER_ALARM = 60
MOST_PARTS = 5
MOST_OF_THE_TIME = 0.5
# Signs of a flood.
OFTEN, ALWAYS, WIDE = "often", "always", "wide"


@dataclass(frozen=True)
class Raised:
    """An alarm that would have opened and, unless `closed` is None, closed with those columns; `rows` are its parts."""

    opened: int
    closed: int | None
    rows: tuple[int, ...]

    def stands_in(self, first: int, last: int) -> bool:
        """Whether it stood in any of the columns."""
        return self.opened <= last and (self.closed is None or first <= self.closed)


def raised_by(findings: Findings) -> list[Raised]:
    """The alarms of one scope, oldest first; nothing of `findings` may have been judged before."""
    found: list[Raised] = []
    for move in alarm_moves(findings, {}):
        if move.what == "opened":
            found.append(Raised(move.column, None, move.rows))
        elif move.what == "joined":
            found[-1] = replace(found[-1], rows=(*found[-1].rows, *move.rows))
        elif move.what in ("closed", "retired"):
            found[-1] = replace(found[-1], closed=move.column)
    return found


def flood_signs(alarms: Sequence[Raised], days: int, alarm_days: int) -> tuple[str, ...]:
    """Which of OFTEN, ALWAYS and WIDE hold for a rehearsal over `days`, of which `alarm_days` were in alarm."""
    signs = []
    if len(alarms) > 1 and len(alarms) * DAYS_PER_ALARM > days:
        signs.append(OFTEN)
    if alarm_days > MOST_OF_THE_TIME * days:
        signs.append(ALWAYS)
    if any(len(alarm.rows) > MOST_PARTS for alarm in alarms):
        signs.append(WIDE)
    return tuple(signs)
