"""The validation page: what came in last night, whether it adds up, and what every check found.

Engineers read it: it is in English. The pipeline fills `ValidationPage` from `ops.batches` and `ops.check_results`;
`lay_out` turns it into words.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from hansei.reviews import figures, tie_outs
from hansei.reviews.base import Frozen, Instant, Text
from hansei.reviews.figures import number
from hansei.reviews.foundations import TieOut
from hansei.reviews.locales import Locale, locale

Result = Literal["passed", "failed", "warned", "not_run"]
RESULTS = {"passed": "passed", "failed": "failed", "warned": "warned", "not_run": "not run"}
SHAPES = {"passed": "within", "failed": "breach_critical", "warned": "breach_warning", "not_run": "no_data"}
_GRAVITY = ("failed", "warned", "passed", "not_run")
MOST_CHECKS = 200


class Check(Frozen):
    """One rule on one batch. `severity`: stop quarantines rows or holds the batch, warn only tells."""

    name: Text
    level: Literal["row", "batch", "reference"] = "row"
    severity: Literal["stop", "warn"]
    checked: int | None = None
    failed: int | None = None
    result: Result
    message: Text = ""

    @property
    def outcome(self) -> Result:
        """The result, except that a check which looked at no row proves nothing, whatever it returned."""
        return "not_run" if self.result == "passed" and self.checked == 0 else self.result


class Night(Frozen):
    """One entity's batches of one night, for the strip of recent nights."""

    date: dt.date
    result: Result
    received: int = 0
    quarantined: int = 0


class EntityValidation(Frozen):
    """The latest night's batch of an entity, its checks, and its recent nights (oldest first)."""

    entity: Text
    batch_id: Text = ""
    window_start: Instant | None = None
    window_end: Instant | None = None
    received: int = 0
    accepted: int = 0
    quarantined: int = 0
    duplicate: int = 0
    held: int = 0
    conflict: int = 0
    checks: tuple[Check, ...] = ()
    nights: tuple[Night, ...] = ()
    tie_out: TieOut | None = None


class SourceValidation(Frozen):
    """One source's night; `message` says why it failed, without anybody's data."""

    source: Text
    state: Literal["done", "failed", "held", "not_run"]
    message: Text = ""
    complete_until: Instant | None = None
    entities: tuple[EntityValidation, ...] = ()


class ValidationPage(Frozen):
    service_name: Text
    reporting_zone: Text
    run_id: Text
    as_of: Instant
    product_version: Text
    sources: tuple[SourceValidation, ...] = ()


@dataclass(frozen=True)
class CheckView:
    name: str
    scope: str
    severity: str
    checked: str
    failed: str
    result: str
    word: str
    shape: str
    message: str


@dataclass(frozen=True)
class EntityView:
    id: str
    title: str
    result: str
    shape: str
    identity: tuple[tuple[str, str], ...]
    balance: str
    is_balanced: bool
    window: str
    checks: tuple[CheckView, ...]
    quiet: tuple[CheckView, ...]
    quiet_words: str
    nights: tuple[tuple[str, str, str], ...]
    tied: tuple[str, ...]
    gaps: tie_outs.Table | None


@dataclass(frozen=True)
class SourceView:
    id: str
    title: str
    state: str
    shape: str
    message: str
    reach: str
    entities: tuple[EntityView, ...]


@dataclass(frozen=True)
class PageView:
    service_name: str
    title: str
    standfirst: tuple[str, ...]
    as_of: str
    run_id: str
    product_version: str
    sources: tuple[SourceView, ...]


_STATES = {"done": "done", "failed": "failed", "held": "held back", "not_run": "not run"}
_STATE_SHAPES = {"done": "within", "failed": "breach_critical", "held": "breach_warning", "not_run": "no_data"}
_CONSEQUENCES = {("stop", True): "row set aside", ("stop", False): "batch held back"}
_CONSEQUENCES |= {("warn", True): "told here", ("warn", False): "told here"}
_SCOPES = {"row": "each row", "batch": "whole batch", "reference": "across entities"}


