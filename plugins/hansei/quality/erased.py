"""Who was erased, as the warehouse knows it (hashes only), and the same for rows that are stored already."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from hansei.catalog import Catalog
from hansei.catalog.entities import Entity
from hansei.errors import SettingsError
from hansei.settings import Settings
from hansei.sources.casts import ARROW_TYPES
from hansei.sources.erasure import (
    ERASED_TEXT,
    LIKE_TOKEN,
    Erased,
    address_columns,
    person_columns,
    text_columns,
    ticket_columns,
)
from hansei.sources.scratch import flat
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.publication import record_changes
from hansei.warehouse.tables import create_table, staging_columns

IDENTITIES = "ops.erased_identities"


def secret_id(settings: Settings) -> str:
    """Twelve hex digits that tell which secret the hashes were made with, and nothing about it."""
    return hashlib.sha256(b"hansei-erasure" + settings.require_quarantine_key().encode()).hexdigest()[:12]


def erased_of(warehouse: Warehouse, settings: Settings) -> Erased:
    """Everybody who was erased so far; raises SettingsError where their hashes were made with another key."""
    rows = warehouse.rows(f"SELECT token, key_id FROM {IDENTITIES}")
    if {row["key_id"] for row in rows} - {secret_id(settings)}:
        found = "is not the key by which erased persons are known again"
        raise SettingsError("HANSEI_QUARANTINE_KEY", found, "set the earlier key, or see docs/privacy.md, Erasure")
    if not rows:
        return Erased(settings, frozenset())
    tickets = warehouse.rows(f"SELECT ticket_id FROM staging.tickets WHERE customer_id LIKE '{LIKE_TOKEN}'")
    companies = warehouse.rows("SELECT email_domain, external_id FROM staging.accounts")
    return Erased(
        settings,
        frozenset(row["token"] for row in rows),
        frozenset(row["ticket_id"] for row in tickets),
        frozenset(value for row in companies for value in row.values() if value),
    )


def remember_erased(warehouse: Warehouse, settings: Settings, erasure_id: str, tokens: Iterable[str]) -> int:
    """Adds hashes to the list; how many are new."""
    known = {row["token"] for row in warehouse.rows(f"SELECT token FROM {IDENTITIES}")}
    fresh = sorted(set(tokens) - known)
    rows = [{"token": token, "erasure_id": erasure_id, "key_id": secret_id(settings)} for token in fresh]
    return warehouse.insert(IDENTITIES, rows)


def learn_addresses(warehouse: Warehouse, settings: Settings) -> int:
    """Addresses that arrived with an erased customer count as theirs from now on; how many are new."""
    if not warehouse.scalar(f"SELECT COUNT(*) FROM {IDENTITIES}"):
        return 0
    theirs = f"customer_id LIKE '{LIKE_TOKEN}' AND email LIKE 'erased-%'"
    found = warehouse.rows(f"SELECT DISTINCT email FROM staging.customers WHERE {theirs}")
    return remember_erased(warehouse, settings, "learned", [row["email"] for row in found])


def mark_texts(warehouse: Warehouse, catalog: Catalog, run_id: str) -> int:
    """Marks free texts that belong to tickets of the erased, such as an agent's reply; number of rows."""
    count = 0
    for entity in catalog.entities.values():
        for ticket in ticket_columns(entity):
            for text in text_columns(entity):
                theirs = (
                    f"{text} <> '{ERASED_TEXT}' AND {ticket} IN "
                    f"(SELECT ticket_id FROM staging.tickets WHERE customer_id LIKE '{LIKE_TOKEN}')"
                )
                found = warehouse.scalar(f"SELECT COUNT(*) FROM {entity.table} WHERE {theirs}")
                if found:
                    select = f"SELECT DISTINCT {entity.subject_key} AS key, 'upsert' AS operation FROM {entity.table}"
                    record_changes(warehouse, entity.table, run_id, f"{select} WHERE {theirs}")
                    warehouse.execute(f"UPDATE {entity.table} SET {text} = '{ERASED_TEXT}' WHERE {theirs}")
                    count += found
    return count


