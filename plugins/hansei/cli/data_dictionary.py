"""docs/data_dictionary.md: every table that the pipeline owns, how its columns are read, and worked queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hansei.catalog import Catalog
from hansei.catalog.entities import Entity
from hansei.errors import HanseiError
from hansei.warehouse import dictionary
from hansei.warehouse.dictionary_board import BOARD
from hansei.warehouse.tables import version_columns


@dataclass(frozen=True)
class WorkedQuery:
    """One query of include/sql/worked: what its comments say, and the SQL without them."""

    name: str
    grain: str
    question: str
    explanation: str
    sql: str


def worked_queries(include: Path) -> list[WorkedQuery]:
    """Every worked query, in the order of their numbers."""
    return [_worked_query(path) for path in sorted((include / "sql" / "worked").glob("*.sql"))]


def _worked_query(path: Path) -> WorkedQuery:
    lines = path.read_text("utf-8").splitlines()
    start = next((number for number, line in enumerate(lines) if not line.startswith("--")), 0)
    comments = [line.removeprefix("--").strip() for line in lines[:start]]
    if len(comments) < 3:
        next_step = "write the grain, the question and the explanation as `--` lines above the SELECT"
        raise HanseiError(str(path), f"{len(comments)} lines of comment", next_step)
    grain, question, *explanation = comments
    sql = "\n".join(lines[start:]).strip()
    return WorkedQuery(path.stem, grain.removeprefix("Grain: "), question, " ".join(explanation), sql)


def data_dictionary(catalog: Catalog) -> Iterator[str]:
    """The document, block by block (a block may have several lines)."""
    queries = worked_queries(catalog.include)
    sections = _sections(catalog)
    yield "# Data dictionary\n"
    yield f"{_INTRODUCTION}\n"
    yield from _contents(sections, queries)
    yield f"\n{_READING}"
    yield "## Worked queries\n"
    yield f"{_ABOUT_QUERIES}\n"
    for number, query in enumerate(queries, 1):
        yield f"### {number}. {query.question}\n"
        yield f"Grain: {query.grain} File: `include/sql/worked/{query.name}.sql`\n"
        yield f"{query.explanation}\n"
        yield f"```sql\n{query.sql}\n```\n"
    for schema, (about, tables) in sections.items():
        yield f"## Schema {schema}\n"
        yield f"{about}\n"
        for name in sorted(tables):
            yield f"### {name}\n"
            yield from tables[name]


Sections = dict[str, tuple[str, dict[str, list[str]]]]


def _sections(catalog: Catalog) -> Sections:
    """Schema -> (what it holds, table -> blocks that describe it)."""
    described: dict[str, list[str]] = {}
    for model in catalog.tables.values():
        rows = ((name, column.type, column.unit or "", column.meaning) for name, column in model.columns.items())
        described[model.table] = _table(model.kind, model.grain, model.key, rows)
    for name, columns in dictionary.owned_tables().items():
        entry = dictionary.entry_of(name)
        rows = (
            (column, columns[column], dictionary.unit(column, columns[column]), meaning)
            for column, meaning in entry.columns.items()
        )
        described[name] = _table("table", entry.grain, entry.key, rows, entry.note)
    for name, entry in BOARD.items():
        rows = ((column, "text", "", meaning) for column, meaning in entry.columns.items())
        described[name] = _table("table", entry.grain, entry.key, rows, entry.note)
    sections: Sections = {}
    for schema in ("core", "indicators", "ops", "board"):
        own = {name: blocks for name, blocks in described.items() if name.startswith(f"{schema}.")}
        sections[schema] = (_ABOUT[schema], own)
    sections["staging"] = (_ABOUT["staging"], dict(_versions(catalog.entities.values())))
    left_out = set(described) - {name for _, tables in sections.values() for name in tables}
    if left_out:
        raise HanseiError("docs/data_dictionary.md", f"no section for {', '.join(sorted(left_out))}", "add its schema")
    return sections


def _versions(entities: Iterable[Entity]) -> Iterator[tuple[str, list[str]]]:
    """The tables beside staging that keep every version of what segments are frozen by."""
    fixed = {
        "source_version": "Version of the row in its source, ordered as text",
        "content_hash": "SHA-256 over the canonical columns",
        "valid_from": "When the version began to hold",
    }
    for entity in entities:
        if entity.keeps_versions:
            columns = version_columns(entity)
            rows = [(name, kind, "", fixed.get(name) or entity.columns[name].meaning) for name, kind in columns.items()]
            grain = f"one row per version of {entity.id}, by {entity.key}"
            yield f"{entity.table}_versions", _table("table", grain, (entity.key, "source_version"), rows)


def _table(
    kind: str, grain: str, key: tuple[str, ...], rows: Iterable[tuple[str, str, str, str]], note: str = ""
) -> list[str]:
    lines = ["| column | type | unit | meaning |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {kind} | {unit} | {_cell(meaning)} |" for name, kind, unit, meaning in rows]
    head = f"{kind.capitalize()}. Grain: {grain}. Key: {', '.join(f'`{name}`' for name in key)}.\n"
    return [head, *([f"{note}\n"] if note else []), "\n".join(lines) + "\n"]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _contents(sections: Sections, queries: list[WorkedQuery]) -> Iterator[str]:
    yield "- [How to read the tables](#how-to-read-the-tables): names, state, what we said before, segment ids"
    listed = ", ".join(
        f"[{number}](#{_anchor(f'{number}. {item.question}')})" for number, item in enumerate(queries, 1)
    )
    yield f"- [Worked queries](#worked-queries): {listed}"
    for schema, (_, tables) in sections.items():
        links = ", ".join(f"[{name.split('.')[1]}](#{_anchor(name)})" for name in sorted(tables))
        yield f"- [`{schema}`](#schema-{schema}): {links}"


def _anchor(heading: str) -> str:
    """The anchor that Markdown pages give a heading: lower case, spaces to hyphens, other signs dropped."""
    kept = (sign for sign in heading.lower() if sign.isalnum() or sign in " -_")
    return "".join(kept).replace(" ", "-")


_INTRODUCTION = """\
Every table that the pipeline owns: what one row stands for (its grain), which columns tell rows apart (its key), and
what each column says. Beside the embedded warehouse open the read copy (`HANSEI_READ_COPY`), on PostgreSQL use the role
`hansei_reader`. Canonical entities, as sources fill them, are in [entities.md](entities.md); how each indicator is
counted is in [indicators](indicators/README.md)."""

_READING = """\
## How to read the tables

