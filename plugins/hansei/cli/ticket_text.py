"""How one ticket's record reads: as text for people, and as a document for scripts. Nothing is looked up here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hansei.catalog import Catalog
from hansei.catalog.ledger import Ledger, LedgerRule
from hansei.indicators.ticket_figures import Figure, figures
from hansei.indicators.tickets import Row, TicketRecord, by_segment, owner_sums

FACTS = (
    "source",
    "status",
    "priority",
    "channel",
    "brand",
    "topic",
    "team_id",
    "assignee_id",
    "customer_id",
    "account_id",
    "account_tier",
    "opened_by",
    "lifecycle_basis",
)
FLAGS = ("is_deleted", "is_merged", "is_spam", "is_bot_only", "is_closed_without_solution", "is_escalated")
COUNTS = ("reopen_count", "reassignment_count", "team_handoff_count", "ping_pong_count", "agent_comment_count")
_BEGINS = ("opened", "outbound", "customer")
_WRITERS = {"agent": "an agent", "customer": "the customer", "bot": "a bot", "system": "the system"}


def document(record: TicketRecord, catalog: Catalog) -> dict[str, Any]:
    """The record as JSON: instants in UTC, durations in seconds. Keys are stable; new ones may be added."""
    ledger = _ledger(catalog)
    spans = [
        {
            **{name: value for name, value in segment.items() if name != "ticket_id"},
            "so_far": _so_far(record, segment),
            "rule": rule,
            "began_with": [_event(mark) for mark in marks],
        }
        for segment, marks, rule in by_segment(record)
    ]
    return {
        "ticket": record.ticket,
        "as_of": record.as_of,
        "reporting_zone": catalog.service.reporting_zone,
        "calendars": record.calendars,
        "rules": [{"rule": n, "owner": rule.owner, "when": rule_text(rule)} for n, rule in enumerate(ledger.rules, 1)],
        "ledger": spans,
        "messages": [{**message, "meaning": meaning} for message, meaning in _meanings(record)],
        "turns": record.turns,
        "handoffs": record.handoffs,
        "owner_sums": {
            owner: {"calendar_seconds": both[0], "business_seconds": both[1]}
            for owner, both in owner_sums(record.segments).items()
        },
        "figures": [
            {
                "figure": figure.name,
                "time": figure.time,
                "terms": [{"of": label, "seconds": seconds} for label, seconds in figure.terms],
                "seconds": figure.seconds,
                "stored_seconds": figure.stored,
                "is_tied": figure.is_tied,
            }
            for figure in figures(record)
        ],
        "targets": record.targets,
    }


def text(record: TicketRecord, catalog: Catalog) -> str:
    """The record as text, times in the reporting zone, durations as hours:minutes:seconds."""
    clock = _Clock(catalog.service.zone)
    parts = [
        _heading(record, catalog, clock),
        _section("Calendars", _calendars(record, clock)),
        _section("Ledger", _spans(record, clock)),
        _section("Rules of the ledger (the first that fits books the span)", _rules(_ledger(catalog))),
        _section("Messages", _messages(record, clock)),
        _section("Turns (calendar and business time until the reply)", _turns(record, clock)),
        _section("Hand-offs between teams", _handoffs(record, clock)),
        _section("Time of each owner, ended spans", _sums(record)),
        _section("Figures in core.tickets", [line for figure in figures(record) for line in _figure(figure)]),
        _section("Service level targets", _targets(record, clock)),
    ]
    return "\n\n".join(part for part in parts if part)


class _Clock:
    """Instants (naive UTC) as the reporting zone's clock shows them."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone

    def __call__(self, instant: datetime | None, nothing: str = "-") -> str:
        if instant is None:
            return nothing
        return f"{instant.replace(tzinfo=UTC).astimezone(self._zone):%Y-%m-%d %H:%M:%S}"


def duration(seconds: int | None) -> str:
    """`61:48:10`; `-` where there is none."""
    if seconds is None:
        return "-"
    sign, whole = ("-" if seconds < 0 else ""), abs(int(seconds))
    return f"{sign}{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def rule_text(rule: LedgerRule) -> str:
    """A ledger rule's conditions in words."""
    told = []
    if rule.status:
        told.append(f"status is {_either(rule.status)}")
    if rule.source_status:
        told.append(f"the source's status is {_either(rule.source_status)}")
    if rule.team:
        told.append(f"team is {_either(rule.team)}")
    if rule.is_assigned is not None:
        told.append("an agent holds it" if rule.is_assigned else "no agent holds it")
    if rule.before_handoff is not None:
        told.append("a bot has it until it hands it over" if rule.before_handoff else "no bot has it")
    return " and ".join(told) or "everything else"


def _either(words: Sequence[str]) -> str:
    return " or ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]


def _ledger(catalog: Catalog) -> Ledger:
    return next(iter(catalog.ledger.values()))


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([title, *(f"  {line}" for line in lines)]) if lines else ""


