"""Raw Zendesk tables in a warehouse, as a loader leaves them: from rows, the oracle's tickets, Parquet folders.

    write_rows(url, {"ticket": [{...}], ...})        whatever a test needs; columns that a row lacks are NULL
    write_oracle(url, oracle)                        the tickets of oracles/ticket_metrics.json as raw rows
    write_parquet(url, folder)                       what peer/zendesk_shaped.py wrote
    environment(url)                                 variables under which the definition `zendesk_warehouse` finds them

`url` is a SQLAlchemy URL of DuckDB or PostgreSQL. The tables lie in the schema `zendesk` and are replaced.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
import sqlalchemy as sa

SCHEMA = "zendesk"
CONNECTION = "zendesk_warehouse"
Rows = Mapping[str, list[dict[str, Any]]]
# Raw table -> type -> columns.
TABLES: dict[str, dict[str, str]] = {
    "ticket": {
        "bigint": "id assignee_id brand_id external_id forum_topic_id group_id organization_id problem_id requester_id "
        "submitter_id system_client ticket_form_id via_source_from_id via_followup_source_id",
        "timestamp": "_fivetran_synced created_at due_at updated_at",
        "boolean": "allow_channelback has_incidents is_public",
        "text": "description priority recipient status subject type url via_channel via_source_to_address "
        "via_source_to_name via_source_rel via_source_from_title via_source_from_address merged_ticket_ids "
        "followup_ids",
    },
    "ticket_comment": {
        "bigint": "id ticket_id user_id",
        "timestamp": "_fivetran_synced created",
        "text": "body",
        "boolean": "facebook_comment public tweet voice_comment",
    },
    "ticket_field_history": {
        "text": "field_name value",
        "bigint": "ticket_id user_id",
        "timestamp": "updated _fivetran_synced",
    },
    "ticket_schedule": {"timestamp": "created_at _fivetran_synced", "bigint": "ticket_id schedule_id"},
    "ticket_tag": {"text": "tag", "bigint": "ticket_id", "timestamp": "_fivetran_synced"},
    "user": {
        "bigint": "id alias authenticity_token details external_id locale_id notes organization_id remote_photo_url "
        "signature",
        "timestamp": "_fivetran_synced created_at last_login_at updated_at",
        "boolean": "active chat_only moderator only_private_comments restricted_agent shared shared_agent suspended "
        "two_factor_auth_enabled verified",
        "text": "email locale name phone role ticket_restriction time_zone url",
    },
    "group": {
        "bigint": "id",
        "boolean": "_fivetran_deleted",
        "timestamp": "_fivetran_synced created_at updated_at",
        "text": "name url",
    },
    "organization": {
        "bigint": "id details external_id group_id notes",
        "timestamp": "_fivetran_synced created_at updated_at",
        "text": "name url",
        "boolean": "shared_comments shared_tickets",
    },
    "domain_name": {"bigint": "index organization_id", "timestamp": "_fivetran_synced", "text": "domain_name"},
    "brand": {
        "bigint": "id",
        "boolean": "_fivetran_deleted active default",
        "timestamp": "_fivetran_synced",
        "text": "name subdomain url",
    },
    "schedule": {
        "bigint": "end_time id start_time end_time_utc start_time_utc",
        "boolean": "_fivetran_deleted",
        "timestamp": "_fivetran_synced created_at",
        "text": "name time_zone",
    },
    "schedule_holiday": {
        "bigint": "id schedule_id",
        "boolean": "_fivetran_deleted",
        "timestamp": "_fivetran_synced",
        "date": "end_date start_date",
        "text": "name",
    },
}
_ARROW = {
    "bigint": pa.int64(),
    "text": pa.string(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
    "date": pa.date32(),
}
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def environment(url: sa.URL) -> dict[str, str]:
    """Environment variables with which the definition reads the tables at `url`."""
    if url.get_backend_name() == "duckdb":
        fields = {"conn_type": "duckdb", "schema": url.database}
    else:
        fields = {"conn_type": "postgres", "host": url.host, "port": url.port, "login": url.username}
        fields |= {"password": url.password, "schema": url.database, "extra": dict(url.query)}
    return {f"AIRFLOW_CONN_{CONNECTION.upper()}": json.dumps(fields), "HANSEI_ZENDESK_SCHEMA": SCHEMA}


def write_rows(url: sa.URL, rows: Rows, only: tuple[str, ...] | None = None) -> None:
    """Replaces the raw tables (or only those of `only`) by the rows; a table without rows is there, and empty."""
    with _loader(url) as load:
        for table, kinds in TABLES.items():
            if only is None or table in only:
                fields = [pa.field(name, _ARROW[kind]) for kind, names in kinds.items() for name in names.split()]
                unknown = {name for row in rows.get(table, []) for name in row} - {field.name for field in fields}
                if unknown:
                    raise KeyError(f"raw table {table} has no column {', '.join(sorted(unknown))}")
                load(table, pa.Table.from_pylist(list(rows.get(table, [])), pa.schema(fields)))


def write_parquet(url: sa.URL, folder: Path) -> None:
    """Replaces the raw tables by the files `<table>_data.parquet` of the folder."""
    with _loader(url) as load:
        for file in sorted(folder.glob("*_data.parquet")):
            load(file.stem.removesuffix("_data"), file)


def write_oracle(url: sa.URL, oracle: Mapping[str, Any], ticket_ids: set[int] | None = None) -> None:
    """The oracle's tickets (or some of them) as raw rows; their event order at one instant is that of the oracle."""
    write_rows(url, oracle_rows(oracle, ticket_ids))


