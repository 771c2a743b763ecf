"""The incident log replayed night by night over March 2016, against the raw file read without the pipeline.

Every row of the log carries how its incident ended, so that a careless night would know the future. Here every night is
held against what the file's rows up to that night say, and all nights together against one load of everything.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import duckdb
import pyarrow as pa
import pytest
from support.incident_figures import states_at
from support.real_data import INCIDENTS, differences, pipeline_on, reference, require_data
from support.stable_tables import CELL, VALUES, stable_tables, table_differences

from hansei.catalog import load_catalog
from hansei.settings import load_settings

pytestmark = pytest.mark.proof

FIRST_NIGHT = datetime(2016, 3, 1)
# 32 nights to the end of March, one that brings all of April, one that brings the rest.
NIGHTS = [FIRST_NIGHT + timedelta(days=number) for number in range(32)] + [datetime(2016, 5, 1), INCIDENTS.night_end]
OUR_WORDS = {"New": "new", "Active": "open", "Awaiting User Info": "pending", "Resolved": "solved", "Closed": "closed"}
# When a ticket that is still open will be so old: no knowledge of the future is needed to say it.
FORESEEN = {"core.backlog_intervals.aged_7_date", "core.backlog_intervals.aged_30_date"}
QUOTIENTS = [key for key, item in load_catalog(load_settings({})).indicators.items() if item.measure == "quotient"]
SAID = f"{CELL}, numerator, denominator, sample_count, value, state"

RAW = """
    SELECT 'servicenow:' || number AS ticket_id, row_number() OVER () AS row_number,
      strptime(opened_at, '%d/%m/%Y %H:%M') AS created_at, strptime(sys_updated_at, '%d/%m/%Y %H:%M') AS updated_at,
      strptime(resolved_at, '%d/%m/%Y %H:%M') AS resolved_at, strptime(closed_at, '%d/%m/%Y %H:%M') AS closed_at,
      incident_state, made_sla = 'true' AS is_sla_met, CAST(reopen_count AS INTEGER) AS reopen_count,
      CAST(reassignment_count AS INTEGER) AS reassignment_count,
      CASE priority WHEN '1 - Critical' THEN 'urgent' WHEN '2 - High' THEN 'high'
        WHEN '3 - Moderate' THEN 'normal' ELSE 'low' END AS priority,
      coalesce('servicenow:' || assignment_group, 'unassigned') AS team_id
    FROM read_csv('FILE', header = true, all_varchar = true, nullstr = '?', parallel = false)
"""
# What the rows before a moment say of each incident: its newest row, and of its end only what had happened by then.
KNOWN = """
    SELECT ticket_id, created_at, words.ours AS status, priority, team_id, is_sla_met, reopen_count, reassignment_count,
      CASE WHEN closed_at <= updated_at THEN closed_at END AS closed_at,
      CASE WHEN words.ours IN ('solved', 'closed') THEN coalesce(
        CASE WHEN resolved_at <= updated_at THEN resolved_at END, CASE WHEN closed_at <= updated_at THEN closed_at END
      ) END AS solved_at
    FROM (SELECT * FROM raw WHERE updated_at < ? QUALIFY row_number() OVER (
      PARTITION BY ticket_id ORDER BY updated_at DESC, row_number DESC) = 1) AS newest
    JOIN words ON words.theirs = incident_state
