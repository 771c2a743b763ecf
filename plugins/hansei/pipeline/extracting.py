"""A batch of one source on demand: spooled for a later night, or only counted and validated."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from hansei.catalog.sources import Source
from hansei.catalog.windows import Window
from hansei.pipeline.context import Context
from hansei.quality.rules import row_rules
from hansei.quality.validation import Suite
from hansei.sources.extraction import extract_batch
from hansei.sources.spool import Manifest, read_part
from hansei.sources.tallies import take_deletions


@dataclass
class Extracted:
    """What one entity of the batch received, and what breaks which rule; `refused` rows would be quarantined."""

    entity: str
    received: int
    refused: int = 0
    broken: Counter = field(default_factory=Counter)

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "broken": dict(self.broken)}


def extract_once(
    context: Context, source: Source, window: Window, run_id: str, is_dry: bool, progress: Callable[[str, int], None]
) -> tuple[str | None, list[Extracted]]:
    """Where the batch lies (None for a dry run, which keeps nothing), and each entity's rows.

    Only a dry run validates: what is spooled is validated when a night publishes it.
    """
    means = (source, context.catalog)
    if not is_dry:
        own = (*means, context.settings, context.resolver)
        manifest = extract_batch(*own, run_id, window, progress, partial(take_deletions, *own, window))
        found = [Extracted(entity, batch.received) for entity, batch in manifest.entities.items()]
        return manifest.location, found
    with tempfile.TemporaryDirectory(prefix="hansei-dry-") as spool:
        settings = replace(context.settings, spool=spool)
        manifest = extract_batch(*means, settings, context.resolver, run_id, window, progress)
        return None, [_validate(context, manifest, entity) for entity in manifest.entities]


def _validate(context: Context, manifest: Manifest, entity: str) -> Extracted:
    """Every rule but those on the scales of surveys, which the warehouse knows."""
    batch = manifest.entities[entity]
    found = Extracted(entity, batch.received)
    suite = Suite(entity, row_rules(context.catalog.entities[entity], manifest.window.end))
    for name in batch.parts:
        part = read_part(manifest, name)
        faulty = np.flatnonzero(part["faults"].is_valid().to_numpy()).tolist()
        refused = set(faulty)
        if faulty:
            found.broken["unreadable value"] += len(faulty)
        for outcome in suite.validate(part):
            if outcome.failed_rows:
                found.broken[outcome.rule.id] += len(outcome.failed_rows)
            if outcome.rule.severity == "stop":
                refused.update(outcome.failed_rows)
        found.refused += len(refused)
    return found
