"""What an answer means: the scale contract of a survey, the weights of SERVQUAL's dimensions, and benchmarks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from hansei.catalog.documents import Definition, Fault
from hansei.catalog.entities import Identifier
from hansei.catalog.measure_checks import undeclared

if TYPE_CHECKING:
    from hansei.catalog.loader import Catalog

SurveyKind = Literal["csat", "nps", "ces", "servqual", "servperf", "first_contact", "repetition", "other"]
Dimension = Literal["tangibles", "reliability", "responsiveness", "assurance", "empathy"]
Formula = Literal["top_box", "good_bad", "net_promoter", "effort_1", "effort_2", "gap", "performance", "mean"]
DIMENSIONS = ("tangibles", "reliability", "responsiveness", "assurance", "empathy")
FORMULAS_OF: dict[str, tuple[str, ...]] = {
    "csat": ("top_box", "good_bad"),
    "nps": ("net_promoter",),
    "ces": ("effort_1", "effort_2"),
    "servqual": ("gap",),
    "servperf": ("performance",),
    "first_contact": ("good_bad",),
    "repetition": ("good_bad",),
    "other": ("mean", "top_box", "good_bad"),
}


class ScaleContract(Definition):
    """How the answers to a survey's questions are read; it stands above what the survey tool says of them.

    `questions` are our keys of single questions; `items` are those of a SERVQUAL or SERVPERF questionnaire with the
    dimension of each. `good_from` and `bad_to` are points of the scale, turned so that a higher one is better.
    """

    id: Identifier
    title: str
    kind: SurveyKind
    questions: tuple[str, ...] = ()
    items: dict[str, Dimension] = Field(default_factory=dict)
    question: str | None = None
    minimum: float
    maximum: float
    direction: Literal["higher_is_better", "lower_is_better"]
    formula: Formula
    good_from: float | None = None
    bad_to: float | None = None
    owner: str
    source: str | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> ScaleContract:
        if bool(self.questions) == bool(self.items):
            raise ValueError("give either questions, or items with their dimensions")
        if bool(self.items) != (self.kind in ("servqual", "servperf")):
            raise ValueError("items belong to kind servqual or servperf, questions to every other")
        if self.formula not in FORMULAS_OF[self.kind]:
            raise ValueError(f"kind {self.kind} is read by {' or '.join(FORMULAS_OF[self.kind])}")
        if fault := self._scale_fault():
            raise ValueError(fault)
        if self.good_from is not None and self.bad_to is not None and self.bad_to >= self.good_from:
            raise ValueError("bad_to must lie below good_from")
        return self

    def _scale_fault(self) -> str | None:
        """Why the scale cannot be read by the formula; the same rules stand in core.surveys for a source's scales."""
        scale, is_higher = (self.minimum, self.maximum), self.direction == "higher_is_better"
        if self.maximum <= self.minimum:
            return "maximum must lie above minimum"
        if self.formula == "top_box" and self.maximum - self.minimum < 3:
            return "top_box needs a scale of four points or more; use good_bad"
        if self.formula == "net_promoter" and not (scale in ((0, 10), (1, 10)) and is_higher):
            return "net_promoter needs the scale 0 to 10 (or 1 to 10), higher_is_better"
        if self.formula == "effort_1" and not (scale == (1, 5) and not is_higher):
            return "effort_1 (CES 1.0) needs the scale 1 to 5, lower_is_better"
        if self.formula == "effort_2" and not (scale == (1, 7) and is_higher):
            return "effort_2 (CES 2.0) needs the scale 1 to 7, higher_is_better"
        return None

    @property
    def dimensions(self) -> dict[str, str | None]:
        """Every question's key with its SERVQUAL dimension, if it has one."""
        return dict(self.items) or dict.fromkeys(self.questions)


class ServqualWeights(Definition):
    """How much each dimension matters to respondents, as they shared out 100 points."""

    id: Identifier
    weights: dict[Dimension, float]
    source: str
    owner: str

    @model_validator(mode="after")
    def _sum_to_a_hundred(self) -> ServqualWeights:
        if missing := [name for name in DIMENSIONS if name not in self.weights]:
            raise ValueError(f"no weight for {', '.join(missing)}")
        if min(self.weights.values()) < 0 or abs(sum(self.weights.values()) - 100) > 1e-9:
            raise ValueError(f"the weights sum to {sum(self.weights.values()):g}, not to 100 points")
        return self


class BenchmarkMonth(Definition):
    """The benchmark as published for one month; it holds until the next one that is listed."""

    month: date
    value: float
    segment: str = "all"
    source: str | None = None

    @model_validator(mode="after")
    def _is_first_of_month(self) -> BenchmarkMonth:
        if self.month.day != 1:
            raise ValueError("name a month by its first day, for example 2026-03-01")
        return self


class Benchmark(Definition):
    """What others reach on one indicator, and how many months below it call for action.

    A month counts as below when its value is worse than the benchmark (equal is not) and at least `minimum_count` were
    counted; a month without a value, or with too few, breaks the run, unless missing months are said to be skipped.
    """

    id: Identifier
    indicator: Identifier
    title: str
    source: str
    owner: str
    months: tuple[BenchmarkMonth, ...] = Field(min_length=1)
    consecutive_months: int = Field(default=3, ge=1)
    minimum_count: int = Field(default=30, ge=1)
    missing_month: Literal["breaks", "skipped"] = "breaks"
    action: str

    @model_validator(mode="after")
    def _months_are_apart(self) -> Benchmark:
        keys = [(item.segment, item.month) for item in self.months]
        if len(set(keys)) < len(keys):
            raise ValueError("a month stands twice for one segment")
        return self


def check_surveys(catalog: Catalog) -> Iterator[Fault]:
    """Faults between definitions: a question with two contracts, a benchmark of what nobody measures by month."""
    owners: dict[str, str] = {}
    for contract in catalog.surveys.values():
        for question in contract.dimensions:
            if question in owners:
                document = catalog.documents["surveys", contract.id]
                found = f"{question!r} has a contract in {owners[question]!r} already"
                yield document.fault(("items" if contract.items else "questions",), found, "keep it in one of the two")
            owners[question] = contract.id
    for benchmark in catalog.benchmarks.values():
        document = catalog.documents["benchmarks", benchmark.id]
        indicator = catalog.indicators.get(benchmark.indicator)
        if indicator is None:
            yield undeclared(catalog, document, ("indicator",), benchmark.indicator)
            continue
        if indicator.direction == "neutral" or "month" not in indicator.grains:
            found = f"{indicator.id} has no direction or is not computed by month"
            yield document.fault(("indicator",), found, "choose an indicator that can be worse than others by month")
        for position, item in enumerate(benchmark.months):
            if item.segment != "all" and item.segment.split("=", 1)[0] not in indicator.segments:
                found = f"{indicator.id} has no segment {item.segment!r}"
                next_step = "use all" + "".join(f", {name}=..." for name in indicator.segments)
                yield document.fault(("months", position, "segment"), found, next_step)
