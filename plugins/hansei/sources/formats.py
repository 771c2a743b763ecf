"""One reader per file format: a binary stream in, chunks of raw rows out. Nothing is dropped silently."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from hansei.catalog.sources import Resource
from hansei.errors import SourceError
from hansei.sources.chunks import CHUNK_ROWS, RECORD, Chunk, UnreadableRow, rechunk, unique_names
from hansei.sources.scratch import positions

READ_BYTES = 8 << 20
UTF8 = ("utf-8", "utf8", "utf-8-sig", "ascii")


class Transcoder(io.RawIOBase):
    """A stream in a declared encoding as strict UTF-8; raises UnicodeDecodeError at the first wrong byte."""

    def __init__(self, raw: BinaryIO, encoding: str) -> None:
        self._raw = raw
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")
        self._ready = b""
        self._is_done = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._is_done:
            block = self._raw.read(READ_BYTES)
            self._is_done = not block
            self._ready = self._decoder.decode(block, final=self._is_done).encode()
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size


def as_utf8(stream: BinaryIO, encoding: str, name: str) -> io.BufferedReader:
    """The stream as UTF-8 without a byte order mark; UTF-8 itself passes and is checked where it is parsed."""
    try:
        codec = codecs.lookup(encoding).name
    except LookupError:
        raise SourceError(name, f"encoding {encoding!r} is not known", "use a name such as utf-8 or latin-1") from None
    raw = stream if codec in UTF8 else Transcoder(stream, encoding)
    buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw, READ_BYTES)
    if buffered.peek(3)[:3] == codecs.BOM_UTF8:
        buffered.read(3)
    return buffered


def read_csv(stream: BinaryIO, resource: Resource, name: str) -> Iterator[Chunk]:
    """Rows of text; a row with a wrong number of fields is handed on as unreadable, with its text."""
    delimiter = resource.delimiter or ("\t" if resource.format == "tsv" else ",")
    text = as_utf8(stream, resource.encoding, name)
    header = _csv_header(text, resource, delimiter, name)
    if not text.peek(1):
        yield Chunk(name, pa.table({column: pa.array([], pa.string()) for column in header}), positions(0))
        return
    refused: list[tuple[int, str]] = []

    def refuse(row: pa.csv.InvalidRow) -> str:
        refused.append((row.number, row.text))
        return "skip"

    reader = pa.csv.open_csv(
        text,
        read_options=pa.csv.ReadOptions(column_names=header, use_threads=False, block_size=READ_BYTES),
        parse_options=pa.csv.ParseOptions(
            delimiter=delimiter,
            quote_char=resource.quote or False,
            newlines_in_values=bool(resource.quote),
            invalid_row_handler=refuse,
        ),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False, quoted_strings_can_be_null=False
        ),
    )
    tables = rechunk(pa.Table.from_batches([batch]) for batch in reader)
    count = told = 0
    table, following = next(tables, None), None
    while table is not None:
        following = next(tables, None)
        ordinals = _ordinals(count, table.num_rows, refused)
        count += table.num_rows
        # The last chunk takes every refused row that is left; the reader may have looked ahead before the others.
        here = [UnreadableRow(row, line) for row, line in refused[told:] if following is None or row <= ordinals[-1]]
        told += len(here)
        yield Chunk(name, table, pa.array(ordinals, pa.int64()), here)
        table = following
    if not count and refused:
        rows = [UnreadableRow(row, line) for row, line in refused]
        yield Chunk(name, pa.table({column: pa.array([], pa.string()) for column in header}), positions(0), rows)


def _csv_header(text: io.BufferedReader, resource: Resource, delimiter: str, name: str) -> list[str]:
    for _ in range(resource.skip_rows):
        text.readline()
    options = {"quotechar": resource.quote} if resource.quote else {"quoting": csv.QUOTE_NONE}
    lines = (line.decode() for line in iter(text.readline, b""))
    try:
        header = next((row for row in csv.reader(lines, delimiter=delimiter, **options) if row), None)
    except csv.Error as error:
        raise SourceError(name, f"the header cannot be read ({error})", "declare delimiter, quote, skip_rows") from None
    if header is None:
        raise SourceError(name, "the file is empty, not even a header is there", "deliver the file again")
    return unique_names(header)


def _ordinals(before: int, length: int, refused: list[tuple[int, str]]) -> np.ndarray:
    """Ordinals in the file of the next `length` good rows, after `before` good ones, leaving out refused rows."""
    good = np.arange(before + 1, before + length + 1, dtype=np.int64)
    if not refused:
        return good
    numbers = np.array([row for row, _ in refused], dtype=np.int64)
    return good + np.searchsorted(numbers - np.arange(len(numbers)), good, side="right")


def read_json_lines(stream: BinaryIO, resource: Resource, name: str) -> Iterator[Chunk]:
    """One JSON object per line, kept as text; a line that is no object is handed on as unreadable."""
    text = as_utf8(stream, resource.encoding, name)
    for _ in range(resource.skip_rows):
        text.readline()
    first, waiting = 1, []
    while lines := text.readlines(READ_BYTES):
        waiting.extend(lines)
        while len(waiting) >= CHUNK_ROWS:
            yield _json_chunk(waiting[:CHUNK_ROWS], first, name)
            first, waiting = first + CHUNK_ROWS, waiting[CHUNK_ROWS:]
    if waiting:
        yield _json_chunk(waiting, first, name)


def _json_chunk(lines: list[bytes], first: int, name: str) -> Chunk:
    try:
        texts = pa.array(lines, pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        number = next(first + index for index, line in enumerate(lines) if not _is_utf8(line))
        raise SourceError(name, f"line {number} is not in the declared encoding", "correct `encoding`") from None
    raw = pa.table({"line": texts, "row": positions(len(lines), first)})
    with duckdb.connect() as connection:
        connection.register("raw", raw)
        checked = connection.execute(
            "SELECT line, row, CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' END AS is_object FROM raw"
            " WHERE trim(line, E' \\t\\r\\n') <> '' ORDER BY row"
        ).to_arrow_table()
    is_object = pa.compute.fill_null(checked["is_object"], False)
    good = checked.filter(is_object)
    bad = checked.filter(pa.compute.invert(is_object))
    unreadable = [UnreadableRow(row["row"], row["line"]) for row in bad.to_pylist()]
    return Chunk(name, pa.table({RECORD: good["line"]}), good["row"].combine_chunks(), unreadable)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def read_json(stream: BinaryIO, resource: Resource, name: str) -> Iterator[Chunk]:
    """The records of one JSON document, which is held in memory whole; JSON Lines suit large exports better."""
    content = as_utf8(stream, resource.encoding, name).read()
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise SourceError(name, f"byte {error.start} is not {resource.encoding}", "correct `encoding`") from None
    if not text.strip():
        raise SourceError(name, "the file is empty", "deliver the file again")
    place = json_path(resource.records) if resource.records else "$"
    with duckdb.connect() as connection:
        if not connection.execute("SELECT json_valid(?)", [text]).fetchone()[0]:
            raise SourceError(name, _json_fault(text), "deliver the file again")
        found = connection.execute("SELECT json_type(?, ?)", [text, place]).fetchone()[0]
        if found != "ARRAY":
            what = f"records {resource.records!r}" if resource.records else "the document"
            seen = "is not there" if found is None else f"is {found.lower()}"
            raise SourceError(name, f"{what} {seen}", "set `records` to the path of the list of records")
        query = "SELECT unnest(json_extract(?, ?))::VARCHAR AS record"
        records = connection.execute(query, [text, f"{place}[*]"]).to_arrow_table()
        connection.register("records", records)
        query = "SELECT record, json_type(record) = 'OBJECT' AS is_object FROM records"
        records = connection.execute(query).to_arrow_table().append_column("row", positions(records.num_rows, 1))
    for table in rechunk([records]):
        good = table.filter(table["is_object"])
        bad = table.filter(pa.compute.invert(table["is_object"])).to_pylist()
        unreadable = [UnreadableRow(row["row"], row["record"]) for row in bad]
        yield Chunk(name, pa.table({RECORD: good["record"]}), good["row"].combine_chunks(), unreadable)


def json_path(path: str) -> str:
    """`a.b[0].c` as a DuckDB JSON path, with every name quoted."""
    parts = []
    for part in path.split("."):
        bare, bracket, index = part.partition("[")
        parts.append("." + json_name(bare) + bracket + index)
    return "$" + "".join(parts)


def json_name(key: str) -> str:
    """One key of a JSON object as it stands in a DuckDB JSON path."""
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _json_fault(text: str) -> str:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f"not JSON at line {error.lineno}, column {error.colno} ({error.msg})"
    except RecursionError:
        pass
    return "not JSON"


def read_parquet(stream: BinaryIO, resource: Resource, name: str) -> Iterator[Chunk]:
    """Rows with the file's own types."""
    try:
        file = pa.parquet.ParquetFile(stream)
        first = 1
        for table in rechunk(pa.Table.from_batches([batch]) for batch in file.iter_batches(batch_size=CHUNK_ROWS)):
            yield Chunk(name, table, positions(table.num_rows, first))
            first += table.num_rows
        if first == 1:
            yield Chunk(name, file.schema_arrow.empty_table(), positions(0))
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise SourceError(name, f"not readable as Parquet ({reason})", "deliver the file again") from None


