"""Three nights of the demo company through the pipeline's own stages, against the answers in `troubles.yaml`."""

from __future__ import annotations

import base64
import json
import re
import secrets
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from support.small_company import NIGHTS as SMALL_NIGHTS
from support.small_company import copy_company

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from include.demo.company import NIGHTS, SCHEDULE_CHANGE, TEAMS, ZONE, agents, customers, opening  # noqa: E402
from include.demo.troubles import expected  # noqa: E402
from include.demo.write import write_exports  # noqa: E402

WEEK = "2026-W37"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the exports."""
    directory = tmp_path_factory.mktemp("demo_home")
    write_exports(directory / "inbox")
    return directory


@pytest.fixture(scope="module")
def secret_keys() -> dict[str, str]:
    return {
        "HANSEI_IDENTITY_KEY": secrets.token_urlsafe(48),
        "HANSEI_QUARANTINE_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    }


def run_nights(home: Path, keys: dict[str, str], numbers: tuple[int, ...]) -> Path:
    """Path of the warehouse file after the nights."""
    from hansei import pipeline
    from hansei.settings import load_settings

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANSEI_HOME", str(home))
        patch.setenv("HANSEI_DEFINITIONS", str(REPOSITORY / "include" / "demo" / "definitions"))
        for name, value in keys.items():
            patch.setenv(name, value)
        settings = load_settings()
        for number in numbers:
            context = pipeline.context(settings)
            run_id, end = f"night {number}", NIGHTS[number - 1].astimezone(UTC).replace(tzinfo=None)
            opened = pipeline.open_run(context, run_id, end - timedelta(days=1), end, "nightly_indicators", {})
            for source in opened["sources"]:
                pipeline.extract(context, run_id, source)
                pipeline.publish(context, run_id, source)
            for stage in (pipeline.model, pipeline.measure, pipeline.judge, pipeline.share, pipeline.close_run):
                stage(context, run_id)
    return settings.warehouse_file


@pytest.fixture(scope="module")
def demo(home: Path, secret_keys: dict[str, str]) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse after the three nights, opened for reading."""
    connection = duckdb.connect(str(run_nights(home, secret_keys, (1, 2, 3))), read_only=True)
    yield connection
    connection.close()


def rows(demo: duckdb.DuckDBPyConnection, query: str) -> list[tuple]:
    return demo.execute(query).fetchall()


def monday(week: str) -> date:
    return date.fromisocalendar(int(week[:4]), int(week[6:]), 1)


def test_every_row_of_every_night_is_accounted_for(demo):
    query = """
        SELECT run_id, source, entity, received_count, accepted_count, quarantined_count, duplicate_count, held_count
        FROM ops.batches
    """
    found = {tuple(row[:3]): tuple(row[3:]) for row in rows(demo, query)}
    listed = {
        (f"night {number}", source, entity): tuple(counts.values())
        for source, entities in expected()["accounting"].items()
        for entity, nights in entities.items()
        for number, counts in enumerate(nights, start=1)
    }
    assert found == listed
    assert rows(demo, "SELECT COUNT(*) FROM ops.batches WHERE NOT is_balanced") == [(0,)]


def test_quarantine_holds_the_bad_rows_with_their_rules_and_nothing_else(demo):
    query = "SELECT entity, row_key, reasons, seen_count, state FROM ops.quarantined_rows"
    found: list[tuple] = []
    for entity, key, reasons, seen, state in rows(demo, query):
        rules = {reason["rule"] for reason in json.loads(reasons)}
        found.append((entity, key and key.split(":", 1)[1], rules, seen, state == "superseded"))
    waiting = list(found)
    for row in expected()["quarantined"]:
        key = None if row["key"] is None else str(row["key"])
        matches = [item for item in waiting if item[0] == row["entity"] and item[1] == key and row["rule"] in item[2]]
        assert matches, f"not found: {row}"
        entity, _, rules, seen, is_superseded = matches[0]
        assert is_superseded == ("superseded_in" in row), row
        waiting.remove(matches[0])
        if seen > 1:
            waiting.append((entity, key, rules, seen - 1, is_superseded))
    assert waiting == []


