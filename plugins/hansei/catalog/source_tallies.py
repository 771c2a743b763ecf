"""What a source tells of its rows besides the rows: counts, the keys of all, the keys of deleted ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from hansei.catalog.documents import Definition
from hansei.catalog.durations import Duration
from hansei.catalog.entities import Identifier
from hansei.catalog.source_mappings import ColumnMapping


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