def oracle_rows(oracle: Mapping[str, Any], ticket_ids: set[int] | None = None) -> dict[str, list[dict[str, Any]]]:
    """Raw table -> rows of `ticket_metrics.json`: tickets, comments, history, people, one schedule with holidays."""
    tickets = [ticket for ticket in oracle["tickets"] if ticket_ids is None or ticket["ticket_id"] in ticket_ids]
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    last = max(event["at"] for ticket in tickets for event in ticket["events"])
    synced = datetime.fromisoformat(last) + timedelta(hours=1)
    roles: dict[int, str] = {}
    comment_id = 1
    for ticket in tickets:
        state = {"status": "new", "priority": None, "group_id": None, "assignee_id": None}
        roles.setdefault(ticket["requester_id"], "end-user")
        for event in ticket["events"]:
            at = datetime.fromisoformat(event["at"])
            if event["type"] == "comment":
                roles[event["author"]] = event["role"]
                rows["ticket_comment"].append(
                    {
                        "id": comment_id,
                        "ticket_id": ticket["ticket_id"],
                        "user_id": event["author"],
                        "created": at,
                        "public": event["public"],
                        "body": "words",
                        "_fivetran_synced": synced,
                    }
                )
                comment_id += 1
                continue
            field, value = event["field"], event["value"]
            if field in state:
                state[field] = value
            actor = ticket["submitter_id"] if event["at"] == ticket["created_at"] else state["assignee_id"]
            rows["ticket_field_history"].append(
                {
                    "ticket_id": ticket["ticket_id"],
                    "field_name": field,
                    "updated": at,
                    "value": value,
                    "user_id": -1 if field.endswith("_time") or actor is None else int(actor),
                    "_fivetran_synced": synced,
                }
            )
            if field == "assignee_id" and value:
                roles.setdefault(int(value), "agent")
        rows["ticket"].append(
            {
                "id": ticket["ticket_id"],
                "created_at": datetime.fromisoformat(ticket["created_at"]),
                "updated_at": max(datetime.fromisoformat(event["at"]) for event in ticket["events"]),
                "status": state["status"],
                "priority": state["priority"],
                "group_id": int(state["group_id"]) if state["group_id"] else None,
                "assignee_id": int(state["assignee_id"]) if state["assignee_id"] else None,
                "requester_id": ticket["requester_id"],
                "submitter_id": ticket["submitter_id"],
                "via_channel": ticket["channel"],
                "merged_ticket_ids": "[]",
                "_fivetran_synced": synced,
            }
        )
    groups = {row["value"] for row in rows["ticket_field_history"] if row["field_name"] == "group_id" and row["value"]}
    known = datetime(2020, 1, 1)
    for key in sorted(groups):
        rows["group"].append(
            {"id": int(key), "name": f"Group {key}", "_fivetran_deleted": False, "_fivetran_synced": synced}
        )
    for key, role in sorted(roles.items()):
        rows["user"].append(
            {
                "id": key,
                "role": role,
                "name": f"Person {key}",
                "email": f"person{key}@example.com",
                "active": True,
                "created_at": known,
                "updated_at": known,
                "_fivetran_synced": synced,
            }
        )
    rows["schedule"], rows["schedule_holiday"] = _schedule_rows(oracle["schedule"], known, synced)
    return rows


