"""Times of a source as naive UTC: SQL that reads them as written, and the step from a zone's clock to UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa

from hansei.sources.scratch import quote

TIMESTAMP = pa.timestamp("us")
UNIT_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400, "weeks": 604800}
UNIX_FORMATS = {"unix": 1_000_000, "unix_ms": 1_000}


@dataclass(frozen=True)
class Localised:
    """Instants in naive UTC, and how often the zone's clock told a time twice, or not at all."""

    instants: pa.Array
    ambiguous: pa.Array
    nonexistent: pa.Array


def localise(local: pa.Array, is_naive: pa.Array, zone: str) -> Localised:
    """Clock times as instants where `is_naive`; the others are instants already.

    An ambiguous time takes the earlier instant, a non-existent one shifts forward to the next that exists.
    """
    never = pa.array(np.zeros(len(local), dtype=bool))
    if zone in ("UTC", "Etc/UTC") or len(local) == 0:
        return Localised(local, never, never)
    naive = np.asarray(is_naive.fill_null(False).to_numpy(zero_copy_only=False), dtype=bool)
    clock = pd.Series(local.to_numpy(zero_copy_only=False).astype("datetime64[us]"))
    told = clock[naive].dropna()
    earlier = np.ones(len(told), dtype=bool)
    instants = told.dt.tz_localize(zone, ambiguous=earlier, nonexistent="shift_forward").dt.tz_convert("UTC")
    utc = clock.copy()
    utc.loc[told.index] = instants.dt.tz_localize(None)
    ambiguous, nonexistent = np.zeros(len(clock), dtype=bool), np.zeros(len(clock), dtype=bool)
    ambiguous[told.index] = told.dt.tz_localize(zone, ambiguous="NaT", nonexistent="shift_forward").isna()
    nonexistent[told.index] = told.dt.tz_localize(zone, ambiguous=earlier, nonexistent="NaT").isna()
    return Localised(pa.array(utc.to_numpy(), TIMESTAMP, from_pandas=True), pa.array(ambiguous), pa.array(nonexistent))


def read_time(text: str, formats: tuple[str, ...], also_iso: bool) -> tuple[str, str]:
    """SQL of (clock time or instant, whether it is a clock time) from a text expression; NULL where unreadable."""
    readings: list[tuple[str, str]] = []
    for unit in (UNIX_FORMATS[name] for name in formats if name in UNIX_FORMATS):
        number = f"TRY_CAST({text} AS DOUBLE)"
        instant = f"CASE WHEN abs({number}) * {unit} < 9e17 THEN make_timestamp(CAST({number} * {unit} AS BIGINT)) END"
        readings.append((instant, "false"))
    zoned = [name for name in formats if "%z" in name]
    plain = [name for name in formats if name not in zoned and name not in UNIX_FORMATS]
    if zoned:
        listed = ", ".join(map(quote, zoned))
        readings.append((f"(try_strptime({text}, [{listed}]) AT TIME ZONE 'UTC')", "false"))
    if plain:
        readings.append((f"try_strptime({text}, [{', '.join(map(quote, plain))}])", "true"))
    if also_iso or not formats:
        readings.append((_iso_time(text), f"NOT ({_has_offset(text)})"))
    if len(readings) == 1:
        return readings[0]
    value = "coalesce(" + ", ".join(value for value, _ in readings) + ")"
    naive = "CASE " + " ".join(f"WHEN {value} IS NOT NULL THEN {is_naive}" for value, is_naive in readings) + " END"
    return value, naive


def _iso_time(text: str) -> str:
    """ISO 8601 as a timestamp: an offset is applied. Words (infinity, names of zones) are no times here."""
    cast = "(TRY_CAST({} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')"
    tight = f"regexp_replace(replace({text}, ',', '.'), ' ?(Z|z|[+-]\\d{{2}}:?\\d{{2}})$', '\\1')"
    whole = f"regexp_replace({tight}, '^(.{{16}})(Z|z|[+-].*)$', '\\1:00\\2')"
    return (
        f"CASE WHEN substr({text}, 5, 1) = '-' AND substr({text}, 8, 1) = '-'"
        f" AND NOT regexp_matches(substr({text}, 12), '[A-Ya-y]')"
        f" THEN coalesce({cast.format(text)}, {cast.format(whole)}) END"
    )


def _has_offset(text: str) -> str:
    tail = f"substr({text}, 17)"
    return f"right({text}, 1) IN ('Z', 'z') OR contains({tail}, '+') OR contains({tail}, '-')"


def iso(at: datetime) -> str:
    """An instant as it stands in `source_version`: microseconds and Z, so that text order is time order."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
