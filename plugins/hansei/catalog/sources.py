"""Sources: how a system's fields become canonical columns. A source file is the data-mapping matrix."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Literal

from pydantic import Field, model_validator

from hansei.catalog.documents import Definition
from hansei.catalog.durations import Duration
from hansei.catalog.entities import Identifier
from hansei.catalog.rest import Api, Request
from hansei.catalog.rest_checks import check_batches, check_rest
from hansei.catalog.rest_parents import ForEach
from hansei.catalog.source_mappings import EntityMapping
from hansei.catalog.source_tallies import DeletedKeys, KeyList, SourceCounts


class CompleteUntil(Definition):
    """How a file source knows up to when it is complete.

    file_name: `pattern`'s first group holds a date or time in `format`, the end of what the file covers;
    `covers` is added to it (a file of a day covers to the end of that day with `covers: 1d`).
    modified: the file's modification time. cursor: the newest value of the resource's cursor.
    window: the source answers for any window, so the window's end is complete.
    """

    by: Literal["file_name", "modified", "cursor", "window"]
    pattern: str | None = None
    format: str = "%Y-%m-%d"
    covers: Duration = timedelta(0)

    @model_validator(mode="after")
    def _pattern_is_usable(self) -> CompleteUntil:
        if self.by == "file_name" and self.pattern is None:
            raise ValueError("file_name needs pattern, a regular expression with one group")
        if self.pattern is not None and re.compile(self.pattern).groups < 1:
            raise ValueError("pattern needs one group, for example (\\d{4}-\\d{2}-\\d{2})")
        return self


class Resource(Definition):
    """One thing that can be read: files of one shape, a table or query, or the answers to requests.

    pages_of: the records lie in the answers that another resource of a REST source asks for. each: every item of the
    list at this path of a record is a row of its own, which sees the record as `$parent`; of an object, every entry.
    """

    path: str | None = None
    format: Literal["csv", "tsv", "json", "jsonl", "parquet", "excel"] | None = None
    encoding: str = "utf-8"
    delimiter: str | None = None
    quote: str = '"'
    records: str | None = None
    sheet: str | None = None
    skip_rows: int = Field(default=0, ge=0)
    table: str | None = None
    query: str | None = None
    request: Request | None = None
    pages_of: Identifier | None = None
    each: str | None = None
    for_each: ForEach | None = None
    cursor: str | None = None
    cursor_format: str | tuple[str, ...] | None = None
    cursor_zone: str | None = None
    delivery: Literal["snapshot", "changes", "append"] | None = None
    complete_until: CompleteUntil | None = None
    ignore: tuple[str, ...] = ()
    may_be_empty: bool = True

    @model_validator(mode="before")
    @classmethod
    def _answers_are_json(cls, given: Any) -> Any:
        if isinstance(given, dict) and ("request" in given or "pages_of" in given):
            return {"format": "json", **given}
        return given

    @model_validator(mode="after")
    def _one_origin(self) -> Resource:
        origins = (self.path, self.table, self.query, self.request, self.pages_of)
        if sum(origin is not None for origin in origins) != 1:
            raise ValueError("give exactly one of path, table, query, request, pages_of")
        if self.path is not None and self.format is None:
            raise ValueError("path needs format: csv, tsv, json, jsonl, parquet or excel")
        if self.complete_until is not None and self.complete_until.by == "cursor" and self.cursor is None:
            raise ValueError("complete_until by cursor needs cursor")
        if self.each is not None and self.pages_of is None:
            raise ValueError("each needs pages_of, the resource whose records hold the list")
        if self.for_each is not None and self.request is None:
            raise ValueError("for_each needs request")
        return self

    @property
    def kind(self) -> str:
        """The kind of source that the resource belongs to."""
        if self.path is not None:
            return "files"
        return "rest" if self.request is not None or self.pages_of is not None else "database"


class Freshness(Definition):
    """How old the newest complete night may be before the brief says so."""

    warn_after: Duration = timedelta(hours=36)
    late_after: Duration = timedelta(hours=60)


class RowCountBand(Definition):
    """How far a night's row count may stray from the median of recent nights before it warns or is held."""

    warn_below_ratio: float = Field(default=0.3, ge=0)
    hold_below_ratio: float = Field(default=0.0, ge=0)
    warn_above_ratio: float = Field(default=5.0, gt=1)
    minimum_nights: int = Field(default=5, ge=1)


