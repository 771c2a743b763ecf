"""Whom a resource is asked for: the records of another resource, given values, or a grid of words and days."""

from __future__ import annotations

from pydantic import Field, model_validator

from hansei.catalog.documents import Definition
from hansei.catalog.entities import Identifier
from hansei.catalog.row_filters import RowFilter


class Days(Definition):
    """The last so many days of a zone before the window's end, as dates; `NAME` and, the day after, `next_NAME`."""

    days: int = Field(ge=1, le=1000)
    zone: str = "UTC"


class ForEach(Definition):
    """One request per parent. `{parent.PATH}` is its field in the request, `$parent.PATH` in the mapping.

    at_once: so many parents share a request; `{parent.PATH}` is then the list of their fields, with commas between
    where a text is wanted, and the rows themselves have to say whose they are: there is no `$parent`.

    resource: each of its records in the window that meets `where`. values: each is `{parent.value}`; `${VARIABLE}` may
    hold several, with commas between. grid: every combination of named lists, for example {status: [new, open], day:
    {days: 35}}, as `{parent.status}`, `{parent.day}`, `{parent.next_day}`.
    """

    resource: Identifier | None = None
    where: RowFilter | None = None
    values: tuple[str | int, ...] = ()
    grid: dict[Identifier, tuple[str | int, ...] | Days] = Field(default_factory=dict)
    at_once: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _one_origin(self) -> ForEach:
        if sum((self.resource is not None, bool(self.values), bool(self.grid))) != 1:
            raise ValueError("give exactly one of resource, values, grid")
        if self.where is not None and self.resource is None:
            raise ValueError("where chooses among the records of a resource")
        if self.at_once > 1 and self.grid:
            raise ValueError(
                "at_once is for the records of a resource and for values, a grid asks once per combination"
            )
        return self
