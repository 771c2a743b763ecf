"""From a spooled batch to staging: validate part by part, quarantine, judge the batch, merge, account for every row.

Everything of one source and run happens in one transaction: rows, quarantine, results, accounting and watermark are
there together or not at all, so that a process killed at any point leaves nothing half done.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from hansei.catalog import Catalog
from hansei.catalog.entities import Entity
from hansei.catalog.sources import Source
from hansei.errors import AccountingError
from hansei.quality.batch_rules import BatchFinding, batch_findings, reference_findings
from hansei.quality.erased import erased_of, learn_addresses, mark_texts
from hansei.quality.quarantine import Quarantine, Refused
from hansei.quality.rules import Rule, row_rules, scales_for
from hansei.quality.validation import Suite
from hansei.settings import Settings
from hansei.sources.erasure import LIKE_TOKEN
from hansei.sources.spool import EntityBatch, Manifest, discard_raw, raw_rows, read_part
from hansei.sources.spool_erasure import replace_part
from hansei.warehouse.deletions import bury_listed
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.key_lists import KeyReconciliation, reconcile_keys
from hansei.warehouse.publication import MergeCounts, land, merge
from hansei.warehouse.runs import Run, move_watermark


@dataclass
class EntityCounts:
    """Rows of one entity in one batch, by fate."""

    received: int = 0
    accepted: int = 0
    quarantined: int = 0
    duplicate: int = 0
    held: int = 0
    conflict: int = 0
    deleted: int = 0

    @property
    def is_balanced(self) -> bool:
        return self.received == self.accepted + self.quarantined + self.duplicate + self.held


@dataclass
class _Checking:
    """What the rules found so far in one entity's batch."""

    rules: list[Rule]
    checked: Counter = field(default_factory=Counter)
    failed: Counter = field(default_factory=Counter)
    faults: Counter = field(default_factory=Counter)
    quarantined: int = 0
    quarantined_keys: set[str] = field(default_factory=set)
    has_unknown_keys: bool = False