def read_excel(stream: BinaryIO, resource: Resource, name: str) -> Iterator[Chunk]:
    """Rows of one sheet (the first unless `sheet` names another) as text; dates as ISO 8601."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        workbook = CalamineWorkbook.from_filelike(stream)
        sheet = resource.sheet or workbook.sheet_names[0]
        if sheet not in workbook.sheet_names:
            known = ", ".join(workbook.sheet_names)
            raise SourceError(name, f"no sheet {sheet!r}", f"use one of {known}")
        grid = workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False)[resource.skip_rows :]
    except (CalamineError, OSError, ValueError) as error:
        raise SourceError(name, f"not readable as Excel ({error})", "deliver the file again") from None
    if not grid:
        raise SourceError(name, f"sheet {sheet!r} is empty, not even a header is there", "deliver the file again")
    header = unique_names(grid[0])
    first = resource.skip_rows + 2
    numbered = [
        (first + index, row) for index, row in enumerate(grid[1:]) if any(cell not in ("", None) for cell in row)
    ]
    for start in range(0, max(len(numbered), 1), CHUNK_ROWS):
        part = numbered[start : start + CHUNK_ROWS]
        columns = [pa.array([cell_text(row[index]) for _, row in part], pa.string()) for index in range(len(header))]
        yield Chunk(name, pa.table(columns, names=header), pa.array([row for row, _ in part], pa.int64()))


def cell_text(value: Any) -> str | None:
    """One native value as text that the mapping reads: ISO 8601 dates, whole numbers without a fraction."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return repr(value.total_seconds())
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False, default=cell_text)
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).hex()
    return str(value)


READERS = {
    "csv": read_csv,
    "tsv": read_csv,
    "json": read_json,
    "jsonl": read_json_lines,
    "parquet": read_parquet,
    "excel": read_excel,
}
