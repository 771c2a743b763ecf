"""A very small company with files and definitions of its own, so that whole nights run in a second or two.

200 tickets with events, customers, CRM accounts and survey answers of three weeks around a change of clocks (Berlin,
29 March 2026), exported daily. The first night brings the history, two more bring what changed, what came late, what
came twice, one account gone, one tier raised, and two bad rows, one of which its source corrects.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from hansei import pipeline
from hansei.settings import Settings, load_settings
from hansei.warehouse import Warehouse, open_read_copy, open_warehouse
from hansei.warehouse.tables import VOLATILE
from support.few_indicators import FEW

FIRST_DAY = datetime(2026, 3, 9)
DAYS = (date(2026, 3, 27), date(2026, 3, 28), date(2026, 3, 29))
# Six in the morning in Berlin: winter time, then twice summer time.
NIGHTS = (datetime(2026, 3, 28, 5), datetime(2026, 3, 29, 4), datetime(2026, 3, 30, 4))
TICKETS = 200
BAD_TICKET, BAD_RESPONSE = "T0150", "R-bad"
KEYS = {
    "HANSEI_IDENTITY_KEY": "i" * 40,
    "HANSEI_QUARANTINE_KEY": "cXVhcmFudGluZS1rZXktb2YtdGhlLXRlc3RzLTMyYnk=",
}

DESK = """\
id: desk
kind: files
instance: desk
description: Daily export of what was new or changed in a small ticket system.
owner: service-desk
zone: Europe/Berlin
delivery: changes
events: complete
resources:
  tickets:
    path: ${HANSEI_HOME}/inbox/tickets-*.csv.gz
    format: csv
    complete_until: &day {by: file_name, pattern: '-(\\d{4}-\\d{2}-\\d{2})\\.', covers: 1d}
  events:
    path: ${HANSEI_HOME}/inbox/events-*.jsonl
    format: jsonl
    delivery: append
    complete_until: *day
  customers:
    path: ${HANSEI_HOME}/inbox/customers-*.csv
    format: csv
    delivery: snapshot
    complete_until: *day
entities:
  - entity: customers
    resource: customers
    columns:
      customer_id: {path: id}
      name: {path: name}
      email: {path: email}
      organization_id: {path: organisation}
  - entity: tickets
    resource: tickets
    version: {path: updated_at}
    columns:
      ticket_id: {path: id}
      status: {path: status, values: {new: new, open: open, solved: solved, closed: closed}}
      priority: {path: priority}
      channel: {path: channel}
      customer_id: {path: requester}
      team_id: {path: group}
      assignee_id: {path: assignee, missing: [""]}
      opened_by: {path: opened_by}
      created_at: {path: created_at}
      updated_at: {path: updated_at}
      is_sla_met: {path: sla_met, values: {"yes": true, "no": false}, missing: [""]}
      tags: {path: tags, missing: [""]}
  - entity: ticket_events # who holds the ticket: our keys
    resource: events
    where: {path: holder, is_present: true}
    columns: &event
      event_id: {path: id}
      ticket_id: {path: ticket}
      occurred_at: {path: at}
      sequence_number: {path: number}
      event_type: {path: type}
      is_public: {path: public}
      is_automatic: {path: automatic}
      actor_kind: {path: role}
      value: {path: holder, instance: desk}
  - entity: ticket_events # everything else: our words
    resource: events
    where: {path: holder, is_present: false}
    columns:
      event_id: {path: id}
      ticket_id: {path: ticket}
      occurred_at: {path: at}
      sequence_number: {path: number}
      event_type: {path: type}
      is_public: {path: public}
      is_automatic: {path: automatic}
      actor_kind: {path: role}
      value: {path: value}
"""

CRM = """\
id: crm
kind: files
instance: crm
description: All accounts, every night.
owner: sales
zone: Europe/Berlin
delivery: snapshot
resources:
  accounts:
    path: ${HANSEI_HOME}/inbox/accounts-*.csv
    format: csv
    complete_until: {by: file_name, pattern: 'accounts-(\\d{4}-\\d{2}-\\d{2})', covers: 1d}
entities:
  - entity: accounts
    resource: accounts
    version: {path: changed, format: "%d.%m.%Y %H:%M"}
    columns:
      account_id: {path: number}
      external_id: {path: desk_id}
      name: {path: company}
      tier: {path: tier}
      owner: {path: owner}
      annual_value: {path: value}
      renewal_date: {path: renewal, format: "%Y-%m-%d"}
      status: {constant: active}