def test_every_difference_to_the_help_desks_own_count_is_the_planted_one(demo):
    kinds = ("merged", "spam", "deleted", "bot_only", "quarantined", "held", "late", "unexplained")
    sums = ", ".join(f"SUM(ABS({kind}_count))" for kind in kinds)
    found = rows(demo, f"SELECT run_id, {sums} FROM ops.reconciliations GROUP BY run_id ORDER BY run_id")
    planted = [[expected()["tie_out"][kind]["counts"][night] for kind in kinds] for night in range(3)]
    assert [list(row) for row in found] == [
        [f"night {night}", *counts] for night, counts in enumerate(planted, start=1)
    ]
    shifted = rows(
        demo, "SELECT run_id, SUM(ABS(time_zone_count)), SUM(time_zone_count) FROM ops.reconciliations GROUP BY run_id"
    )
    assert len(shifted) == 3
    assert all(abs(total) <= 2 for _, _, total in shifted), "what one day loses another has, but at the window's edges"
    assert all(count >= 2 for _, count, _ in shifted), "early morning in Hamburg is the day before in New York"
    days = rows(demo, "SELECT COUNT(DISTINCT day) FROM ops.reconciliations WHERE run_id = 'night 3'")
    assert days[0][0] >= 27, "four weeks were compared"


def test_conflicts_deletions_and_odd_hours_are_counted(demo):
    query = "SELECT run_id, entity, conflict_count FROM ops.batches WHERE conflict_count > 0"
    assert rows(demo, query) == [
        (f"night {row['night']}", row["entity"], row["count"]) for row in expected()["conflicts"]
    ]
    query = "SELECT run_id, entity, deleted_count FROM ops.batches WHERE deleted_count > 0"
    assert rows(demo, query) == [(f"night {row['night']}", row["entity"], 1) for row in expected()["deleted"]]
    gone = rows(demo, "SELECT account_id FROM staging.accounts WHERE deleted_at IS NOT NULL")
    assert gone == [(f"crm:{row['key']}",) for row in expected()["deleted"]]
    query = """
        SELECT run_id, entity, ambiguous_time_count, nonexistent_time_count FROM ops.batches
        WHERE ambiguous_time_count + nonexistent_time_count > 0
    """
    counts = {row["kind"]: row["count"] for row in expected()["odd_hours"]}
    assert rows(demo, query) == [("night 1", "survey_responses", counts["ambiguous"], counts["nonexistent"])]
    for odd in expected()["odd_hours"]:
        moment = datetime.fromisoformat(odd["utc"])
        query = f"SELECT COUNT(*) FROM staging.survey_responses WHERE responded_at = TIMESTAMP '{moment}'"
        assert rows(demo, query) == [(1,)], odd


def test_drift_is_reported_and_nothing_else(demo):
    found = rows(demo, "SELECT run_id, source, entity, field, kind, row_count FROM ops.drift_findings ORDER BY ALL")
    listed = [
        (f"night {row['night']}", row["source"], row["entity"], row["field"], row["kind"], row["count"])
        for row in expected()["drift"]
    ]
    assert found == sorted(listed)


def test_each_planted_trouble_breaks_its_threshold_in_its_weeks_and_nothing_else_does(demo):
    query = """
        SELECT threshold_id, segment_id, strftime(period_start, '%G-W%V') FROM indicators.signals
        WHERE starts_with(verdict, 'breach') ORDER BY ALL
    """
    found: dict[tuple, list[str]] = {}
    for threshold, segment, week in rows(demo, query):
        found.setdefault((threshold, segment), []).append(week)
    listed = {
        (trouble["threshold"], trouble["segment"]): trouble["breaches"]
        for trouble in expected()["troubles"]
        if "threshold" in trouble
    }
    assert found == listed


