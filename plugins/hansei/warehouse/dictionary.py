"""What the tables mean that the pipeline writes itself: grain, key and every column, for docs/data_dictionary.md.

Models in include/sql tell this in the YAML beside them. Meanings that several tables share stand in SHARED once; what
is particular to a table, and every word that means something else elsewhere (`state`, `kind`, `version`), stands with
the table in `dictionary_entries` and `dictionary_indicators`. tests/unit/test_data_dictionary.py names what is missing
or left over.
"""

from __future__ import annotations

from dataclasses import replace

from hansei.errors import HanseiError
from hansei.warehouse import seeds
from hansei.warehouse.dictionary_entries import CORE, OPS, Entry
from hansei.warehouse.dictionary_indicators import INDICATORS
from hansei.warehouse.dictionary_reconciliations import RECONCILIATIONS
from hansei.warehouse.tables import OWN_TABLES

ENTRIES = {**CORE, **INDICATORS, **OPS, **RECONCILIATIONS}
# Only what means the same in every table that has it.
SHARED = {
    "run_id": "Run that wrote the row (`ops.runs`)",
    "source": "Name of the source definition",
    "entity": "Canonical entity (docs/entities.md)",
    "as_of": "Instant that the run stood for: the end of its window",
    "indicator": "Id of the indicator (docs/indicators)",
    "grain": "Length of the period: day, week (ISO), month or quarter",
    "period_start": "First day of the period in the reporting zone",
    "segment_id": "Canonical text of the segment, see [Segment ids](#segment-ids)",
    "numerator": "What was counted or summed above the line; of a count or a total the value itself",
    "subtrahend": "What is taken from the numerator before the division (detractors of a net share), else NULL",
    "denominator": "What was counted or summed below the line; NULL where nothing is divided",
    "sample_count": "Observations that the value rests on, what is judged as few or enough",
    "lower_bound": "Lower end of the 95 % interval, NULL where the indicator has none",
    "upper_bound": "Upper end of the 95 % interval, NULL where the indicator has none",
    "judged_at": "Instant that the judging run stood for (volatile)",
    "limit_value": "The limit that was held against the value, durations in seconds",
    "value_state": "State of the value: ok, insufficient, no_data or immature",
    "definitions_hash": "Fingerprint of all definitions together; their text is in `ops.definitions_in_force`",
    "calendar_number": "Short number of the calendar in this warehouse; it may change when calendars do",
    "calendar_id": "Id of the calendar's definition, or our key of one that a source delivered",
    "currency": "Currency of the loss columns, as the definition names it",
    "expected_loss": "Mean loss of a year, exact",
    "no_loss_probability": "Share of the simulated years without any loss",
    "value_at_risk_90": "Yearly loss that is not exceeded in 90 % of the simulated years",
    "value_at_risk_95": "The same for 95 %",
    "value_at_risk_99": "The same for 99 %",
    "expected_shortfall_90": "Mean loss of the simulated years beyond `value_at_risk_90`",
    "expected_shortfall_95": "Mean loss of the simulated years beyond `value_at_risk_95`",
    "expected_shortfall_99": "Mean loss of the simulated years beyond `value_at_risk_99`",
}

_INDICATOR_UNIT = "that of the indicator"
_LIKE_THE_INDICATOR = (
    *("value", "used_value", "worst", "best", "limit_value", "lower_bound", "upper_bound", "value_before"),
    *("lower_bound_before", "upper_bound_before", "value_after", "minimum", "p10", "p25", "median", "p75", "p90"),
    *("p95", "maximum", "pooled_value", "lowest_value", "highest_value", "value_range"),
)
_MONEY = ("expected_loss", "value_at_risk_", "expected_shortfall_")
_SCORES = ("score", "lower_score", "upper_score", "efficiency_score", "quality_score", "cut_efficiency", "cut_quality")
_SECONDS_OF_A_DAY = ("switch_second", "start_1", "end_1", "start_2", "end_2")


def owned_tables() -> dict[str, dict[str, str]]:
    """Every table that the pipeline itself fills, column to type: the declared ones and those that are planted.

    Without staging, which the entities describe, and without the notes that models leave (`ops.<model>_touched`).
    """
    return {**seeds.seed_tables(), **OWN_TABLES}


def entry_of(table: str) -> Entry:
    """The table's entry, with the shared meanings among its own. Raises HanseiError for what nobody has described."""
    entry, columns = ENTRIES.get(table), owned_tables()[table]
    told = {} if entry is None else SHARED | dict(entry.columns)
    silent = [name for name in columns if name not in told]
    if entry is None or silent:
        next_step = (
            f"add {'it' if entry is None else 'them'} to the entries beside plugins/hansei/warehouse/dictionary.py"
        )
        raise HanseiError(table, f"no meaning for {', '.join(silent)}" if entry else "no entry", next_step)
    return replace(entry, columns={name: told[name] for name in columns})


def unit(column: str, kind: str) -> str:
    """The unit that the name tells, empty where it has none."""
    if column.endswith("_seconds") or column in _SECONDS_OF_A_DAY:
        return "seconds"
    if column.endswith("_ratio") or column in ("probability", "no_loss_probability", "probability_change"):
        return "ratio"
    if column.startswith(_MONEY):
        return "currency"
    if column in _LIKE_THE_INDICATOR:
        return _INDICATOR_UNIT
    return "points 0-100" if column in _SCORES and kind == "double" else ""
