"""The demo company's files against `troubles.yaml`, by a reckoning that shares no code with the generator."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
import python_calamine
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from include.demo.troubles import expected, quarantined  # noqa: E402
from include.demo.write import write_exports  # noqa: E402

DAYS = [night["export_day"].isoformat() for night in expected()["nights"]]
CLOCK = "2026-09-15T00:00:00Z"
ZONE = expected()["reporting_zone"]


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("demo")
    write_exports(directory)
    return directory


@cache
def json_lines(path: Path) -> list[dict | None]:
    """One item a line; None for a line that cannot be read."""
    rows: list[dict | None] = []
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            rows.append(None)
    return rows


def csv_rows(path: Path, encoding: str, delimiter: str) -> list[dict | None]:
    heading, *lines = csv.reader(path.read_text(encoding).splitlines(), delimiter=delimiter)
    return [dict(zip(heading, line, strict=True)) if len(line) == len(heading) else None for line in lines]


@cache
def sheet_rows(path: Path, sheet: str) -> list[dict | None]:
    heading, *lines = python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_name(sheet).to_python()
    return [dict(zip(heading, line, strict=True)) for line in lines]


def nights(inbox: Path, stem: str, read: Callable[[Path], list]) -> list[list]:
    return [read(path) for path in sorted(inbox.glob(f"{stem}-20*"))]


def key_text(value: object) -> str:
    """The key as people write it: workbooks know no whole numbers."""
    return str(int(value) if isinstance(value, float) else value or None)


def is_time(text: object) -> bool:
    try:
        return bool(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
    except (TypeError, ValueError):
        return False


def is_day(text: str) -> bool:
    return pd.notna(pd.to_datetime(text, format="%d.%m.%Y", errors="coerce"))


def is_sound_ticket(row: dict) -> bool:
    metrics, created = row["metrics"], row["created_at"]
    return (
        row["id"] is not None
        and row["status"] in ("new", "open", "pending", "hold", "solved", "closed")
        and row["priority"] in ("low", "normal", "high", "urgent")
        and is_time(created)
        and created < CLOCK
        and all(metrics[key] is None or metrics[key] >= created for key in metrics if key.endswith("_at"))
    )


def is_sound_event(row: dict) -> bool:
    kinds = {"Created", "PublicComment", "PrivateComment", "StatusChange", "AssigneeChange", "GroupChange",
             "PriorityChange", "BotHandoff"}  # fmt: skip
    return row["ticket_id"] is not None and row["type"] in kinds and is_time(row["created_at"]) and row[
        "created_at"] < CLOCK  # fmt: skip


def is_sound_account(row: dict) -> bool:
    value = row["Jahreswert"].replace(",", "", 1)
    return row["Stufe"] in ("Platin", "Gold", "Silber", "Bronze") and value.isdigit() and is_day(row["Verlängerung"])


def is_sound_answer(row: dict) -> bool:
    lowest, highest = {"CSAT": (1, 5), "NPS": (0, 10)}[row["Survey"]]
    return (
        row["Response ID"] != ""
        and not isinstance(row["Answered at"], str)
        and isinstance(row["Score"], float)
        and lowest <= row["Score"] <= highest
    )


def is_sound_session(row: dict) -> bool:
    return 0 <= row["confidence"] <= 1 and row["ended_at"] >= row["started_at"]


def german_time(text: str) -> str:
    return pd.to_datetime(text, format="%d.%m.%Y %H:%M").isoformat()


def reckon(rows_by_night: list[list], key: str, version: Callable[[dict], object], is_sound: Callable[[dict], bool]):
    """Counts per night: greatest version per key wins, equal or older ones are duplicates."""
    known: dict[object, object] = {}
    counts = []
    for rows in rows_by_night:
        count = {"received": len(rows), "accepted": 0, "quarantined": 0, "duplicate": 0, "held": 0}
        for row in rows:
            if row is None or not is_sound(row):
                count["quarantined"] += 1
            elif row[key] in known and version(row) <= known[row[key]]:
                count["duplicate"] += 1
            else:
                known[row[key]] = version(row)
                count["accepted"] += 1
        counts.append(count)
    return counts


ANY = lambda row: True  # noqa: E731
SAME = lambda row: 0  # noqa: E731
LIST = {
    "groups": lambda path: json.loads(path.read_text())["groups"],
    "agents": lambda path: json.loads(path.read_text())["agents"],
}
CRM = lambda path: csv_rows(path, "latin-1", ";")  # noqa: E731
PLAIN = lambda path: csv_rows(path, "utf-8", ",")  # noqa: E731
# source, entity, stem, reader, key, version, soundness
ENTITIES = [
    ("helpdesk", "tickets", "tickets", json_lines, "id", lambda row: row["updated_at"], is_sound_ticket),
    ("helpdesk", "ticket_events", "ticket_events", json_lines, "id", SAME, is_sound_event),
    ("helpdesk", "customers", "users", json_lines, "id", lambda row: row["updated_at"], lambda row: row["id"]),
    ("helpdesk", "teams", "groups", LIST["groups"], "id", SAME, ANY),
    ("helpdesk", "agents", "agents", LIST["agents"], "id", SAME, ANY),
    ("helpdesk", "conversations", "bot_sessions", json_lines, "session_id", SAME, is_sound_session),
    ("crm", "accounts", "accounts", CRM, "Kundennummer", lambda row: german_time(row["Geändert am"]), is_sound_account),
    ("crm", "customers", "contacts", PLAIN, "contact", lambda row: row["changed"], ANY),
    ("feedback", "surveys", "survey", lambda path: sheet_rows(path, "Instruments"), "Survey", SAME, ANY),
    ("feedback", "survey_responses", "survey", lambda path: sheet_rows(path, "Responses"), "Response ID", SAME,
     is_sound_answer),
    ("feedback", "survey_invitations", "survey_invitations", PLAIN, "invitation_id", SAME, ANY),
    ("studies", "survey_responses", "studies", PLAIN, "answer_id", SAME, ANY),
    ("help_centre", "conversations", "help_sessions", json_lines, "session_id", SAME, ANY),
    ("operations", "service_outages", "outages", PLAIN, "outage_id", SAME,
     lambda row: row["restored_at"] >= row["started_at"]),
    ("operations", "quality_checks", "quality_checks", PLAIN, "check_id", SAME,
     lambda row: int(row["corrected"]) <= int(row["items_in_error"]) <= int(row["errors"])),
    ("operations", "costs", "costs", PLAIN, "posting", SAME, lambda row: float(row["amount"]) > 0),
    ("operations", "measurements", "measurements", PLAIN, "report", SAME, ANY),
]  # fmt: skip


@pytest.mark.parametrize(
    "source, entity, stem, read, key, version, is_sound", ENTITIES, ids=[f"{row[0]}-{row[1]}" for row in ENTITIES]
)
def test_every_row_is_accounted_for(inbox, source, entity, stem, read, key, version, is_sound):
    rows_by_night = nights(inbox, stem, read)
    assert reckon(rows_by_night, key, version, is_sound) == expected()["accounting"][source][entity]
    for number, rows in enumerate(rows_by_night, start=1):
        bad = sorted(key_text(row[key]) for row in rows if row is not None and not is_sound(row))
        unreadable = sum(row is None for row in rows)
        # Of the systems that deliver these entities too, only the older ones have bad rows.
        is_sound_system = source in ("studies", "help_centre") or (source, entity) == ("crm", "customers")
        listed = [] if is_sound_system else quarantined(number, entity)
        assert bad == sorted(str(row["key"]) for row in listed if row["rule"] != "unreadable")
        assert unreadable == sum(row["rule"] == "unreadable" for row in listed)


def test_every_entity_of_the_answers_is_reckoned():
    named = {(source, entity) for source, entities in expected()["accounting"].items() for entity in entities}
    assert named == {(source, entity) for source, entity, *_ in ENTITIES}


def test_one_seed_gives_the_same_bytes_in_another_process(inbox, tmp_path):
    script = (
        "import sys; from pathlib import Path; from include.demo.write import write_exports as w; w(Path(sys.argv[1]))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Shanghai"}
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=REPOSITORY, env=environment, check=True)
    digests = [
        {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.iterdir()}
        for directory in (inbox, tmp_path)
    ]
    assert len(digests[0]) == 51
    assert digests[0] == digests[1]


def iso_week(times: pd.Series) -> pd.Series:
    return times.dt.tz_convert(ZONE).dt.strftime("%G-W%V")


@pytest.fixture(scope="module")
def tickets(inbox: Path) -> pd.DataFrame:
    """One row per sound ticket in its last version, with figures from its events."""
    rows = [row for rows in nights(inbox, "tickets", json_lines) for row in rows if row and is_sound_ticket(row)]
    frame = pd.DataFrame(rows).sort_values("updated_at", kind="stable").drop_duplicates("id", keep="last")
    frame["channel"] = [via["channel"] for via in frame["via"]]
    frame["created"] = pd.to_datetime(frame["created_at"])
    frame["met"] = [None if sla["met"] is None else float(sla["met"]) for sla in frame["sla"]]
    accounts = pd.DataFrame(
        row for row in csv_rows(inbox / f"accounts-{DAYS[0]}.csv", "latin-1", ";") if is_sound_account(row)
    ).drop_duplicates("Kundennummer")
    domains = accounts[~accounts["Domäne"].duplicated(keep=False)].set_index("Domäne")["Stufe"]
    frame["tier"] = [requester["email"].split("@")[1] for requester in frame["requester"]]
    frame["tier"] = frame["tier"].map(domains)

    events = pd.DataFrame(row for rows in nights(inbox, "ticket_events", json_lines) for row in rows if row)
    events = events[events["ticket_id"].notna() & events["created_at"].map(is_time)].drop_duplicates("id")
    events["role"] = [author["role"] for author in events["author"]]
    events["at"] = pd.to_datetime(events["created_at"])
    replies = events[(events["type"] == "PublicComment") & (events["role"] == "agent")].groupby("ticket_id")["at"].min()
    solved = events[(events["type"] == "StatusChange") & (events["value"] == "solved")].groupby("ticket_id")["at"]
    frame = frame.set_index("id")
    frame["replied"], frame["solved"], frame["solved_times"] = replies, solved.min(), solved.size()
    last_solved = solved.max()
    frame["last_week"] = iso_week(last_solved.reindex(frame.index[frame["status"] == "solved"])).reindex(frame.index)
    moves = events[events["type"] == "GroupChange"].sort_values("at").groupby("ticket_id")["old_id"].first()
    frame["first_team"] = moves.reindex(frame.index).fillna(frame["group_id"]).astype(int)
    frame["assignments"] = events[events["type"] == "AssigneeChange"].groupby("ticket_id").size()
    frame["solved_week"] = iso_week(frame["solved"])
    frame["created_week"] = iso_week(frame["created"])
    frame["replied_week"] = iso_week(frame["replied"])
    return frame


def weekly(tickets: pd.DataFrame, inbox: Path, trouble: str) -> pd.Series:
    """The planted indicator by ISO week."""
    if trouble == "slow_first_replies":
        team = tickets[tickets["group_id"] == 14]
        hours = (team["replied"] - team["created"]).dt.total_seconds() / 3600
        return hours.groupby(team["replied_week"]).median()
    if trouble == "gold_misses_sla":
        gold = tickets[(tickets["tier"] == "Gold") & tickets["met"].notna()]
        return gold["met"].astype(float).groupby(gold["solved_week"]).mean()
    if trouble == "billing_checklist_works":
        billing = tickets[(tickets["group_id"] == 12) & tickets["solved"].notna()]
        return (billing["solved_times"] > 1).groupby(billing["solved_week"]).mean()
    if trouble == "routing_form_does_not_work":
        team = tickets[(tickets["group_id"] == 13) & tickets["solved"].notna()]
        return (team["assignments"] > 1).groupby(team["solved_week"]).mean()
    answers = [row for rows in nights(inbox, "survey", lambda path: sheet_rows(path, "Responses")) for row in rows]
    frame = pd.DataFrame(row for row in answers if is_sound_answer(row) and row["Channel"] == "chat")
    week = pd.to_datetime(frame["Answered at"]).dt.strftime("%G-W%V")
    return (frame["Score"] >= 4).groupby(week).mean()


TROUBLES = {trouble["id"]: trouble for trouble in expected()["troubles"]}


@pytest.mark.parametrize("name", [name for name in TROUBLES if name != "holidays"])
def test_planted_trouble_has_its_size(tickets, inbox, name):
    trouble = TROUBLES[name]
    values = weekly(tickets, inbox, name)
    values = values[values.index <= expected()["last_full_week"]].drop(["2025-W52", "2026-W01"])
    assert len(values) == 68
    change = pd.Timestamp(trouble["date"]).strftime("%G-W%V")
    before, after = values[values.index < change], values[values.index >= trouble["from"]]
    assert before.between(*trouble["before"]).all(), before[~before.between(*trouble["before"])]
    assert after.between(*trouble["after"]).all(), after[~after.between(*trouble["after"])]
    if trouble["direction"] == "none":
        assert abs(after.mean() - before.mean()) < 0.03
    else:
        assert abs(after.mean() - before.mean()) > 3 * before.std()


def every_segment(tickets: pd.DataFrame, inbox: Path) -> dict[str, pd.DataFrame]:
    """Per threshold: value and sample count by segment and ISO week, counted as the indicators say."""
    replied = tickets.assign(value=(tickets["replied"] - tickets["created"]).dt.total_seconds() / 3600)
    solved = tickets[tickets["last_week"].notna()]
    first_solved = tickets[tickets["solved"].notna()]
    answers = [row for rows in nights(inbox, "survey", lambda path: sheet_rows(path, "Responses")) for row in rows]
    csat = pd.DataFrame(row for row in answers if is_sound_answer(row) and row["Survey"] == "CSAT")
    csat["week"] = pd.to_datetime(csat["Answered at"]).dt.strftime("%G-W%V")
    tables = {
        "demo_first_reply_by_team": (replied, "first_team", "replied_week", "median"),
        "demo_sla_by_tier": (solved.assign(value=solved["met"].astype(float)), "tier", "last_week", "mean"),
        "demo_reopen_rate_by_team": (first_solved.assign(value=first_solved["solved_times"] > 1), "group_id",
                                     "solved_week", "mean"),
        "demo_reassignment_rate_by_team": (solved.assign(value=solved["assignments"] > 1), "group_id", "last_week",
                                           "mean"),
        "demo_csat_by_channel": (csat.assign(value=csat["Score"] >= 4), "Channel", "week", "mean"),
    }  # fmt: skip
    return {
        name: frame.groupby([segment, week])["value"]
        .agg(value=how, count="count")
        .reset_index(names=["segment", "week"])
        for name, (frame, segment, week, how) in tables.items()
    }


THRESHOLDS = {
    path.stem: yaml.safe_load(path.read_text())
    for path in sorted((REPOSITORY / "include/demo/definitions/thresholds").glob("*.yaml"))
}
# The smallest sample that each indicator judges, and the source's word for the planted segment.
SMALLEST_SAMPLE = {"first_reply_median": 10, "csat_top_box": 10}
WORDS = {"gold": "Gold", "helpdesk:12": 12, "helpdesk:13": 13, "helpdesk:14": 14, "chat": "chat"}


def test_thresholds_are_broken_in_the_listed_weeks_and_nowhere_else(tickets, inbox):
    tables = every_segment(tickets, inbox)
    assert set(tables) == set(THRESHOLDS)
    for trouble in TROUBLES.values():
        if "threshold" not in trouble:
            continue
        threshold, table = THRESHOLDS[trouble["threshold"]], tables[trouble["threshold"]]
        limit = threshold.get("warning", threshold.get("critical"))
        upwards = threshold["indicator"] not in ("csat_top_box", "source_sla_attainment")
        first = pd.Timestamp(threshold["valid_from"]).strftime("%G-W%V")
        judged = table[table["count"] >= SMALLEST_SAMPLE.get(threshold["indicator"], 30)]
        judged = judged[(judged["week"] >= first) & (judged["week"] <= expected()["last_full_week"])]
        broken = judged[judged["value"] > limit if upwards else judged["value"] < limit]
        assert set(broken["segment"]) == {WORDS[trouble["segment"].split("=")[1]]}
        assert sorted(broken["week"]) == trouble["breaches"]
        margin = (judged["value"] / limit - 1).abs().min()
        assert margin > 0.015, f"{threshold['id']} hangs by a thread: {margin:.1%}"


def test_holiday_weeks_dip_and_recover(tickets):
    volume = tickets.groupby("created_week").size()
    common = volume[(volume.index >= "2025-W42") & (volume.index < "2025-W52")].median()
    low, high = TROUBLES["holidays"]["volume_ratio"]
    assert (volume[TROUBLES["holidays"]["weeks"]] / common).between(low, high).all()
    assert volume["2026-W02"] / common > 0.9


def test_late_rows_are_only_in_the_last_night(inbox):
    late = expected()["late"]
    ids = [{row["id"] for row in rows if row} for rows in nights(inbox, "tickets", json_lines)]
    of_events = [{row["ticket_id"] for row in rows if row} for rows in nights(inbox, "ticket_events", json_lines)]
    for week, numbers in late["tickets"].items():
        rows = {row["id"]: row for row in json_lines(inbox / f"tickets-{DAYS[2]}.jsonl.gz")}
        created = pd.Series(pd.to_datetime([rows[number]["created_at"] for number in numbers]))
        assert set(iso_week(created)) == {week}
        for number in numbers:
            assert [number in night for night in ids] == [False, False, True]
            assert [number in night for night in of_events] == [False, False, True]
    answers = sheet_rows(inbox / f"survey-{DAYS[2]}.xlsx", "Responses")
    published = pd.Timestamp(DAYS[1])
    is_late = [int(row["Response ID"]) for row in answers
               if not isinstance(row["Answered at"], str) and row["Answered at"] < published]  # fmt: skip
    assert sorted(is_late) == late["answers"]


def test_unknown_column_and_changed_type_appear_when_listed(inbox):
    found = []
    for number, rows in enumerate(nights(inbox, "tickets", json_lines), start=1):
        new = sum("sentiment" in row for row in rows if row)
        as_text = sum(isinstance(row["assignee_id"], str) for row in rows if row)
        found += [(number, "sentiment", "new", new)] * bool(new) + [(number, "assignee_id", "type", as_text)] * bool(
            as_text
        )
    assert found == [(row["night"], row["field"], row["kind"], row["count"]) for row in expected()["drift"]]


def test_answers_fall_into_the_odd_hours_of_the_year(inbox):
    times = [row["Answered at"] for row in sheet_rows(inbox / f"survey-{DAYS[0]}.xlsx", "Responses")]
    for odd in expected()["odd_hours"]:
        hour = pd.Timestamp(odd["local"]).floor("h")
        assert sum(pd.Timestamp(time).floor("h") == hour for time in times) == odd["count"]


def test_account_that_left_is_absent_and_quarantined_ones_are_not(inbox):
    numbers = [{row["Kundennummer"] for row in rows if row} for rows in nights(inbox, "accounts", CRM)]
    assert [row["key"] for row in expected()["deleted"]] == sorted(numbers[0] - numbers[2])


def test_people_write_two_languages_and_leave_personal_data(inbox):
    answers = sheet_rows(inbox / f"survey-{DAYS[0]}.xlsx", "Responses")
    comments = pd.DataFrame(row for row in answers if row["Comment"])
    assert comments.groupby("Language").size().min() > 300
    assert comments[comments["Language"] == "zh"]["Comment"].str.contains(r"[\u4e00-\u9fff]").all()
    users = json_lines(inbox / f"users-{DAYS[0]}.jsonl.gz")
    texts = "\n".join(comments["Comment"])
    for part in ("name", "email", "phone"):
        assert sum(row[part] in texts for row in users) > 5, part


def test_the_help_desks_report_counts_what_its_exports_hold(inbox):
    rows = [row for day in DAYS for row in json_lines(inbox / f"tickets-{day}.jsonl.gz") if row and row["id"]]
    tickets = pd.DataFrame(rows).sort_values("updated_at", kind="stable").drop_duplicates("id", keep="last")
    tickets = tickets[tickets.status.isin(["new", "open", "pending", "hold", "solved", "closed"])]
    created = pd.to_datetime(tickets.created_at, format="%Y-%m-%dT%H:%M:%SZ", errors="coerce", utc=True)
    day = created.dt.tz_convert(expected()["tie_out"]["zone"]).dt.strftime("%Y-%m-%d")
    report = pd.read_csv(inbox / f"ticket_counts-{DAYS[-1]}.csv")
    told = {(row.day, row.status): row.tickets for row in report.itertuples()}
    held = tickets.groupby([day, "status"]).size()
    held = {key: count for key, count in held.items() if report.day.min() <= key[0] <= DAYS[-1]}
    held[DAYS[-1], "new"] += sum(expected()["tie_out"]["late"]["counts"])
    assert told == held
    assert len(report.day.unique()) == 28
