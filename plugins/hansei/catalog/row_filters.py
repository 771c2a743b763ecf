"""Which rows of a resource a mapping takes."""

from __future__ import annotations

from pydantic import model_validator

from hansei.catalog.documents import Definition


class RowFilter(Definition):
    """A condition on a row: a field is present (or is not), or equals one of some values."""

    path: str
    is_present: bool | None = None
    equals: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _one_condition(self) -> RowFilter:
        if (self.is_present is None) == (self.equals is None):
            raise ValueError("give exactly one of is_present, equals")
        return self
