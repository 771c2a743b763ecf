"""Complaints: which tickets are complaints, how grave they are, and by when they are acknowledged and resolved."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from hansei.catalog.documents import Definition
from hansei.catalog.durations import Duration
from hansei.catalog.entities import Identifier
from hansei.catalog.sla import Conditions


class ComplaintConditions(Conditions):
    """As for service levels, and the type that the source gives a ticket.

    What may change in a ticket's life (priority, team, tier) is taken as it was at the creation, so that a grade never
    knows what came later; tags, topic and type are those last known.
    """

    type: tuple[str, ...] = ()

    @property
    def is_unconditional(self) -> bool:
        return not any(getattr(self, name) for name in type(self).model_fields)


class Deadline(Definition):
    """Time that is allowed since the complaint came in. time: `business` follows the ticket's own calendars."""

    within: Duration
    time: Literal["business", "calendar"] = "calendar"

    @model_validator(mode="after")
    def _is_some_time(self) -> Deadline:
        if self.within <= timedelta(0):
            raise ValueError("a deadline is more than nothing")
        return self

    @property
    def seconds(self) -> int:
        return int(self.within.total_seconds())


class Grade(Definition):
    """How grave a complaint is, and what its customer is promised."""

    id: Identifier
    title: str
    conditions: ComplaintConditions = ComplaintConditions()
    acknowledge: Deadline
    resolve: Deadline


class ComplaintRules(Definition):
    """All rules of one service: a ticket that meets any of `is_complaint` has the first grade whose conditions fit."""

    id: Identifier
    title: str
    owner: str
    source: str = Field(min_length=5)
    is_complaint: tuple[ComplaintConditions, ...] = Field(min_length=1)
    grades: tuple[Grade, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _every_complaint_has_one_grade(self) -> ComplaintRules:
        if any(conditions.is_unconditional for conditions in self.is_complaint):
            raise ValueError("is_complaint: an entry without a condition would make every ticket a complaint")
        names = [grade.id for grade in self.grades]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"grades stand twice: {', '.join(twice)}")
        if not self.grades[-1].conditions.is_unconditional:
            raise ValueError("the last grade must hold for all other complaints: give it no conditions")
        if early := [grade.id for grade in self.grades[:-1] if grade.conditions.is_unconditional]:
            raise ValueError(f"grade {', '.join(early)} has no condition, so that no later one is ever given")
        return self
