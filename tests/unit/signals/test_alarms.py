"""The alarm machine: against the breach oracle, against a machine written out for one series, and its own promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.oracle_schedules import oracle

from hansei.signals.alarm_moves import Move, Recorded, alarm_moves
from hansei.signals.alarms import (
    BETWEEN,
    BREACH,
    CLOSED,
    GAP,
    NO_PERIOD,
    NOT_READY,
    OPEN,
    RECOVERED,
    RECOVERING,
    TOO_SMALL,
    Findings,
    part_states,
)
from hansei.signals.severity import severities

LETTERS = {"!": BREACH, "-": BETWEEN, ".": RECOVERED, " ": GAP, "?": NOT_READY, "s": TOO_SMALL, "_": NO_PERIOD}
STATES = {CLOSED: ".", RECOVERING: "r", OPEN: "O"}


def findings(*rows: str, to_open: int = 1, to_close: int = 2, scopes: list[int] | None = None) -> Findings:
    """Series written as one letter a period, never judged before."""
    count, periods = len(rows), max(map(len, rows))
    codes = np.array([[LETTERS[letter] for letter in row.ljust(periods)] for row in rows], dtype="int8")
    return Findings(
        codes=codes,
        severities=np.zeros(codes.shape, dtype="int8"),
        scopes=np.array(scopes or [0] * count),
        to_open=np.full(count, to_open),
        to_close=np.full(count, to_close),
        judged=np.full(count, -1),
        through=np.full(count, periods - 1),
        since=np.full(count, -1),
        is_retired=np.zeros(count, dtype=bool),
    )


def told(moves: list[Move]) -> list[str]:
    return [f"{move.number} {move.what} {move.column}" for move in moves]


@pytest.mark.parametrize(
    ("row", "options", "expected"),
    [
        ("!!..", {"to_open": 2}, ".Or."),
        ("!.!!", {"to_open": 2}, "...O"),
        ("! !!", {"to_open": 2}, "...O"),  # a gap ends a run of breaches
        ("!s!!?!", {"to_open": 2}, "...OOO"),
        ("!_!", {"to_open": 2}, "..O"),  # where no period ends, nothing is missing
        ("!. .", {}, "Orr."),  # a gap neither advances nor takes back a recovery
        ("!.-..", {}, "Orrr."),  # between the two levels a part stays as it is, but two good periods are not in a row
        ("!-- ?", {}, "OOOOO"),
        ("!.!..", {}, "OrOr."),  # a relapse begins recovery anew
        ("!..!", {}, "Or.O"),
        ("!.", {"to_close": 1}, "O."),
        ("-- .?", {}, "....."),
    ],
)
def test_one_series_by_hand(row: str, options: dict, expected: str) -> None:
    assert "".join(STATES[state] for state in part_states(findings(row, **options))[0]) == expected


def test_hysteresis_as_the_oracle_has_it() -> None:
    cases = oracle("breach")["hysteresis"]
    assert len(cases) == 2
    for case in cases:
        sign = 1 if case["direction"] == "lower_better" else -1
        letters = [
            "!" if sign * value > sign * case["on"] else "." if sign * value < sign * case["off"] else "-"
            for value in case["values"]
        ]
        states = part_states(findings("".join(letters), to_close=1))[0]
        assert (states == OPEN).tolist() == case["expected"]


def written_out(row: str, to_open: int, to_close: int) -> str:
    """The machine for one series, said once more without arrays."""
    state, run, good, said = "closed", 0, 0, ""
    for letter in row:
        run = run + 1 if letter == "!" else run if letter == "_" else 0
        if state == "closed":
            if letter == "!" and run >= to_open:
                state, good = "open", 0
        elif letter == "!":
            state, good = "open", 0
        elif letter == "-":
            good = 0
        elif letter == ".":
            good += 1
            state = "closed" if good >= to_close else "recovering"
        said += {"closed": ".", "open": "O", "recovering": "r"}[state]
    return said


ROWS = st.text("!!!-. s?_", min_size=1, max_size=24)
COUNTS = st.integers(1, 4)


@given(ROWS, COUNTS, COUNTS)
def test_every_series_goes_as_the_machine_written_out(row: str, to_open: int, to_close: int) -> None:
    states = part_states(findings(row, to_open=to_open, to_close=to_close))[0]
    assert "".join(STATES[state] for state in states) == written_out(row, to_open, to_close)


def test_segments_in_trouble_together_are_one_alarm_with_parts() -> None:
    moves = alarm_moves(findings("!!!..", ".!!..", "..!!..", "!....", scopes=[0, 0, 0, 1]), {})
    assert told([move for move in moves if move.scope == 0]) == [
        "1 opened 0",
        "1 joined 1",
        "1 joined 2",
        "1 recovering 4",
        "1 closed 5",
    ]
    assert [move.rows for move in moves if move.rows] == [(0,), (1,), (2,), (3,)]
    assert told([move for move in moves if move.scope == 1]) == ["1 opened 0", "1 recovering 1", "1 closed 2"]


def test_what_begins_after_an_alarm_has_closed_is_another() -> None:
    assert told(alarm_moves(findings("!..  ", "...!!"), {})) == [
        "1 opened 0",
        "1 recovering 1",
        "1 closed 2",
        "2 opened 3",
    ]


def test_a_relapse_opens_no_second_alarm() -> None:
    assert told(alarm_moves(findings("!.!.."), {})) == [
        "1 opened 0",
        "1 recovering 1",
        "1 relapsed 2",
        "1 recovering 3",
        "1 closed 4",
    ]


def judged(found: Findings, through: int, since: list[int]) -> Findings:
    """The same after a night that judged through a column and left parts that joined in these columns."""
    return replace(found, judged=np.full(len(found.codes), through), since=np.array(since))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("!!!!", []),
        ("!!!!.", ["0 recovering 4"]),
        ("!!!.", ["0 restated 3"]),  # one good period after all
        ("!!..", ["0 restated 3"]),  # two: it would have ended
        ("!!..!", ["0 restated 3", "1 opened 4"]),  # what is new is new
        ("!..!", []),  # it would have ended, and begun again: nothing has changed as of today
        ("!!.?", []),  # what is not ready says nothing
        ("    ", []),
    ],
)
def test_restated_history_recovers_an_alarm(row: str, expected: list[str]) -> None:
    moves = alarm_moves(judged(findings(row), 3, [0]), {0: Recorded(OPEN, 0)})
    assert told(moves) == expected
    if "restated" in str(expected):
        assert moves[0].condition == (RECOVERING if row == "!!!." else CLOSED)


def test_restated_history_never_opens_an_alarm_but_counts_in_the_run_of_a_new_period() -> None:
    assert alarm_moves(judged(findings(" !!!", to_open=2), 3, [-1]), {}) == []
    assert told(alarm_moves(judged(findings(" !!!!", to_open=2), 3, [-1]), {})) == ["1 opened 4"]


def test_a_recovery_that_is_restated_away_is_a_relapse() -> None:
    assert told(alarm_moves(judged(findings("!!!!"), 3, [0]), {0: Recorded(RECOVERING, 0)})) == ["0 relapsed 3"]


def test_where_the_judged_periods_are_gone_an_alarm_stays_as_it_is() -> None:
    found = replace(findings("..."), judged=np.array([-1]), since=np.array([0]), through=np.array([-1]))
    assert alarm_moves(found, {0: Recorded(OPEN, 0)}) == []


def test_what_nothing_judges_any_more_is_retired() -> None:
    found = replace(judged(findings("!!!!", "!!.."), 3, [0, 0]), is_retired=np.array([True, False]))
    assert told(alarm_moves(found, {0: Recorded(OPEN, 0)})) == ["0 retired 3"]
    assert told(alarm_moves(replace(found, is_retired=np.ones(2, bool)), {0: Recorded(OPEN, 0)})) == ["0 retired 3"]
    assert alarm_moves(replace(found, is_retired=np.ones(2, bool), since=np.full(2, -1)), {}) == []


def test_severity_rises_with_the_gravest_part_and_never_falls() -> None:
    found = findings("!!!!!", ".!!!.")
    grades = np.array([[0, 0, 1, 0, 0], [0, 1, 1, 2, 2]], dtype="int8")
    moves = alarm_moves(replace(found, severities=grades), {})
    assert [(move.what, move.column, move.severity) for move in moves] == [
        ("opened", 0, 0),
        ("joined", 1, 0),
        ("raised", 1, 1),
        ("raised", 3, 2),
    ]


COMPANIES = st.lists(st.tuples(ROWS, COUNTS, COUNTS, st.integers(0, 2)), min_size=1, max_size=6)


def company(series: list[tuple[str, int, int, int]]) -> Findings:
    series = sorted(series, key=lambda item: item[3])
    found = findings(*(item[0].replace("?", " ") for item in series), scopes=[item[3] for item in series])
    to_open, to_close = (np.array([item[place] for item in series]) for place in (1, 2))
    grades = np.array([[(ord(letter) * 7 + place) % 3 for place, letter in enumerate(item[0].ljust(24))]
                       for item in series], dtype="int8")  # fmt: skip
    return replace(found, to_open=to_open, to_close=to_close, severities=grades[:, : found.codes.shape[1]])


def night_after_night(found: Findings, nights: list[int]) -> list[tuple]:
    """What is recorded when the nights judge through these columns, each knowing only what it was left."""
    count = len(found.codes)
    since, through_before = np.full(count, -1), -1
    standing: dict[int, Recorded] = {}
    serial: dict[int, int] = {}
    said = []
    for through in nights:
        tonight = replace(
            found,
            codes=np.where(np.arange(found.codes.shape[1]) <= through, found.codes, NOT_READY).astype("int8"),
            judged=np.full(count, through_before),
            through=np.full(count, through),
            since=since,
        )
        for move in alarm_moves(tonight, standing):
            if move.what == "opened":
                serial[move.scope] = serial.get(move.scope, 0) + 1
            since = since.copy()
            since[list(move.rows)] = move.column
            standing[move.scope] = Recorded(move.condition, move.severity)
            if move.condition == CLOSED:
                del standing[move.scope]
                since[found.scopes == move.scope] = -1
            said.append((move.scope, serial[move.scope], move.what, move.column, move.rows, move.severity))
        assert alarm_moves(replace(tonight, judged=tonight.through, since=since), standing) == [], "a repeat says more"
        through_before = through
    return sorted(said, key=lambda item: (item[0], item[3]))


@settings(max_examples=300)
@given(COMPANIES, st.sets(st.integers(0, 23), max_size=8))
def test_night_after_night_records_what_one_night_over_everything_records(series: list, nights: set[int]) -> None:
    found = company(series)
    last = found.codes.shape[1] - 1
    stops = sorted({night for night in nights if night < last} | {last})
    assert night_after_night(found, stops) == night_after_night(found, [last])


@given(COMPANIES, st.lists(st.text("!-. s?", min_size=24, max_size=24), min_size=6, max_size=6))
def test_whatever_is_restated_opens_nothing_and_is_said_once(series: list, others: list[str]) -> None:
    """After a night over everything, all of history reads otherwise."""
    found = company(series)
    count, periods = found.codes.shape
    since, standing = np.full(count, -1), {}
    for move in alarm_moves(found, {}):
        since[list(move.rows)] = move.column
        standing[move.scope] = Recorded(move.condition, move.severity)
        if move.condition == CLOSED:
            del standing[move.scope]
            since[found.scopes == move.scope] = -1
    codes = np.array([[LETTERS[letter] for letter in row[:periods]] for row in others[:count]], dtype="int8")
    restated = replace(found, codes=codes, judged=np.full(count, periods - 1), since=since)
    moves = alarm_moves(restated, standing)
    assert {move.what for move in moves} <= {"restated", "relapsed"}
    for move in moves:
        standing[move.scope] = Recorded(move.condition, move.severity)
        if move.condition == CLOSED:
            del standing[move.scope]
            since = np.where(found.scopes == move.scope, -1, since)
    assert alarm_moves(replace(restated, since=since), standing) == []


@given(COMPANIES, st.randoms(use_true_random=False))
def test_the_order_of_series_changes_nothing(series: list, dice) -> None:
    shuffled = list(series)
    dice.shuffle(shuffled)

    def said(found: Findings) -> list[tuple]:
        return [(m.scope, m.number, m.what, m.column, m.condition, m.severity) for m in alarm_moves(found, {})]

    assert said(company(series)) == said(company(shuffled))


@pytest.mark.parametrize(
    ("distance", "is_critical", "reach", "is_risky", "expected"),
    [
        (0.1, False, 0.1, False, 0),
        (0.25, False, 0.1, False, 1),
        (0.1, True, 0.1, False, 0),  # the distance says it; the level only where there is none
        (np.nan, True, np.nan, False, 1),
        (0.1, False, 0.25, False, 1),
        (0.1, False, 0.1, True, 1),
        (0.3, False, 1.0, False, 2),
        (0.3, False, 1.0, True, 2),
        (np.nan, False, np.nan, False, 0),
    ],
)
def test_severity_counts_the_questions_answered_with_yes(
    distance: float, is_critical: bool, reach: float, is_risky: bool, expected: int
) -> None:
    arrays = (np.array([[value]]) for value in (distance, is_critical, reach, is_risky))
    found = severities(*arrays)
    assert found.dtype == np.int8 and found.tolist() == [[expected]]
