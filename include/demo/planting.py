"""Spoils the exports: bad rows, duplicates, a conflict, a new column, a changed type. `troubles.yaml` lists them all.

Nothing here is random. Rows that exist only to be bad have keys from 990001 on.
"""

from __future__ import annotations

import json

from .exports import LAST, Rows

SPOILED_TICKET_NUMBERS = range(990_001, 990_100)


def spoil(exports: dict[str, Rows]) -> None:
    """Changes the rows in place. A text instead of a dict is written to the file as it stands."""
    _add_bad_tickets(exports["tickets"])
    _add_duplicate_tickets(exports["tickets"])
    _change_shape_of_tickets(exports["tickets"])
    _add_bad_events(exports["ticket_events"])
    _repeat_events(exports["ticket_events"])
    _spoil_accounts(exports["accounts"])
    _spoil_the_rest(exports)


def _like(rows: list, **changes) -> dict:
    """A copy of the first row with a few fields changed."""
    return {**json.loads(json.dumps(rows[0], default=str)), **changes}


def _ticket(rows: list, number: int | None, created: str = "2026-09-10T08:00:00Z", **changes) -> dict:
    """A new, unsolved ticket without any event."""
    metrics = {"first_replied_at": None, "first_solved_at": None, "solved_at": None, "reopens": 0}
    fields = {"id": number, "status": "open", "sla": {"met": None}, "metrics": metrics, "created_at": created}
    return _like(rows, **{**fields, "updated_at": "2026-09-11T08:00:00Z", **changes})


def _add_bad_tickets(nights: Rows) -> None:
    first, second, third = nights
    before_creation = {"first_replied_at": None, "first_solved_at": None, "solved_at": "2026-09-09T08:00:00Z"}
    bad = [
        _ticket(first, None),
        _ticket(first, 990_001, priority="blocker"),
        _ticket(first, 990_002, status="parked"),
        _ticket(first, 990_003, created="31/02/2026 25:61"),
        _ticket(first, 990_004, metrics={**before_creation, "reopens": 0}),
        _ticket(first, 990_005, created="2062-09-10T08:00:00Z"),
        json.dumps(_ticket(first, 990_006))[:181],
    ]
    second.append(_ticket(first, 990_007, created=None))
    second.append(json.dumps(_ticket(first, 990_008))[:97])
    third.append(_ticket(first, 990_009, status="???"))
    _spoil_one_real_ticket(first, third)
    for position, row in enumerate(bad):
        first.insert(500 + 1000 * position, row)


def _spoil_one_real_ticket(first: list, third: list) -> None:
    """A ticket of the last full week arrives solved before its creation; the last night brings it in order."""
    known_later = {row["id"] for row in third}
    index = next(
        index for index, row in enumerate(first)
        if row["created_at"] > "2026-09-08" and row["metrics"]["solved_at"] and row["id"] not in known_later
    )  # fmt: skip
    good = first[index]
    third.append({**good, "updated_at": "2026-09-14T09:00:00Z"})
    first[index] = {**good, "metrics": {**good["metrics"], "solved_at": "2026-09-01T00:00:00Z"}}


def _add_duplicate_tickets(nights: Rows) -> None:
    first, second, third = nights
    known = [row for row in first if isinstance(row, dict) and row["id"] and row["id"] < 990_001]
    quiet = [row for row in known if row["created_at"] < "2026-03-01"]
    for row in quiet[100:105]:  # five rows stand twice in one file
        first.append(dict(row))
    same_version = quiet[200]  # same update time, another subject
    first.append({**same_version, "subject": same_version["subject"] + " (again)"})
    second.extend(dict(row) for row in quiet[300:308])  # eight rows come again a night later
    for row in quiet[400:402]:  # two come in an older version than the one already known
        third.append({**row, "status": "open", "metrics": {**row["metrics"], "solved_at": None},
                      "updated_at": row["created_at"]})  # fmt: skip


def _change_shape_of_tickets(nights: Rows) -> None:
    """From the second night on a new column; in the last one some assignees are written as text."""
    for night, rows in enumerate(nights):
        for row in rows if night else []:
            if isinstance(row, dict):
                row["sentiment"] = round((row["id"] % 200) / 100 - 1, 2)
    for row in nights[LAST]:
        if row["id"] % 3 == 0 and row["assignee_id"] is not None:
            row["assignee_id"] = str(row["assignee_id"])


def _add_bad_events(nights: Rows) -> None:
    first, second, _ = nights
    bad = [
        _like(first, id=9_900_010_1, ticket_id=None),
        _like(first, id=9_900_010_2, type="Teleported"),
        _like(first, id=9_900_010_3, created_at="yesterday"),
        json.dumps(_like(first, id=9_900_010_4))[:60],
    ]
    for position, row in enumerate(bad):
        first.insert(2000 + 9000 * position, row)
    second.append(_like(first, id=9_900_010_5, created_at="2062-01-01T00:00:00Z"))


def _repeat_events(nights: Rows) -> None:
    """The second export begins with the last thirty events of the first."""
    nights[1][:0] = [dict(row) for row in nights[0][-30:]]


def _spoil_accounts(nights: Rows) -> None:
    first, second, third = nights

    def find(rows: list, number: str) -> int:
        return next(index for index, row in enumerate(rows) if isinstance(row, dict) and row["Kundennummer"] == number)

    first.append(dict(first[find(first, "A-1005")]))  # one row twice
    for rows in (first, second):  # a tier that nobody knows, put right in the last night
        rows[find(rows, "A-1149")]["Stufe"] = "Diamant"
    third[find(third, "A-1149")]["Geändert am"] = "14.09.2026 17:20"
    short = second[find(second, "A-1150")]
    second[find(second, "A-1150")] = ";".join(list(short.values())[:5])
    bad_date = second[find(second, "A-1148")]
    bad_date["Verlängerung"], bad_date["Geändert am"] = "31.02.2027", "13.09.2026 15:00"
    for number in ("A-1010", "A-1020"):  # the value, so far a number, becomes a text
        row = third[find(third, number)]
        row["Jahreswert"], row["Geändert am"] = "n. v.", "14.09.2026 17:30"
    del third[find(third, "A-1147")]  # gone from the CRM


def _spoil_the_rest(exports: dict[str, Rows]) -> None:
    users, survey = exports["users"], exports["survey"]
    outages, sessions = exports["outages"], exports["bot_sessions"]
    users[0].append({**users[0][0], "id": None})
    base = {**survey[0][0], "Comment": None, "Invitation ID": None}
    csat, nps = {**base, "Survey": "CSAT"}, {**base, "Survey": "NPS", "Ticket": None, "Channel": None}
    survey[0].insert(50, {**csat, "Response ID": 990_101, "Score": 7})
    survey[0].insert(150, {**csat, "Response ID": 990_102, "Score": 0})
    survey[0].insert(250, {**nps, "Response ID": 990_103, "Score": 11})
    survey[0].insert(350, {**csat, "Response ID": 990_104, "Score": "sehr gut"})
    survey[1].append({**csat, "Response ID": None})
    survey[LAST].append({**csat, "Response ID": 990_105, "Answered at": "yesterday"})
    outages[0].append({**outages[0][0], "outage_id": "OUT-990", "restored_at": "2020-01-01T00:00:00Z"})
    sessions[0].insert(10, {**sessions[0][0], "session_id": "B990201", "confidence": 1.7})
    sessions[0].insert(20, json.dumps(sessions[0][1])[:40])
    sessions[LAST].append({**sessions[0][0], "session_id": "B990202", "ended_at": "2020-01-01T00:00:00Z"})
