"""What the models of service level agreements render from policies: who is asked what, and which time counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from hansei.catalog import Catalog
from hansei.catalog.sla import DEFAULT_CLOCKS, LIFE_METRICS, METRICS, PRIORITIES, SlaMetric, SlaPolicy, SlaVersion
from hansei.warehouse.dialect import Dialect
from hansei.warehouse.ledger import WORD_NUMBERS
from hansei.warehouse.seeds import LINE_END

METRIC_NUMBERS = {metric: number for number, metric in enumerate(METRICS, 1)}
TARGETS = "core.ticket_sla_targets"
# SQL literals: what has no end, and an instant after every event but before that.
NEVER = f"TIMESTAMP '{LINE_END}'"
NOW_OR_LATER = "TIMESTAMP '2069-12-31 00:00:00'"


@dataclass(frozen=True)
class Ask:
    """What one version of a policy allows for one metric and priority. Instants are SQL literals in UTC."""

    ask_number: int
    policy_number: int
    policy_id: str
    policy_version: str
    metric_number: int
    priority_number: int
    valid_from: str
    valid_to: str
    target_seconds: int
    is_business_time: str
    calendar_id: str
    clock_number: int


class SlaRules:
    """All policies of a catalog, as the SQL of work/ and core/ticket_sla_targets asks for them."""

    metrics = METRIC_NUMBERS
    life_metrics = LIFE_METRICS
    life_numbers = ", ".join(str(METRIC_NUMBERS[metric]) for metric in LIFE_METRICS)
    priority_numbers = ", ".join(str(WORD_NUMBERS[word]) for word in PRIORITIES)
    never = NEVER
    now_or_later = NOW_OR_LATER

    def __init__(self, catalog: Catalog, dialect: Dialect) -> None:
        self._catalog = catalog
        self._dialect = dialect
        ranked = sorted(catalog.sla.values(), key=lambda policy: (policy.precedence, policy.id))
        self.policies: list[tuple[int, SlaPolicy]] = list(enumerate(ranked, 1))

    @cached_property
    def is_fed(self) -> bool:
        """Whether a source sets targets of its own."""
        return any("sla_targets" in source.entity_ids for source in self._catalog.sources.values())

    @property
    def is_in_use(self) -> bool:
        return bool(self.policies) or self.is_fed

    @cached_property
    def metrics_in_use(self) -> set[str]:
        return set(METRICS) if self.is_fed else self.metrics_asked

    @cached_property
    def metrics_asked(self) -> set[str]:
        """Metrics for which some policy sets a target."""
        return {metric for _, policy in self.policies for version in policy.versions for metric in version.metrics}

    @cached_property
    def clocks(self) -> list[tuple[int, tuple[str, ...]]]:
        """Numbered sets of owners whose time counts; the defaults among them."""
        asked = [metric.owners(name) for _, _, name, metric in self._asked()]
        return list(enumerate(sorted(set(asked) | set(DEFAULT_CLOCKS.values())), 1))

    @cached_property
    def unpaused_clock(self) -> int:
        return self._clock_numbers[max(DEFAULT_CLOCKS.values(), key=len)]

    def default_clock(self, metric_number: str) -> str:
        """SQL: number of the clock that a metric has where nobody says otherwise."""
        whens = (
            f"WHEN {METRIC_NUMBERS[metric]} THEN {self._clock_numbers[owners]}"
            for metric, owners in DEFAULT_CLOCKS.items()
        )
        return f"CASE {metric_number} {' '.join(whens)} END"

    @cached_property
    def _clock_numbers(self) -> dict[tuple[str, ...], int]:
        return {owners: number for number, owners in self.clocks}

    @cached_property
    def has_named_calendars(self) -> bool:
        return any(ask.calendar_id for ask in self.asks)

    @cached_property
    def asks(self) -> list[Ask]:
        rows: list[Ask] = []
        for number, (version, until), name, metric in self._asked():
            policy = self.policies[number - 1][1]
            for word in ("*", *PRIORITIES):
                target = metric.target.get(word, metric.target.get("*"))
                if target is None:
                    continue
                rows.append(
                    Ask(
                        ask_number=len(rows) + 1,
                        policy_number=number,
                        policy_id=policy.id,
                        policy_version=f"DATE '{version.valid_from}'",
                        metric_number=METRIC_NUMBERS[name],
                        priority_number=0 if word == "*" else WORD_NUMBERS[word],
                        valid_from=self._midnight(version.valid_from),
                        valid_to=NEVER if until is None else self._midnight(until),
                        target_seconds=int(target.total_seconds()),
                        is_business_time="TRUE" if metric.time == "business" else "FALSE",
                        calendar_id=metric.calendar or "",
                        clock_number=self._clock_numbers[metric.owners(name)],
                    )
                )
        return rows

    def _asked(self) -> Iterator[tuple[int, tuple[SlaVersion, date | None], str, SlaMetric]]:
        for number, policy in self.policies:
            ends = [version.valid_from for version in policy.versions[1:]] + [None]
            for version, until in zip(policy.versions, ends, strict=True):
                for name, metric in version.metrics.items():
                    yield number, (version, until), name, metric

    def _midnight(self, day: date) -> str:
        """SQL literal of the UTC instant at which a day begins in the reporting zone."""
        return f"TIMESTAMP '{self._catalog.service.midnight(day)}'"

    def asks_for(self, *names: str) -> bool:
        """Whether some policy has one of these conditions."""
        return any(getattr(policy.conditions, name) for _, policy in self.policies for name in names)

    def conditions(self, policy: SlaPolicy, values: str) -> str:
        """SQL condition over the columns of work/ticket_holders.sql; `values` is what work.event_values is called."""
        asked = policy.conditions
        listed = self._dialect.text_list
        parts = ["TRUE"]
        if asked.priority:
            parts.append(f"marks.priority_number IN ({', '.join(str(WORD_NUMBERS[word]) for word in asked.priority)})")
        if asked.team:
            numbers = f"SELECT value_number FROM {values} WHERE value IN ({listed(asked.team)})"
            parts.append(f"marks.team_number IN ({numbers})")
        for column, words in (
            ("tickets.channel", asked.channel),
            ("tickets.brand", asked.brand),
            ("tickets.source", asked.source),
            ("tickets.topic", asked.topic),
            ("versions.tier", asked.account_tier),
        ):
            if words:
                parts.append(f"{column} IN ({listed(words)})")
        if asked.tag:
            found = (f"POSITION({listed([f',{tag},'])} IN ',' || tickets.tags || ',') > 0" for tag in asked.tag)
            parts.append(f"({' OR '.join(found)})")
        return " AND ".join(parts)

    @cached_property
    def columns(self) -> dict[str, str]:
        """Name -> type of the columns of the table of targets."""
        return {name: column.type for name, column in self._catalog.tables[TARGETS].columns.items()}