def lay_out(page: ValidationPage) -> PageView:
    """The page in words, checks that found something first."""
    words = locale("en")
    sources = tuple(_source(source, f"s{at}", page.reporting_zone, words) for at, source in enumerate(page.sources, 1))
    checks = [check for source in page.sources for entity in source.entities for check in entity.checks]
    failed = sum(check.outcome == "failed" for check in checks)
    broken = sum(source.state == "failed" for source in page.sources)
    unbalanced = sum(not entity.is_balanced for source in sources for entity in source.entities)
    if not page.sources:
        title = "No source ran"
    elif unbalanced:
        title = f"{words.count(unbalanced, 'batch')} {'does' if unbalanced == 1 else 'do'} not add up"
    elif broken:
        title = f"{words.count(broken, 'source')} failed"
    elif failed:
        title = f"{words.count(failed, 'check')} found rows to set aside"
    else:
        title = "Everything that arrived was accounted for"
    return PageView(
        service_name=words.name(page.service_name),
        title=title,
        standfirst=tuple(_standfirst(page, checks, words)),
        as_of=words.moment(page.as_of, page.reporting_zone),
        run_id=words.name(page.run_id, 120),
        product_version=words.name(page.product_version),
        sources=sources,
    )


def _standfirst(page: ValidationPage, checks: list[Check], words: Locale) -> list[str]:
    entities = [entity for source in page.sources for entity in source.entities]
    received = sum(entity.received for entity in entities)
    sentences = [f"{words.count(received, 'row')} arrived from {words.count(len(page.sources), 'source')}."]
    if checks:
        counts = [(result, sum(check.outcome == result for check in checks)) for result in _GRAVITY]
        parts = [f"{number(count)} {RESULTS[result]}" for result, count in counts if count]
        sentences.append(f"{words.count(len(checks), 'check')}: {words.listed(parts)}.")
    else:
        sentences.append("No check ran: nothing here is proven.")
    return sentences


def _source(source: SourceValidation, uid: str, zone: str, words: Locale) -> SourceView:
    return SourceView(
        id=uid,
        title=words.name(source.source),
        state=_STATES[source.state],
        shape=_STATE_SHAPES[source.state],
        message=words.name(source.message, 300) if source.message else "",
        reach=f"complete until {words.moment(source.complete_until, zone)}" if source.complete_until else "",
        entities=tuple(_entity(entity, f"{uid}-e{at}", zone, words) for at, entity in enumerate(source.entities, 1)),
    )


def _entity(entity: EntityValidation, uid: str, zone: str, words: Locale) -> EntityView:
    views = [_check(check, words) for check in sorted(entity.checks, key=_check_order)]
    loud = tuple(view for view in views if view.result in ("failed", "warned"))
    quiet = tuple(view for view in views if view.result not in ("failed", "warned"))
    idle = sum(view.result == "not_run" for view in quiet)
    told = [f"{words.count(len(quiet) - idle, 'check')} passed"] if len(quiet) > idle else []
    told += [f"{words.count(idle, 'check')} had nothing to look at"] if idle else []
    kept = entity.accepted + entity.quarantined + entity.duplicate + entity.held
    is_balanced = entity.received == kept
    worst = min((check.outcome for check in entity.checks), key=_GRAVITY.index, default="not_run")
    counted = (entity.tie_out,) if entity.tie_out else ()
    window = ""
    if entity.window_start and entity.window_end:
        window = f"{words.moment(entity.window_start, zone)} to {words.moment(entity.window_end, zone)}"
    return EntityView(
        id=uid,
        title=words.name(entity.entity.replace("_", " ")),
        result=RESULTS[worst],
        shape=SHAPES[worst],
        identity=tuple(
            (label, number(getattr(entity, label)))
            for label in ("received", "accepted", "quarantined", "duplicate", "held")
        ),
        balance="adds up" if is_balanced else f"does not add up: {number(entity.received - kept)} unaccounted for",
        is_balanced=is_balanced,
        window=window,
        tied=tuple(tie_outs.sentences(counted, words)),
        gaps=tie_outs.table(counted, words),
        checks=loud[:MOST_CHECKS],
        quiet=quiet[:MOST_CHECKS],
        quiet_words=words.listed(told),
        nights=tuple(
            (
                night.result,
                SHAPES[night.result],
                f"{words.day(night.date)}: {RESULTS[night.result]}, "
                f"{words.count(night.received, 'row')}, {number(night.quarantined)} set aside",
            )
            for night in entity.nights
        ),
    )


def _check_order(check: Check) -> tuple:
    return (_GRAVITY.index(check.outcome), check.severity != "stop", -(check.failed or 0), check.name)


def _check(check: Check, words: Locale) -> CheckView:
    result = check.outcome
    return CheckView(
        name=words.name(check.name, 120),
        scope=_SCOPES[check.level],
        severity=_CONSEQUENCES[check.severity, check.level == "row"],
        checked=number(check.checked) if check.checked is not None else figures.NOTHING,
        failed=number(check.failed) if check.failed is not None else figures.NOTHING,
        result=result,
        word="nothing to look at" if check.checked == 0 and result == "not_run" else RESULTS[result],
        shape=SHAPES[result],
        message=words.name(check.message, 240) if check.message else "",
    )
