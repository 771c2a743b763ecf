"""Versions, filters, knowledge in time, event keys, faults: what a mapping does beside casting."""

from __future__ import annotations

import hashlib
import json
import random
from datetime import datetime
from pathlib import Path

import pytest

from hansei.catalog.windows import Window


def write(inbox: Path, text: str, name: str = "t.csv") -> dict:
    (inbox / name).write_text(text)
    return {"path": str(inbox / name), "format": "csv"}


def test_a_version_orders_as_text_whatever_it_is_made_of(inbox: Path, ticket_source, extract) -> None:
    resource = write(
        inbox, "id,status,created,changed,n\n1,open,2024-01-01,2024-03-01T10:00:00+02:00,7\n2,open,2024-01-01,,12.0\n"
    )
    version = {"path": ["changed", "n", "$row"], "type": ["timestamp", "sequence", "sequence"]}
    _, rows = extract(ticket_source(resource, version=version))
    assert [row["source_version"] for row in rows] == [
        "2024-03-01T08:00:00.000000Z|00000000000000000007|00000000000000000001",
        "0|00000000000000000012|00000000000000000002",
    ]


def test_without_a_version_the_windows_end_stands_in(inbox: Path, ticket_source, extract) -> None:
    resource = write(inbox, "id,status,created\n1,open,2024-01-01\n")
    _, rows = extract(ticket_source(resource), Window(None, datetime(2024, 5, 6, 7, 8, 9)))
    assert rows[0]["source_version"] == "2024-05-06T07:08:09.000000Z"


def test_an_unreadable_version_is_a_fault(inbox: Path, ticket_source, extract) -> None:
    resource = write(inbox, "id,status,created,changed,n\n1,open,2024-01-01,later,x\n")
    _, rows = extract(ticket_source(resource, version={"path": "changed"}), run_id="1")
    assert rows[0]["faults"] == '[{"column":"source_version","rule":"cast:timestamp"}]'
    _, rows = extract(ticket_source(resource, version={"path": "n", "type": "sequence"}), run_id="2")
    assert rows[0]["faults"] == '[{"column":"source_version","rule":"cast:sequence"}]'


def test_a_value_is_hidden_until_the_row_is_as_old_as_its_knowledge(inbox: Path, ticket_source, extract) -> None:
    resource = write(
        inbox,
        "id,status,created,changed,solved\n"
        "1,open,2024-01-01,01/03/2024 10:00,01/03/2024 12:00\n"
        "2,open,2024-01-01,01/03/2024 12:00,01/03/2024 12:00\n"
        "3,open,2024-01-01,01/03/2024 13:00,01/03/2024 12:00\n"
        "4,open,2024-01-01,01/03/2024 13:00,\n"
        "5,open,2024-01-01,01/03/2024 13:00,unknown\n",
    )
    form = "%d/%m/%Y %H:%M"
    columns = {"solved_at": {"path": "solved", "format": form, "known_at": "solved"}}
    version = {"path": ["changed", "$row"], "type": ["timestamp", "sequence"], "format": form}
    _, rows = extract(ticket_source(resource, columns, version=version))
    known = datetime(2024, 3, 1, 12)
    assert [row["solved_at"] for row in rows] == [None, known, known, None, None]


def test_a_value_known_at_another_time_follows_the_cursor_where_there_is_no_version(
    inbox: Path, ticket_source, extract
) -> None:
    resource = write(
        inbox, "id,status,created,changed,met,closed\n1,open,2024-01-01,2024-03-01,no,2024-03-02\n"
        "2,open,2024-01-01,2024-03-03,no,2024-03-02\n"
    )  # fmt: skip
    columns = {"is_sla_met": {"path": "met", "known_at": "closed"}}
    _, rows = extract(ticket_source({**resource, "cursor": "changed"}, columns))
    assert [row["is_sla_met"] for row in rows] == [None, False]