def _schedule_rows(schedule: Mapping[str, Any], created: datetime, synced: datetime) -> tuple[list, list]:
    """A schedule's openings in minutes since Sunday 00:00 by its own clock, and its holidays."""
    common = {"_fivetran_deleted": False, "_fivetran_synced": synced}
    own = {"id": schedule["id"], "name": "Office", "time_zone": schedule["time_zone"], "created_at": created}
    openings = [
        {**own, **common, "start_time": _minute(day, start), "end_time": _minute(day, end)}
        for day, hours in schedule["hours"].items()
        for start, end in hours
    ]
    holidays = [
        {
            **common,
            "id": number,
            "schedule_id": schedule["id"],
            "name": "Holiday",
            "start_date": date.fromisoformat(day),
            "end_date": date.fromisoformat(day),
        }
        for number, day in enumerate(schedule["holidays"], start=1)
    ]
    return openings, holidays


def _minute(day: str, clock: str) -> int:
    hours, minutes = clock.split(":")
    return _DAYS.index(day) * 1440 + int(hours) * 60 + int(minutes)


@contextmanager
def _loader(url: sa.URL) -> Iterator[Any]:
    """load(table, Arrow table or Parquet file) into the schema, which replaces the table."""
    if url.get_backend_name() == "duckdb":
        with duckdb.connect(url.database) as connection:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")

            def load(table: str, data: pa.Table | Path) -> None:
                arriving = f"read_parquet('{data}')" if isinstance(data, Path) else "data"
                connection.execute(f'CREATE OR REPLACE TABLE {SCHEMA}."{table}" AS SELECT * FROM {arriving}')

            yield load
        return
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as opened:
        opened.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        raw = opened.connection.driver_connection
        yield lambda table, data: _copy(raw, table, data)
        opened.exec_driver_sql("RESET ALL")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as opened:
        opened.exec_driver_sql("ANALYZE")
    engine.dispose()


def _copy(connection: Any, table: str, data: pa.Table | Path) -> None:
    if isinstance(data, Path):
        with pq.ParquetFile(data) as file:
            schema, batches = file.schema_arrow, file.iter_batches(65_536)
            _copy_batches(connection, table, schema, batches)
    else:
        _copy_batches(connection, table, data.schema, iter(data.to_batches(65_536)))


def _copy_batches(connection: Any, table: str, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    types = {kind: name for name, kind in _ARROW.items()}
    columns = ", ".join(f'"{field.name}" {types[field.type]}' for field in schema)
    options = arrow_csv.WriteOptions(include_header=False, quoting_style="needed")
    with connection.cursor() as cursor:
        cursor.execute(f'DROP TABLE IF EXISTS {SCHEMA}."{table}"')
        cursor.execute(f'CREATE TABLE {SCHEMA}."{table}" ({columns})')
        with cursor.copy(f'COPY {SCHEMA}."{table}" FROM STDIN (FORMAT csv)') as copy:
            for batch in batches:
                sink = pa.BufferOutputStream()
                arrow_csv.write_csv(pa.Table.from_batches([batch]), sink, options)
                copy.write(sink.getvalue().to_pybytes())