@pytest.mark.parametrize("trouble", [item for item in expected()["troubles"] if "words" in item], ids=lambda i: i["id"])
def test_the_word_of_a_trouble_is_what_a_manager_should_read(demo, trouble):
    """From the first week in which it shows to the last, every word; before it, how often the word was said."""
    query = f"""
        SELECT strftime(period_start, '%G-W%V') AS week, verdict FROM indicators.verdicts
        WHERE indicator = '{trouble["indicator"]}' AND segment_id = '{trouble["segment"]}' AND grain = 'week' ORDER BY 1
    """
    said = dict(rows(demo, query))
    assert {word for week, word in said.items() if trouble["from"] <= week <= WEEK} == {trouble["words"]["after"]}
    before = [word for week, word in said.items() if week < trouble["from"] and word == trouble["words"]["after"]]
    assert len(before) <= trouble["words"]["before_at_most"]


@pytest.mark.parametrize(
    "trouble", [item for item in expected()["troubles"] if "after" in item], ids=lambda item: item["id"]
)
def test_indicator_shows_the_trouble_in_its_size(demo, trouble):
    query = f"""
        SELECT strftime(period_start, '%G-W%V') AS week, value FROM indicators.indicator_values
        WHERE indicator = '{trouble["indicator"]}' AND segment_id = '{trouble["segment"]}' AND grain = 'week'
        AND state IN ('ok', 'insufficient') ORDER BY 1
    """
    unit = {"hours": 3600, "ratio": 1}[trouble["unit"]]
    values = {week: value / unit for week, value in rows(demo, query) if week not in ("2025-W52", "2026-W01")}
    after = [value for week, value in values.items() if trouble["from"] <= week <= WEEK]
    before = [
        value
        for week, value in values.items()
        if week < datetime.fromisoformat(str(trouble["date"])).strftime("%G-W%V")
    ]
    assert len(after) >= 4
    assert len(before) >= 40
    assert trouble["before"][0] <= min(before)
    assert max(before) <= trouble["before"][1]
    assert trouble["after"][0] <= min(after)
    assert max(after) <= trouble["after"][1]


def test_resolution_clocks_agree_with_the_verdict_that_the_desk_gives_itself(demo):
    """The generator reckons targets in its own way, day by day of the team; the source carries only the verdict."""
    query = """
        SELECT tickets.is_sla_met, targets.state, COUNT(*)
        FROM core.ticket_sla_targets AS targets
        INNER JOIN core.tickets AS tickets ON targets.ticket_id = tickets.ticket_id
        WHERE targets.metric = 'resolution' AND targets.ended_at IS NOT NULL AND targets.applied_by = 'creation'
          AND tickets.reopen_count = 0 AND tickets.team_handoff_count = 0 AND tickets.is_sla_met IS NOT NULL
        GROUP BY ALL
    """
    found = {(met, state): count for met, state, count in rows(demo, query)}
    assert set(found) == {(True, "met"), (False, "breached")}
    assert found[True, "met"] > 6_500 and found[False, "breached"] > 300


def test_business_time_of_first_replies_is_that_of_the_teams_hours(demo):
    """Second opinion: hours of each day by the cast's own timetable, for every ticket that one team answered."""
    query = """
        SELECT created_at, first_replied_at, first_reply_business_seconds, team_id FROM core.tickets
        WHERE team_handoff_count = 0 AND first_replied_at IS NOT NULL
    """
    team_of = {f"helpdesk:{team.id}": team for team in TEAMS}
    counted, across_the_change = 0, 0
    for created, replied, seconds, team in rows(demo, query):
        start, end = (at.replace(tzinfo=UTC).astimezone(ZONE).replace(tzinfo=None) for at in (created, replied))
        assert seconds == open_seconds(team_of[team], start, end), (created, replied, team)
        counted += 1
        across_the_change += start.date() < SCHEDULE_CHANGE <= end.date()
    assert counted > 8_000 and across_the_change > 0


