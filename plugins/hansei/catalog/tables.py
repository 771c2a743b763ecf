"""What stands beside each SQL model: grain, key, owner, columns with their meaning, checks, and how it refreshes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from hansei.catalog.documents import Definition
from hansei.catalog.entities import Identifier

ModelColumnType = Literal["text", "integer", "bigint", "double", "decimal", "boolean", "timestamp", "date"]


class ModelColumn(Definition):
    """One column of a model, with its unit where it has one."""

    type: ModelColumnType
    meaning: str = Field(min_length=3)
    unit: str | None = None
    volatile: bool = False


class Consumes(Definition):
    """Which rows of the model a changed key of an upstream table touches.

    `key` names the model's own column that holds the changed key. `through` and `match` are for keys of another
    kind: the model keys are those of the rows of `through` whose `match` is the changed key. `path` goes on like that
    from table to table, each step with its match and what it selects: `[[core.tickets, ticket_id, customer_id], ...]`.
    """

    key: Identifier | None = None
    through: str | None = None
    match: Identifier | None = None
    select: Identifier | None = None
    path: tuple[tuple[str, Identifier, Identifier], ...] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _one_way(self) -> Consumes:
        ways = [self.key is not None, self.through is not None, self.path is not None]
        if sum(ways) != 1 or (self.through is None) != (self.match is None):
            raise ValueError("give either key, or through with match and select, or path")
        return self

    def keys(self, table: str) -> str:
        """SELECT of the model keys that changes of `table` after `{position}` touch."""
        changed = f"SELECT key FROM ops.changes WHERE change_id > {{position}} AND table_name = '{table}'"
        for step, match, select in self.path or self._one_step():
            changed = f"SELECT {select} AS key FROM {step} WHERE {match} IN ({changed})"
        return changed

    def _one_step(self) -> tuple[tuple[str, str, str], ...]:
        return () if self.key else ((self.through, self.match, self.select or self.match),)


def _listed(value: Any) -> Any:
    return value if isinstance(value, (list, tuple)) else [value]


class Check(Definition):
    """A condition on the finished table: `unique` columns, `never` true of any row, `never_of_key` true of all rows of
    one refresh key taken together (a condition over aggregates)."""

    id: Identifier
    severity: Literal["stop", "warn"]
    unique: tuple[Identifier, ...] | None = None
    never: str | None = None
    never_of_key: str | None = None

    @model_validator(mode="after")
    def _one_condition(self) -> Check:
        if sum(given is not None for given in (self.unique, self.never, self.never_of_key)) != 1:
            raise ValueError("give exactly one of unique, never, never_of_key")
        return self


class TableModel(Definition):
    """Metadata of one table that a SELECT in `include/sql/` makes.

    refresh: `keys` recomputes only the keys that changed upstream; `full` rebuilds a small table when anything
    upstream changed. `segments` says, per dimension and counted-on date, which column was in force at that date.
    """

    table: str = Field(pattern=r"^(core|indicators|ops)\.[a-z][a-z0-9_]*$")
    kind: Literal["table", "view"] = "table"
    grain: str
    owner: str
    key: tuple[Identifier, ...] = ()
    refresh: Literal["keys", "full"] = "full"
    refresh_key: Identifier | None = None
    consumes: dict[str, Annotated[tuple[Consumes, ...], BeforeValidator(_listed)]] = Field(default_factory=dict)
    dates: tuple[Identifier, ...] = ()
    segments: dict[Identifier, dict[Identifier, Identifier]] = Field(default_factory=dict)
    exclusions: dict[Identifier, str] = Field(default_factory=dict)
    columns: dict[Identifier, ModelColumn]
    checks: tuple[Check, ...] = ()

    @model_validator(mode="after")
    def _columns_exist(self) -> TableModel:
        named = {*self.key, *self.dates}
        for by_date in self.segments.values():
            named.update(by_date.values())
        for check in self.checks:
            named.update(check.unique or ())
        unknown = sorted(named - set(self.columns))
        if unknown:
            raise ValueError(f"names columns that it does not have: {', '.join(unknown)}")
        if self.refresh == "keys" and (self.refresh_key is None or not self.consumes):
            raise ValueError("refresh keys needs refresh_key and consumes")
        return self

    @property
    def name(self) -> str:
        return self.table.split(".", 1)[1]

    @property
    def schema_name(self) -> str:
        return self.table.split(".", 1)[0]

    @property
    def touched_table(self) -> str | None:
        """Where the model leaves the dates and segments of rows that it changed; None where nothing counts on it.

        A view leaves none: what counts on it is counted anew each night, so it has to be small.
        """
        return f"ops.{self.schema_name}_{self.name}_touched" if self.dates and self.kind == "table" else None

    def segment_of(self, dimension: str, counted_on: str) -> str:
        """SQL of a row's value in a dimension on a counted-on date, as segment ids tell it."""
        return f"COALESCE({self.segments[dimension][counted_on]}, 'unknown')"

    @property
    def segment_columns(self) -> tuple[str, ...]:
        return tuple(sorted({column for by_date in self.segments.values() for column in by_date.values()}))
