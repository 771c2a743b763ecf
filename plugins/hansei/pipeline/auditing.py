"""Where personal data slipped through: every text of every store goes past the detectors of the redaction.

What is reported is a place, a kind and a count, with the shape of one finding (letters as a, digits as 9), no value.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from hansei import board
from hansei.board.tables import metadata
from hansei.pipeline.context import Context
from hansei.reviews.archive import EVIDENCE
from hansei.reviews.places import place_of
from hansei.sources.redaction import findings, may_hold_personal_data
from hansei.sources.spool import read_part
from hansei.sources.spool_erasure import spooled
from hansei.warehouse import Warehouse, open_read_copy, open_warehouse

# A Fernet token: what is encrypted shows nothing, whatever its signs look like.
_SEALED = r"gAAAA[A-Za-z0-9_=-]+"
_HASH = r"\b[0-9a-f]{12,64}\b"
_ENCRYPTED_COLUMNS = {"ops.quarantined_rows.payload"}
# Documents in JSON: each text in them is looked at by itself, and their signs and figures not at all.
_DOCUMENTS = {"ops.definitions_in_force.definitions", "board.reviews.evidence", "board.review_parts.content"}
# Who answers for a definition stands there on purpose, perhaps with an address.
_OF_THE_SERVICE = {"owner", "approver"}
_ARCHIVE = "archive."
CHUNK = 50_000


@dataclass(frozen=True)
class Slip:
    """Texts of one column in which something of one kind was found. `shape` is that of the first."""

    store: str
    place: str
    kind: str
    text_count: int
    shape: str
    accepted_until: str = ""


@dataclass(frozen=True)
class Audit:
    """Slips, the worst first, and how much was looked through."""

    slips: tuple[Slip, ...]
    columns: int
    texts: int

    @property
    def is_clean(self) -> bool:
        return all(slip.accepted_until for slip in self.slips)


def audit(context: Context) -> Audit:
    """Looks through warehouse, read copy, board store, spool and the archived evidence with its parts."""
    search = _Search(context)
    with open_warehouse(context.settings) as warehouse:
        search.warehouse("warehouse", warehouse)
    if context.settings.is_embedded and context.settings.read_copy.exists():
        with open_read_copy(context.settings) as copy:
            search.warehouse("read copy", copy)
    for place, texts in _board_texts(context):
        search.look("board", place, texts)
    for place, texts in _spool_texts(context):
        search.look("spool", place, texts)
    for place, texts in _archive_texts(context):
        search.look("archive", place, texts)
    slips = sorted(search.slips(), key=lambda slip: (bool(slip.accepted_until), slip.store, slip.place, slip.kind))
    return Audit(tuple(slips), search.columns, search.texts)


class _Search:
    """Counts what the detectors find, place by place."""

    def __init__(self, context: Context) -> None:
        self.columns = self.texts = 0
        self._found: Counter = Counter()
        self._shapes: dict[tuple[str, str, str], str] = {}
        today = context.now().date()
        accepted = context.catalog.privacy_rules.accepted
        self._accepted = {(item.place, item.kind): item.until for item in accepted if item.until >= today}

    def warehouse(self, store: str, warehouse: Warehouse) -> None:
        for table in sorted(warehouse.tables()):
            for column in _text_columns(warehouse, table):
                place = f"{table}.{column}"
                query = f"SELECT DISTINCT {column} AS text FROM {table} WHERE {column} IS NOT NULL"
                values = warehouse.arrow(query)["text"].cast(pa.string()).combine_chunks()
                self.look(store, place, values)

    def look(self, store: str, place: str, values: pa.Array) -> None:
        values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
        if place in _DOCUMENTS or place.startswith(_ARCHIVE):
            values = pa.array(sorted(set().union(*map(_texts_in, values.to_pylist()))), pa.string())
        self.columns += 1
        self.texts += len(values)
        if place in _ENCRYPTED_COLUMNS:
            bare = values.filter(pc.invert(pc.match_substring_regex(values, rf"^{_SEALED}$")))
            if len(bare):
                self._note(store, place, "not encrypted", ["?"] * len(bare))
            return
        for start in range(0, len(values), CHUNK):
            part = values.slice(start, CHUNK)
            likely = part.filter(may_hold_personal_data(part))
            opened = pc.replace_substring_regex(pc.replace_substring_regex(likely, _SEALED, ""), _HASH, "#")
            for kind, texts in findings(opened).items():
                self._note(store, place, kind, texts)

    def _note(self, store: str, place: str, kind: str, texts: list[str]) -> None:
        if texts:
            self._found[store, place, kind] += len(texts)
            self._shapes.setdefault((store, place, kind), _shape(texts[0]))

    def slips(self) -> Iterator[Slip]:
        for (store, place, kind), count in self._found.items():
            until = self._accepted.get((place, kind), "")
            yield Slip(store, place, kind, count, self._shapes[store, place, kind], str(until))


def _texts_in(document: str) -> set[str]:
    """The texts of a document in JSON; what is none is one text, such as the line that an erased part leaves."""
    try:
        content = json.loads(document)
    except ValueError:
        return {document}
    return set(_leaves(content))


def _leaves(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for key, value in content.items():
            if key not in _OF_THE_SERVICE:
                yield from _leaves(value)
    elif isinstance(content, list):
        for value in content:
            yield from _leaves(value)


def _shape(text: str) -> str:
    return re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", text))[:60]


def _text_columns(warehouse: Warehouse, table: str) -> list[str]:
    schema, name = table.split(".", 1)
    query = (
        "SELECT column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = :schema AND table_name = :name ORDER BY ordinal_position"
    )
    rows = warehouse.rows(query, {"schema": schema, "name": name})
    return list(dict.fromkeys(row["column_name"] for row in rows if row["data_type"].lower() in ("varchar", "text")))


def _board_texts(context: Context) -> Iterator[tuple[str, pa.Array]]:
    with board.opened_board(context.settings) as engine, engine.connect() as connection:
        for table in metadata.sorted_tables:
            for column in table.columns:
                place = f"board.{table.name}.{column.name}"
                if isinstance(column.type, sa.String | sa.Text):
                    found = connection.execute(sa.select(column).distinct().where(column.is_not(None)))
                    yield place, pa.array([row[0] for row in found], pa.string())


def _spool_texts(context: Context) -> Iterator[tuple[str, pa.Array]]:
    for manifest in spooled(context.settings):
        for entity, batch in manifest.entities.items():
            for part in batch.parts:
                rows = read_part(manifest, part)
                for name in rows.column_names:
                    if pa.types.is_string(rows.schema.field(name).type):
                        yield f"spool.{entity}.{name}", pc.unique(rows[name]).drop_null()


def _archive_texts(context: Context) -> Iterable[tuple[str, pa.Array]]:
    root = place_of(context.settings.archive)
    for path in sorted(root.glob("**/*.json"), key=str):
        if path.parent.name == "parts" or path.name == EVIDENCE:
            name = f"parts.{path.stem}" if path.parent.name == "parts" else path.stem
            yield f"{_ARCHIVE}{name}", pa.array([path.read_text("utf-8")], pa.string())
