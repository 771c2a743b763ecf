"""Erasing a person: every place is gone through by hashes, so that it may be stopped anywhere and asked for again.

What names the person becomes a keyed hash, their words a marker; rows and links stay, so that not one figure moves.
The hashes are remembered, and the next extraction finds the person's rows under them (docs/privacy.md).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from hansei.errors import HanseiError
from hansei.pipeline.context import Context
from hansei.pipeline.erasing_parts import erase_theirs
from hansei.pipeline.erasing_payloads import discard_payloads
from hansei.pipeline.nightly import measure, model, publish_copy, share
from hansei.pipeline.side_runs import open_side_run
from hansei.quality.erased import (
    erased_of,
    learn_addresses,
    load_theirs,
    mark_texts,
    remember_erased,
    replace_keys,
    unlink_staging,
)
from hansei.sources.erasure import Erased, address_columns, person_columns, tokens_for
from hansei.sources.privacy import Privacy
from hansei.sources.scratch import Scratch
from hansei.sources.spool_erasure import spooled, unlink_batch
from hansei.warehouse import Warehouse, open_warehouse
from hansei.warehouse.tables import create_table, evolve

Tell = Callable[[str], None]
# Columns by which models log their changes under a customer's key.
_CUSTOMER_KEYS = ("customer_id", "person_id", "source_key", "contact_key", "record_key", "ticket_key")


@dataclass
class Erasure:
    """What was found of a person: identities, rows, texts beside those, payloads, spooled rows, parts of reviews."""

    identity_count: int = 0
    row_count: int = 0
    text_count: int = 0
    payload_count: int = 0
    spooled_count: int = 0
    part_count: int = 0


def erase(
    context: Context,
    customer: str | None = None,
    email: str | None = None,
    by: str = "",
    reason: str = "",
    is_trial: bool = False,
    tell: Tell = lambda text: None,
) -> dict[str, Any]:
    """Unlinks one person everywhere; counts by kind of place, and the state: trial, done or `known` (erased earlier).

    Raises HanseiError where nobody is known by the key and address.
    """
    with open_warehouse(context.settings) as warehouse:
        evolve(warehouse, context.catalog)
        before = erased_of(warehouse, context.settings)
        names = _identities(context, warehouse, _given(context, customer, email))
        tokens = tokens_for(context.settings, names)
        if is_trial:
            return {"state": "trial", **asdict(_look(context, warehouse, before, tokens, email))}
        with warehouse.transaction():
            erasure_id = _begin(context, warehouse, tokens, before, by, reason)
    if erasure_id is None:
        return {"state": "known", **asdict(Erasure())}
    return {"state": "done", "erasure_id": erasure_id, **asdict(finish(context, erasure_id, email, tell))}


def erase_many(
    context: Context, customers: Collection[str], by: str, reason: str, tell: Tell = lambda text: None
) -> Erasure:
    """Unlinks many customers in one go, each with the addresses by which they are known."""
    with open_warehouse(context.settings) as warehouse, warehouse.transaction():
        before = erased_of(warehouse, context.settings)
        names = _identities(context, warehouse, set(customers))
        tokens = tokens_for(context.settings, names)
        erasure_id = _begin(context, warehouse, tokens, before, by, reason)
    return finish(context, erasure_id, tell=tell) if erasure_id else Erasure()


def finish(context: Context, erasure_id: str, email: str | None = None, tell: Tell = lambda text: None) -> Erasure:
    """Takes an erasure that was begun through every place; places that are done already hold nothing any more."""
    with open_warehouse(context.settings) as warehouse:
        found = _unlink_warehouse(context, warehouse, erasure_id, email)
        erased = erased_of(warehouse, context.settings)
        tell(f"warehouse: {found.row_count} rows unlinked, {found.payload_count} payloads discarded")
        for manifest in spooled(context.settings):
            found.spooled_count += unlink_batch(manifest, erased, context.catalog, context.settings, False)
        found.part_count = erase_theirs(context, erased, erasure_id, is_trial=False)
        tell(f"spool: {found.spooled_count} rows; archived reviews: {found.part_count} parts")
        run_id = warehouse.scalar("SELECT run_id FROM ops.erasures WHERE erasure_id = :id", {"id": erasure_id})
    model(context, run_id)
    measure(context, run_id)
    share(context, run_id)
    with open_warehouse(context.settings) as warehouse:
        publish_copy(context, warehouse, is_fresh=True)
        with warehouse.transaction():
            _forget_keys(context, warehouse, erased_of(warehouse, context.settings))
            found = _close(context, warehouse, erasure_id, found)
        publish_copy(context, warehouse, is_fresh=True)
    tell("models, indicators and read copy are up to date")
    return found


def unfinished(warehouse: Warehouse) -> list[str]:
    """Ids of erasures that were begun and not ended."""
    query = "SELECT erasure_id FROM ops.erasures WHERE state = 'running' ORDER BY requested_at, erasure_id"
    return [row["erasure_id"] for row in warehouse.rows(query)]


def _given(context: Context, customer: str | None, email: str | None) -> set[str]:
    """The key and the pseudonym of the address that somebody was asked for by."""
    names = {customer} if customer else set()
    if email:
        with Scratch() as scratch:
            names |= set(Privacy(context.settings, scratch).pseudonyms(pa.array([email]), "email").to_pylist())
    return names


def _identities(context: Context, warehouse: Warehouse, given: set[str]) -> set[str]:
    """Keys and pseudonyms of addresses of the same persons: of every system in which one of them is known."""
    names, count = set(given), -1
    is_stored = False
    while count != len(names):
        count = len(names)
        create_table(warehouse, "run_names", {"value": "text"}, temporary=True)
        warehouse.load("run_names", pa.table({"value": sorted(names)}))
        for entity in context.catalog.entities.values():
            keys, addresses = person_columns(entity), address_columns(entity)
            told = " OR ".join(f"{name} IN (SELECT value FROM run_names)" for name in (*keys, *addresses))
            if not told:
                continue
            listed = [name for name in (*keys, *addresses) if name != "actor_id"] or ["actor_id"]
            rows = warehouse.rows(f"SELECT DISTINCT {', '.join(listed)} FROM {entity.table} WHERE {told}")
            is_stored = is_stored or bool(rows)
            if keys and addresses:
                names |= {value for row in rows for value in row.values() if value}
        warehouse.execute("DROP TABLE run_names")
    known = erased_of(warehouse, context.settings).tokens & tokens_for(context.settings, given)
    if not known and not is_stored:
        next_step = "give our key of the customer (system:number, as in core.tickets), or an address that is stored"
        raise HanseiError("privacy erase", "nobody is known by that", next_step)
    return names


def _begin(
    context: Context, warehouse: Warehouse, tokens: frozenset[str], before: Erased, by: str, reason: str
) -> str | None:
    """Id of the erasure: that of one which was stopped half-way, else a new one; None where all is done already."""
    listed = warehouse.sql.text_list(sorted(tokens))
    stopped = warehouse.scalar(
        "SELECT MIN(erasures.erasure_id) FROM ops.erasures AS erasures INNER JOIN ops.erased_identities AS identities "
        f"ON identities.erasure_id = erasures.erasure_id WHERE erasures.state = 'running' AND token IN ({listed})"
    )
    if stopped is not None:
        remember_erased(warehouse, context.settings, stopped, tokens)
        return stopped
    if tokens <= before.tokens:
        return None
    run_id = open_side_run(context, warehouse, "erasure", reason or "a person is erased")
    erasure_id = run_id
    record = {"erasure_id": erasure_id, "requested_at": context.now(), "requested_by": by, "reason": reason}
    counts = {**asdict(Erasure()), "identity_count": len(tokens)}
    warehouse.insert("ops.erasures", [{**record, "run_id": run_id, **counts, "state": "running"}])
    remember_erased(warehouse, context.settings, erasure_id, tokens)
    return erasure_id


def _look(context: Context, warehouse: Warehouse, before: Erased, tokens: frozenset[str], email: str | None) -> Erasure:
    """What an erasure would find, without changing anything."""
    found = Erasure(identity_count=len(tokens - before.tokens))
    erased = Erased(context.settings, tokens)
    for entity in context.catalog.entities.values():
        if person_columns(entity) or address_columns(entity):
            condition = load_theirs(warehouse, erased, entity.table, entity)
            found.row_count += warehouse.scalar(f"SELECT COUNT(*) FROM {entity.table} WHERE {condition}")
            warehouse.execute("DROP TABLE run_theirs")
    condition = load_theirs(warehouse, erased, "staging.tickets", context.catalog.entities["tickets"])
    rows = warehouse.rows(f"SELECT ticket_id FROM staging.tickets WHERE {condition}")
    warehouse.execute("DROP TABLE run_theirs")
    erased = Erased(context.settings, tokens, frozenset(row["ticket_id"] for row in rows))
    for manifest in spooled(context.settings):
        found.spooled_count += unlink_batch(manifest, erased, context.catalog, context.settings, True)
    found.payload_count = discard_payloads(context, warehouse, erased, email, is_trial=True)
    found.part_count = erase_theirs(context, erased, "", is_trial=True)
    return found


def _unlink_warehouse(context: Context, warehouse: Warehouse, erasure_id: str, email: str | None) -> Erasure:
    """Staging, landing and quarantine, in one transaction with what it counts."""
    found = Erasure()
    with warehouse.transaction():
        query = "SELECT run_id FROM ops.erasures WHERE erasure_id = :id"
        run_id = warehouse.scalar(query, {"id": erasure_id})
        erased = erased_of(warehouse, context.settings)
        entities = context.catalog.entities
        for entity in entities.values():
            if person_columns(entity) or address_columns(entity):
                found.row_count += unlink_staging(warehouse, erased, entity, run_id)
        learn_addresses(warehouse, context.settings)
        found.text_count = mark_texts(warehouse, context.catalog, run_id)
        erased = erased_of(warehouse, context.settings)
        found.payload_count = discard_payloads(context, warehouse, erased, email, is_trial=False)
        replace_keys(warehouse, erased, "ops.quarantined_rows", "row_key", "entity = 'customers'")
        for table in warehouse.tables():
            entity = entities.get(table.partition("__")[2]) if table.startswith("landing.") else None
            if entity and (person_columns(entity) or address_columns(entity)):
                condition = load_theirs(warehouse, erased, table, entity)
                warehouse.execute(f"DELETE FROM {table} WHERE {condition}")
                warehouse.execute("DROP TABLE run_theirs")
        counts = ", ".join(f"{name} = {name} + {value}" for name, value in asdict(found).items())
        warehouse.execute(f"UPDATE ops.erasures SET {counts} WHERE erasure_id = :id", {"id": erasure_id})
    return found


def _forget_keys(context: Context, warehouse: Warehouse, erased: Erased) -> None:
    """The log of changes names customers too; by now every model and the read copy have consumed it."""
    models = context.catalog.tables.values()
    tables = [item.table for item in models if (item.refresh_key or next(iter(item.key), "")) in _CUSTOMER_KEYS]
    listed = warehouse.sql.text_list(["staging.customers", "staging.customers_versions", *tables])
    replace_keys(warehouse, erased, "ops.changes", "key", f"table_name IN ({listed})")
    for table in {item.touched_table for item in models if item.touched_table} & warehouse.tables():
        for column in set(warehouse.columns(table)) & set(_CUSTOMER_KEYS):
            replace_keys(warehouse, erased, table, column, "TRUE")


def _close(context: Context, warehouse: Warehouse, erasure_id: str, found: Erasure) -> Erasure:
    warehouse.execute(
        "UPDATE ops.erasures SET state = 'done', ended_at = :now, spooled_count = spooled_count + :spooled, "
        "part_count = part_count + :parts WHERE erasure_id = :id",
        {"now": context.now(), "spooled": found.spooled_count, "parts": found.part_count, "id": erasure_id},
    )
    row = warehouse.rows("SELECT * FROM ops.erasures WHERE erasure_id = :id", {"id": erasure_id})[0]
    return Erasure(**{name: row[name] for name in asdict(found)})
