"""Text as canonical types: what can be read is exact, what cannot is a fault and never a guess."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

D = Decimal


def read_one(inbox: Path, ticket_source, extract, entity: str, column: str, text: str, mapping: dict) -> tuple:
    """(value, rules) of one cell, `text`, as `column` of `entity`."""
    start = {"constant": "2024-01-01"}
    required = {
        "accounts": {"account_id": {"path": "id"}},
        "tickets": {"ticket_id": {"path": "id"}, "status": {"constant": "open"}, "created_at": start},
        "conversations": {
            "conversation_id": {"path": "id"}, "channel": {"constant": "x"}, "started_at": start,
        },
        "ticket_events": {
            "event_id": {"path": "id"}, "ticket_id": {"path": "id"}, "event_type": {"constant": "reply"},
            "occurred_at": start,
        },
    }[entity]  # fmt: skip
    (inbox / "t.tsv").write_text(f"id\tcell\n1\t{text}\n")
    columns = {**required, column: {"path": "cell", **mapping}}
    resource = {"path": str(inbox / "t.tsv"), "format": "tsv"}
    _, rows = extract(ticket_source(resource, columns, entity=entity))
    faults = json.loads(rows[0]["faults"] or "[]")
    return rows[0][column], [fault["rule"] for fault in faults if fault["column"] == column]


READABLE = [
    ("tickets", "reopen_count", "12", {}, 12),
    ("tickets", "reopen_count", " -3 ", {}, -3),
    ("tickets", "reopen_count", "4.00", {}, 4),
    ("tickets", "reopen_count", "2147483647", {}, 2147483647),
    ("tickets", "reopen_count", "1.234", {"decimal": ","}, 1234),
    ("ticket_events", "sequence_number", "9007199254740993", {}, 9007199254740993),
    ("accounts", "annual_value", "1234.5", {}, D("1234.5000")),
    ("accounts", "annual_value", "99999999999999.9999", {}, D("99999999999999.9999")),
    ("accounts", "annual_value", "1.234,56", {"decimal": ","}, D("1234.5600")),
    ("accounts", "annual_value", "1e3", {}, D("1000.0000")),
    ("conversations", "bot_confidence_ratio", "0.25", {}, 0.25),
    ("conversations", "bot_confidence_ratio", "25", {"unit": "percent"}, 0.25),
    ("tickets", "is_spam", "Yes", {}, True),
    ("tickets", "is_spam", "0", {}, False),
    ("tickets", "is_spam", "ja", {"values": {"ja": True, "nein": False}}, True),
    ("accounts", "renewal_date", "2024-02-29", {}, date(2024, 2, 29)),
    ("accounts", "renewal_date", "29.02.2024", {"format": "%d.%m.%Y"}, date(2024, 2, 29)),
    ("accounts", "renewal_date", "3/4/24", {"format": ["%d.%m.%Y", "%m/%d/%y"]}, date(2024, 3, 4)),
    ("accounts", "renewal_date", "2024-02-29T23:30:00-08:00", {}, date(2024, 2, 29)),
    ("accounts", "renewal_date", "14", {"since": "2024-01-31", "unit": "days"}, date(2024, 2, 14)),
    ("accounts", "renewal_date", "1", {"since": "2024-01-31", "unit": "months"}, date(2024, 2, 29)),
    ("tickets", "topic", " a  b ", {}, "a  b"),
    ("tickets", "topic", "N/A", {"missing": ["N/A", "-"]}, None),
    ("tickets", "topic", "-", {"missing": ["N/A", "-"], "default": "other"}, "other"),
    ("tickets", "priority", "P1", {"values": {"P1": "urgent"}}, "urgent"),
    ("tickets", "priority", "P9", {"values": {"P1": "urgent"}, "other": "normal"}, "normal"),
    ("tickets", "priority", "none", {"values": {"P1": "urgent", "none": None}}, None),
    ("tickets", "priority", "", {"values": {"P1": "urgent"}, "other": "normal"}, None),
    ("tickets", "priority", "", {"values": {"P1": "urgent"}, "default": "low"}, "low"),
    ("tickets", "team_id", "7", {}, "desk:7"),
    ("tickets", "team_id", "7", {"instance": "crm"}, "crm:7"),
    ("tickets", "topic", "7", {"instance": "crm"}, "crm:7"),
    ("accounts", "email_domain", "Ann <ann@Mail.Example.COM>", {"extract": "email_domain"}, "mail.example.com"),
    ("accounts", "email_domain", "nobody", {"extract": "email_domain"}, None),
]


@pytest.mark.parametrize(("entity", "column", "text", "mapping", "expected"), READABLE)
def test_reads(inbox: Path, ticket_source, extract, entity, column, text, mapping, expected) -> None:
    value, rules = read_one(inbox, ticket_source, extract, entity, column, text, mapping)
    assert (value, rules) == (expected, [])
    assert type(value) is type(expected)


FAULTY = [
    ("tickets", "reopen_count", "12.5", {}, "cast:integer"),
    ("tickets", "reopen_count", "twelve", {}, "cast:integer"),
    ("tickets", "reopen_count", "2147483648", {}, "cast:integer"),
    ("tickets", "reopen_count", "1,5", {}, "cast:integer"),
    ("accounts", "annual_value", "1,234.50", {}, "cast:decimal"),
    ("accounts", "annual_value", "1e99", {}, "cast:decimal"),
    ("conversations", "bot_confidence_ratio", "nan", {}, "cast:double"),
    ("conversations", "bot_confidence_ratio", "infinity", {}, "cast:double"),
    ("tickets", "is_spam", "maybe", {}, "cast:boolean"),
    ("tickets", "is_spam", "perhaps", {"values": {"ja": True}}, "value_map"),
    ("tickets", "priority", "p1", {"values": {"P1": "urgent"}}, "value_map"),
    ("accounts", "renewal_date", "2023-02-29", {}, "cast:date"),
    ("accounts", "renewal_date", "2024-02-29", {"format": "%d.%m.%Y"}, "cast:date"),
    ("accounts", "renewal_date", "99/99/9999", {"format": "%d/%m/%Y"}, "cast:date"),
    ("accounts", "renewal_date", "2024-02-290", {}, "cast:date"),
    ("tickets", "solved_at", "2024-02-30T10:00:00", {}, "cast:timestamp"),
    ("tickets", "solved_at", "infinity", {}, "cast:timestamp"),
    ("tickets", "solved_at", "epoch", {}, "cast:timestamp"),
    ("tickets", "solved_at", "2024-01-01 10:00 Europe/Berlin", {}, "cast:timestamp"),
    ("tickets", "solved_at", "1700000000", {}, "cast:timestamp"),
    ("tickets", "solved_at", "1.5", {"since": "2024-01-01", "unit": "months"}, "cast:timestamp"),
]


@pytest.mark.parametrize(("entity", "column", "text", "mapping", "rule"), FAULTY)
def test_refuses(inbox: Path, ticket_source, extract, entity, column, text, mapping, rule) -> None:
    value, rules = read_one(inbox, ticket_source, extract, entity, column, text, mapping)
    assert (value, rules) == (None, [rule])


TIMES = [
    ("2024-05-27T02:08:51.000", {}, datetime(2024, 5, 27, 2, 8, 51)),
    ("2024-05-27 02:08", {}, datetime(2024, 5, 27, 2, 8)),
    ("2024-05-27", {}, datetime(2024, 5, 27)),
    ("2024-05-27T02:08:51Z", {}, datetime(2024, 5, 27, 2, 8, 51)),
    ("2024-05-27T02:08Z", {}, datetime(2024, 5, 27, 2, 8)),
    ("2024-05-27T02:08:51.123456+02:00", {}, datetime(2024, 5, 27, 0, 8, 51, 123456)),
    ("2024-05-27 02:08:51,5 -0330", {}, datetime(2024, 5, 27, 5, 38, 51, 500000)),
    ("27/5/2024 02:08", {"format": "%d/%m/%Y %H:%M"}, datetime(2024, 5, 27, 2, 8)),
    ("5/27/24 5:06 PM", {"format": "%m/%d/%y %I:%M %p"}, datetime(2024, 5, 27, 17, 6)),
    ("27 May 2024 02:08 +0200", {"format": "%d %B %Y %H:%M %z"}, datetime(2024, 5, 27, 0, 8)),
    ("1716775731", {"format": "unix"}, datetime(2024, 5, 27, 2, 8, 51)),
    ("1716775731250", {"format": "unix_ms"}, datetime(2024, 5, 27, 2, 8, 51, 250000)),
    ("3", {"since": "2024-01-31", "unit": "months"}, datetime(2024, 4, 30)),
    ("36", {"since": "2024-01-31", "unit": "hours"}, datetime(2024, 2, 1, 12)),
    # Summer time in Berlin; the offset of the text itself goes before any zone.
    ("2024-07-01T12:00:00", {"zone": "Europe/Berlin"}, datetime(2024, 7, 1, 10)),
    ("2024-07-01T12:00:00Z", {"zone": "Europe/Berlin"}, datetime(2024, 7, 1, 12)),
    # Told twice: 02:30 on 2024-10-27 is first 00:30 UTC. Never told: 02:30 on 2024-03-31 becomes 03:00, 01:00 UTC.
    ("2024-10-27T02:30:00", {"zone": "Europe/Berlin"}, datetime(2024, 10, 27, 0, 30)),
    ("2024-03-31T02:30:00", {"zone": "Europe/Berlin"}, datetime(2024, 3, 31, 1)),
]


@pytest.mark.parametrize(("text", "mapping", "expected"), TIMES)
def test_reads_times_as_naive_utc(inbox: Path, ticket_source, extract, text, mapping, expected) -> None:
    value, rules = read_one(inbox, ticket_source, extract, "tickets", "solved_at", text, mapping)
    assert (value, rules) == (expected, [])
