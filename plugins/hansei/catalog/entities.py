"""Canonical entities: what one row means, which columns it has, and which rows are refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from hansei.catalog.documents import Definition

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
ColumnType = Literal["key", "text", "integer", "bigint", "double", "decimal", "boolean", "timestamp", "date"]
PersonalClass = Literal["none", "quasi", "direct", "free_text"]
IdentityKind = Literal["email", "name", "phone", "person"]
Severity = Literal["stop", "warn"]

STAGING_COLUMNS = {
    "source": ("text", "Name of the source definition that delivered the row"),
    "source_version": ("text", "Version of the row in its source, ordered as text"),
    "content_hash": ("text", "SHA-256 over the canonical columns; tells two contents of one version apart"),
    "extra": ("text", "JSON of source fields that no mapping names, each value encrypted unless the source classes it"),
    "deleted_at": ("timestamp", "When the source said, or a complete snapshot showed, that the row is gone"),
    "loaded_run_id": ("text", "Run that last wrote the row (volatile)"),
}


class Column(Definition):
    """One canonical column: type, meaning, unit, personal-data class, and the values that it admits."""

    type: ColumnType
    meaning: str = Field(min_length=3)
    required: bool = False
    unit: str | None = None
    personal_class: PersonalClass = Field(default="none", alias="class")
    identity: IdentityKind | None = None
    references: Identifier | None = None
    values: tuple[str, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None

    @model_validator(mode="after")
    def _direct_data_is_text(self) -> Column:
        if self.personal_class in ("direct", "free_text") and self.type != "text":
            raise ValueError(f"class {self.personal_class} needs type text, not {self.type}")
        if self.personal_class == "direct" and self.identity is None:
            raise ValueError("class direct needs `identity`, the kind of identity that is pseudonymised")
        return self


class RowRule(Definition):
    """A rule that each row has to keep; exactly one of the conditions is given.

    `at_least: [a, b]` holds where a >= b or either is missing. `not_after_window` refuses times later than
    a day after the window that is being loaded. `known_zone` refuses a name that is no IANA zone. `any_present` wants a
    value in at least one of the columns. `within_contract: [survey, answer]` refuses an answer outside the scale that
    the survey's contract (a definition, else the source's instrument) gives it; without a contract it holds.
    """

    id: Identifier
    severity: Severity
    at_least: tuple[Identifier, Identifier] | None = None
    not_after_window: Identifier | None = None
    known_zone: Identifier | None = None
    any_present: tuple[Identifier, ...] | None = Field(default=None, min_length=2)
    within_contract: tuple[Identifier, Identifier] | None = None

    @model_validator(mode="after")
    def _one_condition(self) -> RowRule:
        conditions = ("at_least", "not_after_window", "known_zone", "any_present", "within_contract")
        if sum(getattr(self, name) is not None for name in conditions) != 1:
            raise ValueError(f"give exactly one of {', '.join(conditions)}")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        several = self.at_least or self.any_present or self.within_contract
        return several or (self.not_after_window or self.known_zone,)


class Entity(Definition):
    """A canonical entity. Staging keeps it in one table for all sources, keyed by our key."""

    id: Identifier
    grain: str
    key: Identifier
    key_when_missing: tuple[Identifier, ...] = ()
    change_key: Identifier | None = None
    keeps_versions: tuple[Identifier, ...] = ()
    columns: dict[Identifier, Column]
    rules: tuple[RowRule, ...] = ()

    @property
    def table(self) -> str:
        return f"staging.{self.id}"

    @property
    def subject_key(self) -> str:
        """Column whose value stands in `ops.changes`: the subject that models recompute."""
        return self.change_key or self.key

    @model_validator(mode="after")
    def _columns_exist(self) -> Entity:
        named = {self.key, self.subject_key, *self.key_when_missing, *self.keeps_versions}
        named.update(column for rule in self.rules for column in rule.columns)
        unknown = sorted(named - set(self.columns))
        if unknown:
            raise ValueError(f"names columns that it does not have: {', '.join(unknown)}")
        reserved = sorted(set(self.columns) & set(STAGING_COLUMNS))
        if reserved:
            raise ValueError(f"columns are reserved for the pipeline: {', '.join(reserved)}")
        if self.columns[self.key].type != "key":
            raise ValueError(f"key {self.key} needs type key")
        return self
