"""How the fields of a source become canonical columns: the data-mapping matrix, column by column."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from hansei.catalog.documents import Definition
from hansei.catalog.entities import Identifier
from hansei.catalog.privacy import Policy
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