def _table(rows: Sequence[Sequence[Any]], header: Sequence[str], right: Sequence[str] = ()) -> list[str]:
    """Lines with columns as wide as their widest cell; those named in `right` are aligned to the right."""
    cells = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(header))]
    is_right = [name in right for name in header]
    lines = []
    for row in cells:
        fitted = (
            cell.rjust(width) if flush else cell.ljust(width)
            for cell, width, flush in zip(row, widths, is_right, strict=True)
        )
        lines.append("  ".join(fitted).rstrip())
    return lines


def _heading(record: TicketRecord, catalog: Catalog, clock: _Clock) -> str:
    ticket, zone = record.ticket, catalog.service.reporting_zone
    known = [(name, ticket[name]) for name in FACTS if ticket[name] is not None]
    facts = ", ".join(f"{name.removesuffix('_id').replace('_', ' ')} {value}" for name, value in known)
    times = ", ".join(
        f"{word} {clock(ticket[column])}"
        for word, column in (
            ("created", "created_at"),
            ("first replied", "first_replied_at"),
            ("first solved", "first_solved_at"),
            ("solved", "solved_at"),
            ("closed", "closed_at"),
        )
        if ticket[column] is not None
    )
    lines = [f"Ticket {ticket['ticket_id']} as of {clock(record.as_of)}; times in {zone}", f"  {facts}", f"  {times}"]
    counts = [f"{name.removesuffix('_count').replace('_', ' ')} {ticket[name]}" for name in COUNTS if ticket[name]]
    flags = [name.removeprefix("is_").replace("_", " ") for name in FLAGS if ticket[name]]
    if ticket["merged_into_ticket_id"]:
        flags.append(f"survives as {ticket['merged_into_ticket_id']}")
    lines += [f"  {label}: {', '.join(words)}" for label, words in (("counts", counts), ("flags", flags)) if words]
    return "\n".join(lines)


def _calendars(record: TicketRecord, clock: _Clock) -> list[str]:
    rows = [
        (clock(row["valid_from"]), clock(row["valid_to"], "still"), row["calendar_id"], row["zone"], _why(row, clock))
        for row in record.calendars
    ]
    return _table(rows, ("from", "to", "calendar", "zone", "why"))


def _why(row: Row, clock: _Clock) -> str:
    since = f" from {clock(row['assigned_from'])} on" if row["assigned_from"] else ""
    if row["dimension"] == "ticket":
        return "the ticket's own events name it"
    if row["dimension"] == "default":
        return f"the service's default{since}"
    if row["dimension"] is None:
        return "by assignments that have changed since the last night"
    return f"{row['dimension']} {row['value']} follows it{since}"


def _spans(record: TicketRecord, clock: _Clock) -> list[str]:
    rows = []
    for segment, marks, rule in by_segment(record):
        calendar, business = segment["calendar_seconds"], segment["business_seconds"]
        if (so_far := _so_far(record, segment)) is not None:
            calendar, business = so_far["calendar_seconds"], so_far["business_seconds"]
        rows.append(
            (
                segment["segment_number"],
                clock(segment["started_at"]),
                clock(segment["ended_at"], "still, so far"),
                segment["owner"],
                "?" if rule is None else rule,
                segment["status"],
                segment["team_id"] or "-",
                segment["assignee_id"] or "-",
                duration(calendar),
                duration(business),
                _began(record, segment, marks, clock),
            )
        )
    header = ("span", "from", "to", "owner", "rule", "status", "team", "agent", "calendar", "business", "began with")
    return _table(rows, header, right=("span", "rule", "calendar", "business"))


def _so_far(record: TicketRecord, segment: Row) -> dict[str, int | None] | None:
    """Time of a span that lasts, up to the newest run; None for one that has ended."""
    if segment["ended_at"] is not None:
        return None
    calendar = int((record.as_of - segment["started_at"]).total_seconds())
    business = None if record.position is None else max(record.position - segment["business_seconds_before"], 0)
    return {"calendar_seconds": max(calendar, 0), "business_seconds": business}


def _began(record: TicketRecord, segment: Row, marks: Sequence[Row], clock: _Clock) -> str:
    told = []
    if segment is record.segments[0]:
        told.append(f"created by {_WRITERS.get(record.ticket['opened_by'], record.ticket['opened_by'])}")
        # The calendar that it begins with is told above; it begins nothing.
        marks = [mark for mark in marks if mark["kind"] != "calendar"]
    return "; ".join(told + [_event(mark)["text"] for mark in marks])


def _event(mark: Row) -> dict[str, Any]:
    """What happened: `status new -> open by agent desk:7`."""
    now, before = (mark[name] or "nobody" for name in ("value", "value_before"))
    what = {"assignee": "agent"}.get(mark["kind"], mark["kind"])
    if mark["kind"] == "calendar":
        said = f"calendar {now}"
    elif mark["kind"] == "bot_handoff":
        said = "the bot hands over"
    else:
        word = f" ({mark['source_value']})" if mark["source_value"] and mark["source_value"] != now else ""
        said = f"{what} {before} -> {now}{word}"
        said += _by(mark)
    kept = {name: mark[name] for name in ("kind", "marked_at", "value", "value_before", "event_id", "actor_kind")}
    return {**kept, "actor_id": mark["actor_id"], "text": said}


