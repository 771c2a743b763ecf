"""From findings to parts of alarms: when each series (a threshold on a segment) begins to count as trouble, and ends.

Pure and vectorised over series; only the periods are walked one by one. A part begins after `to_open` breaching periods
in a row, recovers with the first period that is good again, and ends after `to_close` such periods in a row. A period
between the two levels leaves a part as it is, but ends either row. One that is missing, too small or not ready never
counts: it ends a row of breaches (METHODS.md 3, gap rule `break`), and neither advances a recovery nor takes it back.

`alarm_moves` makes alarms of the parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# What was found of one period. NO_PERIOD: none of the series' grain ends there; GAP: nothing was said of it.
NO_PERIOD, GAP, BETWEEN, RECOVERED, BREACH, NOT_READY, TOO_SMALL = -1, 0, 1, 2, 3, 4, 5
# How a part stands after a period.
CLOSED, RECOVERING, OPEN = 0, 1, 2


@dataclass(frozen=True)
class Findings:
    """What thresholds said of S series in T periods that are ordered by their ends, and what is known of them.

    `codes`, `severities`: (S, T) int8; severities are numbers of `severity.SEVERITIES` and count where a period
    breaches. All others are (S,). `scopes`: number of the indicator; a scope's rows lie together, in rising order.
    `judged`: the last period that was judged before, `through`: that is judged now, `since`: in which the series
    joined the alarm that stands; columns, or -1. `is_retired`: nothing judges the series any more.
    """

    codes: np.ndarray
    severities: np.ndarray
    scopes: np.ndarray
    to_open: np.ndarray
    to_close: np.ndarray
    judged: np.ndarray
    through: np.ndarray
    since: np.ndarray
    is_retired: np.ndarray


def part_states(findings: Findings) -> np.ndarray:
    """CLOSED, RECOVERING or OPEN after each period, (S, T) int8.

    A series that is a part of a standing alarm is followed from the period in which it joined, on what is known of it
    today. No other begins in a period that was judged before: restated history opens nothing.
    """
    codes = findings.codes
    states = np.zeros(codes.shape, dtype="int8")
    state = np.zeros(len(codes), dtype="int8")
    run = np.zeros(len(codes), dtype="int32")
    good = np.zeros(len(codes), dtype="int32")
    begins = np.where(findings.since >= 0, findings.since, findings.judged + 1)
    begins = np.where(findings.is_retired & (findings.since < 0), codes.shape[1], begins)
    for column in range(codes.shape[1]):
        code = codes[:, column]
        is_breach, is_good = code == BREACH, code == RECOVERED
        run = np.where(is_breach, run + 1, np.where(code == NO_PERIOD, run, 0))
        opens = (state == CLOSED) & is_breach & (run >= findings.to_open) & (column >= begins)
        opens |= findings.since == column
        state[opens], good[opens] = OPEN, 0
        is_standing = state > CLOSED
        good = np.where(is_breach | (code == BETWEEN), 0, good + (is_standing & is_good))
        state[is_standing & is_breach] = OPEN
        state[is_standing & is_good] = RECOVERING
        state[is_standing & (good >= findings.to_close)] = CLOSED
        states[:, column] = state
    return states
