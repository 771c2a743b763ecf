"""Quarantined rows of the erased: the row stays counted with its reasons, its encrypted content goes."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hansei.catalog.windows import Window
from hansei.errors import HanseiError
from hansei.pipeline.context import Context
from hansei.quality.quarantine import ERASED, Quarantine
from hansei.sources.erasure import Erased, ticket_columns
from hansei.sources.replay import remap
from hansei.sources.scratch import flat
from hansei.warehouse import Warehouse


def discard_payloads(context: Context, warehouse: Warehouse, erased: Erased, email: str | None, is_trial: bool) -> int:
    """How many payloads were about the erased, and are gone unless it is a trial.

    A payload is mapped as its source is mapped today, which tells whose it is; `email`, where it is given, is looked
    for in the text as well, since what cannot be mapped may still hold it.
    """
    quarantine = Quarantine(warehouse, context.settings)
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in warehouse.rows("SELECT * FROM ops.quarantined_rows WHERE payload IS NOT NULL ORDER BY quarantine_id"):
        groups[row["source"], row["entity"]].append(row)
    theirs: list[str] = []
    for (source, entity), rows in groups.items():
        theirs += _theirs(context, quarantine, erased, source, entity, rows, email)
    if not is_trial:
        for identity in theirs:
            warehouse.execute(
                "UPDATE ops.quarantined_rows SET payload = NULL, "
                "state_reason = CASE WHEN state = 'waiting' THEN :reason ELSE state_reason END, "
                "state = CASE WHEN state = 'waiting' THEN 'discarded' ELSE state END WHERE quarantine_id = :identity",
                {"reason": ERASED, "identity": identity},
            )
    return len(theirs)


def _theirs(
    context: Context,
    quarantine: Quarantine,
    erased: Erased,
    source: str,
    entity: str,
    rows: list[dict[str, Any]],
    email: str | None,
) -> list[str]:
    """Quarantine ids of the rows that are about the erased."""
    identities, records = [], []
    for row in rows:
        try:
            records.append(quarantine.payload(row))
        except HanseiError:  # encrypted with a key that is gone: nobody can read it, and it expires
            continue
        identities.append(row["quarantine_id"])
    found = set()
    if email:
        wanted = email.strip().casefold()
        found = {at for at, record in enumerate(records) if wanted in json.dumps(record, ensure_ascii=False).casefold()}
    definition, declared = context.catalog.sources.get(source), context.catalog.entities.get(entity)
    if records and definition is not None and declared is not None:
        window = Window(None, context.now())
        mapped = remap(definition, context.catalog, context.settings, entity, records, window)
        about = erased.apply(mapped, declared)[1]
        for name in ticket_columns(declared):
            tickets = pa.array(sorted(erased.tickets), pa.string())
            about |= np.asarray(pc.is_in(flat(mapped[name]), tickets))
        found |= set(mapped.filter(pa.array(about))["raw_row"].to_pylist())
    return [identities[at] for at in sorted(found)]
