"""Raw rows on their way from a reader to the mapping, in chunks of bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

CHUNK_ROWS = 100_000

# Names that a raw table may hold beside the source's own fields.
RECORD = "$record"  # one JSON document per row, for json and jsonl
ROW = "$row"  # ordinal of the row in its file, from 1
FILE = "$file"  # name of the file
UNREADABLE = "$unreadable"  # text of a row that could not be parsed; its fields are NULL
SPECIALS = (ROW, FILE, UNREADABLE)


@dataclass(frozen=True)
class UnreadableRow:
    """A row that is no row: its ordinal in the file and its text as found."""

    row: int
    text: str


@dataclass
class Chunk:
    """At most CHUNK_ROWS raw rows of one file or query, and the unreadable rows among them.

    table: the source's fields (text for text formats, native types otherwise), or `$record` for JSON.
    rows: ordinal of each row in its file. json_columns: text columns that hold JSON lists or objects.
    """

    file: str
    table: pa.Table
    rows: pa.Array
    unreadable: list[UnreadableRow] = field(default_factory=list)
    json_columns: frozenset[str] = frozenset()

    @property
    def is_json(self) -> bool:
        return self.table.column_names == [RECORD]

    def with_specials(self) -> pa.Table:
        """The raw rows, unreadable ones last, with `$row`, `$file` and `$unreadable`."""
        good = self.table.append_column(ROW, self.rows.cast(pa.int64()))
        good = good.append_column(UNREADABLE, pa.nulls(good.num_rows, pa.string()))
        if self.unreadable:
            bad = pa.table(
                {
                    **{
                        name: pa.nulls(len(self.unreadable), good.schema.field(name).type)
                        for name in self.table.column_names
                    },
                    ROW: pa.array([item.row for item in self.unreadable], pa.int64()),
                    UNREADABLE: pa.array([item.text for item in self.unreadable], pa.string()),
                }
            )
            good = pa.concat_tables([good, bad])
        return good.append_column(
            FILE, pa.array([self.file]).cast(pa.string()).take(pa.array([0] * good.num_rows, pa.int64()))
        )


def rechunk(tables: Iterable[pa.Table], size: int = CHUNK_ROWS) -> Iterator[pa.Table]:
    """The same rows in tables of exactly `size` rows, but for the last."""
    waiting: list[pa.Table] = []
    count = 0
    for table in tables:
        while table.num_rows:
            taken = table.slice(0, size - count)
            waiting.append(taken)
            count += taken.num_rows
            table = table.slice(taken.num_rows)
            if count == size:
                yield _joined(waiting)
                waiting, count = [], 0
    if waiting:
        yield _joined(waiting)


def _joined(tables: list[pa.Table]) -> pa.Table:
    """One table of them all: a column that is all NULL in one of them takes the type that it has in the others."""
    return pa.concat_tables(tables, promote_options="permissive")


def unique_names(names: Iterable[Any]) -> list[str]:
    """Field names as a header gives them: stripped, nameless ones numbered, a repeated one marked `name (2)`."""
    seen: dict[str, int] = {}
    result = []
    for position, raw in enumerate(names, start=1):
        name = str(raw).strip().lstrip("\ufeff") if raw is not None else ""
        name = name or f"column {position}"
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return result