def test_a_duration_is_added_after_the_zone(inbox: Path, ticket_source, extract) -> None:
    # 90 minutes after 01:30 on the night that skips an hour is 04:00 on the clock, 02:00 UTC.
    resource = write(
        inbox, "id,status,created,minutes\n1,open,2024-03-31T01:30:00,90\n2,open,2024-03-31T01:30:00,\n"
        "3,open,2024-03-31T01:30:00,soon\n"
    )  # fmt: skip
    columns = {"first_replied_at": {"path": "created", "plus": {"path": "minutes", "unit": "minutes"}}}
    _, rows = extract(ticket_source(resource, columns, zone="Europe/Berlin"))
    assert [row["first_replied_at"] for row in rows] == [datetime(2024, 3, 31, 2), None, None]
    assert [row["faults"] for row in rows] == [None, None, '[{"column":"first_replied_at","rule":"cast:timestamp"}]']


def test_a_deletion_is_taken_from_its_own_field(inbox: Path, ticket_source, extract) -> None:
    resource = write(inbox, "id,status,created,gone\n1,open,2024-01-01,2024-02-01T10:00:00Z\n2,open,2024-01-01,\n")
    _, rows = extract(ticket_source(resource, deleted_at={"path": "gone"}))
    assert [row["deleted_at"] for row in rows] == [datetime(2024, 2, 1, 10), None]


@pytest.mark.parametrize(("rule", "expected"), [
    ({"path": "kind", "equals": ["bug", "task"]}, ["1", "3"]),
    ({"path": "kind", "is_present": True}, ["1", "2", "3"]),
    ({"path": "kind", "is_present": False}, ["4"]),
])  # fmt: skip
def test_a_filter_takes_only_its_rows(inbox: Path, ticket_source, extract, rule: dict, expected: list[str]) -> None:
    resource = write(
        inbox,
        "id,status,created,kind\n1,open,2024-01-01,bug\n2,open,2024-01-01,ad\n3,open,2024-01-01,task\n4,open,2024-01-01,\n",
    )
    manifest, rows = extract(ticket_source(resource, where=rule))
    assert [row["ticket_id"] for row in rows] == [f"desk:{key}" for key in expected]
    assert manifest.entities["tickets"].received == len(expected)


@pytest.mark.parametrize(("rule", "expected"), [
    ({"path": "kind", "has_key": True}, ["1", "2"]),
    ({"path": "kind", "has_key": False}, ["3", "4"]),
    ({"path": "via.bot", "has_key": True}, ["2", "3"]),
    ({"path": "via.bot", "has_key": False}, ["1", "4"]),
])  # fmt: skip
def test_a_filter_may_ask_for_a_field_whatever_it_holds(
    inbox: Path, ticket_source, extract, rule: dict, expected: list[str]
) -> None:
    """Records of JSON say more than their values: a field that is null is another thing than no field."""
    records = [
        {"kind": "bug", "via": {"mail": 1}},
        {"kind": None, "via": {"bot": ""}},
        {"via": {"bot": {"id": 7}}},
        {"via": None},
    ]
    dated = [
        {"id": number, "status": "open", "created": "2024-01-01", **record} for number, record in enumerate(records, 1)
    ]
    (inbox / "t.jsonl").write_text("".join(json.dumps(record) + "\n" for record in dated))
    resource = {"path": str(inbox / "t.jsonl"), "format": "jsonl"}
    _, rows = extract(ticket_source(resource, where=rule))
    assert [row["ticket_id"] for row in rows] == [f"desk:{key}" for key in expected]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_star_leads_to_every_item_of_a_list(inbox: Path, ticket_source, extract, form: str) -> None:
    """Many interfaces tell tags and products as objects, of which one field is wanted."""
    lists = [[{"tag": "vip", "id": 9}, {"tag": "late"}], [], [{"id": 7}], None, [{"tag": None}, {"tag": "b"}]]
    records = [{"id": number, "status": "open", "created": "2024-01-01"} for number in range(1, 6)]
    if form == "jsonl":
        lines = [json.dumps({**record, "tags": tags}) for record, tags in zip(records, lists, strict=True)]
        lines.append(json.dumps({**records[0], "id": 6}))
    else:
        lines = [
            "id;status;created;tags",
            *(f"{row['id']};open;2024-01-01;{json.dumps(tags)}" for row, tags in zip(records, lists, strict=True)),
            "6;open;2024-01-01;",
        ]
    (inbox / f"t.{form}").write_text("\n".join(lines) + "\n")
    more = {"delimiter": ";", "quote": "|"} if form == "csv" else {}
    resource = {"path": str(inbox / f"t.{form}"), "format": form, **more}
    _, rows = extract(ticket_source(resource, {"tags": {"path": "tags[*].tag"}}), run_id="1")
    assert [row["tags"] for row in rows] == ["late,vip", None, None, None, "b", None]
    rule = {"path": "tags[*].tag", "has_key": True}
    _, rows = extract(ticket_source(resource, where=rule), run_id="2")
    assert [row["ticket_id"] for row in rows] == ["desk:1", "desk:5"]