def open_seconds(team, start: datetime, end: datetime) -> int:
    """Seconds between two local times in which the team works; its hours never touch the nights when clocks change."""
    total, day = 0, start.date()
    while day <= end.date():
        if hours := opening(team, day):
            opens, closes = (datetime.combine(day, datetime.min.time()) + timedelta(hours=hour) for hour in hours)
            total += max(int((min(end, closes) - max(start, opens)).total_seconds()), 0)
        day += timedelta(days=1)
    return total


def test_late_rows_restate_the_published_weeks_by_what_came_late(demo):
    for item in expected()["late"]["restated"]:
        query = f"""
            SELECT value_before, value_after FROM ops.restatements
            WHERE restated_run_id = 'night 3' AND indicator = '{item["indicator"]}' AND grain = 'week'
            AND segment_id = 'all' AND period_start = DATE '{monday(item["week"])}'
        """
        [(before, after)] = rows(demo, query)
        assert after - before == item["by"], item


def test_accounts_that_share_a_domain_stay_unlinked(demo):
    keys = ", ".join(f"'crm:{number}'" for number in expected()["unlinked"]["accounts"])
    assert rows(demo, f"SELECT COUNT(*) FROM core.account_links WHERE account_id IN ({keys})") == [(0,)]
    tie = {
        person.id
        for person in customers()
        if person.account and person.account.id in expected()["unlinked"]["accounts"]
    }
    public = {person.id for person in customers() if person.account is None}
    linked = {int(key.split(":")[1]) for (key,) in rows(demo, "SELECT source_key FROM core.account_links")}
    everybody = {person.id for person in customers()}
    assert everybody - linked == tie | public


def test_no_name_address_or_number_reaches_the_warehouse(demo):
    """Every text of every table is searched for every person's name, address and number as the sources wrote them."""
    people = [*customers(), *agents()]
    raw = {person.name for person in people} | {person.email for person in people}
    raw |= {person.phone for person in customers()} | {person.phone.replace(" ", "") for person in customers()}
    raw |= {"Ocke Sievers", "Telse Wulff", "Merle Dircks", "Broder Hinrichs"}  # account owners
    pattern = re.compile("|".join(re.escape(text) for text in sorted(raw)))
    columns = rows(
        demo,
        "SELECT table_schema, table_name, column_name FROM information_schema.columns WHERE data_type = 'VARCHAR'",
    )
    # What the sources wrote holds a space, an @, a + or a Chinese character; texts without any are hashes and keys.
    assert all(re.search("[ @+\u4e00-\u9fff]", text) for text in raw)
    searched, leaks = 0, []
    for schema, table, column in columns:
        distinct = f'SELECT DISTINCT "{column}" AS text FROM {schema}.{table}'
        searched += rows(demo, f"SELECT COUNT(*) FROM ({distinct})")[0][0]
        for (text,) in rows(demo, f"SELECT text FROM ({distinct}) WHERE regexp_matches(text, '[ @+]|\\p{{Han}}')"):
            if match := pattern.search(text):
                leaks.append((f"{schema}.{table}.{column}", text, match[0]))
    assert leaks == []
    assert searched > 50_000
    for marker in ("[e-mail]", "[phone]", "[name]"):
        query = f"SELECT COUNT(*) FROM staging.survey_responses WHERE contains(comment, '{marker}')"
        assert rows(demo, query)[0][0] > 10, marker


VOLATILE = {"run_id", "known_since", "judged_at", "loaded_run_id"}


def contents(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple]]:
    """Rows of every table of staging, core and indicators, and what was restated, without volatile columns."""
    columns: dict[str, list[str]] = {}
    query = """
        SELECT table_schema || '.' || table_name, column_name FROM information_schema.columns
        WHERE table_schema IN ('staging', 'core', 'indicators') OR table_name = 'restatements'
        ORDER BY ALL
    """
    for table, column in rows(connection, query):
        if column not in VOLATILE:
            columns.setdefault(table, []).append(column)
    return {
        table: rows(connection, f"SELECT {', '.join(names)} FROM {table} ORDER BY ALL")
        for table, names in columns.items()
    }


