"""Sources: how a system's fields become canonical columns. A source file is the data-mapping matrix."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from hansei.catalog.documents import Definition
from hansei.catalog.durations import Duration
from hansei.catalog.entities import Identifier
from hansei.catalog.privacy import Policy
from hansei.catalog.rest import Api, Request
from hansei.catalog.rest_checks import check_batches, check_rest
from hansei.catalog.rest_parents import ForEach
from hansei.catalog.row_filters import RowFilter

Scalar = str | int | float | bool


class TimeSum(Definition):
    """A duration in another source field that is added to a time: `{path: minutes_to_reply, unit: minutes}`."""

    path: str
    unit: Literal["seconds", "minutes", "hours", "days"]


def _listed(given: Any) -> Any:
    return (given,) if isinstance(given, dict | RowFilter) else given


class SameAs(Definition):
    """What a value becomes where it equals another field: `{path: $parent.requester_id, then: customer}`."""

    path: str
    then: Scalar


class Turn(Definition):
    """A number on a circle that begins elsewhere, such as minutes of a week that starts on Sunday.

    `{by: 8640, around: 10080}` gives (number + by) modulo around; with `closes` an end lies in (0, around].
    """

    by: int
    around: int = Field(gt=0)
    closes: bool = False


class ColumnMapping(Definition):
    """How one canonical column is made of source fields.

    path: a field name, or a dotted path into JSON (`via.channel`, `names[0].en`); several are joined by a space, a
    JSON list is sorted and joined by a comma. `$row` is the row's ordinal in its file from 1, `$file` the file's name.
    constant: the same value on every row. default: used where the field is missing.
    values: the source's words to ours; an unmapped word is a cast failure unless `other` is given.
    format: one or more strptime patterns of dates and times, `unix` or `unix_ms`; without one ISO 8601 is read.
    zone: zone of naive times here (default: the source's). unit: unit that the source uses.
    since: for numbers that count `unit`s since a date. plus: a duration added to the time.
    known_at: field that tells when the value became known; in versions older than that the value is NULL.
    when: the value counts only in rows that meet the condition, elsewhere it is NULL.
    extract: takes a part of the text: `email_domain`, or what the one group of a regular expression finds.
    same_as: a word for values that equal another field's; `values` and `other` see the rest. turned: see Turn.
    instance: prefix of keys that belong to another system.
    names: fields of the row that hold names of persons, who are taken out of this free text.
    """

    path: str | tuple[str, ...] | None = None
    constant: Scalar | None = None
    default: Scalar | None = None
    values: dict[str, Scalar | None] | None = None
    other: Scalar | None = None
    missing: tuple[str, ...] = ()
    format: str | tuple[str, ...] | None = None
    zone: str | None = None
    decimal: Literal[".", ","] | None = None
    unit: Literal["seconds", "minutes", "hours", "days", "weeks", "months", "percent"] | None = None
    since: str | None = None
    plus: TimeSum | None = None
    known_at: str | None = None
    when: RowFilter | None = None
    extract: str | None = None
    same_as: SameAs | None = None
    turned: Turn | None = None
    instance: Identifier | None = None
    policy: Policy | None = None
    names: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_origin(self) -> ColumnMapping:
        if (self.path is None) == (self.constant is None):
            raise ValueError("give exactly one of path, constant")
        if self.since is not None and self.unit is None:
            raise ValueError("since needs unit")
        if self.extract not in (None, "email_domain") and re.compile(self.extract).groups != 1:
            raise ValueError("extract is email_domain, or a regular expression with one group, for example '(\\d+)$'")
        return self

    @property
    def paths(self) -> tuple[str, ...]:
        """Every source field that the mapping reads."""
        own = () if self.path is None else (self.path,) if isinstance(self.path, str) else self.path
        more = [self.plus.path] if self.plus else []
        if self.known_at:
            more.append(self.known_at)
        if self.when:
            more.append(self.when.path)
        if self.same_as:
            more.append(self.same_as.path)
        return (*own, *more, *self.names)


class VersionMapping(Definition):
    """Which fields order the versions of a row; several are compared one after the other."""

    path: str | tuple[str, ...]
    type: Literal["timestamp", "sequence"] | tuple[Literal["timestamp", "sequence"], ...] = "timestamp"
    format: str | tuple[str, ...] | None = None
    zone: str | None = None

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        paths = (self.path,) if isinstance(self.path, str) else self.path
        types = (self.type,) * len(paths) if isinstance(self.type, str) else self.type
        return tuple(zip(paths, types, strict=True))

    @model_validator(mode="after")
    def _same_length(self) -> VersionMapping:
        if not isinstance(self.type, str) and (isinstance(self.path, str) or len(self.path) != len(self.type)):
            raise ValueError("give as many types as paths")
        return self


class EntityMapping(Definition):
    """One resource's rows as rows of one canonical entity. One resource may feed several.

    where: a condition, or a list of conditions that all hold.
    """

    entity: Identifier
    resource: Identifier
    where: Annotated[tuple[RowFilter, ...], BeforeValidator(_listed)] = ()
    version: VersionMapping | None = None
    deleted_at: ColumnMapping | None = None
    columns: dict[Identifier, ColumnMapping]


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


class SourceCounts(Definition):
    """How many rows of an entity the source itself counts, by day and, where it tells, by status.

    resource: its rows say day, status and count; no entity maps it. Asked again every night, and read whole.
    counted_on: the entity's time whose day is meant. zone: whose days the source counts (default: the source's zone).
    days: how many days up to the window's end are compared, as far back as the source tells.
    leaves_out: kinds of rows that we keep and the source's count lacks.
    """

    entity: Identifier
    resource: Identifier
    counted_on: Identifier = "created_at"
    day: ColumnMapping
    status: ColumnMapping | None = None
    count: ColumnMapping
    zone: str | None = None
    days: int = Field(default=35, ge=1, le=400)
    leaves_out: tuple[Literal["deleted", "merged", "spam", "bot_only"], ...] = ("deleted",)


class KeyList(Definition):
    """A resource that lists the key of every row there is: what it lacks was deleted without a word.

    every: how often it is asked for. most_deleted_ratio: a list that would delete a greater share of the rows that we
    hold is refused, for then the list is more likely broken than the rows gone.
    """

    entity: Identifier
    resource: Identifier
    key: ColumnMapping
    every: Duration = timedelta(days=7)
    most_deleted_ratio: float = Field(default=0.05, gt=0, le=1)


class DeletedKeys(Definition):
    """A resource that lists the keys of rows which were deleted: those of the night's window, or all there are.

    deleted_at: when each was; without it, or where a line has none, the window's end stands in. A row whose own
    version (a time) is newer than that was restored, and lives.
    """

    entity: Identifier
    resource: Identifier
    key: ColumnMapping
    deleted_at: ColumnMapping | None = None


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