"""

FEEDBACK = """\
id: feedback
kind: files
instance: feedback
description: Answers to the satisfaction survey, a file a day.
owner: customer-experience
zone: Europe/Berlin
delivery: append
resources:
  responses:
    path: ${HANSEI_HOME}/inbox/survey-*.csv
    format: csv
    complete_until: {by: file_name, pattern: 'survey-(\\d{4}-\\d{2}-\\d{2})', covers: 1d}
entities:
  - entity: survey_responses
    resource: responses
    columns:
      response_id: {path: id}
      survey_id: {constant: csat}
      survey_kind: {constant: csat}
      ticket_id: {path: ticket, instance: desk}
      respondent_email: {path: email}
      responded_at: {path: answered, format: "%Y-%m-%d %H:%M:%S"}
      score: {path: score}
      scale_minimum: {constant: 1}
      scale_maximum: {constant: 5}
      comment: {path: comment, missing: [""]}
"""

SERVICE = f"""\
id: service
name: Small company
reporting_zone: Europe/Berlin
language: en
calendar: office
indicators: [{", ".join(FEW)}]
"""

CALENDAR = """\
id: office
name: Office
zone: Europe/Berlin
hours:
  monday: ["09:00-17:00"]
  tuesday: ["09:00-12:30", "13:00-17:00"]
  wednesday: ["09:00-17:00"]
  thursday: ["09:00-19:00"]
  friday: ["09:00-15:00"]
holidays:
  - {country: DE}
"""

AGREEMENT = """\
id: standard
title: What every customer is promised
owner: service-desk
versions:
  - valid_from: 2025-01-01
    metrics:
      first_reply: {target: {urgent: 1h, "*": 4h}}
      resolution: {target: 16h, clock: [queue, agent]}