### Names

Schemas are layers. Tables are plural nouns; views that put indicators side by side begin with their grain
(`weekly_team_overview`). The end of a column's name says what is in it:

| ends in | holds |
|---|---|
| `_at`, and `valid_from`, `valid_to`, `_since`, `as_of` | an instant in UTC, without a zone |
| `_date`, and `period_start` | a day of the reporting zone (`reporting_zone` in service.yaml), never a team's |
| `_count` | how many; NULL where it cannot be known, 0 where it was counted and there was none |
| `_ratio` | a share from 0 to 1 |
| `_pct` | a share or a place on a scale from 0 to 100 |
| `_calendar_seconds` | elapsed time |
| `_business_seconds` | the part of it in which the calendars that were followed were open |
| `_minutes`, `_hours`, `_days` | only in views and queries, for reading |
| `_id` | our key: `<source instance>:<their id>`, as `helpdesk:4711` |
| `is_`, `has_` (at the beginning) | yes or no |

Spans include their start and exclude their end. A span that lasts has `ended_at` NULL; `valid_to` is 2070 where there
is no end. Nothing stored grows with time: what is open or late just now is in views, as of the newest run
(`ops.runs.as_of`). Rows that an indicator leaves out stay in core, flagged (`is_deleted`, `is_merged`, `is_spam`,
`is_bot_only`): say which of them you leave out.

### State

`state` of `indicators.indicator_values` says whether the figure can be used:

| state | means | do |
|---|---|---|
| `ok` | finished, enough data | use it |
| `insufficient` | finished, fewer than the indicator's `minimum_denominator` | show how many, draw no conclusion |
| `no_data` | finished, nothing to count | say so; it is not zero |
| `immature` | ended, but what is counted can still change by itself (a repeat window is open) | wait |
| `incomplete` | the period has not ended at the newest run | never compare it with a finished one |

An empty period of the whole service has a row too. In other tables `state` means what stands there.

### What we said before

`known_since` is the instant (`as_of` of a run) since when a value says what it says. While a period is `incomplete` or
`immature` its row is simply written anew. Once it was finished, every change of value, parts, count or state adds a row
to `ops.restatements`: what we had said (`_before`) since when (`said_since`), what replaced it (`_after`) from when on
(`restated_at`), and the `reason`. So any figure can be had as it was known on a day: worked queries 6 and 10, or
`hansei indicators as-of DATE`.

### Segment ids

`segment_id` is `all` for the whole service, else `dimension=value`, or two of them in alphabetical order joined by `&`:
`team=helpdesk:12`, `channel=mail&team=helpdesk:12`. Values are our keys or words, with `%` and `&` written as `%25` and
`%26`. `indicators.segments` takes them apart and gives names. A ticket counts in the segment that was in force on the
date that the indicator counts on (`team` of a solution is the team that solved), so past figures stay when teams
change. `unassigned`, `unlinked` and `unknown` are segments too: the segments of one dimension add up to `all`. Parts
may be summed over segments and periods, ratios and quantiles not.
"""

_ABOUT_QUERIES = """\
Each runs as it stands, on DuckDB and on PostgreSQL, and reads the newest night; each is held by a test against the
answer by other means."""

_ABOUT = {
    "core": "Entities and facts, made from staging by the SELECT of the same name in `include/sql/core`; calendars and"
    " offsets come from definitions. A table is brought up to date each night, a view is as of the newest run.",
    "indicators": "Values, and what is made of them. Wide views show finished and unfinished periods side by side and"
    " leave out figures with too few data.",
    "ops": "What the pipeline writes about itself. `ops.<schema>_<table>_touched`, what models leave for the stage that"
    " measures, is not listed.",
    "board": "What people did. Beside the embedded warehouse each night copies it here, every column as text, without"
    " the frozen evidence; on PostgreSQL it is the store itself, with proper types. A table without rows is not there.",
    "staging": "Everything that was accepted, one table per canonical entity for all sources: see"
    " [entities.md](entities.md). Beside an entity whose values segments are frozen by lies every version of them:",
}
