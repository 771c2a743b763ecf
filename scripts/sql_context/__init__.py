"""What sqlfluff sees in place of our Jinja context, so that a model can be linted before any engine is there.

Each macro renders as a plain function call of the same name: the layout rules judge how a model is written, while
the rendered text of every engine is parsed by the tests.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from hansei.catalog.calendars import DIMENSIONS
from hansei.catalog.ledger import OWNERS, Ledger
from hansei.catalog.loader import FOLDERS
from hansei.catalog.organisation import Service
from hansei.catalog.practices import SINGLE_KINDS
from hansei.catalog.sla import SlaPolicy
from hansei.catalog.surveys import DIMENSIONS as DIMENSIONS_OF_SERVICE
from hansei.catalog.surveys import Benchmark, ScaleContract
from hansei.catalog.topics import Topic
from hansei.warehouse.dialect import Dialect
from hansei.warehouse.ledger import KINDS, SUMMED_OWNERS, WORD_NUMBERS, Conditions, numbers
from hansei.warehouse.ledger import owner_sum as owner_sum
from hansei.warehouse.practices import practice_context
from hansei.warehouse.shares import wilson as wilson
from hansei.warehouse.sla import TARGETS, SlaRules


class _Macro(str):
    """`sql.ratio` as text, `sql.ratio(a, b)` as the call `ratio(a, b)`."""

    def __call__(self, *arguments: object) -> str:
        return f"{self}({', '.join(str(argument) for argument in arguments)})"


class _Macros:
    def __getattr__(self, name: str) -> _Macro:
        return _Macro(name)

    def opening_join(self, alias: str, *_: str) -> str:
        """The one macro that is no expression."""
        return f"LEFT JOIN core.calendar_openings AS {alias} ON TRUE"


sql = _Macros()


class _Rule:
    def __init__(self, rule: str) -> None:
        self.id = self.rule = rule


_RULES = ("own_id", "external_id", "organisation", "email_hash", "email_domain")


class _Links:
    account_rules = tuple(_Rule(rule) for rule in _RULES)
    public_email_domains = "'example.org'"


links = _Links()


class _Definition(dict):
    """A definition whose keys are read as attributes; those that it does not have are empty."""

    def __getattr__(self, name: str) -> object:
        return self.get(name)


def _service(name: str, **more: object) -> _Definition:
    return _Definition(id=name, log_name=name, title=name, owner="operations", **more)


_COMPOSITION = _Definition(how="parallel", services=["mail", "web"])
services = {
    "mail": _service("mail", in_service_from="2026-01-01", availability_target="0.99"),
    "web": _service("web"),
    "shop": _service("shop", composed_of=_COMPOSITION),
}
period_start, period_end = "2026-01-01 00:00:00", "2026-02-01 00:00:00"


def _node(name: str, required: bool, **when: object) -> _Definition:
    return _Definition(id=name, required=required, when=_Definition(event_type="step", **when))


procedures = {
    "repair": _Definition(
        id="repair",
        applies_to=_Definition(channel=["mail"], tag=["urgent"]),
        nodes=(_node("look", True, value=["look"]), _node("mend", False, is_public=True)),
        required_count=1,
    )
}


def rows(table: str, key: str | None = None) -> str:
    """The relation to read for a table."""
    return table


# Numbers, rules and policies are small and need no engine: here they are the real ones, over definitions that use
# every kind of condition, so that each branch of a model is linted.
service = Service(id="service", name="Service", reporting_zone="UTC")
ledger = Ledger.model_validate(
    {
        "id": "ledger",
        "rules": [
            {"owner": "closed", "status": ["solved", "closed", "deleted"]},
            {"owner": "bot", "before_handoff": True},
            {"owner": "third_party", "source_status": ["supplier"], "team": ["desk:1"]},
            {"owner": "queue", "is_assigned": False},
            {"owner": "agent"},
        ],
    }
)
_CONDITIONS = {"priority": ["high"], "team": ["desk:1"], "channel": ["mail"], "account_tier": ["gold"], "tag": ["vip"]}
_METRICS = {"first_reply": {"target": {"high": "1h"}, "calendar": "always"}, "resolution": {"target": "8h"}}
_POLICY = SlaPolicy.model_validate(
    {
        "id": "gold",
        "title": "Gold",
        "owner": "operations",
        "conditions": _CONDITIONS,
        "versions": [{"valid_from": "2026-01-01", "metrics": _METRICS}],
    }
)
_DEFINITIONS = Path(__file__).parents[2] / "include" / "definitions"
_PRACTICES = {
    kind: {path.stem: FOLDERS[kind].model_validate(yaml.safe_load(path.read_text("utf-8")))}
    for kind in SINGLE_KINDS
    for path in (_DEFINITIONS / kind).glob("*.yaml")
}
_CATALOG = _Definition(
    **_PRACTICES,
    entities={
        "customers": _Definition(columns={"email": _Definition(personal_class="direct")}),
        "accounts": _Definition(columns={"name": _Definition(personal_class="none")}),
    },
    service=service,
    ledger={"ledger": ledger},
    sla={"gold": _POLICY},
    sources={"desk": _Definition(entity_ids=["sla_targets"])},
    tables={
        TARGETS: _Definition(
            columns={"ticket_id": _Definition(type="text"), "turn_number": _Definition(type="integer")}
        )
    },
)
_DIALECT = Dialect("postgresql")
sla = SlaRules(_CATALOG, _DIALECT)
_practices = practice_context(_CATALOG)
complaints, churn, crm_sync, cost_model, team_privacy = (_practices[kind] for kind in SINGLE_KINDS)
crm_sides, personal_columns, churn_bounds = (
    _practices[name] for name in ("crm_sides", "personal_columns", "churn_bounds")
)
complaint_columns, procedure_columns = _practices["complaint_columns"], _practices["procedure_columns"]
kinds, word_numbers, owners, summed_owners = KINDS, WORD_NUMBERS, OWNERS, SUMMED_OWNERS
conditions = Conditions(ledger, _DIALECT)
closed_numbers, end_numbers = numbers(("solved", "closed")), numbers(ledger.ends)
calendars = {
    "dimensions": DIMENSIONS,
    "has_history": True,
    "column_of": dict.fromkeys(DIMENSIONS, "tickets.brand"),
}
contracts = {
    "smile": ScaleContract(
        id="smile",
        title="After a ticket",
        kind="csat",
        questions=["desk:smile", "desk:stars"],
        minimum=1,
        maximum=5,
        direction="higher_is_better",
        formula="top_box",
        owner="operations",
    )
}
topics = [
    Topic(id=name, title={"en": name}, precedence=number, speaks=speaks, words={"en": ["bot"], "zh": ["机器人"]})
    for number, (name, speaks) in enumerate((("bot", "either"), ("praise", "for")), 1)
]
servqual_weights = dict.fromkeys(DIMENSIONS_OF_SERVICE, 20.0)
benchmarks = {
    "topics": Benchmark(
        id="topics",
        indicator="knowledge_topic_resolution",
        title="What others solve",
        source="a study",
        owner="operations",
        months=[
            {"month": "2026-01-01", "value": 0.6},
            {"month": "2026-02-01", "value": 0.7, "segment": "topic=billing"},
        ],
        action="Revise the articles",
    )
}
directions = {"knowledge_topic_resolution": "higher_is_better"}
asked = shares = "'csat_top_box'"
