"""Staging tables straight from a folder of raw Zendesk tables in Parquet, for measuring what comes after staging.

    HANSEI_HOME=... python scripts/raw_staging.py FOLDER

One INSERT ... SELECT per entity, without validation. What is written equals what the definition `zendesk_warehouse` and
a night write (tests/e2e/test_zendesk_warehouse.py compares them), but for personal columns and hashes, which stay NULL:
subject, body, name, email, phone, requester_email, comment, content_hash, extra.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import duckdb
import pyarrow as pa

from hansei.catalog import Catalog, load_catalog
from hansei.settings import load_settings
from hansei.warehouse import Warehouse, open_warehouse
from hansei.warehouse.tables import evolve, staging_columns

SOURCE = INSTANCE = "zendesk"
BATCH_ROWS = 250_000
# The zones of the generated data; the definition knows every one of the vendor's names.
ZONES = {"Pacific Time (US & Canada)": "America/Los_Angeles", "London": "Europe/London", "Berlin": "Europe/Berlin"}


def _key(value: str) -> str:
    return f"('{INSTANCE}:' || {value})"


def _version(synced: str, evidence: str | None = None) -> str:
    text = f"strftime({synced}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    return text if evidence is None else f"{text} || '|' || lpad(({evidence})::VARCHAR, 20, '0')"


def _event_id(field: str, at: str) -> str:
    return f"('{INSTANCE}:' || ticket_id || ' ' || {field} || ' ' || strftime({at}, '%Y-%m-%dT%H:%M:%S.%f'))"


_ACTOR = f"""
  CASE
    WHEN history.user_id = -1 THEN 'system'
    WHEN history.user_id = ticket.requester_id THEN 'customer'
    WHEN known_agents.user_id IS NOT NULL THEN 'agent'
    WHEN people.id IS NOT NULL THEN 'customer'
  END AS actor_kind,
  history.user_id = -1 AS is_automatic,
  CASE WHEN history.user_id <> -1 THEN {_key("history.user_id")} END AS actor_id"""
_EVIDENCE = "CASE WHEN known_agents.user_id IS NOT NULL THEN 2 WHEN people.id IS NOT NULL THEN 1 ELSE 0 END"
_PEOPLE = """
  LEFT JOIN ticket ON history.ticket_id = ticket.id
  LEFT JOIN known_agents ON history.user_id = known_agents.user_id
  LEFT JOIN people ON history.user_id = people.id"""
_METRICS = {
    "first_reply_time": "first_reply",
    "next_reply_time": "next_reply",
    "requester_wait_time": "requester_wait",
    "agent_work_time": "agent_work",
}


def _words(column: str, words: dict[str, str]) -> str:
    cases = " ".join(f"WHEN '{theirs}' THEN '{ours}'" for theirs, ours in words.items())
    return f"CASE {column} {cases} END"


def statements(folder: Path) -> tuple[list[str], dict[str, list[str]]]:
    """(preparations, entity -> SELECTs with columns named as in staging); both in DuckDB's SQL."""
    file = {path.stem.removesuffix("_data"): f"read_parquet('{path}')" for path in folder.glob("*_data.parquet")}
    history = f"{file['ticket_field_history']} AS history"
    prepare = [
        f"CREATE OR REPLACE TEMP TABLE people AS SELECT id, role FROM {file['user']}",
        f"CREATE OR REPLACE TEMP TABLE ticket AS SELECT id, requester_id FROM {file['ticket']}",
        "CREATE OR REPLACE TEMP TABLE known_agents AS "
        f"SELECT TRY_CAST(value AS BIGINT) AS user_id FROM {history} WHERE field_name = 'assignee_id' "
        f"AND TRY_CAST(value AS BIGINT) IS NOT NULL UNION SELECT assignee_id FROM {file['ticket']} "
        "WHERE assignee_id IS NOT NULL UNION SELECT id FROM people WHERE role IN ('agent', 'admin')",
        "CREATE OR REPLACE TEMP TABLE tags AS SELECT ticket_id, string_agg(tag, ',' ORDER BY tag) AS tags, "
        f"bool_or(tag = 'spam') AS is_spam FROM {file['ticket_tag']} GROUP BY ticket_id",
    ]
    tickets = f"""
      SELECT {_key("raw.id")} AS ticket_id, raw.status, raw.priority, raw.type AS topic, tags.tags,
        CASE raw.via_channel WHEN 'email' THEN 'mail' WHEN 'voice' THEN 'phone' ELSE raw.via_channel END AS channel,
        brand.name AS brand, {_key("raw.requester_id")} AS customer_id,
        {_key("raw.organization_id")} AS organization_id, {_key("raw.group_id")} AS team_id,
        {_key("raw.assignee_id")} AS assignee_id, raw.created_at, raw.updated_at,
        CASE
          WHEN raw.submitter_id = raw.requester_id THEN 'customer'
          WHEN raw.submitter_id = -1 THEN 'system'
          WHEN known_agents.user_id IS NOT NULL THEN 'agent'
          WHEN people.id IS NOT NULL THEN 'customer'
        END AS opened_by,
        coalesce(tags.is_spam, false) AS is_spam, true AS has_complete_events,
        {_version("raw._fivetran_synced", _EVIDENCE)} AS source_version
      FROM {file["ticket"]} AS raw
      LEFT JOIN tags ON raw.id = tags.ticket_id
      LEFT JOIN {file["brand"]} AS brand ON raw.brand_id = brand.id
      LEFT JOIN known_agents ON raw.submitter_id = known_agents.user_id
      LEFT JOIN people ON raw.submitter_id = people.id"""
    types = {
        "status": "status",
        "priority": "priority",
        "satisfaction_score": "satisfaction",
        "assignee_id": "assignee",
        "group_id": "team",
    }
    changes = f"""
      SELECT {_event_id("field_name", "updated")} AS event_id, {_key("ticket_id")} AS ticket_id,
        updated AS occurred_at, {_words("field_name", types)} AS event_type, field_name AS field,
        CASE WHEN field_name IN ('assignee_id', 'group_id') THEN {_key("value")} ELSE value END AS value, {_ACTOR},
        {_version("history._fivetran_synced", _EVIDENCE)} AS source_version
      FROM {history} {_PEOPLE}
      WHERE field_name IN ({", ".join(f"'{name}'" for name in types)})"""
    reasons = f"""
      SELECT {_event_id("field_name", "updated")} AS event_id, {_key("ticket_id")} AS ticket_id,
        updated AS occurred_at, 'satisfaction' AS event_type, field_name AS field, value,
        CASE WHEN user_id <> -1 THEN {_key("user_id")} END AS actor_id,
        {_version("_fivetran_synced")} AS source_version
      FROM {history} WHERE field_name = 'satisfaction_reason_code'"""
    replies = f"""
      SELECT {_key("history.id")} AS event_id, {_key("ticket_id")} AS ticket_id, created AS occurred_at,
        history.id AS sequence_number, 'reply' AS event_type, "public" AS is_public, {_ACTOR},
        {_version("history._fivetran_synced", _EVIDENCE)} AS source_version
      FROM {file["ticket_comment"]} AS history {_PEOPLE}"""
    calendars_of_tickets = f"""
      SELECT {_event_id("schedule_id", "created_at")} AS event_id, {_key("ticket_id")} AS ticket_id,
        created_at AS occurred_at, 'calendar' AS event_type, 'schedule_id' AS field, {_key("schedule_id")} AS value,
        {_version("_fivetran_synced")} AS source_version
      FROM {file["ticket_schedule"]}"""
    # The policy in force is the last one named up to the target.
    targets = f"""
      SELECT {_event_id("history.field_name", "history.updated")} AS sla_target_id,
        {_key("ticket_id")} AS ticket_id, {_words("history.field_name", _METRICS)} AS metric,
        history.updated AS applied_at, (history.value ->> '$.minutes')::BIGINT * 60 AS target_seconds,
        (history.value ->> '$.in_business_hours')::BOOLEAN AS is_business_time, policies.value AS policy,
        {_version("history._fivetran_synced")} AS source_version
      FROM (SELECT * FROM {history} WHERE field_name IN ({", ".join(f"'{name}'" for name in _METRICS)})) AS history
      ASOF LEFT JOIN (SELECT ticket_id, updated, value FROM {history} WHERE field_name = 'sla_policy') AS policies
        USING (ticket_id, updated)"""
    zones = _words("time_zone", ZONES)
    calendars = f"""
      SELECT {_key("id")} AS calendar_id, any_value(name) AS name, any_value({zones}) AS zone,
        id = arg_min(id, min(created_at)) OVER () AS is_default
      FROM {file["schedule"]} GROUP BY id"""
    # Minutes after Monday 00:00; nothing in generated data crosses the end of the week.
    hours = f"""
      SELECT {_key("id || ' ' || start_minute || ' ' || end_minute")} AS calendar_hours_id,
        {_key("id")} AS calendar_id, start_minute, end_minute
      FROM (
        SELECT id, (start_time + 8640) % 10080 AS start_minute,
          (start_time + 8640) % 10080 + end_time - start_time AS end_minute
        FROM {file["schedule"]})"""
    holidays = f"""
      SELECT {_key("id")} AS calendar_holiday_id, {_key("schedule_id")} AS calendar_id, name, start_date, end_date
      FROM {file["schedule_holiday"]}"""
    agents = f"""
      SELECT {_key("known_agents.user_id")} AS agent_id, raw.role,
        coalesce(raw.active AND NOT coalesce(raw.suspended, false) AND raw.role <> 'end-user', false) AS is_active
      FROM known_agents LEFT JOIN {file["user"]} AS raw ON raw.id = known_agents.user_id"""
    customers = f"""
      SELECT {_key("id")} AS customer_id, external_id, split_part(lower(email), '@', 2) AS email_domain,
        {_key("organization_id")} AS organization_id, locale AS language, created_at
      FROM {file["user"]} WHERE role = 'end-user' OR id IN (SELECT requester_id FROM ticket)"""
    scores = "SELECT ticket_id, max_by(value, updated) AS value, max(updated) AS updated FROM "
    answers = f"""
      SELECT {_key("ticket_id")} AS response_id, '{INSTANCE}:satisfaction' AS survey_id, 'csat' AS survey_kind,
        {_key("ticket_id")} AS ticket_id, {_key("requester_id")} AS customer_id, updated AS responded_at,
        {_key("offers.offered_id")} AS invitation_id,
        CASE value WHEN 'good' THEN 1 ELSE 0 END AS score, 0 AS scale_minimum, 1 AS scale_maximum
      FROM ({scores} {history} WHERE field_name = 'satisfaction_score' AND value IN ('good', 'bad') GROUP BY ticket_id)
      LEFT JOIN (
        SELECT DISTINCT ticket_id AS offered_id FROM {history}
        WHERE field_name = 'satisfaction_score' AND value = 'offered') AS offers ON ticket_id = offers.offered_id
      LEFT JOIN ticket ON ticket_id = ticket.id"""
    invitations = f"""
      SELECT {_key("ticket_id")} AS invitation_id, '{INSTANCE}:satisfaction' AS survey_id,
        {_key("ticket_id")} AS ticket_id, max(updated) AS sent_at
      FROM {history} WHERE field_name = 'satisfaction_score' AND value = 'offered' GROUP BY ticket_id"""
    survey = f"""
      SELECT '{INSTANCE}:satisfaction' AS survey_id, 'Zendesk satisfaction' AS name, 'csat' AS kind,
        'How would you rate the support you received?' AS question, 0 AS scale_minimum, 1 AS scale_maximum,
        true AS is_higher_better"""
    return prepare, {
        "tickets": [tickets],
        "ticket_events": [changes, replies, reasons, calendars_of_tickets],
        "sla_targets": [targets],
        "calendars": [calendars],
        "calendar_hours": [hours],
        "calendar_holidays": [holidays],
        "agents": [agents],
        "teams": [f"SELECT {_key('id')} AS team_id, name, true AS is_active FROM {file['group']}"],
        "customers": [customers],
        "surveys": [survey],
        "survey_invitations": [invitations],
        "survey_responses": [answers],
    }