class Intake:
    """Publishes the batch of one source in one run."""

    def __init__(
        self, warehouse: Warehouse, catalog: Catalog, settings: Settings, run: Run, source: Source, manifest: Manifest
    ) -> None:
        self.warehouse = warehouse
        self.catalog = catalog
        self.settings = settings
        self.run = run
        self.source = source
        self.manifest = manifest
        self.quarantine = Quarantine(warehouse, settings, catalog.privacy_rules.retention.quarantine)
        self.erased = erased_of(warehouse, settings)
        self.suites: dict[str, Suite] = {}

    def publish(self) -> dict[str, EntityCounts]:
        """Counts per entity. A repeated call for a published batch returns what was stored then."""
        stored = self._stored()
        if stored is not None:
            discard_raw(self.manifest)  # a process killed right after its commit has left them
            return stored
        counts: dict[str, EntityCounts] = {}
        with self.warehouse.transaction():
            for name, batch in self.manifest.entities.items():
                counts[name] = self._publish_entity(self.catalog.entities[name], batch)
            if self.erased:
                learn_addresses(self.warehouse, self.settings)
                mark_texts(self.warehouse, self.catalog, self.run.run_id)
            self._check_references()
            is_held = any(count.held for count in counts.values())
            if not is_held:
                self._bury_listed(counts)
                self._reconcile_keys(counts)
                move_watermark(self.warehouse, self.source.id, self.manifest.complete_until, self.run.run_id)
            self._close(is_held)
        discard_raw(self.manifest)
        return counts

    def _stored(self) -> dict[str, EntityCounts] | None:
        identity = {"run_id": self.run.run_id, "source": self.source.id}
        state = self.warehouse.scalar(
            "SELECT state FROM ops.source_runs WHERE run_id = :run_id AND source = :source", identity
        )
        if state not in ("published", "held"):
            return None
        rows = self.warehouse.rows("SELECT * FROM ops.batches WHERE run_id = :run_id AND source = :source", identity)
        names = ("received", "accepted", "quarantined", "duplicate", "held", "conflict", "deleted")
        return {row["entity"]: EntityCounts(**{name: row[f"{name}_count"] for name in names}) for row in rows}

    def _publish_entity(self, entity: Entity, batch: EntityBatch) -> EntityCounts:
        checking = _Checking(self._suite(entity).rules)
        landed = land(self.warehouse, self.source.id, entity, self._accepted_parts(entity, batch, checking))
        findings = batch_findings(self.warehouse, self.source, entity, batch, self.run)
        counts = EntityCounts(received=batch.received, quarantined=checking.quarantined)
        if any(finding.holds for finding in findings):
            counts.held = landed
        else:
            merged = self._merge(entity, batch, checking, landed)
            counts.accepted, counts.duplicate = merged.accepted, merged.duplicate
            counts.conflict, counts.deleted = merged.conflict, merged.deleted
            self.quarantine.supersede(entity.id, entity.key, entity.table)
        if not counts.is_balanced:
            found = f"received {counts.received}, accounted for {counts}"
            raise AccountingError(
                f"{self.source.id}.{entity.id} in run {self.run.run_id}", found, "report this as a bug"
            )
        self._record(entity, batch, checking, findings, counts)
        return counts

    def _suite(self, entity: Entity) -> Suite:
        """The entity's suite, made when its turn comes: instruments that the same batch brought are in force then."""
        if entity.id not in self.suites:
            scales = scales_for(self.warehouse, self.catalog, entity)
            self.suites[entity.id] = Suite(entity.id, row_rules(entity, self.manifest.window.end, scales))
        return self.suites[entity.id]

    def _check_references(self) -> None:
        """After every entity of the source is in, so that their order in the definition does not matter."""
        for name in self.manifest.entities:
            entity = self.catalog.entities[name]
            identity = {"run_id": self.run.run_id, "source": self.source.id, "entity": name}
            found = reference_findings(self.warehouse, self.catalog, self.source, entity)
            self.warehouse.insert("ops.check_results", [{**identity, **finding.as_result()} for finding in found])

    def _bury_listed(self, counts: dict[str, EntityCounts]) -> None:
        """Marks as deleted what the source lists as deleted; entries that cannot be read warn."""
        for tally in self.manifest.tallies:
            if tally.kind != "deletions":
                continue
            entity, listed = self.catalog.entities[tally.entity], read_part(self.manifest, tally.part)
            has_times = self.source.has_time_versions(entity.id)
            deleted = bury_listed(self.warehouse, entity, self.source.id, self.run, listed, has_times)
            counts[entity.id].deleted += deleted
            identity = {"run_id": self.run.run_id, "source": self.source.id, "entity": entity.id}
            self._count_deleted(identity, deleted)
            read = listed.num_rows + tally.unreadable
            finding = BatchFinding("deleted_keys", "batch", "warn", read, tally.unreadable, tally.message)
            self.warehouse.insert("ops.check_results", [{**identity, **finding.as_result()}])

    def _reconcile_keys(self, counts: dict[str, EntityCounts]) -> None:
        """Deletes what complete key lists lack; each list leaves a line that says what became of it."""
        declared = {keys.entity: keys for keys in self.source.keys}
        for tally in self.manifest.tallies:
            if tally.kind != "keys" or tally.entity not in declared:
                continue
            entity = self.catalog.entities[tally.entity]
            if tally.part is None:
                found = KeyReconciliation("unreadable", message=tally.message)
            else:
                listed = read_part(self.manifest, tally.part)
                until = self.manifest.entities[entity.id].complete_until
                means = (self.warehouse, entity, self.source.id, self.run, declared[entity.id])
                # An erased person's key became a hash, which no list of the source can hold.
                found = reconcile_keys(*means, listed, tally.taken_at, until, spared=LIKE_TOKEN)
                counts[entity.id].deleted += found.deleted
            self.warehouse.insert("ops.key_reconciliations", [found.as_row(self.run, self.source.id, entity.id)])
            finding = BatchFinding(
                "key_list", "batch", "warn", found.known, found.absent - found.deleted, found.message
            )
            result = {**finding.as_result(), **({} if found.state == "applied" else {"result": "warned"})}
            identity = {"run_id": self.run.run_id, "source": self.source.id, "entity": entity.id}
            self.warehouse.insert("ops.check_results", [{**identity, **result}])
            self._count_deleted(identity, found.deleted)

    def _count_deleted(self, identity: dict[str, str], deleted: int) -> None:
        if deleted:
            self.warehouse.execute(
                "UPDATE ops.batches SET deleted_count = deleted_count + :deleted "
                "WHERE run_id = :run_id AND source = :source AND entity = :entity",
                {**identity, "deleted": deleted},
            )

    def _merge(self, entity: Entity, batch: EntityBatch, checking: _Checking, landed: int) -> MergeCounts:
        # Absence proves a deletion only in a complete snapshot that is the newest of its source.
        newest = self.warehouse.scalar(
            "SELECT complete_until FROM ops.watermarks WHERE source = :source", {"source": self.source.id}
        )
        is_newest = newest is None or self.manifest.window.end >= newest
        is_snapshot = batch.is_complete_snapshot and is_newest and not checking.has_unknown_keys
        end = self.manifest.window.end
        keys = sorted(checking.quarantined_keys)
        return merge(self.warehouse, entity, self.source.id, self.run.run_id, end, landed, is_snapshot, keys)

    def _accepted_parts(self, entity: Entity, batch: EntityBatch, checking: _Checking) -> Iterator[pa.Table]:
        for name in batch.parts:
            part, theirs = self._without_erased(entity, name)
            reasons = self._reasons(entity, part, checking)
            if not reasons:
                yield part
                continue
            self._refuse(entity, part, reasons, checking, theirs)
            keep = np.ones(part.num_rows, dtype=bool)
            keep[list(reasons)] = False
            yield part.filter(pa.array(keep))

    def _without_erased(self, entity: Entity, name: str) -> tuple[pa.Table, np.ndarray]:
        """A part in which hashes stand for persons who were erased, in the spool too; and which rows are theirs."""
        part = read_part(self.manifest, name)
        cleaned, theirs = self.erased.apply(part, entity)
        if cleaned is not part:
            replace_part(self.manifest, name, cleaned)
        return cleaned, theirs

    def _reasons(self, entity: Entity, part: pa.Table, checking: _Checking) -> dict[int, list[dict[str, str]]]:
        """Row position -> why it is refused; only rules of severity `stop` refuse."""
        reasons: dict[int, list[dict[str, str]]] = {}
        faults = part.column("faults")
        for row in np.flatnonzero(faults.is_valid().to_numpy(zero_copy_only=False)):
            for fault in json.loads(faults[int(row)].as_py()):
                reasons.setdefault(int(row), []).append(fault)
                checking.faults[fault["rule"], fault["column"] or ""] += 1
        for outcome in self.suites[entity.id].validate(part):
            checking.checked[outcome.rule.id] += outcome.checked
            checking.failed[outcome.rule.id] += len(outcome.failed_rows)
            if outcome.rule.severity != "stop":
                continue
            for row in outcome.failed_rows:
                reasons.setdefault(row, []).append({"rule": outcome.rule.id, "column": ", ".join(outcome.rule.columns)})
        return reasons

    def _refuse(
        self, entity: Entity, part: pa.Table, reasons: dict[int, list], checking: _Checking, theirs: np.ndarray
    ) -> None:
        rows = sorted(reasons)
        refused = part.take(pa.array(rows, pa.int64())).select(
            [entity.key, "source_version", "raw_part", "raw_row", "mapping"]
        )
        described = refused.to_pylist()
        by_raw: dict[int, list[int]] = {}
        for position, row in enumerate(described):
            by_raw.setdefault(row["raw_part"], []).append(position)
        records: dict[int, dict] = {}
        for raw_part, positions in by_raw.items():
            wanted = [described[position]["raw_row"] for position in positions]
            mappings = [described[position]["mapping"] for position in positions]
            found = raw_rows(self.manifest, raw_part, wanted, self.settings, mappings)
            records.update(zip(positions, found, strict=True))
        batch = [
            Refused(
                row[entity.key],
                row["source_version"],
                tuple(reasons[rows[position]]),
                None if theirs[rows[position]] else records[position],
            )
            for position, row in enumerate(described)
        ]
        checking.quarantined_keys |= {row.row_key for row in batch if row.row_key}
        checking.has_unknown_keys |= any(row.row_key is None for row in batch)
        as_of = self.run.as_of
        checking.quarantined += self.quarantine.add(self.run.run_id, self.source.id, entity.id, as_of, batch)

    def _record(
        self,
        entity: Entity,
        batch: EntityBatch,
        checking: _Checking,
        findings: list[BatchFinding],
        counts: EntityCounts,
    ) -> None:
        identity = {"run_id": self.run.run_id, "source": self.source.id, "entity": entity.id}
        fates = {f"{name}_count": value for name, value in vars(counts).items()}
        times = {"ambiguous_time_count": batch.ambiguous_times, "nonexistent_time_count": batch.nonexistent_times}
        state = {"state": "held" if counts.held else "published", "is_balanced": counts.is_balanced}
        self.warehouse.insert("ops.batches", [{**identity, "as_of": self.run.as_of, **fates, **times, **state}])
        self.warehouse.insert("ops.check_results", list(_results(identity, checking, findings, batch.received)))
        self.warehouse.insert(
            "ops.drift_findings",
            [
                {
                    **identity,
                    "field": drift.field,
                    "kind": drift.kind,
                    "row_count": drift.count,
                    "as_of": self.run.as_of,
                }
                for drift in batch.drift
            ],
        )

    def _close(self, is_held: bool) -> None:
        asked = self.manifest.asked
        self.warehouse.execute(
            "UPDATE ops.source_runs SET state = :state, complete_until = :complete_until, published_at = :as_of, "
            "message = :message, request_count = :request_count, quota_left_count = :quota_left_count, "
            "quota_seen_at = :quota_seen_at WHERE run_id = :run_id AND source = :source",
            {
                "request_count": asked.requests if asked else None,
                "quota_left_count": asked.quota_left if asked else None,
                "quota_seen_at": asked.quota_seen_at if asked else None,
                "state": "held" if is_held else "published",
                "complete_until": self.manifest.complete_until,
                "as_of": self.run.as_of,
                "message": "a batch-level rule held the batch; see ops.check_results" if is_held else None,
                "run_id": self.run.run_id,
                "source": self.source.id,
            },
        )


def _results(identity: dict, checking: _Checking, findings: list[BatchFinding], received: int) -> Iterator[dict]:
    for rule in checking.rules:
        failed = checking.failed[rule.id]
        bad = "failed" if rule.severity == "stop" else "warned"
        row = {
            "check_id": rule.id,
            "scope": "row",
            "severity": rule.severity,
            "checked_count": checking.checked[rule.id],
        }
        yield {**identity, **row, "failed_count": failed, "result": bad if failed else "passed", "message": ""}
    for (rule, column), failed in sorted(checking.faults.items()):
        row = {"check_id": f"{rule}:{column}", "scope": "row", "severity": "stop", "checked_count": received}
        yield {**identity, **row, "failed_count": failed, "result": "failed", "message": "the value cannot be read"}
    for finding in findings:
        yield {**identity, **finding.as_result()}
