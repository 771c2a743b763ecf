"""Coverage and previews as tables for the terminal."""

from __future__ import annotations

import pyarrow as pa
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

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