@pytest.mark.parametrize(("path", "expected"), [("kind", ["1", "2"]), ("other", []), ("via.bot", ["2"])])
def test_a_column_is_a_field_of_each_row(inbox: Path, ticket_source, extract, path: str, expected: list[str]) -> None:
    resource = write(inbox, 'id;status;created;kind;via\n1;open;2024-01-01;;\n2;open;2024-01-01;ad;{"bot": null}\n')
    _, rows = extract(
        ticket_source({**resource, "delimiter": ";", "quote": "|"}, where={"path": path, "has_key": True})
    )
    assert [row["ticket_id"] for row in rows] == [f"desk:{key}" for key in expected]


def test_a_list_of_paths_is_joined_by_a_space(inbox: Path, ticket_source, extract) -> None:
    resource = write(
        inbox, "id,status,created,a,b\n1,open,2024-01-01,Mail,EU\n2,open,2024-01-01,,EU\n3,open,2024-01-01,,\n"
    )
    _, rows = extract(ticket_source(resource, {"topic": {"path": ["a", "b"]}}))
    assert [row["topic"] for row in rows] == ["Mail EU", "EU", None]


def test_every_fault_of_a_row_is_told_and_no_value_is_quoted(inbox: Path, ticket_source, extract) -> None:
    resource = write(inbox, "id,status,created,reopens\n,secret-status,31/12/1999,secret-number\n")
    columns = {"status": {"path": "status", "values": {"o": "open"}}, "reopen_count": {"path": "reopens"}}
    _, rows = extract(ticket_source(resource, columns))
    faults = {(fault["column"], fault["rule"]) for fault in json.loads(rows[0]["faults"])}
    assert faults == {
        ("ticket_id", "missing_required"),
        ("status", "value_map"),
        ("created_at", "cast:timestamp"),
        ("reopen_count", "cast:integer"),
    }
    assert "secret" not in rows[0]["faults"]


@pytest.mark.parametrize(("events", "expected"), [("complete", True), ("none", False)])
def test_tickets_tell_whether_their_events_are_complete(inbox: Path, ticket_source, extract, events, expected) -> None:
    resource = write(inbox, "id,status,created\n1,open,2024-01-01\n")
    _, rows = extract(ticket_source(resource, events=events))
    assert rows[0]["has_complete_events"] is expected


EVENT_COLUMNS = {
    "ticket_id": {"path": "id"},
    "occurred_at": {"path": "at"},
    "event_type": {"constant": "status"},
    "value": {"path": "value"},
}


def event_key(content: str, ordinal: int) -> str:
    digest = hashlib.sha256(content.encode()).hexdigest()
    return "desk:" + hashlib.sha256(f"{digest}|{ordinal}".encode()).hexdigest()


def test_events_without_a_key_get_a_hash_of_content_and_ordinal(inbox: Path, ticket_source, extract) -> None:
    resource = write(inbox, "id,at,value\n1,2024-01-01,open\n1,2024-01-01,open\n1,2024-01-01,solved\n")
    _, rows = extract(ticket_source(resource, EVENT_COLUMNS, entity="ticket_events"))
    contents = [
        f"event_type=status\x1eoccurred_at=2024-01-01 00:00:00\x1eticket_id=desk:1\x1evalue={value}\x1e"
        for value in ("open", "open", "solved")
    ]
    assert [row["event_id"] for row in rows] == [
        event_key(contents[0], 0),
        event_key(contents[1], 1),
        event_key(contents[2], 0),
    ]
    assert [row["faults"] for row in rows] == [None] * 3


