"""Reads every definition, shipped ones first, the user's overlays on top, and reports all faults at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from hansei.catalog import calendar_checks, crosschecks
from hansei.catalog.calendars import Calendar
from hansei.catalog.churn import ChurnRule
from hansei.catalog.complaints import ComplaintRules
from hansei.catalog.documents import Definition, Document, Fault, read_definition
from hansei.catalog.entities import Entity
from hansei.catalog.ledger import Ledger
from hansei.catalog.measures import Indicator
from hansei.catalog.organisation import Links, Service
from hansei.catalog.playbooks import Playbook
from hansei.catalog.practices import CostModel, CrmSync, TeamPrivacy
from hansei.catalog.privacy import PrivacyRules
from hansei.catalog.procedures import Procedure
from hansei.catalog.recipients import Recipient
from hansei.catalog.reviews import Review
from hansei.catalog.risks import Risk
from hansei.catalog.scorecards import Profile, Quadrants, Scorecard
from hansei.catalog.services import MeasuredService
from hansei.catalog.sla import SlaPolicy
from hansei.catalog.sources import Source
from hansei.catalog.surveys import Benchmark, ScaleContract, ServqualWeights
from hansei.catalog.tables import TableModel
from hansei.catalog.thresholds import THRESHOLD_FILE, Rebase, Threshold
from hansei.catalog.topics import Topic
from hansei.catalog.translations import Translations
from hansei.errors import DefinitionError
from hansei.settings import Settings

FOLDERS: dict[str, type[Definition] | TypeAdapter] = {
    "entities": Entity,
    "sources": Source,
    "indicators": Indicator,
    "thresholds": THRESHOLD_FILE,
    "reviews": Review,
    "calendars": Calendar,
    "ledger": Ledger,
    "sla": SlaPolicy,
    "links": Links,
    "services": MeasuredService,
    "procedures": Procedure,
    "scorecards": Scorecard,
    "profiles": Profile,
    "quadrants": Quadrants,
    "risks": Risk,
    "complaints": ComplaintRules,
    "churn": ChurnRule,
    "crm_sync": CrmSync,
    "cost_model": CostModel,
    "team_privacy": TeamPrivacy,
    "privacy": PrivacyRules,
    "surveys": ScaleContract,
    "servqual_weights": ServqualWeights,
    "benchmarks": Benchmark,
    "recipients": Recipient,
    "playbooks": Playbook,
    "topics": Topic,
    "translations": Translations,
}
SERVICE_FILE = "service.yaml"
# Kinds that have no folder of their own: they lie beside what they belong to.
BESIDE: dict[type[Definition], str] = {Rebase: "rebases"}
KINDS = (*FOLDERS, *BESIDE.values())


@dataclass
class Catalog:
    """All definitions in force, by kind and id, with the documents that they came from."""

    include: Path
    service: Service
    entities: dict[str, Entity]
    sources: dict[str, Source]
    indicators: dict[str, Indicator]
    thresholds: dict[str, Threshold]
    rebases: dict[str, Rebase]
    reviews: dict[str, Review]
    calendars: dict[str, Calendar]
    ledger: dict[str, Ledger]
    sla: dict[str, SlaPolicy]
    links: dict[str, Links]
    services: dict[str, MeasuredService]
    procedures: dict[str, Procedure]
    scorecards: dict[str, Scorecard]
    profiles: dict[str, Profile]
    quadrants: dict[str, Quadrants]
    risks: dict[str, Risk]
    complaints: dict[str, ComplaintRules]
    churn: dict[str, ChurnRule]
    crm_sync: dict[str, CrmSync]
    cost_model: dict[str, CostModel]
    team_privacy: dict[str, TeamPrivacy]
    privacy: dict[str, PrivacyRules]
    surveys: dict[str, ScaleContract]
    servqual_weights: dict[str, ServqualWeights]
    benchmarks: dict[str, Benchmark]
    recipients: dict[str, Recipient]
    playbooks: dict[str, Playbook]
    topics: dict[str, Topic]
    translations: dict[str, Translations]
    tables: dict[str, TableModel]
    documents: dict[tuple[str, str], Document] = field(repr=False, default_factory=dict)
    home: Path = Path(".hansei")

    @property
    def privacy_rules(self) -> PrivacyRules:
        """What the service does with personal data; there is one definition of it."""
        return next(iter(self.privacy.values()))

    def fingerprint(self, *parts: Any) -> str:
        """SHA-256 over definitions or plain data, stable across processes."""
        payload = json.dumps([_plain(part) for part in parts], sort_keys=True, default=str, separators=(",", ":"))
        return hashlib.sha256(payload.encode()).hexdigest()

    def tables_of(self, indicator: Indicator) -> tuple[str, ...]:
        """Tables that an indicator counts on; those of both parts of a quotient."""
        return tuple(dict.fromkeys(part.table for part in self.parts_of(indicator)))

    def parts_of(self, indicator: Indicator) -> tuple[Indicator, ...]:
        """The two indicators that a quotient divides; any other indicator is its own and only part."""
        if indicator.measure != "quotient":
            return (indicator,)
        return (self.indicators[indicator.numerator_indicator], self.indicators[indicator.denominator_indicator])

    def thresholds_on(self, indicator_id: str, grain: str) -> list[Threshold]:
        """Thresholds of the indicator at the grain, by id."""
        named = [item for item in self.thresholds.values() if (item.indicator, item.grain) == (indicator_id, grain)]
        return sorted(named, key=lambda item: item.id)

    def shown_in(self, review: Review) -> tuple[str, ...]:
        """Indicators of a review, in order: those that it lists, then those that ask for it."""
        asking = [item.id for item in self.indicators.values() if review.id in item.shown_in]
        return tuple(dict.fromkeys([*review.indicators, *sorted(asking)]))

    def everything(self) -> dict[str, dict[str, Any]]:
        """Every definition as plain data, for the archive of a review and the table of definitions in force.

        Recipients are left out: who is told changes no number, and people's names stay out of warehouse and archive.
        So are translations: a review's evidence holds those that it needs.
        """
        kinds = {name: getattr(self, name) for name in KINDS if name not in ("recipients", "translations")}
        kinds["service"] = {self.service.id: self.service}
        return {kind: {key: _plain(item) for key, item in sorted(items.items())} for kind, items in kinds.items()}


def _plain(part: Any) -> Any:
    return part.model_dump(mode="json", by_alias=True) if isinstance(part, Definition) else part


def load_catalog(settings: Settings) -> Catalog:
    """The catalog; raises DefinitionError with every fault of every file, not only the first."""
    catalog, faults = examine(settings, is_thorough=False)
    if faults:
        raise DefinitionError(faults)
    return catalog


def examine(settings: Settings, is_thorough: bool = True) -> tuple[Catalog, list[Fault]]:
    """The catalog as far as it can be read, and all faults.

    Not thorough, it leaves out what costs every process a heavy import: working out the calendars' holidays. Whoever
    plants the calendars finds those faults too.
    """
    faults: list[Fault] = []
    documents: dict[tuple[str, str], Document] = {}
    found: dict[str, dict[str, Definition]] = {kind: {} for kind in [*KINDS, "service", "tables"]}
    roots = [settings.include / "definitions", *settings.overlays]
    for root in roots:
        if not root.is_dir():
            faults.append(Fault(root, 1, "(folder)", "does not exist", "correct HANSEI_DEFINITIONS"))
            continue
        first: dict[tuple[str, str], Path] = {}
        for kind, path in _definition_files(root):
            # A later folder may replace an earlier one's file; within one the first would be lost without a word.
            if first.setdefault((kind, path.stem), path) != path:
                found_at = f"{first[kind, path.stem].relative_to(root)} has the same name"
                faults.append(Fault(path, 1, "(whole file)", found_at, "keep one of the two"))
            _take(kind, FOLDERS.get(kind, Service), path, found, documents, faults)
    for path in sorted((settings.include / "sql").rglob("*.yaml")):
        _take("tables", TableModel, path, found, documents, faults)
    if not found["service"] and not any(fault.file.name == SERVICE_FILE for fault in faults):
        faults.append(Fault(roots[0] / SERVICE_FILE, 1, "(whole file)", "is missing", "write id, name, reporting_zone"))
    service = next(iter(found["service"].values()), None) or Service(id="service", name="?", reporting_zone="UTC")
    if service.indicators is not None:
        named = {name for review in found["reviews"].values() for name in review.indicators}
        named |= {threshold.indicator for threshold in found["thresholds"].values()}
        found["indicators"], untold = chosen(found["indicators"], service.indicators, named)
        for word in untold:
            next_step = "name an indicator or a family, such as speed"
            faults.append(documents["service", service.id].fault(("indicators",), f"{word!r} is neither", next_step))
    kinds = {kind: found[kind] for kind in KINDS}
    catalog = Catalog(
        settings.include, service, **kinds, tables=found["tables"], documents=documents, home=settings.home
    )
    faults.extend(crosschecks.cross_check(catalog))
    if is_thorough:
        faults.extend(calendar_checks.check_openings(catalog))
    return catalog, sorted(faults, key=lambda fault: (str(fault.file), fault.line, fault.key))


def chosen(
    indicators: dict[str, Indicator], words: Iterable[str], needed: Iterable[str] = ()
) -> tuple[dict[str, Indicator], list[str]]:
    """The indicators that are named, or whose family is, with the parts of their quotients; and words that fit none.

    `needed` are kept too: those that reviews and thresholds name.
    """
    words = tuple(words)
    kept = {key for key, item in indicators.items() if key in words or item.family in words or key in needed}
    for key in tuple(kept):
        parts = (indicators[key].numerator_indicator, indicators[key].denominator_indicator)
        kept |= {part for part in parts if part in indicators}
    known = {*indicators, *(item.family for item in indicators.values())}
    return {key: item for key, item in indicators.items() if key in kept}, [word for word in words if word not in known]


def _definition_files(root: Path) -> Iterable[tuple[str, Path]]:
    for kind in FOLDERS:
        for path in sorted((root / kind).rglob("*.yaml")):
            yield kind, path
    if (root / SERVICE_FILE).exists():
        yield "service", root / SERVICE_FILE


def _take(
    kind: str,
    model: type[Definition] | TypeAdapter,
    path: Path,
    found: dict[str, dict[str, Definition]],
    documents: dict[tuple[str, str], Document],
    faults: list[Fault],
) -> None:
    document, definition = read_definition(path, model)
    faults.extend(document.faults)
    if definition is None:
        return
    key = definition.table if isinstance(definition, TableModel) else definition.id
    if path.stem != key.rsplit(".", 1)[-1]:
        where = ("table",) if isinstance(definition, TableModel) else ("id",)
        faults.append(document.fault(where, f"{key!r} in a file named {path.stem!r}", "make the two names one"))
    if kind == "service":
        found["service"].clear()
    kind = BESIDE.get(type(definition), kind)
    found[kind][key] = definition
    documents[kind, key] = document
