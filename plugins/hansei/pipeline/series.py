"""Stored values as blocks of series side by side: what the rules of `signals` work on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hansei.catalog import Catalog
from hansei.catalog.measures import Indicator
from hansei.indicators.periods import next_period, periods_between
from hansei.pipeline.phases import phase_numbers, phase_starts
from hansei.signals.series import Block
from hansei.warehouse import Warehouse

DIRECTIONS = {"higher_is_better": 1, "lower_is_better": -1, "neutral": 0}
# Values in one block: about 300 MB at its widest.
BLOCK_VALUES = 600_000
_FIGURES = ("value", "numerator", "denominator", "square_sum", "lower_bound", "upper_bound")
# What is judged of a value, or repeated beside the verdict.
READ = ("segment_id", "period_start", "version", *_FIGURES, "sample_count", "state")


@dataclass(frozen=True)
class Series:
    """A block with what its rows and cells are. All arrays but those of `block` are (series, periods).

    `is_stored`: there is a row of that period. `stored`: its figures, usable or not; the
    block's values are those that are ready, mature and of enough cases.
    """

    grain: str
    keys: list[tuple[str, str]]
    block: Block
    is_stored: np.ndarray
    is_ready: np.ndarray
    states: np.ndarray
    versions: np.ndarray
    stored: dict[str, np.ndarray]

    def rows(self, places: np.ndarray) -> Series:
        """The series in the given rows of the block."""
        block = self.block
        part = Block(block.values[places], block.phases[places], block.directions[places], block.period_starts)
        arrays = (self.is_stored, self.is_ready, self.states, self.versions)
        stored = {name: figures[places] for name, figures in self.stored.items()}
        return Series(
            self.grain, [self.keys[place] for place in places], part, *(array[places] for array in arrays), stored
        )


def read_series(
    warehouse: Warehouse,
    catalog: Catalog,
    grain: str,
    ready: dict[str, date | None],
    sizes: dict[str, int],
    segment_id: str | None = None,
) -> Iterator[Series]:
    """Finished periods of the indicators that `ready` names, block after block; of one segment only, if it is named.

    `ready`: per indicator the first day that its sources do not cover completely. `sizes`: how many values each has.
    """
    of_segment = "" if segment_id is None else "AND segment_id = :segment "
    for names in portions(sorted(ready), sizes):
        text = warehouse.sql.text_list(names)
        rows = warehouse.arrow(
            f"SELECT indicator, {', '.join(READ)} FROM indicators.indicator_values "
            f"WHERE grain = '{grain}' AND state <> 'incomplete' AND indicator IN ({text}) {of_segment}"
            "ORDER BY indicator, segment_id, period_start",
            {"segment": segment_id},
        )
        if rows.num_rows:
            yield _side_by_side(catalog, grain, rows, ready)


def portions(names: Iterable[str], sizes: Mapping[str, int]) -> Iterator[list[str]]:
    """The names in blocks of so many values; one that is larger than a block has its own."""
    portion: list[str] = []
    room = BLOCK_VALUES
    for name in names:
        if portion and sizes.get(name, 0) > room:
            yield portion
            portion, room = [], BLOCK_VALUES
        portion.append(name)
        room -= sizes.get(name, 0)
    if portion:
        yield portion


def _side_by_side(catalog: Catalog, grain: str, rows: pa.Table, ready: dict[str, date | None]) -> Series:
    names, segments = (rows[name].combine_chunks().dictionary_encode() for name in ("indicator", "segment_id"))
    name_codes, segment_codes = np.asarray(names.indices), np.asarray(segments.indices)
    is_first = np.ones(rows.num_rows, dtype=bool)
    is_first[1:] = (name_codes[1:] != name_codes[:-1]) | (segment_codes[1:] != segment_codes[:-1])
    row_of = np.cumsum(is_first) - 1
    name_list, segment_list = names.dictionary.to_pylist(), segments.dictionary.to_pylist()
    keys = [
        (name_list[name], segment_list[segment])
        for name, segment in zip(name_codes[is_first], segment_codes[is_first], strict=True)
    ]
    days = rows["period_start"].combine_chunks().cast(pa.date32())
    periods = np.array(periods_between(grain, pc.min(days).as_py(), pc.max(days).as_py()), dtype="datetime64[D]")
    column_of = np.searchsorted(periods, np.asarray(days.cast(pa.int32())).astype("datetime64[D]"))
    shape = (len(keys), len(periods))

    def spread(values: np.ndarray, empty, kind) -> np.ndarray:
        found = np.full(shape, empty, dtype=kind)
        found[row_of, column_of] = values
        return found

    figures = {name: spread(doubles(rows[name]), np.nan, "float64") for name in _FIGURES}
    states = spread(np.asarray(rows["state"].combine_chunks().cast(pa.string()).to_numpy(False)), "", object)
    followers = np.array([next_period(grain, day) for day in periods.tolist()], dtype="datetime64[D]")
    covered = {name: np.datetime64(day or date.min, "D") for name, day in ready.items()}
    reach = np.array([covered[name] for name, _ in keys], dtype="datetime64[D]")
    is_ready = (followers[None, :] <= reach[:, None]) & (states != "immature")
    is_usable = is_ready & (states == "ok") & ~np.isnan(figures["value"])
    block = Block(
        values=np.where(is_usable, figures["value"], np.nan),
        phases=_phases(catalog, grain, keys, periods),
        directions=np.array([DIRECTIONS[catalog.indicators[name].direction] for name, _ in keys], dtype="int8"),
        period_starts=periods,
    )
    return Series(
        grain=grain,
        keys=keys,
        block=block,
        is_stored=spread(np.ones(rows.num_rows, dtype=bool), False, bool),
        is_ready=is_ready,
        states=states,
        versions=spread(np.asarray(rows["version"].to_numpy()), 0, "int32"),
        stored=figures | {"sample_count": spread(doubles(rows["sample_count"]), np.nan, "float64")},
    )


def doubles(column: pa.ChunkedArray) -> np.ndarray:
    """Numbers as float64, NULL as NaN."""
    return column.cast(pa.float64()).to_numpy()


def _phases(catalog: Catalog, grain: str, keys: list[tuple[str, str]], periods: np.ndarray) -> np.ndarray:
    """Keys are ordered by indicator, so each one's segments lie together."""
    pieces = []
    by_name: dict[str, list[str]] = {}
    for name, segment_id in keys:
        by_name.setdefault(name, []).append(segment_id)
    for name, segments in by_name.items():
        indicator: Indicator = catalog.indicators[name]
        pieces.append(phase_numbers(phase_starts(catalog, indicator), grain, segments, periods))
    return np.concatenate(pieces)