def test_event_keys_do_not_depend_on_chunks_order_or_overlapping_files(
    inbox: Path, ticket_source, extract, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"{n % 5},2024-01-0{n % 3 + 1},open\n" for n in range(60)]
    one = ticket_source(
        write(inbox, "id,at,value\n" + "".join(lines), "one.csv"), EVENT_COLUMNS, entity="ticket_events"
    )
    _, rows = extract(one, run_id="one")
    keys = {row["event_id"] for row in rows}
    assert len(keys) == 60

    random.Random(1).shuffle(lines)
    monkeypatch.setattr("hansei.sources.chunks.rechunk.__defaults__", (7,))
    for name in ("day-1.csv", "day-2.csv"):  # the second export tells everything once more
        write(inbox, "id,at,value\n" + "".join(lines), name)
    both = ticket_source({"path": str(inbox / "day-*.csv"), "format": "csv"}, EVENT_COLUMNS, entity="ticket_events")
    _, again = extract(both, run_id="two")
    assert len(again) == 120
    assert {row["event_id"] for row in again} == keys


def test_a_key_of_the_source_goes_before_the_hash(inbox: Path, ticket_source, extract) -> None:
    resource = write(inbox, "id,at,value,event\n1,2024-01-01,open,E1\n1,2024-01-01,open,\n")
    columns = {**EVENT_COLUMNS, "event_id": {"path": "event"}}
    _, rows = extract(ticket_source(resource, columns, entity="ticket_events"))
    assert rows[0]["event_id"] == "desk:E1"
    assert len(rows[1]["event_id"]) == len("desk:") + 64
    assert [row["faults"] for row in rows] == [None, None]


def test_one_resource_feeds_several_entities(inbox: Path, catalog, settings, ticket_source, extract) -> None:
    resource = write(inbox, "id,status,created,score\n1,open,2024-01-01,4\n2,open,2024-01-02\n3,open,2024-01-03,\n")
    answers = {
        "entity": "survey_responses",
        "resource": "export",
        "where": {"path": "score", "is_present": True},
        "columns": {
            "response_id": {"path": "id"},
            "survey_id": {"constant": "csat"},
            "survey_kind": {"constant": "csat"},
            "responded_at": {"path": "created"},
            "score": {"path": "score"},
            "scale_minimum": {"constant": 1},
            "scale_maximum": {"constant": 5},
        },
    }
    tickets = {"entity": "tickets", "resource": "export", "columns": {
        "ticket_id": {"path": "id"}, "status": {"path": "status"}, "created_at": {"path": "created"},
    }}  # fmt: skip
    source = ticket_source(resource, entities=[tickets, answers])
    manifest, rows = extract(source)
    # The row with too few fields is counted once, with the first entity.
    assert manifest.entities["tickets"].received == 3
    assert manifest.entities["survey_responses"].received == 1
    _, responses = extract(source, entity="survey_responses")
    assert [(row["response_id"], row["survey_id"], row["score"]) for row in responses] == [("desk:1", "desk:csat", 4.0)]
    assert [(row["mapping"]) for row in rows] == [0, 0, 0]
    assert responses[0]["mapping"] == 1


def test_content_hashes_ignore_version_and_columns_that_are_null(inbox: Path, ticket_source, extract) -> None:
    resource = write(
        inbox, "id,status,created,topic,n\n1,open,2024-01-01,,1\n1,open,2024-01-01,,2\n1,open,2024-01-01,x,3\n"
    )
    version = {"path": "n", "type": "sequence"}
    _, rows = extract(ticket_source(resource, {"topic": {"path": "topic"}}, version=version))
    text = "created_at=2024-01-01 00:00:00\x1ehas_complete_events=false\x1estatus=open\x1eticket_id=desk:1\x1e"
    expected = hashlib.sha256(text.encode()).hexdigest()
    assert [row["content_hash"] == expected for row in rows] == [True, True, False]


def test_a_value_counts_only_when_its_condition_holds(inbox, ticket_source, extract) -> None:
    lines = ["id,status,created,changed,state",
             "1,open,2024-01-01,2024-02-01,gone", "2,open,2024-01-01,2024-02-01,here",
             "3,open,2024-01-01,soon,here", "4,open,2024-01-01,soon,gone", "5,open,2024-01-01,2024-02-01,"]  # fmt: skip
    (inbox / "t.csv").write_text("\n".join(lines) + "\n")
    gone = {"path": "state", "equals": ["gone"]}
    columns = {
        "closed_at": {"path": "changed", "when": gone},
        "solved_at": {"path": "changed", "when": {"path": "state", "is_present": False}},
    }
    deleted_at = {"path": "changed", "when": gone}
    source = ticket_source({"path": str(inbox / "t.csv"), "format": "csv"}, columns, deleted_at=deleted_at)
    _, rows = extract(source)
    day = datetime(2024, 2, 1)
    assert [row["closed_at"] for row in rows] == [day, None, None, None, None]
    assert [row["deleted_at"] for row in rows] == [day, None, None, None, None]
    assert [row["solved_at"] for row in rows] == [None, None, None, None, day]
    assert [bool(row["faults"]) for row in rows] == [False, False, False, True, False]