def unlink_staging(warehouse: Warehouse, erased: Erased, entity: Entity, run_id: str) -> int:
    """Rewrites the entity's stored rows of the erased and logs their subjects as changed; number of rows."""
    table = entity.table
    with warehouse.transaction():
        condition = load_theirs(warehouse, erased, table, entity)
        columns = staging_columns(entity)
        rows = typed_rows(warehouse, f"SELECT {', '.join(columns)} FROM {table} WHERE {condition}", columns)
        if rows.num_rows:
            cleaned, _ = erased.apply(rows, entity)
            _log(warehouse, entity, rows, "delete", run_id)
            warehouse.execute(f"DELETE FROM {table} WHERE {condition}")
            warehouse.load(table, cleaned)
            _log(warehouse, entity, cleaned, "upsert", run_id)
        if entity.keeps_versions and entity.id == "customers":
            _unlink_versions(warehouse, erased, entity, run_id)
        warehouse.execute("DROP TABLE run_theirs")
    return rows.num_rows


def load_theirs(warehouse: Warehouse, erased: Erased, table: str, entity: Entity) -> str:
    """Condition that takes the table's rows of the erased; their values as they stand are in `run_theirs`."""
    create_table(warehouse, "run_theirs", {"value": "text", "token": "text"}, temporary=True)
    parts, known = [], pa.array(sorted(erased.tokens), pa.string())
    found: dict[str, str] = {}
    for name in (*person_columns(entity), *address_columns(entity)):
        query = f"SELECT DISTINCT {name} AS value FROM {table} WHERE {name} IS NOT NULL"
        values = flat(warehouse.arrow(query)["value"]).cast(pa.string())
        tokens = erased.tokens_of(values) if len(values) else values
        mask = pc.and_(pc.is_in(tokens, known), pc.not_equal(values, tokens)).fill_null(False)
        found |= dict(zip(values.filter(mask).to_pylist(), tokens.filter(mask).to_pylist(), strict=True))
        is_customer = " AND actor_kind = 'customer'" if name == "actor_id" else ""
        parts.append(f"({name} IN (SELECT value FROM run_theirs){is_customer})")
    warehouse.load("run_theirs", pa.table({"value": list(found), "token": list(found.values())}))
    return " OR ".join(parts) or "FALSE"


def replace_keys(warehouse: Warehouse, erased: Erased, table: str, column: str, where: str) -> int:
    """Puts hashes in the place of keys in a table of the pipeline's own; how many different ones."""
    query = f"SELECT DISTINCT {column} AS value FROM {table} WHERE {column} IS NOT NULL AND {where}"
    values = flat(warehouse.arrow(query)["value"]).cast(pa.string())
    if not len(values):
        return 0
    tokens = erased.tokens_of(values)
    known = pa.array(sorted(erased.tokens), pa.string())
    mask = pc.and_(pc.is_in(tokens, known), pc.not_equal(values, tokens)).fill_null(False)
    pairs = zip(values.filter(mask).to_pylist(), tokens.filter(mask).to_pylist(), strict=True)
    count = 0
    for value, token in pairs:
        warehouse.execute(
            f"UPDATE {table} SET {column} = :token WHERE {column} = :value AND {where}",
            {"token": token, "value": value},
        )
        count += 1
    return count


def typed_rows(warehouse: Warehouse, query: str, columns: dict[str, str]) -> pa.Table:
    """The rows with the types that parts in the spool have, whatever the engine gives."""
    found = warehouse.arrow(query)
    return pa.table({name: flat(found[name]).cast(ARROW_TYPES[kind]) for name, kind in columns.items()})


def _unlink_versions(warehouse: Warehouse, erased: Erased, entity: Entity, run_id: str) -> None:
    """The history of a customer goes on under the hash; a version that comes again replaces its own."""
    table, key = f"{entity.table}_versions", entity.key
    theirs = f"{key} IN (SELECT value FROM run_theirs)"
    for column, operation in (("value", "delete"), ("token", "upsert")):
        select = f"SELECT DISTINCT {column} AS key, '{operation}' AS operation FROM run_theirs"
        record_changes(warehouse, table, run_id, f"{select} WHERE value IN (SELECT {key} FROM {table})")
    warehouse.execute(
        f"UPDATE {table} SET {key} = (SELECT MAX(token) FROM run_theirs WHERE value = {table}.{key}), "
        f"content_hash = '' WHERE {theirs}"
    )


def _log(warehouse: Warehouse, entity: Entity, rows: pa.Table, operation: str, run_id: str) -> None:
    keys = pc.unique(rows[entity.subject_key]).drop_null()
    create_table(warehouse, "run_moved_keys", {"key": "text"}, temporary=True)
    warehouse.load("run_moved_keys", pa.table({"key": keys}))
    record_changes(warehouse, entity.table, run_id, f"SELECT key, '{operation}' AS operation FROM run_moved_keys")
    warehouse.execute("DROP TABLE run_moved_keys")