"""

THRESHOLD = """\
id: small_sla
indicator: source_sla_attainment
kind: static
grain: week
segments: [all, "team=*"]
warning: 0.80
critical: 0.70
unit: ratio
reason: Below four in five the contracts grant a discount.
owner: account-management
approver: head of service
valid_from: 2026-03-01
"""

CONTRACT = """\
id: satisfaction
title: After a ticket
kind: csat
questions: ["feedback:csat"]
minimum: 1
maximum: 5
direction: higher_is_better
formula: top_box
owner: customer-experience
"""

SOURCES = {"desk": DESK, "crm": CRM, "feedback": FEEDBACK}
ENTITIES = {
    "desk": ("customers", "tickets", "ticket_events"),
    "crm": ("accounts",),
    "feedback": ("survey_responses",),
}


@dataclass
class Exports:
    """File name -> its records, all of one shape."""

    files: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def write(self, inbox: Path, names: Callable[[str], bool] = lambda name: True, shuffle: int | None = None) -> None:
        """Writes the files that `names` accepts; with `shuffle` the rows of each stand in another order."""
        inbox.mkdir(parents=True, exist_ok=True)
        for name, records in self.files.items():
            if names(name):
                ordered = list(records)
                if shuffle is not None:
                    random.Random(f"{shuffle}{name}").shuffle(ordered)
                (inbox / name).write_bytes(encode(name, ordered))


def encode(name: str, records: list[dict[str, Any]]) -> bytes:
    """The records as the bytes of a file of that name: CSV or JSON Lines, packed where the name says so."""
    if ".jsonl" in name:
        content = "".join(json.dumps(record) + "\n" for record in records).encode()
    else:
        text = io.StringIO()
        writer = csv.DictWriter(text, list(records[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
        content = text.getvalue().encode()
    return gzip.compress(content, mtime=0) if name.endswith(".gz") else content


def exports() -> Exports:
    """What the three systems export for each of DAYS, always the same."""
    chance = random.Random(20260309)
    files: dict[str, list[dict]] = {}
    tickets, events = _tickets(chance)
    # Late events belong to an earlier day than the file that brings them.
    shown = {event["id"]: _shown(chance, event) for event in events}
    for index, day in enumerate(DAYS):
        past = DAYS[index - 1] if index else date.min
        fresh = [event for event in events if past < shown[event["id"]] <= day]
        if index:
            fresh += chance.sample([event for event in events if shown[event["id"]] == past], 3)
        files[f"events-{day}.jsonl"] = fresh
        rows = [
            row for row in (_state(ticket, day) for ticket in tickets) if row and past < _day(row["updated_at"]) <= day
        ]
        files[f"tickets-{day}.csv.gz"] = rows
        files[f"customers-{day}.csv"] = _customers()
        files[f"accounts-{day}.csv"] = _accounts(index)
        files[f"survey-{day}.csv"] = _answers(tickets, past, day)
    _spoil(files)
    return Exports(files)


def _tickets(chance: random.Random) -> tuple[list[dict], list[dict]]:
    tickets, events = [], []
    for number in range(TICKETS):
        created = FIRST_DAY + timedelta(seconds=chance.randrange(20 * 86400 + 60000))
        ticket = {
            "id": f"T{number:04d}",
            "priority": chance.choice(["low", "normal", "high"]),
            "channel": chance.choice(["mail", "chat", "phone"]),
            "requester": f"C{chance.randrange(30):02d}",
            "group": f"G{chance.randrange(3)}",
            "opened_by": "customer",
            "created_at": created,
            "sla_met": chance.choice(["yes", "yes", "yes", "no"]),
            "score": chance.choice([5, 5, 4, 4, 3, 1]) if chance.random() < 0.5 else None,
        }
        ticket["events"] = _history(chance, ticket)
        tickets.append(ticket)
        events.extend(ticket["events"])
    return tickets, events


def _history(chance: random.Random, ticket: dict) -> list[dict]:
    steps: list[tuple[str, str | None, str | None]] = [("team", ticket["group"], None), ("assignee", "A1", None)]
    steps.append(("reply", None, None))
    if chance.random() < 0.3:
        steps.append(("team", f"G{chance.randrange(3)}", None))
    if chance.random() < 0.85:
        steps.append(("status", None, "solved"))
        if chance.random() < 0.2:
            steps += [("status", None, "open"), ("assignee", "A2", None), ("status", None, "solved")]
    at, events = ticket["created_at"], []
    for number, (kind, holder, value) in enumerate(steps):
        at += timedelta(seconds=chance.randrange(60, 90000))
        event = {"id": f"{ticket['id']}-{number}", "ticket": ticket["id"], "at": _iso(at), "number": number}
        event |= {"type": kind, "public": True, "automatic": False, "role": "agent", "holder": holder, "value": value}
        events.append(event)
    return events


def _shown(chance: random.Random, event: dict) -> date:
    late = timedelta(days=chance.choice([1, 2])) if chance.random() < 0.06 else timedelta(0)
    return _day(event["at"]) + late


def _state(ticket: dict, day: date) -> dict[str, Any] | None:
    """The ticket's row as the system shows it at the end of the day; None where it is not created yet."""
    if ticket["created_at"].date() > day:
        return None
    past = [event for event in ticket["events"] if _day(event["at"]) <= day]
    held = {kind: [event["holder"] for event in past if event["type"] == kind] for kind in ("team", "assignee")}
    status = [event["value"] for event in past if event["type"] == "status"]
    return {
        "id": ticket["id"],
        "status": status[-1] if status else "open" if past else "new",
        "priority": ticket["priority"],
        "channel": ticket["channel"],
        "requester": ticket["requester"],
        "group": held["team"][-1] if held["team"] else ticket["group"],
        "assignee": held["assignee"][-1] if held["assignee"] else "",
        "opened_by": ticket["opened_by"],
        "created_at": _iso(ticket["created_at"]),
        "updated_at": past[-1]["at"] if past else _iso(ticket["created_at"]),
        "sla_met": ticket["sla_met"] if status else "",
        "tags": "complaint" if int(ticket["id"][1:]) % 9 == 4 else "",
    }


def _customers() -> list[dict]:
    return [
        {
            "id": f"C{number:02d}",
            "name": f"Person Number{number:02d}",
            "email": f"person{number:02d}@firm{number % 10}.example",
            "organisation": f"O{number % 10}" if number < 25 else "",
        }
        for number in range(30)
    ]


def _accounts(night: int) -> list[dict]:
    """Ten accounts; the second night raises the tier of one, the third no longer has another."""
    rows = []
    for number in range(10):
        is_raised = night >= 1 and number == 3
        rows.append(
            {
                "number": f"K{number}",
                "desk_id": f"O{number}",
                "company": f"Firm {number}",
                "tier": "platinum" if is_raised else ("gold", "silver", "bronze")[number % 3],
                "owner": f"Seller Surname{number}",
                "value": f"{1000 + number}.50",
                "renewal": f"2026-0{4 + number % 5}-15",
                "changed": "28.03.2026 09:00" if is_raised else "01.03.2026 09:00",
            }
        )
    return [row for row in rows if not (night == 2 and row["number"] == "K7")]