def test_a_required_value_whose_condition_fails_is_missing(inbox, ticket_source, extract) -> None:
    (inbox / "t.csv").write_text("id,status,created,state\n1,open,2024-01-01,yes\n2,open,2024-01-01,no\n")
    columns = {"status": {"path": "status", "when": {"path": "state", "equals": ["yes"]}}}
    _, rows = extract(ticket_source({"path": str(inbox / "t.csv"), "format": "csv"}, columns))
    assert [row["faults"] for row in rows] == [None, '[{"column":"status","rule":"missing_required"}]']


def test_a_pattern_takes_its_group_and_nothing_where_it_finds_none(inbox: Path, ticket_source, extract) -> None:
    resource = write(
        inbox, "id,status,created,link\n1,open,2024-01-01,rt://x/ticket/17\n2,open,2024-01-01,rt://x/user/1\n"
    )
    column = {"merged_into_ticket_id": {"path": "link", "extract": "ticket/(\\d+)$"}}
    _, rows = extract(ticket_source(resource, column))
    assert [row["merged_into_ticket_id"] for row in rows] == ["desk:17", None]


def test_a_value_that_equals_another_field_has_a_word_of_its_own(inbox: Path, ticket_source, extract) -> None:
    resource = write(
        inbox,
        "id,status,created,author,requester\n1,open,2024-01-01,7,7\n2,open,2024-01-01,1,7\n3,open,2024-01-01,8,7\n"
        "4,open,2024-01-01,,7\n5,open,2024-01-01,8,\n",
    )
    word = {"path": "author", "same_as": {"path": "requester", "then": "customer"}, "values": {"1": "system"}}
    _, rows = extract(ticket_source(resource, {"opened_by": {**word, "other": "agent"}}), run_id="1")
    assert [row["opened_by"] for row in rows] == ["customer", "system", "agent", None, "agent"]
    _, rows = extract(ticket_source(resource, {"opened_by": word}), run_id="2")
    assert [row["faults"] is None for row in rows] == [True, True, False, True, False]  # 8 is no word that is told


def test_several_filters_hold_together(inbox: Path, ticket_source, extract) -> None:
    resource = write(
        inbox, "id,status,created,a,b\n1,open,2024-01-01,x,1\n2,open,2024-01-01,x,\n3,open,2024-01-01,y,1\n"
    )
    where = [{"path": "a", "equals": ["x"]}, {"path": "b", "is_present": True}]
    _, rows = extract(ticket_source(resource, where=where))
    assert [row["ticket_id"] for row in rows] == ["desk:1"]


def test_minutes_of_a_week_that_begins_on_sunday_are_turned_to_monday(inbox: Path, ticket_source, extract) -> None:
    """Sunday 00:00 is the last day of our week; Sunday 24:00 as an end is Monday 00:00 as a start."""
    (inbox / "h.csv").write_text(
        "id,start,end\nsunday,0,1440\nmonday,1440,2880\nsaturday,9180,10080\nfriday,7740,8220\n"
    )
    columns = {
        "calendar_hours_id": {"path": "id"},
        "calendar_id": {"constant": "c"},
        "start_minute": {"path": "start", "turned": {"by": 8640, "around": 10080}},
        "end_minute": {"path": "end", "turned": {"by": 8640, "around": 10080, "closes": True}},
    }
    resource = {"path": str(inbox / "h.csv"), "format": "csv"}
    _, rows = extract(ticket_source(resource, columns, entity="calendar_hours"))
    assert [(row["start_minute"], row["end_minute"]) for row in rows] == [
        (8640, 10080), (0, 1440), (7740, 8640), (6300, 6780),
    ]  # fmt: skip