"""
KNOWN_COLUMNS = (
    "ticket_id, created_at, status, priority, team_id, is_sla_met, reopen_count, reassignment_count, "
    "closed_at, solved_at"
)


@dataclass
class Night:
    """What was read from the warehouse when a night had ended."""

    end: datetime
    tickets: pa.Table
    values: pa.Table
    restated: pa.Table
    batches: dict[str, dict]
    window: tuple[datetime | None, datetime]
    latest: dict[str, datetime]
    states: list[dict]


@dataclass
class Replay:
    nights: list[Night] = field(default_factory=list)
    replayed: dict[str, pa.Table] = field(default_factory=dict)
    loaded_at_once: dict[str, pa.Table] = field(default_factory=dict)


def run_id(end: datetime) -> str:
    return f"night {end:%Y-%m-%d}"


def stages(context, start: datetime | None, end: datetime, is_last: bool) -> None:
    from hansei import pipeline

    name = run_id(end)
    pipeline.open_run(context, name, start, end)
    pipeline.extract(context, name, "incident_log")
    pipeline.publish(context, name, "incident_log")
    for stage in (pipeline.model, pipeline.measure):
        stage(context, name)
    if is_last:  # what others read is published from the same tables; once is enough here
        for stage in (pipeline.judge, pipeline.share, pipeline.close_run):
            stage(context, name)


def observe(context, end: datetime) -> Night:
    from hansei.warehouse import open_warehouse

    with open_warehouse(context.settings) as warehouse:
        batches = warehouse.rows("SELECT * FROM ops.batches WHERE run_id = :name", {"name": run_id(end)})
        query = "SELECT window_start, window_end FROM ops.source_runs WHERE run_id = :name"
        [window] = warehouse.rows(query, {"name": run_id(end)})
        restated = f"SELECT * FROM ops.restatements WHERE restated_run_id = '{run_id(end)}'"
        return Night(
            end=end,
            tickets=warehouse.arrow(f"SELECT {KNOWN_COLUMNS} FROM core.tickets"),
            values=warehouse.arrow(f"SELECT {SAID} FROM indicators.indicator_values"),
            restated=warehouse.arrow(restated),
            batches={row["entity"]: row for row in batches},
            window=(window["window_start"], window["window_end"]),
            latest=latest_times(warehouse),
            states=states_at(warehouse, "9999-01-01 00:00:00"),
        )


def latest_times(warehouse) -> dict[str, datetime]:
    """Column -> its latest instant, of every instant that staging, the backlog and the facts about tickets hold."""
    columns = warehouse.rows(
        "SELECT table_schema || '.' || table_name AS place, column_name FROM information_schema.columns "
        "WHERE (table_schema = 'staging' OR table_name IN ('tickets', 'backlog_intervals')) "
        "AND (data_type LIKE 'TIMESTAMP%' OR data_type = 'DATE')"
    )
    found = {}
    for column in columns:
        place, name = column["place"], column["column_name"]
        latest = warehouse.scalar(f"SELECT CAST(MAX({name}) AS TIMESTAMP) FROM {place}")
        if latest is not None:
            found[f"{place}.{name}"] = latest
    return found


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Replay:
    require_data()
    found = Replay()
    with pipeline_on(INCIDENTS, tmp_path_factory.mktemp("replay")) as context:
        start = None
        for end in NIGHTS:
            stages(context, start, end, is_last=end == NIGHTS[-1])
            found.nights.append(observe(context, end))
            start = end
        found.replayed = stable_tables(context)
    with pipeline_on(INCIDENTS, tmp_path_factory.mktemp("at_once")) as context:
        stages(context, None, NIGHTS[-1], is_last=True)
        found.loaded_at_once = stable_tables(context)
    return found


@pytest.fixture(scope="module")
def raw() -> duckdb.DuckDBPyConnection:
    """The file itself as table `raw`, and `words` with our word for each of its states."""
    file = require_data() / "incident_event_log" / "incident_event_log.csv.gz"
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE raw AS {RAW.replace('FILE', str(file))}")
    connection.execute("CREATE TABLE words (theirs VARCHAR, ours VARCHAR)")
    waiting = {f"Awaiting {what}": "hold" for what in ("Problem", "Vendor", "Evidence")}
    connection.executemany("INSERT INTO words VALUES (?, ?)", list({**OUR_WORDS, **waiting}.items()))
    return connection


def test_windows_join_and_every_row_arrives_in_its_night(replay, raw):
    until = None
    for night in replay.nights:
        assert night.window == (until, night.end)
        until = night.end
        arriving = "updated_at >= coalesce(?, updated_at) AND updated_at < ?"
        counted = f"SELECT count(*), count(DISTINCT ticket_id) FROM raw WHERE {arriving}"
        rows, incidents = raw.execute(counted, list(night.window)).fetchone()
        tickets, events = night.batches["tickets"], night.batches["ticket_events"]
        assert (tickets["received_count"], tickets["accepted_count"]) == (rows, incidents), night.end
        assert events["accepted_count"] == events["received_count"]
        for batch in (tickets, events):
            assert (batch["held_count"], batch["quarantined_count"], batch["conflict_count"]) == (0, 0, 0)
            assert batch["is_balanced"]
    assert sum(night.batches["tickets"]["received_count"] for night in replay.nights) == 59354


def test_no_night_holds_a_time_beyond_its_window(replay):
    for night in replay.nights:
        assert {"core.tickets.solved_at", "core.backlog_intervals.opened_at"} <= night.latest.keys()
        known = {name: latest for name, latest in night.latest.items() if name not in FORESEEN}
        beyond = {name: latest for name, latest in known.items() if latest >= night.end}
        assert beyond == {}, night.end


def test_each_night_knows_what_the_rows_up_to_it_say_and_no_more(replay, raw):
    for night in replay.nights:
        raw.register("tickets", night.tickets)
        known, held = (f"SELECT {KNOWN_COLUMNS} FROM {side}" for side in (f"({KNOWN})", "tickets"))
        for left, right in ((known, held), (held, known)):
            assert raw.execute(f"{left} EXCEPT {right} LIMIT 3", [night.end]).fetchall() == [], night.end
        raw.unregister("tickets")


def test_states_and_sla_flags_at_the_end_of_march_and_of_april(replay):
    expected = reference(INCIDENTS)
    nights = {f"{night.end - timedelta(seconds=1)}": night for night in replay.nights}
    for flag in expected["as_of_sla_flag"]:
        night = nights[flag["t"]]
        flags = night.tickets.column("is_sla_met").to_pylist()
        found = {"t": flag["t"], "n": len(flags), "attainment_so_far": sum(flags) / len(flags)}
        assert differences(found, flag) == []
        listed = [row for row in expected["as_of_state"] if row["t"] == flag["t"]]
        assert differences([{"t": flag["t"], **row} for row in night.states], listed) == []
        counts: Counter[str] = Counter()
        for row in listed:
            counts[OUR_WORDS.get(row["state"], "hold")] += row["n"]
        assert Counter(night.tickets.column("status").to_pylist()) == counts


def test_every_change_of_a_finished_period_is_a_restatement_of_what_the_night_before_said(replay, raw):
    reasons: Counter[str] = Counter()
    differing = """
        SELECT before.* EXCLUDE (indicator, grain, period_start, segment_id), before.indicator, before.grain,
          before.period_start, before.segment_id, now.numerator AS numerator_now, now.denominator AS denominator_now,
          now.sample_count AS sample_count_now, now.value AS value_now, now.state AS state_now
        FROM before LEFT JOIN now USING (indicator, grain, period_start, segment_id)
        WHERE before.state NOT IN ('incomplete', 'immature') AND (
          before.state IS DISTINCT FROM now.state OR before.sample_count IS DISTINCT FROM now.sample_count
          OR before.numerator IS DISTINCT FROM now.numerator OR before.denominator IS DISTINCT FROM now.denominator
          OR (before.value IS NULL) <> (now.value IS NULL)
          OR coalesce(abs(before.value - now.value) > 1e-9 * greatest(1, abs(now.value)), false))
    """
    parts = ("numerator", "denominator", "sample_count", "value", "state")
    changed = ", ".join([CELL, *(f"{part}, {part}_now" for part in parts)])
    noted = ", ".join([CELL, *(f"{part}_before, {part}_after" for part in parts)])
    for before, now in zip(replay.nights, replay.nights[1:], strict=False):
        for name, table in (("before", before.values), ("now", now.values), ("restated", now.restated)):
            raw.register(name, table)
        was, is_noted = f"SELECT {changed} FROM ({differing})", f"SELECT {noted} FROM restated"
        for left, right in ((was, is_noted), (is_noted, was)):
            assert raw.execute(f"{left} EXCEPT ALL {right} LIMIT 3").fetchall() == [], now.end
        same_count = "coalesce(sample_count_before, 0) = coalesce(sample_count_after, 0)"
        late = f"CASE WHEN {same_count} THEN 'correction' ELSE 'late_data' END"
        # A quotient moves for the reason of its parts.
        wrong = f"SELECT * FROM restated WHERE reason <> {late} AND indicator NOT IN (SELECT unnest(?)) LIMIT 3"
        assert raw.execute(wrong, [QUOTIENTS]).fetchall() == []
        weeks = "SELECT reason, count(*) FROM restated WHERE grain = 'week' GROUP BY reason"
        reasons.update(dict(raw.execute(weeks).fetchall()))
        finished = "SELECT count(*) FROM restated WHERE grain = 'week' AND period_start + INTERVAL '7 days' > ?"
        assert raw.execute(finished, [now.end]).fetchone() == (0,)
        for name in ("before", "now", "restated"):
            raw.unregister(name)
    assert reasons.keys() == {"late_data", "correction"}


def test_sla_of_finished_weeks_falls_as_flags_flip_late(replay, raw):
    """The value of the week of 2016-02-29 on each night, counted from the file; it was corrected more than once."""
    counted = f"""
        SELECT count(*), sum(CAST(is_sla_met AS INTEGER)) FROM ({KNOWN})
        WHERE solved_at >= TIMESTAMP '2016-02-29' AND solved_at < TIMESTAMP '2016-03-07'
    """
    said = []
    for night in replay.nights[6:]:
        raw.register("said", night.values)
        [(n, met)] = raw.execute(counted, [night.end]).fetchall()
        cell = """
            SELECT denominator, numerator, value FROM said WHERE indicator = 'source_sla_attainment'
            AND grain = 'week' AND segment_id = 'all' AND period_start = DATE '2016-02-29'
        """
        [(denominator, numerator, value)] = raw.execute(cell).fetchall()
        assert (denominator, numerator) == (n, met), night.end
        assert value == pytest.approx(met / n, abs=1e-12)
        said.append(round(value, 6))
        raw.unregister("said")
    assert said == sorted(said, reverse=True)
    assert len(set(said)) >= 3


def test_all_nights_together_leave_what_one_load_of_everything_leaves(replay):
    assert replay.replayed["core.tickets"].num_rows == 9202
    assert replay.replayed[VALUES].num_rows > 10_000
    assert table_differences(replay.replayed, replay.loaded_at_once) == []
