"""What thresholds found, as arrays for the alarm machine: one row per threshold and segment, one column per period end.

Only numbers of one byte are kept of each period, so that millions of signals fit; what is told of a part is read
afterwards, for the parts alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hansei.board.alarms import Alarm, Part, Series
from hansei.catalog import Catalog
from hansei.catalog.thresholds import Threshold
from hansei.indicators.periods import next_period, period_start, periods_between
from hansei.pipeline.series import doubles, portions
from hansei.signals.alarms import BETWEEN, BREACH, GAP, NO_PERIOD, NOT_READY, RECOVERED, TOO_SMALL, Findings
from hansei.signals.severity import severities
from hansei.warehouse import Warehouse
from hansei.warehouse.signal_tables import SIGNALS

_CODES = (
    f"CASE WHEN verdict = 'not_ready' THEN {NOT_READY} WHEN verdict = 'too_few_data' THEN {TOO_SMALL} "
    f"WHEN is_alarming THEN {BREACH} WHEN is_recovered THEN {RECOVERED} "
    f"ELSE {BETWEEN} END"
)


@dataclass(frozen=True)
class Key:
    """A threshold on a segment, and what it belongs to."""

    indicator: str
    threshold_id: str
    segment_id: str
    grain: str

    @property
    def series(self) -> Series:
        return self.threshold_id, self.segment_id

    @property
    def place(self) -> tuple[str, Series]:
        """What an alarm knows its parts by: a threshold may be given another indicator."""
        return self.indicator, self.series


@dataclass(frozen=True)
class Found:
    """Signals of every threshold. `ends`: first days after the periods, rising; `codes`, `severities`: (keys, ends)."""

    keys: list[Key]
    ends: np.ndarray
    codes: np.ndarray
    severities: np.ndarray

    def period(self, row: int, column: int) -> date:
        """First day of the period of the row's grain that ends with the column, or is the last to end before it."""
        grain, end = self.keys[row].grain, self.ends[column].item()
        return period_start(grain, period_start(grain, end) - timedelta(days=1))


def read_found(warehouse: Warehouse) -> Found:
    """Every signal of a threshold, indicators in order."""
    spans = warehouse.rows(
        f"SELECT grain, MIN(period_start) AS first_start, MAX(period_start) AS last_start FROM {SIGNALS} "
        "WHERE kind <> 'verdict' GROUP BY grain"
    )
    ends = sorted({end for span in spans for end in _ends_of(span["grain"], span["first_start"], span["last_start"])})
    axis = np.array(ends, dtype="datetime64[D]")
    sizes = warehouse.rows(
        f"SELECT indicator, COUNT(*) AS signal_count FROM {SIGNALS} WHERE kind <> 'verdict' "
        "GROUP BY indicator ORDER BY indicator"
    )
    counts = {row["indicator"]: row["signal_count"] for row in sizes}
    blocks = [_read(warehouse, names, axis) for names in portions(counts, counts)]
    nothing = np.empty((0, len(axis)), dtype="int8")
    return Found(
        [key for block in blocks for key in block.keys],
        axis,
        np.concatenate([nothing, *(block.codes for block in blocks)]),
        np.concatenate([nothing, *(block.severities for block in blocks)]),
    )


def with_lost_parts(found: Found, parts: Iterable[tuple[Alarm, Part]]) -> Found:
    """The same in order of indicators, with an empty row for every part of an alarm of which no signal is left."""
    known = {key.place for key in found.keys}
    lost = [
        Key(alarm.indicator, part.threshold_id, part.segment_id, part.grain)
        for alarm, part in parts
        if (alarm.indicator, part.series) not in known
    ]
    axis = found.ends if len(found.ends) else np.array([date(1970, 1, 5)], dtype="datetime64[D]")
    keys, empty = [*found.keys, *lost], np.zeros((len(lost), len(axis)), dtype="int8")
    order = sorted(range(len(keys)), key=lambda row: (keys[row].indicator, keys[row].series))
    codes = np.concatenate([found.codes if len(found.keys) else empty[:0], empty])
    grades = np.concatenate([found.severities if len(found.keys) else empty[:0], empty])
    return Found([keys[row] for row in order], axis, codes[order], grades[order])


def findings_of(
    found: Found, catalog: Catalog, book: Mapping[Series, date], parts: Mapping[tuple[str, Series], Part], today: date
) -> Findings:
    """The arrays of the machine. `book`: the day before which each series was judged; `parts` of standing alarms, by
    their places.
    """
    indicators = sorted({key.indicator for key in found.keys})
    number = {indicator: place for place, indicator in enumerate(indicators)}
    thresholds = [_in_force(catalog, key) for key in found.keys]
    policies = [threshold.alarm if threshold is not None else None for threshold in thresholds]
    until = np.array([book.get(key.series, date.min) for key in found.keys], dtype="datetime64[D]")
    joined = np.array([_end_of(parts.get(key.place)) for key in found.keys], dtype="datetime64[D]")
    judged = np.searchsorted(found.ends, until, "right") - 1
    since = np.searchsorted(found.ends, joined, "left").clip(0, max(len(found.ends) - 1, 0))
    return Findings(
        codes=found.codes,
        severities=found.severities,
        scopes=np.array([number[key.indicator] for key in found.keys], dtype="int64"),
        to_open=np.array([policy.periods_to_open if policy else 1 for policy in policies], dtype="int32"),
        to_close=np.array([policy.periods_to_close if policy else 1 for policy in policies], dtype="int32"),
        judged=judged,
        through=np.maximum(_through(found), judged),
        since=np.where(joined > np.datetime64(date.min, "D"), since, -1),
        is_retired=np.array(
            [
                threshold is None or _has_run_out(threshold, book.get(key.series), today)
                for threshold, key in zip(thresholds, found.keys, strict=True)
            ],
            dtype=bool,
        )
        | ~(found.codes > GAP).any(axis=1),
    )


