"""Access, coverage, previews, states and gaps as tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pyarrow as pa
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hansei.catalog.sources import Source
from hansei.sources.access import Access
from hansei.sources.coverage import ColumnCoverage, Coverage

_COLOURS = {"mapped": "green", "defaulted": "cyan", "constant": "cyan", "hashed": "cyan"}


def coverage_report(coverage: Coverage) -> RenderableType:
    """The coverage matrix: a table per mapping, then the fields that nothing uses."""
    parts: list[RenderableType] = []
    groups: dict[int, list[ColumnCoverage]] = {}
    for column in coverage.columns:
        groups.setdefault(column.mapping, []).append(column)
    for columns in groups.values():
        parts.append(_matrix(f"{columns[0].entity} from {columns[0].resource}", columns))
        missing = [column.column for column in columns if column.origin == "missing"]
        parts.append(Text(f"  not mapped: {', '.join(missing)}\n" if missing else "", style="dim"))
    for resource in coverage.resources:
        line = f"{resource.resource}: {resource.sampled_rows} rows sampled from {', '.join(resource.places)}"
        parts.append(Text(line, style="bold"))
        if resource.unreadable_rows:
            parts.append(Text(f"  {resource.unreadable_rows} rows are unreadable and will be quarantined", style="red"))
        if resource.unused_fields:
            listed = ", ".join(resource.unused_fields)
            parts.append(Text(f"  no mapping uses {listed}: they go to `extra`, or list them under ignore"))
        parts.extend(
            Text(f"  field {drift.field}: {_DRIFT_WORDS[drift.kind]} ({drift.count} rows)", style="yellow")
            for drift in resource.drift
            if drift.kind != "new"
        )
    verdict = "every sampled value could be read" if coverage.is_sound else "some values could not be read, see above"
    parts.append(Text(verdict, style="green" if coverage.is_sound else "red"))
    return Group(*parts)


_DRIFT_WORDS = {"missing": "is declared, and was not there", "type": "comes in another type"}


def _matrix(title: str, columns: list[ColumnCoverage]) -> Table:
    table = Table(title=title, title_justify="left", show_edge=False)
    for heading in ("column", "origin", "from", "class", "filled", "cannot be read"):
        table.add_column(heading, justify="right" if heading == "filled" else "left")
    for column in columns:
        if column.origin == "missing":
            continue
        faults = ", ".join(f"{count} × {rule}" for rule, count in column.faults.items())
        examples = f" ({', '.join(column.examples)})" if column.examples else ""
        table.add_row(
            column.column + (" *" if column.required else ""),
            Text(column.origin, style=_COLOURS[column.origin]),
            column.path or "",
            "" if column.personal_class == "none" else column.policy or column.personal_class,
            f"{column.filled_share:.0%}",
            Text(faults + examples, style="red"),
        )
    return table


def preview_report(tables: dict[str, pa.Table], rows_across: int = 4) -> RenderableType:
    """Canonical rows side by side, one line per column; columns that are NULL throughout are left out."""
    parts: list[RenderableType] = []
    for entity, rows in tables.items():
        shown = [name for name in rows.column_names if rows[name].null_count < rows.num_rows]
        records = rows.select(shown).to_pylist()
        parts.append(Text(f"{entity}: {len(records)} rows", style="bold"))
        for start in range(0, len(records), rows_across):
            block = records[start : start + rows_across]
            table = Table(show_edge=False)
            for heading in ("column", *(f"row {start + offset + 1}" for offset in range(len(block)))):
                table.add_column(heading, overflow="fold")
            for name in shown:
                table.add_row(name, *(_cell(record[name]) for record in block))
            parts.append(table)
    return Group(*parts)


def _cell(value: object, width: int = 60) -> Text:
    text = "" if value is None else str(value)
    return Text(text if len(text) <= width else text[: width - 1] + "…")


def access_report(source: Source, access: Sequence[Access]) -> RenderableType:
    """What can be read, and what a night will read."""
    table = Table(title=f"{source.id} ({source.kind})", title_justify="left", show_edge=False)
    headings = ["reads", "", "rows a night", "how it is known"]
    if source.kind == "rest":
        headings.insert(3, "requests")
    for heading in headings:
        table.add_column(
            heading, justify="right" if heading in ("rows a night", "requests") else "left", overflow="fold"
        )
    for item in access:
        word = Text("readable", style="green") if item.is_readable else Text("refused", style="red")
        requests = [] if source.kind != "rest" else [_number(item.requests_a_night)]
        table.add_row(item.name, word, _number(item.rows_a_night), *requests, item.basis or Text(item.message, "red"))
    return table


def night_cost(source: Source, access: Sequence[Access]) -> str | None:
    """What a night like the last day asks an interface over HTTP; None where nothing is known of that."""
    known = [item.requests_a_night for item in access if item.requests_a_night is not None]
    if not known:
        return None
    told = f"a night asks about {sum(known):,} requests"
    ceiling = source.api.rate.per_minute
    return f"{told}; with {ceiling:,} a minute they take {max(-(-sum(known) // ceiling), 1)} min" if ceiling else told


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def state_rows(states: Sequence[Any]) -> list[dict[str, Any]]:
    """Sources' states (`pipeline.source_states`) as rows for the terminal."""
    return [
        {
            "source": state.source,
            "complete until (UTC)": state.complete_until,
            "lag": "" if state.lag is None else _duration(state.lag),
            "freshness": state.freshness,
            "last night": state.run_state,
            **{fate: state.counts.get(fate) for fate in ("received", "accepted", "quarantined", "duplicate", "held")},
            "keys listed": ", ".join(f"{entity} {at:%Y-%m-%d}" for entity, at in state.key_lists.items()),
            "unexplained": sum(state.unexplained.values()) if state.unexplained else None,
        }
        for state in states
    ]


def spent_budget(source: Source, state: Any) -> str:
    """The ceiling of requests, what the newest batch took and what it left; empty for sources not asked over HTTP."""
    if source.kind != "rest":
        return ""
    parts = [f"at most {ceiling:,} requests a minute"] if (ceiling := source.api.rate.per_minute) else []
    if state.requests is not None:
        parts.append(f"{state.requests:,} requests for the newest batch")
    if state.quota_left is not None:
        parts.append(f"{state.quota_left:,} left of the quota at {state.quota_seen_at:%Y-%m-%d %H:%M} UTC")
    return "; ".join(parts)


def _duration(lag: timedelta) -> str:
    hours = int(lag.total_seconds() // 3600)
    return f"{hours} h" if hours < 72 else f"{hours // 24} d"


def gap_rows(rows: Sequence[dict[str, Any]], everything: bool = False) -> list[dict[str, Any]]:
    """Rows of a tie-out for the terminal: cells with a gap or an explanation, explanations that occur."""
    names = [name for name in rows[0] if name.endswith("_count")] if rows else []
    shown = [row for row in rows if everything or any(row[name] for name in names[2:])]
    used = [*names[:3], *(name for name in names[3:] if any(row[name] for row in shown))]
    return [
        {"day": row["day"], "status": row["status"], **{name.removesuffix("_count"): row[name] for name in used}}
        for row in shown
    ]