def test_the_privacy_audit_of_the_demo_company_is_clean(demo, home, secret_keys, tmp_path):
    from hansei import pipeline
    from hansei.pipeline.auditing import audit
    from hansei.settings import load_settings

    copy = tmp_path / "audited"
    shutil.copytree(home, copy)
    found = audit(pipeline.context(load_settings({"HANSEI_HOME": str(copy), **secret_keys})))
    assert found.slips == () and found.is_clean
    assert found.texts > 100_000 and found.columns > 1_000


def test_the_privacy_audit_sees_a_planted_slip(second_night, tmp_path):
    from hansei.pipeline.auditing import audit

    company = copy_company(second_night, tmp_path)
    context = company.context(SMALL_NIGHTS[1])
    assert audit(context).is_clean
    with duckdb.connect(str(company.settings.warehouse_file)) as connection:
        connection.execute("UPDATE staging.tickets SET topic = 'call +49 40 1234567' WHERE ticket_id LIKE '%11'")
        connection.execute('UPDATE ops.quarantined_rows SET payload = \'{"name": "Ann"}\'')
    slips = {(slip.store, slip.place, slip.kind): slip for slip in audit(context).slips}
    assert set(slips) == {
        ("warehouse", "staging.tickets.topic", "phone"),
        ("warehouse", "ops.quarantined_rows.payload", "not encrypted"),
    }
    assert slips["warehouse", "staging.tickets.topic", "phone"].shape == "+99 99 9999999"


def test_running_an_old_night_again_changes_nothing(demo, home, secret_keys, tmp_path):
    copy = tmp_path / "again"
    shutil.copytree(home, copy)
    shutil.rmtree(copy / "spool")  # as if the spool had been cleared: the files are read anew
    again = duckdb.connect(str(run_nights(copy, secret_keys, (1, 2))), read_only=True)
    before, after = contents(demo), contents(again)
    again.close()
    assert set(before) == set(after)
    assert sum(map(len, before.values())) > 100_000
    assert [table for table in before if before[table] != after[table]] == []


def test_the_planted_troubles_open_exactly_their_alarms_and_the_improvement_closes_its_own(demo):
    query = """
        SELECT events.alarm_id, parts.threshold_id, parts.segment_id, events.what, CAST(events.period_start AS DATE)
        FROM board.alarm_events AS events
        INNER JOIN board.alarm_parts AS parts ON events.alarm_id = parts.alarm_id
        WHERE events.what IN ('opened', 'joined', 'closed', 'retired', 'restated')
    """
    wanted = set()
    for trouble in expected()["troubles"]:
        for what, week in (("opened", "opens"), ("closed", "closes")):
            if (period := trouble.get("alarm", {}).get(week)) is not None:
                alarm_id = f"{trouble['indicator']}-{trouble['alarm']['opens']}"
                wanted.add((alarm_id, trouble["threshold"], trouble["segment"], what, monday(period)))
    assert len(wanted) == 6
    assert set(rows(demo, query)) == wanted
    states = dict(rows(demo, "SELECT alarm_id, state FROM board.alarms"))
    assert [name for name, state in states.items() if state == "closed"] == ["reopen_rate-2025-W46"]
    assert len(states) == 5


def test_what_a_night_restates_moves_no_alarm(demo):
    """Nights 2 and 3 bring late rows; nobody reacted, so that only time adds events to those of night 1."""
    query = "SELECT DISTINCT CAST(happened_at AS DATE), what FROM board.alarm_events ORDER BY 1, 2"
    found: dict[date, set[str]] = {}
    for day, what in rows(demo, query):
        found.setdefault(day, set()).add(what)
    assert {"opened", "closed"} <= found[min(found)]
    assert {what for day, whats in found.items() if day > min(found) for what in whats} <= {"escalated", "raised"}