def _by(mark: Row) -> str:
    if mark["event_id"] is None:
        return ", as the source states it"
    who = " ".join(word for word in (mark["actor_kind"], mark["actor_id"]) if word)
    return (f" by {who}" if who else "") + (", automatic" if mark["is_automatic"] else "")


def _rules(ledger: Ledger) -> list[str]:
    rows = [(number, rule.owner, rule_text(rule)) for number, rule in enumerate(ledger.rules, 1)]
    return _table(rows, ("rule", "owner", "when"), right=("rule",))


def _messages(record: TicketRecord, clock: _Clock) -> list[str]:
    rows = [(clock(message["sent_at"]), _writer(message), meaning) for message, meaning in _meanings(record)]
    return _table(rows, ("sent", "by", "counts as"))


def _writer(message: Row) -> str:
    return " ".join(word for word in (message["actor_kind"], message["actor_id"]) if word) or "unknown"


def _meanings(record: TicketRecord) -> list[tuple[Row, str]]:
    """Each message with what it counts as: the turn that it begins or answers, or why it counts for nothing."""
    begun: set[int] = set()
    told = []
    for message in record.messages:
        kind, sent_at = message["kind"], message["sent_at"]
        if kind in _BEGINS:
            begins = [t["turn_number"] for t in record.turns if t["started_at"] == sent_at]
            fresh = [number for number in begins if number not in begun][:1]
            begun.update(fresh)
            meaning = f"begins turn {fresh[0]}" if fresh else "waits already: no new turn"
        elif kind == "reply":
            answered = [str(t["turn_number"]) for t in record.turns if t["replied_at"] == sent_at]
            meaning = f"reply: answers turn {' and '.join(answered)}" if answered else "reply: nobody was waiting"
        else:
            meaning = f"nothing: {_no_reply(message)}"
        told.append((message, meaning))
    return told


def _no_reply(message: Row) -> str:
    if message["kind"] == "note":
        return "a private note"
    if message["kind"] == "opening":
        return "the message with which an agent opened the ticket"
    if message["actor_kind"] == "bot":
        return "a bot wrote it"
    if message["is_automatic"] or message["actor_kind"] == "system":
        return "automatic"
    return "nobody knows who wrote it"


def _turns(record: TicketRecord, clock: _Clock) -> list[str]:
    rows = [
        (
            turn["turn_number"],
            clock(turn["started_at"]),
            clock(turn["replied_at"], "no reply yet"),
            duration(turn["reply_calendar_seconds"]),
            duration(turn["reply_business_seconds"]),
        )
        for turn in record.turns
    ]
    return _table(rows, ("turn", "waits since", "replied", "calendar", "business"), ("turn", "calendar", "business"))


def _handoffs(record: TicketRecord, clock: _Clock) -> list[str]:
    rows = [
        (
            clock(row["handed_off_at"]),
            row["from_team_id"],
            row["to_team_id"] + (" (back again)" if row["is_return"] else ""),
            duration(row["held_before_business_seconds"]),
            duration(row["reply_after_business_seconds"]),
        )
        for row in record.handoffs
    ]
    header = ("at", "from", "to", "held before (business)", "reply after (business)")
    return _table(rows, header, right=header[3:]) if rows else []


def _sums(record: TicketRecord) -> list[str]:
    sums = owner_sums(record.segments)
    rows = [(owner, duration(calendar), duration(business)) for owner, (calendar, business) in sums.items()]
    if rows:
        totals = [sum(both[place] for both in sums.values()) for place in (0, 1)]
        rows.append(("all", *map(duration, totals)))
    return _table(rows, ("owner", "calendar", "business"), right=("calendar", "business")) if rows else []


def _figure(figure: Figure) -> list[str]:
    """`first reply, business: queue 1:00:00 + part of span 3 0:12:00 = 1:12:00`."""
    name = figure.name.replace("_", " ")
    terms = " + ".join(f"{label} {duration(seconds)}" for label, seconds in figure.terms) or "nothing"
    tie = "" if figure.is_tied else f", BUT core.tickets has {duration(figure.stored)}: run the night again"
    return [f"{name}, {figure.time}: {terms} = {duration(figure.seconds)}{tie}"]


def _targets(record: TicketRecord, clock: _Clock) -> list[str]:
    rows = []
    for row in record.targets:
        time = "calendar" if not row["is_business_time"] else row["calendar_id"] or "business"
        version = f" of {row['policy_version']}" if row["policy_version"] else ""
        rows.append(
            (
                row["metric"] + (f" {row['turn_number']}" if row["turn_number"] else ""),
                row["policy_id"] + version,
                f"{row['applied_by']} at {clock(row['applied_at'])}",
                duration(row["target_seconds"]),
                time,
                duration(row["elapsed_seconds"]),
                clock(row["due_at"]),
                clock(row["breached_at"]),
                row["state"],
            )
        )
    header = ("clock", "policy", "applied by", "target", "time", "elapsed", "due", "breached", "state")
    return _table(rows, header, right=("target", "elapsed")) if rows else []