def fill_staging(warehouse: Warehouse, catalog: Catalog, folder: Path, run_id: str = "raw_staging") -> dict[str, int]:
    """Fills the empty staging tables of an open warehouse that `evolve` has prepared; rows per entity."""
    prepare, selects = statements(folder)
    counts = {}
    with warehouse.transaction():
        reader = warehouse._raw() if warehouse.sql.is_duckdb else duckdb.connect()
        for statement in prepare:
            reader.execute(statement)
        for entity, queries in selects.items():
            table, kinds = catalog.entities[entity].table, staging_columns(catalog.entities[entity])
            for query in queries:
                given = [column[0] for column in reader.execute(f"SELECT * FROM ({query}) LIMIT 0").description]
                typed = ", ".join(f"CAST({name} AS {_duckdb_type(kinds[name])}) AS {name}" for name in given)
                # Without a version of their own rows are as of the run, which tests of equality leave out.
                named = f"{typed}, '{SOURCE}' AS source, '{run_id}' AS loaded_run_id"
                final = f"SELECT {named} FROM ({query})"
                columns = ", ".join([*given, "source", "loaded_run_id"])
                if warehouse.sql.is_duckdb:
                    reader.execute(f"INSERT INTO {table} ({columns}) {final}")
                else:
                    for batch in reader.execute(final).to_arrow_reader(BATCH_ROWS):
                        warehouse.load(table, pa.Table.from_batches([batch]))
            counts[entity] = warehouse.scalar(f"SELECT COUNT(*) FROM {table}")
        if not warehouse.sql.is_duckdb:
            reader.close()
    if not warehouse.sql.is_duckdb:
        for entity in selects:
            warehouse.execute(f"ANALYZE {catalog.entities[entity].table}")
    return counts


def _duckdb_type(kind: str) -> str:
    return {"key": "VARCHAR", "text": "VARCHAR", "decimal": "DECIMAL(18, 4)"}.get(kind, kind.upper())


def main() -> None:
    settings = load_settings()
    catalog = load_catalog(settings)
    began = time.perf_counter()
    with open_warehouse(settings) as warehouse:
        evolve(warehouse, catalog)
        for entity, count in fill_staging(warehouse, catalog, Path(sys.argv[1])).items():
            print(f"{entity:20} {count:>12,}")
    print(f"{time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
