"""The raw tables of a Zendesk loader through extraction and publication, against counts and facts told otherwise."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from support import zendesk_raw
from support.real_data import DATA, EXAMPLES, REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts"))

FIRST_NIGHT = datetime(2026, 3, 2)
SECOND_NIGHT = datetime(2026, 3, 3)
KEYS = {
    "HANSEI_IDENTITY_KEY": "k" * 40,
    "HANSEI_QUARANTINE_KEY": base64.urlsafe_b64encode(b"public data hides no person here").decode(),
}
SPEAKER, LEFT_AGENT, GONE_CUSTOMER, NOBODY, ADMIN = 11, 21, 12, 99, 22


@pytest.fixture
def nights(engine_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """nights(run_id, until) runs extraction and publication; raw tables are at `nights.raw`, on the same engine."""
    from hansei import pipeline
    from hansei.pipeline import nightly
    from hansei.warehouse import open_warehouse

    is_embedded = engine_url.get_backend_name() == "duckdb"
    raw = engine_url.set(database=str(tmp_path / "raw.duckdb")) if is_embedded else engine_url
    environment = {
        **KEYS,
        **zendesk_raw.environment(raw),
        "HANSEI_HOME": str(tmp_path / "home"),
        "HANSEI_WAREHOUSE": engine_url.render_as_string(hide_password=False),
        "HANSEI_DEFINITIONS": str(EXAMPLES / "zendesk_warehouse"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    class Nights:
        def __init__(self) -> None:
            self.raw, self.before = raw, None

        def __call__(self, run_id: str, until: datetime) -> dict:
            context = pipeline.context(now=lambda: until)
            nightly.open_run(context, run_id, self.before, until)
            nightly.extract(context, run_id, "zendesk")
            counts = nightly.publish(context, run_id, "zendesk")
            self.before, self.settings = until, context.settings
            for entity, count in counts.items():
                fates = sum(count[fate] for fate in ("accepted", "quarantined", "duplicate", "held"))
                assert fates == count["received"], entity
            return counts

        def rows(self, query: str) -> list[dict]:
            with open_warehouse(self.settings) as warehouse:
                return warehouse.rows(query)

    return Nights()


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-02-{text}")


def change(ticket: int, field: str, when: str, value: str | None, user: int, synced: datetime) -> dict:
    row = {"ticket_id": ticket, "field_name": field, "updated": at(when), "value": value, "user_id": user}
    return {**row, "_fivetran_synced": synced}


def small_desk(synced: datetime = FIRST_NIGHT - timedelta(hours=2)) -> dict[str, list[dict]]:
    """Four tickets: a common one, one whose people are all gone, one merged into the first, and one that is spam."""
    common = {"_fivetran_synced": synced}
    created = datetime(2026, 2, 2, 9)
    base = {**common, "created_at": created, "updated_at": created, "via_channel": "email", "priority": "high"}
    base |= {"brand_id": 1, "group_id": 5, "merged_ticket_ids": "[]", "type": "question", "subject": "Help"}
    person = {**common, "created_at": created, "updated_at": created, "active": True, "suspended": False}
    comment = {**common, "body": "words", "public": True}
    return {
        "ticket": [
            {**base, "id": 1, "status": "solved", "requester_id": SPEAKER, "submitter_id": ADMIN, "assignee_id": ADMIN,
             "merged_ticket_ids": "[3, 77]"},
            {**base, "id": 2, "status": "open", "requester_id": GONE_CUSTOMER, "submitter_id": NOBODY,
             "assignee_id": None, "via_channel": "voice"},
            {**base, "id": 3, "status": "closed", "requester_id": SPEAKER, "submitter_id": SPEAKER},
            {**base, "id": 4, "status": "deleted", "requester_id": SPEAKER, "submitter_id": SPEAKER},
        ],
        "ticket_tag": [
            {**common, "ticket_id": 1, "tag": "vip"},
            {**common, "ticket_id": 1, "tag": "billing"},
            {**common, "ticket_id": 3, "tag": "closed_by_merge"},
            {**common, "ticket_id": 4, "tag": "spam"},
        ],
        "ticket_comment": [
            {**comment, "id": 101, "ticket_id": 1, "user_id": ADMIN, "created": at("02T09:00:00")},
            {**comment, "id": 102, "ticket_id": 1, "user_id": SPEAKER, "created": at("02T10:00:00")},
            {**comment, "id": 103, "ticket_id": 2, "user_id": GONE_CUSTOMER, "created": at("02T09:00:00")},
            {**comment, "id": 104, "ticket_id": 2, "user_id": LEFT_AGENT, "created": at("02T11:00:00")},
            {**comment, "id": 105, "ticket_id": 2, "user_id": NOBODY, "created": at("02T12:00:00"), "public": False},
            {**comment, "id": 106, "ticket_id": 2, "user_id": -1, "created": at("02T13:00:00")},
        ],
        "ticket_field_history": [
            change(1, "status", "02T09:00:00", "new", ADMIN, synced),
            change(1, "status", "02T12:00:00", "solved", ADMIN, synced),
            change(1, "priority", "02T09:00:00", "high", ADMIN, synced),
            change(1, "group_id", "02T09:00:00", "5", ADMIN, synced),
            change(1, "assignee_id", "02T09:30:00", str(ADMIN), -1, synced),
            change(1, "sla_policy", "02T09:00:00", "Standard", -1, synced),
            change(1, "first_reply_time", "02T09:00:00", '{"minutes": 60, "in_business_hours": true}', -1, synced),
            # Told twice by the loader: one target.
            change(1, "first_reply_time", "02T09:00:00", '{"minutes": 60, "in_business_hours": true}', -1, synced),
            change(1, "sla_policy", "02T10:00:00", "Premium", -1, synced),
            change(1, "first_reply_time", "02T10:00:00", '{"minutes": 30, "in_business_hours": false}', -1, synced),
            change(1, "next_reply_time", "02T10:00:00", None, -1, synced),
            change(1, "satisfaction_score", "03T09:00:00", "offered", -1, synced),
            change(1, "satisfaction_score", "03T10:00:00", "good", SPEAKER, synced),
            change(1, "satisfaction_score", "03T11:00:00", "bad", SPEAKER, synced),
            change(1, "satisfaction_comment", "03T10:00:05", "too slow", SPEAKER, synced),
            change(1, "satisfaction_reason_code", "03T11:00:05", "102", SPEAKER, synced),
            change(2, "status", "02T09:00:00", "new", GONE_CUSTOMER, synced),
            change(2, "assignee_id", "02T10:00:00", str(LEFT_AGENT), LEFT_AGENT, synced),
            change(2, "assignee_id", "02T12:30:00", None, LEFT_AGENT, synced),
            change(2, "status", "02T11:00:00", "open", LEFT_AGENT, synced),
            change(3, "status", "02T09:00:00", "new", SPEAKER, synced),
            change(3, "tags", "02T09:10:00", "closed_by_merge", ADMIN, synced),
            change(3, "status", "02T09:10:00", "closed", ADMIN, synced),
            change(4, "status", "02T09:00:00", "deleted", ADMIN, synced),
        ],
        "ticket_schedule": [{**common, "ticket_id": 1, "created_at": at("02T09:00:01"), "schedule_id": 8}],
        "user": [
            {**person, "id": SPEAKER, "role": "end-user", "name": "Ann", "email": "ann@firm.example"},
            {**person, "id": ADMIN, "role": "admin", "name": "Bo", "email": "bo@desk.example"},
        ],
        "group": [{**common, "id": 5, "name": "First line", "_fivetran_deleted": False}],
        "brand": [{**common, "id": 1, "name": "Main", "_fivetran_deleted": False}],
        "schedule": [
            # Sunday 22:00 to Monday 06:00 by the raw week, which begins on Sunday; the older of two schedules.
            {**common, "id": 7, "name": "Nights", "time_zone": "Berlin", "start_time": 22 * 60, "end_time": 30 * 60,
             "created_at": datetime(2020, 1, 1), "_fivetran_deleted": False},
            # A round-the-clock week in one piece.
            {**common, "id": 8, "name": "Always", "time_zone": "Pacific Time (US & Canada)", "start_time": 0,
             "end_time": 10080, "created_at": datetime(2021, 1, 1), "_fivetran_deleted": False},
            # A deleted schedule is the oldest, and no default.
            {**common, "id": 6, "name": "Gone", "time_zone": "London", "start_time": 1440, "end_time": 1500,
             "created_at": datetime(2019, 1, 1), "_fivetran_deleted": True},
        ],
        "schedule_holiday": [
            {**common, "id": 1, "schedule_id": 7, "name": "Easter", "start_date": datetime(2026, 4, 3).date(),
             "end_date": datetime(2026, 4, 6).date(), "_fivetran_deleted": False}
        ],
    }  # fmt: skip


def test_a_small_desk_arrives_whole(nights) -> None:
    zendesk_raw.write_rows(nights.raw, small_desk())
    counts = nights("first", FIRST_NIGHT)
    assert {entity: count["quarantined"] for entity, count in counts.items() if count["quarantined"]} == {}
    tickets = {row["ticket_id"]: row for row in nights.rows("SELECT * FROM staging.tickets")}
    assert set(tickets) == {f"zendesk:{number}" for number in (1, 2, 3, 4)}
    one, two, three, four = (tickets[f"zendesk:{number}"] for number in (1, 2, 3, 4))
    assert (one["tags"], one["channel"], one["brand"], one["opened_by"]) == ("billing,vip", "mail", "Main", "agent")
    assert (one["team_id"], one["assignee_id"]) == ("zendesk:5", f"zendesk:{ADMIN}")
    assert one["has_complete_events"] is True
    assert (two["channel"], two["opened_by"], two["customer_id"]) == ("phone", None, f"zendesk:{GONE_CUSTOMER}")
    assert (three["merged_into_ticket_id"], three["opened_by"]) == ("zendesk:1", "customer")
    assert (four["status"], four["is_spam"], one["is_spam"]) == ("deleted", True, False)
    assert one["requester_email"] is not None
    assert "ann@" not in str(tickets)


def test_replies_by_people_who_left_stay_and_keep_their_role(nights) -> None:
    """Error 8 of the peer: comments whose author is not in the user table vanish."""
    zendesk_raw.write_rows(nights.raw, small_desk())
    nights("first", FIRST_NIGHT)
    replies = nights.rows("SELECT * FROM staging.ticket_events WHERE event_type = 'reply' ORDER BY sequence_number")
    assert [(row["sequence_number"], row["actor_kind"]) for row in replies] == [
        (101, "agent"), (102, "customer"), (103, "customer"), (104, "agent"), (105, None), (106, "system")]  # fmt: skip
    assert [row["is_public"] for row in replies] == [True, True, True, True, False, True]
    assert [row["is_automatic"] for row in replies] == [False] * 5 + [True]
    agents = {row["agent_id"]: row["is_active"] for row in nights.rows("SELECT * FROM staging.agents")}
    assert agents == {f"zendesk:{ADMIN}": True, f"zendesk:{LEFT_AGENT}": False}


def test_events_targets_and_answers_say_what_the_history_says(nights) -> None:
    zendesk_raw.write_rows(nights.raw, small_desk())
    counts = nights("first", FIRST_NIGHT)
    events = nights.rows("SELECT * FROM staging.ticket_events WHERE event_type <> 'reply'")
    told = Counter((row["event_type"], row["value"]) for row in events if row["ticket_id"] == "zendesk:1")
    assert told == {
        ("status", "new"): 1, ("status", "solved"): 1, ("priority", "high"): 1, ("team", "zendesk:5"): 1,
        ("assignee", f"zendesk:{ADMIN}"): 1, ("calendar", "zendesk:8"): 1, ("satisfaction", "offered"): 1,
        ("satisfaction", "good"): 1, ("satisfaction", "bad"): 1, ("satisfaction", "102"): 1,
    }  # fmt: skip
    assert [row["value"] for row in events if row["event_type"] == "merge"] == ["zendesk:1"]
    unassigned = [row for row in events if row["ticket_id"] == "zendesk:2" and row["occurred_at"] == at("02T12:30:00")]
    assert [(row["event_type"], row["value"]) for row in unassigned] == [("assignee", None)]
    targets = nights.rows("SELECT * FROM staging.sla_targets ORDER BY metric, applied_at")
    assert [(row["metric"], row["target_seconds"], row["is_business_time"], row["policy"]) for row in targets] == [
        ("first_reply", 3600, True, "Standard"), ("first_reply", 1800, False, "Premium"),
        ("next_reply", None, None, "Premium")]  # fmt: skip
    assert counts["sla_targets"]["duplicate"] == 1
    (answer,) = nights.rows("SELECT * FROM staging.survey_responses")
    assert (answer["score"], answer["responded_at"], answer["comment"]) == (0, at("03T11:00:00"), "too slow")
    assert answer["invitation_id"] == "zendesk:1"


def test_schedules_become_calendars_that_begin_on_monday(nights) -> None:
    zendesk_raw.write_rows(nights.raw, small_desk())
    nights("first", FIRST_NIGHT)
    calendars = {row["calendar_id"]: row for row in nights.rows("SELECT * FROM staging.calendars")}
    told = {key: (row["zone"], row["is_default"], row["deleted_at"] is not None) for key, row in calendars.items()}
    assert told == {
        "zendesk:6": ("Europe/London", False, True),
        "zendesk:7": ("Europe/Berlin", True, False),
        "zendesk:8": ("America/Los_Angeles", False, False),
    }
    hours = nights.rows("SELECT * FROM staging.calendar_hours WHERE deleted_at IS NULL")
    assert {(row["calendar_id"], row["start_minute"], row["end_minute"]) for row in hours} == {
        ("zendesk:7", 8640 + 22 * 60, 10080), ("zendesk:7", 0, 6 * 60),
        ("zendesk:8", 8640, 10080), ("zendesk:8", 0, 8640)}  # fmt: skip
    (holiday,) = nights.rows("SELECT * FROM staging.calendar_holidays")
    assert (str(holiday["start_date"]), str(holiday["end_date"])) == ("2026-04-03", "2026-04-06")


def test_an_unknown_zone_waits_in_quarantine(nights) -> None:
    desk = small_desk()
    desk["schedule"][0]["time_zone"] = "Atlantis"
    zendesk_raw.write_rows(nights.raw, desk)
    counts = nights("first", FIRST_NIGHT)
    assert counts["calendars"]["quarantined"] == 1
    assert [row["entity"] for row in nights.rows("SELECT * FROM ops.quarantined_rows")] == ["calendars"]


def test_a_second_night_takes_what_changed_what_was_late_and_what_is_gone(nights) -> None:
    desk = small_desk()
    zendesk_raw.write_rows(nights.raw, desk)
    nights("first", FIRST_NIGHT)
    later = SECOND_NIGHT - timedelta(hours=1)
    # Changed: ticket 1 is reopened. Late: an old event of ticket 2. Gone: ticket 3 for good, a holiday, a schedule.
    desk["ticket"][0] |= {"status": "open", "updated_at": at("28T09:00:00"), "_fivetran_synced": later}
    desk["ticket_field_history"] += [
        change(1, "status", "28T09:00:00", "open", SPEAKER, later),
        change(2, "priority", "02T09:05:00", "low", -1, later),
        change(1, "satisfaction_score", "28T09:00:00", "good", SPEAKER, later),
    ]
    desk["ticket"] = [row for row in desk["ticket"] if row["id"] != 3]
    desk["schedule_holiday"][0] |= {"_fivetran_deleted": True, "_fivetran_synced": later}
    desk["schedule"] = [row for row in desk["schedule"] if row["id"] != 8]
    # The one who said something as an unknown has become a user: what he said is now known to be an agent's.
    desk["user"].append({**desk["user"][1], "id": NOBODY, "_fivetran_synced": later})
    zendesk_raw.write_rows(nights.raw, desk)
    nights("second", SECOND_NIGHT)
    tickets = {row["ticket_id"]: row for row in nights.rows("SELECT * FROM staging.tickets")}
    assert tickets["zendesk:1"]["status"] == "open"
    assert tickets["zendesk:1"]["deleted_at"] is None
    assert (tickets["zendesk:3"]["status"], tickets["zendesk:3"]["deleted_at"] is not None) == ("deleted", True)
    late = "SELECT value FROM staging.ticket_events WHERE event_type = 'priority' AND ticket_id = 'zendesk:2'"
    assert nights.rows(late) == [{"value": "low"}]
    assert nights.rows("SELECT score FROM staging.survey_responses") == [{"score": 1}]
    gone = "SELECT COUNT(*) AS count FROM staging.{} WHERE deleted_at IS NOT NULL"
    assert nights.rows(gone.format("calendar_holidays")) == [{"count": 1}]
    assert nights.rows(gone.format("calendars")) == [{"count": 2}]
    role = "SELECT actor_kind FROM staging.ticket_events WHERE sequence_number = 105"
    assert nights.rows(role) == [{"actor_kind": "agent"}]


def test_the_oracles_tickets_arrive_with_every_comment_and_station(nights) -> None:
    """The counts are those of an independent engine over the same tickets."""
    file = DATA.parent / "oracles" / "ticket_metrics.json"
    if not file.is_file():
        pytest.skip(f"no oracle: {file} is not there; put the shared folder beside the checkout")
    oracle = json.loads(file.read_text(encoding="utf-8"))
    zendesk_raw.write_oracle(nights.raw, oracle)
    counts = nights("only", datetime(2025, 1, 1))
    assert counts["tickets"]["accepted"] == len(oracle["tickets"]) == 60
    events = nights.rows("SELECT * FROM staging.ticket_events")
    told = Counter((row["ticket_id"], row["event_type"]) for row in events)
    spoken = Counter((row["ticket_id"], row["actor_kind"]) for row in events if row["event_type"] == "reply")
    private = Counter(row["ticket_id"] for row in events if row["is_public"] is False)
    for ticket in oracle["tickets"]:
        key, expected = f"zendesk:{ticket['ticket_id']}", ticket["expected"]
        found = {
            "total_comments": told[key, "reply"],
            "end_user_comments": spoken[key, "customer"],
            "internal_comments": private[key],
            "assignee_stations": told[key, "assignee"],
            "group_stations": told[key, "team"],
        }
        assert found == {name: expected[name] for name in found}, key
    targets = nights.rows("SELECT DISTINCT metric, target_seconds, is_business_time FROM staging.sla_targets")
    minutes = oracle["sla_targets_business_min"]
    assert {(row["metric"], row["target_seconds"] / 60, row["is_business_time"]) for row in targets} == {
        (metric, target, True) for metric, target in minutes.items()
    }


@pytest.mark.parametrize("name", ["zendesk", "zendesk_organizations"])
def test_the_sources_check_shows_full_coverage(
    engine_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from hansei.catalog.loader import examine
    from hansei.connections import resolve
    from hansei.settings import load_settings
    from hansei.sources.coverage import check_source

    zendesk_raw.write_parquet(engine_url, generated(tmp_path, 300))
    for variable, value in zendesk_raw.environment(engine_url).items():
        monkeypatch.setenv(variable, value)
    overlays = os.pathsep.join(str(EXAMPLES / folder) for folder in ("zendesk_warehouse", "zendesk_organizations"))
    settings = load_settings({"HANSEI_HOME": str(tmp_path), "HANSEI_DEFINITIONS": overlays, **KEYS})
    catalog, faults = examine(settings)
    assert [str(fault) for fault in faults] == []
    coverage = check_source(catalog.sources[name], catalog, settings, resolve)
    assert coverage.is_sound
    assert {
        resource.resource: resource.unused_fields for resource in coverage.resources if resource.unused_fields
    } == {}
    assert [drift for resource in coverage.resources for drift in resource.drift] == []
    hashed_or_mapped = [column for column in coverage.columns if column.required and column.origin == "missing"]
    assert hashed_or_mapped == []
    # What the generator writes nothing of: tickets that vanished, and merges.
    absent = {"vanished_tickets", "rare_changes"}
    empty = [resource.resource for resource in coverage.resources if not resource.sampled_rows]
    assert set(empty) <= absent
    assert len(coverage.columns) > (80 if name == "zendesk" else 10)


def generated(tmp_path: Path, tickets: int) -> Path:
    """A folder of raw Parquet files of so many tickets; skips where the generator is not beside the checkout."""
    generator = DATA.parent / "peer" / "zendesk_shaped.py"
    if not generator.is_file():
        pytest.skip(f"no generator of raw tables: {generator} is not there; put the shared folder beside the checkout")
    folder = tmp_path / "raw"
    command = [sys.executable, "-B", str(generator), str(tickets), str(folder), "--no-csv"]
    subprocess.run(command, check=True, capture_output=True)
    return folder


GENERATED_NIGHT = datetime(2026, 11, 23)
EVENTS = ("status", "priority", "assignee_id", "group_id", "satisfaction_score", "satisfaction_reason_code")
COUNTS = {
    "tickets": "SELECT COUNT(*) FROM ticket",
    "ticket_events": "SELECT (SELECT COUNT(*) FROM ticket_comment) + (SELECT COUNT(*) FROM ticket_schedule) + "
    f"(SELECT COUNT(*) FROM ticket_field_history WHERE field_name IN {EVENTS})",
    "sla_targets": "SELECT COUNT(*) FROM ticket_field_history WHERE value LIKE '{%'",
    "calendars": "SELECT COUNT(DISTINCT id) FROM schedule",
    "calendar_hours": "SELECT COUNT(*) FROM schedule",
    "calendar_holidays": "SELECT COUNT(*) FROM schedule_holiday",
    "survey_responses": "SELECT COUNT(DISTINCT ticket_id) FROM ticket_field_history WHERE value IN ('good', 'bad')",
    "survey_invitations": "SELECT COUNT(DISTINCT ticket_id) FROM ticket_field_history WHERE value = 'offered'",
    "teams": 'SELECT COUNT(*) FROM "group"',
    "customers": "SELECT COUNT(*) FROM \"user\" WHERE role = 'end-user'",
    "agents": "SELECT COUNT(*) FROM \"user\" WHERE role <> 'end-user'",
}
UNHASHED = ("source_version", "content_hash", "extra", "loaded_run_id")
PERSONAL = {"subject", "body", "email", "phone", "requester_email", "comment"}
NAMELESS = {"agents", "customers"}
VERSIONED = {"tickets", "ticket_events", "sla_targets"}


def test_staging_ties_out_to_the_raw_tables_and_to_set_based_sql(nights, tmp_path: Path) -> None:
    import raw_staging

    from hansei.catalog import load_catalog
    from hansei.settings import load_settings
    from hansei.warehouse import open_warehouse
    from hansei.warehouse.tables import evolve

    folder = generated(tmp_path, 2000)
    zendesk_raw.write_parquet(nights.raw, folder)
    counts = nights("only", GENERATED_NIGHT)
    engine = sa.create_engine(nights.raw, poolclass=sa.NullPool)
    with engine.connect() as opened:
        opened.exec_driver_sql(f"SET search_path = '{zendesk_raw.SCHEMA}'")
        expected = {entity: opened.execute(sa.text(query)).scalar() for entity, query in COUNTS.items()}
    engine.dispose()
    assert expected["ticket_events"] > 10_000
    assert {entity: count["accepted"] for entity, count in counts.items() if entity != "surveys"} == expected
    assert nights.rows("SELECT COUNT(*) AS count FROM ops.quarantined_rows") == [{"count": 0}]
    other = load_settings({"HANSEI_HOME": str(tmp_path / "direct"), **KEYS})
    catalog = load_catalog(other)
    with open_warehouse(other) as direct, open_warehouse(nights.settings) as staged:
        evolve(direct, catalog)
        raw_staging.fill_staging(direct, catalog, folder)
        for entity in counts:
            left_out = {*UNHASHED, *PERSONAL, *({"name"} if entity in NAMELESS else ())}
            columns = [name for name in direct.columns(f"staging.{entity}") if name not in left_out]
            columns += ["source_version"] if entity in VERSIONED else []
            query = f"SELECT {', '.join(columns)} FROM staging.{entity} ORDER BY {catalog.entities[entity].key}"
            assert staged.rows(query) == direct.rows(query), entity


def test_direct_staging_fills_either_engine_alike(engine_url: sa.URL, tmp_path: Path) -> None:
    import raw_staging

    from hansei.catalog import load_catalog
    from hansei.settings import load_settings
    from hansei.warehouse import open_warehouse
    from hansei.warehouse.tables import evolve

    url = engine_url.render_as_string(hide_password=False)
    settings = load_settings({"HANSEI_HOME": str(tmp_path), "HANSEI_WAREHOUSE": url, **KEYS})
    catalog = load_catalog(settings)
    with open_warehouse(settings) as warehouse:
        evolve(warehouse, catalog)
        counts = raw_staging.fill_staging(warehouse, catalog, generated(tmp_path, 200))
        assert counts["tickets"] == 200
        query = "SELECT COUNT(*) AS rows, COUNT(DISTINCT event_id) AS keys FROM staging.ticket_events"
        assert warehouse.rows(query) == [{"rows": counts["ticket_events"], "keys": counts["ticket_events"]}]


def test_our_zones_change_their_clocks_when_the_loader_says_so(tmp_path: Path) -> None:
    """The daylight tables are not read: the zones in the definition know their transitions themselves."""
    import duckdb
    import raw_staging

    folder = generated(tmp_path, 10)
    rows = duckdb.sql(f"SELECT * FROM '{folder}/daylight_time_data.parquet'").to_arrow_table().to_pylist()
    offsets = duckdb.sql(f"SELECT * FROM '{folder}/time_zone_data.parquet'").to_arrow_table().to_pylist()
    standard = {row["time_zone"]: int(row["standard_offset"][:3]) for row in offsets}
    assert len(rows) == 27
    for row in rows:
        zone = ZoneInfo(raw_staging.ZONES[row["time_zone"]])
        for moment, before in ((row["daylight_start_utc"], 0), (row["daylight_end_utc"], row["daylight_offset"])):
            after = row["daylight_offset"] - before
            for instant, extra in ((moment - timedelta(seconds=1), before), (moment, after)):
                local = instant.replace(tzinfo=UTC).astimezone(zone)
                hours = local.utcoffset().total_seconds() / 3600
                assert hours == standard[row["time_zone"]] + extra, (row["time_zone"], instant)