def test_rehearsing_a_limit_finds_the_alarm_that_the_nights_opened(demo, home, secret_keys, monkeypatch):
    """Of the last months, so that the rehearsal begins after the limits were valid and before the troubles."""
    from typer.testing import CliRunner

    from hansei.cli import app

    definitions = REPOSITORY / "include" / "demo" / "definitions"
    environment = {"HANSEI_HOME": str(home), "HANSEI_DEFINITIONS": str(definitions), **secret_keys}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    rehearsed = 0
    for trouble in expected()["troubles"]:
        if trouble.get("alarm", {}).get("opens", "") < "2026-W28":
            continue
        file = str(definitions / "thresholds" / f"{trouble['threshold']}.yaml")
        said = CliRunner().invoke(app, ["thresholds", "rehearse", file, "--months", "9", "--json"])
        assert said.exit_code == 0, said.output
        (found,) = json.loads(said.output)
        (alarm,) = found["alarms"]
        assert (alarm["opened"], alarm["closed"]) == (monday(trouble["alarm"]["opens"]).isoformat(), None)
        assert alarm["segments"] == [trouble["segment"]]
        assert alarm["breaches"] == [monday(week).isoformat() for week in trouble["breaches"]]
        # The chart calls the trouble worse, so that it is a known incident.
        assert len(found["incidents"]) >= 1
        assert (found["missed"], found["signs"]) == ([], [])
        rehearsed += 1
    assert rehearsed == 3


def test_each_trouble_is_explained_by_its_true_cause(demo, home, secret_keys, monkeypatch):
    """Whoever reads only the whole service is led to the segment where the trouble was planted."""
    from hansei import pipeline
    from hansei.pipeline.evidence import EvidenceGathering
    from hansei.pipeline.shared_reads import SharedReads
    from hansei.settings import load_settings
    from hansei.warehouse import open_read_copy

    definitions = REPOSITORY / "include" / "demo" / "definitions"
    for name, value in {"HANSEI_HOME": str(home), "HANSEI_DEFINITIONS": str(definitions), **secret_keys}.items():
        monkeypatch.setenv(name, value)
    context = pipeline.context(load_settings())
    with open_read_copy(context.settings) as warehouse:
        review = context.catalog.reviews["weekly_brief"]
        shared = SharedReads(context, warehouse, review, monday(WEEK))
        evidence, parts = EvidenceGathering(shared, lambda part: "s" * 32).gather()
    explained = 0
    for trouble in expected()["troubles"]:
        if trouble["direction"] != "worse":
            continue
        whole = evidence.explained[trouble["indicator"], "all"]
        assert whole.is_sure
        assert trouble["segment"] in [moved.segment_id for moved in whole.drivers[:2]], trouble["id"]
        assert whole.path[0].segment_id == trouble["segment"]
        own = evidence.explained[trouble["indicator"], trouble["segment"]]
        assert own.is_sure and abs(own.change) > abs(whole.change)
        assert len(parts[own.examples_part].rows) == 5
        explained += 1
    assert explained == 3
    # What was missed all along has not moved, and nobody is blamed for that.
    standing = evidence.explained["reassignment_rate", "team=helpdesk:13"]
    assert not standing.is_sure and standing.path == ()
    # Comments on the chat blame the bot since its new version came, which nobody did before.
    chat = next(read for read in evidence.comments if read.segment_id == "channel=chat")
    assert chat.indicator_ids[0] == "csat_top_box" and chat.now_start == date(2026, 8, 3)
    (bot,) = [topic for topic in chat.topics if topic.topic_id == "bot"]
    assert bot.is_more and bot.count_before == 0 and bot.count_now > 20 and bot == chat.topics[0]
    quotes = [row[0] for row in parts[chat.quotes_part].rows]
    assert len(quotes) == 3 and all("bot" in quote or "机器人" in quote for quote in quotes)