class Source(Definition):
    """A system that people really have, and how its fields become our columns.

    search_path: schemas, separated by a comma, in which a database looks for tables that are named without one.
    api: what the requests of a REST interface share.
    """

    id: Identifier
    kind: Literal["files", "database", "rest"]
    instance: Identifier
    description: str
    owner: str
    connection: str | None = None
    search_path: str | None = None
    api: Api | None = None
    zone: str | None = None
    delivery: Literal["snapshot", "changes", "append"] = "changes"
    events: Literal["complete", "none"] = "none"
    look_back: Duration = timedelta(0)
    safety_lag: Duration = timedelta(0)
    starts_at: str | None = None
    freshness: Freshness = Freshness()
    row_count: RowCountBand = RowCountBand()
    missing: tuple[str, ...] = ()
    decimal: Literal[".", ","] = "."
    plain_extra: tuple[str, ...] = ()
    resources: dict[Identifier, Resource]
    entities: tuple[EntityMapping, ...] = Field(min_length=1)
    counts: tuple[SourceCounts, ...] = ()
    keys: tuple[KeyList, ...] = ()
    deleted_keys: tuple[DeletedKeys, ...] = ()

    @model_validator(mode="after")
    def _counts_and_keys_fit(self) -> Source:
        for title, declared in (("counts", self.counts), ("keys", self.keys), ("deleted_keys", self.deleted_keys)):
            for item in declared:
                if item.resource not in self.resources:
                    raise ValueError(f"{title} names resource {item.resource!r}, which is not declared")
                if item.entity not in self.entity_ids:
                    raise ValueError(f"{title} names entity {item.entity!r}, which this source does not feed")
                if title != "deleted_keys" and self.resources[item.resource].cursor is not None:
                    raise ValueError(f"{title}: resource {item.resource} has a cursor; it has to be read whole")
            if len({item.entity for item in declared}) < len(declared):
                raise ValueError(f"{title} names an entity twice")
        return self

    @model_validator(mode="after")
    def _resources_fit(self) -> Source:
        for mapping in self.entities:
            if mapping.resource not in self.resources:
                raise ValueError(f"entity {mapping.entity} names resource {mapping.resource!r}, which is not declared")
        for name, resource in self.resources.items():
            if resource.kind != self.kind:
                raise ValueError(f"resource {name} does not fit kind {self.kind}")
        if self.kind != "files" and self.connection is None:
            raise ValueError(f"kind {self.kind} needs connection, the id of an Airflow connection")
        if self.kind != "database" and self.search_path is not None:
            raise ValueError("search_path belongs to kind database")
        if (self.api is not None) != (self.kind == "rest"):
            raise ValueError("api belongs to kind rest, and kind rest needs it")
        if self.kind == "rest":
            check_rest(self.resources)
            for mapping in self.entities:
                paths = [path for column in mapping.columns.values() for path in column.paths]
                check_batches(self.resources, mapping.resource, [*paths, *(rule.path for rule in mapping.where)])
        return self

    def has_time_versions(self, entity: str) -> bool:
        """Whether every row of the entity says by a time how new it is."""
        return all(
            mapping.version is not None and mapping.version.parts[0][1] == "timestamp"
            for mapping in self.entities
            if mapping.entity == entity
        )

    def delivery_of(self, resource: str) -> str:
        return self.resources[resource].delivery or self.delivery

    @property
    def entity_ids(self) -> tuple[str, ...]:
        """Entities that the source feeds, in the order of the file, each once."""
        return tuple(dict.fromkeys(mapping.entity for mapping in self.entities))