def _answers(tickets: list[dict], past: date, day: date) -> list[dict]:
    rows = []
    for ticket in tickets:
        solved = [event for event in ticket["events"] if event["value"] == "solved"]
        if ticket["score"] is None or not solved:
            continue
        answered = datetime.fromisoformat(solved[0]["at"].rstrip("Z")) + timedelta(hours=7)
        if past < answered.date() <= day:
            rows.append(
                {
                    "id": f"R-{ticket['id']}",
                    "ticket": ticket["id"],
                    "email": f"person{ticket['requester'][1:]}@firm0.example",
                    "answered": answered.strftime("%Y-%m-%d %H:%M:%S"),
                    "score": ticket["score"],
                    "comment": "Thank you, Person" if ticket["score"] == 5 else "",
                }
            )
    return rows


def _spoil(files: dict[str, list[dict]]) -> None:
    """Two bad rows: a status that nobody knows, corrected a night later, and an answer above the scale."""
    template = files[f"tickets-{DAYS[0]}.csv.gz"][0] | {"id": BAD_TICKET}
    for day in DAYS:
        name = f"tickets-{day}.csv.gz"
        files[name] = [row for row in files[name] if row["id"] != BAD_TICKET]
    bad = template | {"status": "wobbling", "updated_at": "2026-03-28T10:00:00Z", "created_at": "2026-03-20T10:00:00Z"}
    files[f"tickets-{DAYS[1]}.csv.gz"].append(bad)
    good = bad | {"status": "open", "updated_at": "2026-03-29T10:00:00Z"}
    files[f"tickets-{DAYS[2]}.csv.gz"].append(good)
    answer = files[f"survey-{DAYS[0]}.csv"][0] | {"id": BAD_RESPONSE, "score": 6, "comment": "Person is furious"}
    files[f"survey-{DAYS[1]}.csv"].append(answer | {"answered": "2026-03-28 09:00:00"})


def _day(text: str) -> date:
    return datetime.fromisoformat(text.rstrip("Z")).date()


def _iso(instant: datetime) -> str:
    return instant.isoformat() + "Z"


