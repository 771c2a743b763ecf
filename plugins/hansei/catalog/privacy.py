"""What becomes of personal data: a treatment per class and column, how long things are kept, what the audit accepts."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from hansei.catalog.documents import Definition
from hansei.catalog.durations import Duration
from hansei.catalog.entities import Column, Identifier, PersonalClass


class Treatment(Definition):
    """What becomes of a value before it is stored.

    Written as one word (`redact`) or as a word with what it needs: `{keep: why}`, `{mask: {last: 4}}` keeps the last
    four signs, `{generalise: month}` (or quarter, year, domain of an address, country of a telephone number),
    `{generalise: {first: 3}}` keeps the first three signs, `{generalise: {band: 10}}` the lower end of its band.
    """

    kind: Literal["keep", "drop", "pseudonymise", "redact", "mask", "generalise"]
    because: str | None = None
    to: Literal["month", "quarter", "year", "domain", "country"] | None = None
    band: float | None = Field(default=None, gt=0)
    first: int | None = Field(default=None, ge=1)
    last: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _says_what_it_needs(self) -> Treatment:
        coarser = [self.to, self.band, self.first]
        if self.kind == "generalise" and sum(given is not None for given in coarser) != 1:
            raise ValueError("generalise needs one of month, quarter, year, domain, country, {first: N}, {band: N}")
        if self.kind != "generalise" and any(given is not None for given in coarser):
            raise ValueError(f"{self.kind} is not made coarser")
        if self.last and self.kind != "mask":
            raise ValueError("last belongs to mask")
        return self


def _spelled_out(value: Any) -> Any:
    if isinstance(value, str):
        return {"kind": value}
    if isinstance(value, dict) and len(value) == 1 and "kind" not in value:
        ((kind, more),) = value.items()
        if isinstance(more, dict):
            return {"kind": kind, **more}
        return {"kind": kind, ("because" if kind == "keep" else "to"): more}
    return value


Policy = Annotated[Treatment, BeforeValidator(_spelled_out)]


class TextRetention(Definition):
    """How long the free texts of an entity stay readable, counted from a time of their row."""

    entity: Identifier
    counted_from: Identifier
    keep: Duration


class Retention(Definition):
    """How long things are kept. Rows stay, since figures rest on them; texts and what names a person go.

    `persons`: a customer of whom nothing has happened for so long is unlinked, as by an erasure; not set: never.
    """

    texts: tuple[TextRetention, ...] = ()
    extra: Duration = timedelta(days=90)
    quarantine: Duration = timedelta(days=90)
    spool: Duration = timedelta(days=7)
    persons: Duration | None = None


class Accepted(Definition):
    """A finding of the audit that somebody looked at, until when and why it is no slip."""

    place: str = Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z0-9_]+\.[a-z0-9_]+$")
    kind: str
    reason: str = Field(min_length=5)
    until: date


class PrivacyRules(Definition):
    """What a service does with personal data. `columns` (`customers.region`) stands above `classes`; a source's own
    `policy` stands above both."""

    id: Identifier
    owner: str
    classes: dict[PersonalClass, Policy]
    columns: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")], Policy] = Field(
        default_factory=dict
    )
    retention: Retention = Retention()
    accepted: tuple[Accepted, ...] = ()

    @model_validator(mode="after")
    def _every_class(self) -> PrivacyRules:
        if missing := {"none", "quasi", "direct", "free_text"} - set(self.classes):
            raise ValueError(f"classes lacks {', '.join(sorted(missing))}")
        return self

    def treatment(self, entity: str, name: str, column: Column) -> Treatment:
        """What becomes of the column where its source says nothing."""
        return self.columns.get(f"{entity}.{name}") or self.classes[column.personal_class]
