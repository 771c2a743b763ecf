"""Everything that the core tables say of one ticket, and why: calendars, ledger, turns, hand-offs, targets.

Reasons are not worked out a second time. The temporary tables of the ledger (include/sql/work) are rendered over the
rows of this one ticket, with the numbers of the ledger's rules in place of their owners, and with numbers of calendar
assignments in place of their calendars; so what is told is what the models did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hansei.catalog import Catalog
from hansei.errors import HanseiError
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.models import ModelRunner
from hansei.warehouse.refresh import runner_for

Row = dict[str, Any]
NEAR_MATCHES = 5
_STAGED = ("staging.tickets", "staging.ticket_events")
_SEGMENTS, _LINES, _ASSIGNMENTS = "work.ticket_segments", "work.ticket_lines", "core.calendar_assignments"
# Assignments get numbers below zero: calendars that a ticket names itself keep theirs, which are above it.
_NUMBERED = f"""
SELECT
  dimension,
  value,
  valid_from,
  valid_to,
  -CAST(ROW_NUMBER() OVER (ORDER BY dimension, value, valid_from) AS INTEGER) AS calendar_number
FROM {_ASSIGNMENTS}
"""


@dataclass(frozen=True)
class TicketRecord:
    """One ticket as of the newest run; every part is a list of rows in the order of time.

    ticket: its row of core.tickets. position: seconds on its own business line at as_of. calendars: with dimension
    (`ticket`, `team`, ..., `default`) and value of what made it follow them. segments: the ledger. marks: what
    happened, each with the rule that booked the span which it began. messages: with the kind that the ledger takes
    them for. turns, handoffs and targets: rows of core.ticket_turns, core.handoffs and core.ticket_sla_states.
    """

    ticket: Row
    as_of: datetime
    position: int | None
    calendars: list[Row]
    segments: list[Row]
    marks: list[Row]
    messages: list[Row]
    turns: list[Row]
    handoffs: list[Row]
    targets: list[Row]


class _OneTicket:
    """SQL over one ticket: a query of include/sql/queries after the work tables that it reads, as CTEs."""

    def __init__(self, runner: ModelRunner) -> None:
        numbered = {
            name: ledger.model_copy(
                update={
                    "rules": tuple(
                        rule.model_copy(update={"owner": str(number)}) for number, rule in enumerate(ledger.rules, 1)
                    )
                }
            )
            for name, ledger in runner.catalog.ledger.items()
        }
        self._runner = runner
        self._by_rule = ModelRunner(replace(runner.catalog, ledger=numbered), runner.dialect, runner.seeds)
        self._parts: dict[str, str] = {}

    def query(self, name: str) -> str:
        self._parts = {}
        text = self._by_rule.render_work(f"queries.{name}", self._rows)
        if not self._parts:
            return text
        parts = ",\n".join(f"{part} AS (\n{select}\n)" for part, select in self._parts.items())
        # The query's own first CTE follows ours.
        body = text.split("\nWITH ", 1)
        return f"WITH {parts}" + (f",\n{body[1]}" if len(body) == 2 else f"\n{text}")

    def _rows(self, table: str) -> str:
        name = f"one_{table.replace('.', '_')}"
        if name not in self._parts:
            select = self._select(table)
            if select is None:
                return table
            self._parts[name] = select
        return name

    def _select(self, table: str) -> str | None:
        if table == "rule_segments":
            return self._by_rule.render_work(_SEGMENTS, self._rows)
        if table == "reason_lines":
            lines = self._runner.render_work(_LINES, self._rows)
            return lines.replace(_ASSIGNMENTS, self._rows("numbered_assignments"))
        if table == "numbered_assignments":
            return _NUMBERED
        if table in _STAGED:
            return f"SELECT * FROM {table} WHERE ticket_id = :ticket_id"
        return self._runner.render_work(table, self._rows) if table.startswith("work.") else None


def ticket_record(warehouse: Warehouse, catalog: Catalog, ticket_id: str) -> TicketRecord:
    """One ticket by its key (instance:number); HanseiError where there is none, with keys that are near."""
    if "core.ticket_time_segments" not in warehouse.tables():
        raise HanseiError(
            "core.ticket_time_segments", "there is no such table yet", "run a night first: `hansei night`"
        )
    this = {"ticket_id": ticket_id}
    found = warehouse.rows("SELECT * FROM core.tickets WHERE ticket_id = :ticket_id", this)
    if not found:
        raise HanseiError(f"ticket {ticket_id!r}", "is not known", _next_step(warehouse, ticket_id))
    one = _OneTicket(runner_for(warehouse, catalog))

    def asked(name: str) -> list[Row]:
        return warehouse.rows(one.query(name), this)

    def core(table: str, order: str) -> list[Row]:
        return warehouse.rows(f"SELECT * FROM core.{table} WHERE ticket_id = :ticket_id ORDER BY {order}", this)

    (now,) = asked("ticket_position")
    return TicketRecord(
        ticket=found[0],
        as_of=now["as_of"],
        position=now["business_position"],
        calendars=asked("ticket_calendars"),
        segments=core("ticket_time_segments", "segment_number"),
        marks=asked("ticket_marks"),
        messages=asked("ticket_messages"),
        turns=core("ticket_turns", "turn_number"),
        handoffs=core("handoffs", "handoff_number"),
        targets=core("ticket_sla_states", "started_at, metric, turn_number"),
    )


def _next_step(warehouse: Warehouse, ticket_id: str) -> str:
    """What to try instead: the same number at another instance, or keys that end alike."""
    number = ticket_id.rsplit(":", 1)[-1]
    query = """
    SELECT ticket_id
    FROM core.tickets
    WHERE ticket_id = :number OR RIGHT(ticket_id, LENGTH(:suffix)) = :suffix
    ORDER BY ticket_id
    LIMIT :most
    """
    near = warehouse.rows(query, {"number": number, "suffix": f":{number}", "most": NEAR_MATCHES})
    if near:
        return f"did you mean {' or '.join(row['ticket_id'] for row in near)}?"
    like = warehouse.scalar("SELECT MIN(ticket_id) FROM core.tickets")
    shape = f"keys look like {like}" if like else "there is no ticket yet"
    return f"{shape}; `hansei indicators rows tickets_created` lists those of a period"


def by_segment(record: TicketRecord) -> list[tuple[Row, list[Row], int | None]]:
    """(segment, the marks that began it, number of the rule that booked it) for each span of the ledger.

    Marks without a span of their own, such as a team and an assignee given at the same instant, belong to the span that
    follows them. The rule is None where the stored ledger has no such span today: the definitions or events moved on.
    """
    told, past = [], 0
    for segment in record.segments:
        number = segment["segment_number"]
        began = [mark for mark in record.marks if past < mark["mark_number"] <= number]
        own = began[-1] if began and began[-1]["mark_number"] == number else None
        told.append((segment, began, own["rule_number"] if own else None))
        past = number
    return told


def owner_sums(segments: list[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    """Owner -> (calendar, business) seconds of its ended spans, in the order in which owners first appear."""
    sums: dict[str, tuple[int, int]] = {}
    for segment in segments:
        if segment["ended_at"] is not None:
            calendar, business = sums.get(segment["owner"], (0, 0))
            sums[segment["owner"]] = calendar + segment["calendar_seconds"], business + segment["business_seconds"]
    return sums