@dataclass(frozen=True)
class Company:
    """A home directory with definitions and inbox, and the settings that its nights run with."""

    home: Path
    settings: Settings

    @property
    def inbox(self) -> Path:
        return self.home / "inbox"

    def context(self, now: datetime) -> pipeline.Context:
        return pipeline.context(self.settings, now=lambda: now)

    def night(self, number: int, run_id: str | None = None, conf: dict | None = None) -> str:
        """Runs night 1, 2 or 3 to its end; the run id. Raises what close_run raises."""
        end = NIGHTS[number - 1]
        run_id = run_id or f"night-{number}"
        pipeline.run_night(self.context(end), run_id, (end - timedelta(days=1), end), conf)
        return run_id

    @contextmanager
    def warehouse(self) -> Iterator[Warehouse]:
        with open_warehouse(self.settings) as opened:
            yield opened

    def rows(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        with self.warehouse() as opened:
            return opened.rows(query, parameters)

    def scalar(self, query: str, **parameters: Any) -> Any:
        with self.warehouse() as opened:
            return opened.scalar(query, parameters)

    def with_source(self, source: str, change: Callable[[str], str]) -> None:
        """Rewrites one source definition."""
        path = self.home / "definitions" / "sources" / f"{source}.yaml"
        path.write_text(change(path.read_text()))

    def tables(self, *schemas: str) -> dict[str, list[tuple]]:
        """Every table and view of core and indicators (or of `schemas`) in full, volatile columns left out.

        Without the days of the reporting zone, which are many and come from the definitions alone.
        """
        with self.warehouse() as opened:
            return _content(opened, schemas or ("core", "indicators"))

    def copied_tables(self) -> dict[str, list[tuple]]:
        """The same tables as readers see them in the published copy."""
        with open_read_copy(self.settings) as opened:
            return _content(opened, ("core", "indicators"))

    def copied_table(self, table: str) -> list[tuple]:
        """One of them."""
        with open_read_copy(self.settings) as opened:
            return _rows(opened, table, _lasting(opened, table))

    def is_copied(self) -> bool:
        """Whether readers see every table and view as the warehouse has it: by counts and hashes of rows, on DuckDB."""
        with self.warehouse() as opened:
            own = _summed(opened, ("core", "indicators"))
        with open_read_copy(self.settings) as opened:
            return _summed(opened, ("core", "indicators")) == own

    def unbalanced(self) -> list[dict[str, Any]]:
        """Rows of ops.batches whose identity does not hold, computed here and not read from `is_balanced`."""
        return [
            row
            for row in self.rows("SELECT * FROM ops.batches")
            if row["received_count"]
            != row["accepted_count"] + row["quarantined_count"] + row["duplicate_count"] + row["held_count"]
            or row["is_balanced"] is not True
        ]


def _content(warehouse: Warehouse, schemas: tuple[str, ...]) -> dict[str, list[tuple]]:
    return {table: _rows(warehouse, table, names) for table, names in _compared(warehouse, schemas)}


def _rows(warehouse: Warehouse, table: str, names: list[str]) -> list[tuple]:
    rows = warehouse.rows(f"SELECT {', '.join(names)} FROM {table}")
    return sorted((tuple(row.values()) for row in rows), key=_sortable)


def _summed(warehouse: Warehouse, schemas: tuple[str, ...]) -> dict[str, list[dict]]:
    query = "SELECT COUNT(*) AS n, SUM(hash({})) AS h FROM {}"
    return {
        table: warehouse.rows(query.format(", ".join(names), table)) for table, names in _compared(warehouse, schemas)
    }


def _compared(warehouse: Warehouse, schemas: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """Every table and view of the schemas, with the columns that are not volatile."""
    for table in sorted(warehouse.tables() - {"core.reporting_offsets"}):
        if table.split(".")[0] in schemas:
            yield table, _lasting(warehouse, table)


def _lasting(warehouse: Warehouse, table: str) -> list[str]:
    return [name for name in warehouse.columns(table) if name not in VOLATILE]


def _sortable(row: tuple) -> tuple:
    # Doubles last: they may differ in the last digit between engines, and keys come before them in any row.
    plain = [(value is not None, str(value)) for value in row if not isinstance(value, float)]
    return (*plain, *((True, f"{value:.9e}") for value in row if isinstance(value, float)))


def found_company(home: Path, warehouse_url: str | None = None, **settings: str) -> Company:
    """A company at `home` with its definitions and an empty inbox; `warehouse_url` for another engine than DuckDB."""
    definitions = home / "definitions"
    (home / "inbox").mkdir(parents=True, exist_ok=True)
    for folder in ("sources", "thresholds", "calendars", "sla", "surveys"):
        (definitions / folder).mkdir(parents=True, exist_ok=True)
    for name, text in SOURCES.items():
        (definitions / "sources" / f"{name}.yaml").write_text(text)
    (definitions / "thresholds" / "small_sla.yaml").write_text(THRESHOLD)
    (definitions / "calendars" / "office.yaml").write_text(CALENDAR)
    (definitions / "sla" / "standard.yaml").write_text(AGREEMENT)
    (definitions / "surveys" / "satisfaction.yaml").write_text(CONTRACT)
    (definitions / "service.yaml").write_text(SERVICE)
    environment = {"HANSEI_HOME": str(home), "HANSEI_DEFINITIONS": str(definitions), **KEYS, **settings}
    if warehouse_url:
        environment["HANSEI_WAREHOUSE"] = warehouse_url
    return Company(home, load_settings(environment))


def copy_company(company: Company, home: Path) -> Company:
    """The company with all that it has so far (embedded warehouse, spool, inbox) at another place."""
    shutil.copytree(company.home, home, dirs_exist_ok=True)
    return found_company(home)


def assert_same_tables(found: dict[str, list[tuple]], wanted: dict[str, list[tuple]]) -> None:
    """Exact, doubles within 1e-9 relative; names the first row that differs."""
    assert sorted(found) == sorted(wanted)
    assert sum(len(rows) for rows in wanted.values()) > 0
    for table, rows in wanted.items():
        assert len(found[table]) == len(rows), table
        for ours, theirs in zip(found[table], rows, strict=True):
            same = len(ours) == len(theirs) and all(map(_is_same, ours, theirs))
            assert same, f"{table}: {ours} instead of {theirs}"


def _is_same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, float) and isinstance(theirs, float):
        return math.isclose(ours, theirs, rel_tol=1e-9)
    return ours == theirs


def other_key(company: Company) -> Company:
    """The same company, whose nights run with another identity key."""
    return Company(company.home, replace(company.settings, identity_key="j" * 40))
