"""Which rows of a resource a mapping takes."""

from __future__ import annotations

from pydantic import model_validator

from hansei.catalog.documents import Definition


class RowFilter(Definition):
    """A condition on a row: a field is present (or is not), or equals one of some values.

    is_present: the field holds something. has_key: the record has the field at all, be it null or empty; a column of
    a table is a field of each of its rows.
    """

    path: str
    is_present: bool | None = None
    has_key: bool | None = None
    equals: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _one_condition(self) -> RowFilter:
        if sum(condition is not None for condition in (self.is_present, self.has_key, self.equals)) != 1:
            raise ValueError("give exactly one of is_present, has_key, equals")
        return self