def _read(warehouse: Warehouse, indicators: Sequence[str], axis: np.ndarray) -> Found:
    names = warehouse.sql.text_list(indicators)
    rows = warehouse.arrow(
        f"SELECT signals.indicator, threshold_id, segment_id, signals.grain, signals.period_start, {_CODES} AS code, "
        "level = 'critical' AS is_critical, distance, reach, risks.indicator IS NOT NULL AS is_risky "
        f"FROM {SIGNALS} AS signals "
        "LEFT JOIN (SELECT DISTINCT indicator, grain, period_start FROM indicators.risks "
        "WHERE grade IN ('high', 'extreme')) AS risks ON signals.indicator = risks.indicator "
        "AND signals.grain = risks.grain AND signals.period_start = risks.period_start "
        f"WHERE kind <> 'verdict' AND signals.indicator IN ({names}) "
        "ORDER BY signals.indicator, threshold_id, segment_id, signals.period_start"
    )
    names_of = ("indicator", "threshold_id", "segment_id", "grain")
    encoded = {name: rows[name].combine_chunks().dictionary_encode() for name in names_of}
    codes_of = {name: np.asarray(column.indices) for name, column in encoded.items()}
    is_first = np.ones(rows.num_rows, dtype=bool)
    is_first[1:] = np.any([codes_of[name][1:] != codes_of[name][:-1] for name in names_of], axis=0)
    words = {name: column.dictionary.to_pylist() for name, column in encoded.items()}
    firsts = np.flatnonzero(is_first)
    keys = [Key(*(words[name][codes_of[name][place]] for name in names_of)) for place in firsts]
    row_of = np.cumsum(is_first) - 1
    days = np.asarray(rows["period_start"].combine_chunks().cast(pa.date32()).cast(pa.int32())).astype("datetime64[D]")
    column_of = np.searchsorted(axis, _ends(days, rows["grain"]))
    found = np.stack([_periods_of(grain, axis) for grain in words["grain"]])[codes_of["grain"][firsts]]
    found[row_of, column_of] = rows["code"].cast(pa.int8()).to_numpy()
    grades = np.zeros(found.shape, dtype="int8")
    grades[row_of, column_of] = severities(
        doubles(rows["distance"]),
        _truths(rows["is_critical"]),
        doubles(rows["reach"]),
        _truths(rows["is_risky"]),
    )
    return Found(keys, axis, found, grades)


def _truths(column: pa.ChunkedArray) -> np.ndarray:
    return pc.fill_null(column.cast(pa.bool_()), False).to_numpy()


def _ends(days: np.ndarray, grains: pa.ChunkedArray) -> np.ndarray:
    """First day after each period, from its first day and grain."""
    ends = np.empty_like(days)
    words = np.asarray(grains.combine_chunks().cast(pa.string()).to_numpy(False))
    for grain in set(words.tolist()):
        is_of = words == grain
        starts, place = np.unique(days[is_of], return_inverse=True)
        following = np.array([next_period(grain, start) for start in starts.tolist()], dtype="datetime64[D]")
        ends[is_of] = following[place]
    return ends


def _ends_of(grain: str, first: date, last: date) -> list[date]:
    return [next_period(grain, start) for start in periods_between(grain, first, last)]


def _periods_of(grain: str, axis: np.ndarray) -> np.ndarray:
    """GAP where a period of the grain ends, NO_PERIOD elsewhere."""
    return np.array([GAP if period_start(grain, end) == end else NO_PERIOD for end in axis.tolist()], dtype="int8")


def _in_force(catalog: Catalog, key: Key) -> Threshold | None:
    threshold = catalog.thresholds.get(key.threshold_id)
    return threshold if threshold is not None and threshold.indicator == key.indicator else None


def _has_run_out(threshold: Threshold, judged_until: date | None, today: date) -> bool:
    """Whether the last period in which it held has been judged already."""
    if threshold.valid_to is None or threshold.valid_to > today:
        return False
    last = period_start(threshold.grain, threshold.valid_to - timedelta(days=1))
    return judged_until is not None and judged_until >= next_period(threshold.grain, last)


def _end_of(part: Part | None) -> date:
    return next_period(part.grain, part.joined_period) if part is not None else date.min


def _through(found: Found) -> np.ndarray:
    """Per series the last column in which anything of its threshold was judged, -1 where nothing was."""
    is_judged = (found.codes > GAP) & (found.codes != NOT_READY)
    columns = np.where(is_judged.any(axis=1), found.codes.shape[1] - 1 - is_judged[:, ::-1].argmax(axis=1), -1)
    last: dict[str, int] = {}
    for key, column in zip(found.keys, columns.tolist(), strict=True):
        last[key.threshold_id] = max(last.get(key.threshold_id, -1), column)
    return np.array([last[key.threshold_id] for key in found.keys], dtype="int64")
