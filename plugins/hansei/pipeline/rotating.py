"""A new identity key: everything is extracted again under it, in place, and history stays.

What was stored is hashed once more with the new key first, so that the old one leads to nobody from then on, also in
rows that no source delivers any more. Then one back-fill brings every row that the sources still have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hansei.catalog import Catalog
from hansei.catalog.entities import Entity
from hansei.catalog.segments import NOBODY, OF_PEOPLE
from hansei.errors import HanseiError
from hansei.pipeline.context import Context
from hansei.pipeline.nightly import run_night
from hansei.settings import Settings
from hansei.sources.privacy import key_id, keyed_hashes
from hansei.sources.scratch import Scratch, flat
from hansei.warehouse import Warehouse, open_warehouse
from hansei.warehouse.publication import record_changes
from hansei.warehouse.tables import OWN_TABLES, create_table, evolve, version_columns

FIRST = "1970-01-01T00:00:00"


def rotate(context: Context, tell: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """Takes the warehouse to the identity key of the settings; id of the run and how many pseudonyms were replaced.

    Repeated after a stop it goes on. Raises HanseiError where the key is the old one, or where keys of rows are made
    of pseudonyms: those rows could not be told from new ones.
    """
    fresh = key_id(context.settings)
    run_id = f"rotation-{fresh}"
    with open_warehouse(context.settings) as warehouse:
        evolve(warehouse, context.catalog)
        _refuse_hashed_keys(context.catalog)
        known = [row["key_id"] for row in warehouse.rows("SELECT key_id FROM ops.identity_keys")]
        state = warehouse.scalar("SELECT state FROM ops.runs WHERE run_id = :run_id", {"run_id": run_id})
        until = warehouse.scalar("SELECT MAX(window_end) FROM ops.source_runs")
        if known == [fresh] and (state is None or state == "done"):
            begun = warehouse.scalar("SELECT COUNT(*) FROM ops.identity_keys WHERE first_run_id = :id", {"id": run_id})
            if state == "done" or not begun:
                next_step = "set HANSEI_IDENTITY_KEY to a new one first; `hansei keys` prints one"
                raise HanseiError("HANSEI_IDENTITY_KEY", "is the key that the warehouse has already", next_step)
        if not known or until is None:
            raise HanseiError(
                "privacy rotate", "nothing was extracted yet", "set the key that you want, and run a night"
            )
        count = 0
        if known != [fresh]:
            with warehouse.transaction():
                count = rekey(warehouse, context.catalog, context.settings, run_id)
    tell(f"{count} pseudonyms hashed again; now everything is extracted under the new key")
    reason = "rotation of the identity key"
    conf = {"window_start": FIRST, "window_end": until.isoformat(), "reason": reason}
    run_night(context, run_id, (None, None), conf, tell)
    return {"run_id": run_id, "pseudonym_count": count}


def rekey(warehouse: Warehouse, catalog: Catalog, settings: Settings, run_id: str) -> int:
    """Hashes every stored pseudonym again, lets any version that comes next win, and notes the key; how many."""
    count = 0
    with Scratch() as scratch:
        for entity in catalog.entities.values():
            direct = [name for name, column in entity.columns.items() if column.personal_class == "direct"]
            if not direct:
                continue
            count += _rekey_table(warehouse, settings, scratch, entity.table, direct)
            warehouse.execute(f"UPDATE {entity.table} SET source_version = '', content_hash = ''")
            select = f"SELECT DISTINCT {entity.subject_key} AS key, 'upsert' AS operation FROM {entity.table}"
            record_changes(warehouse, entity.table, run_id, select)
            _rekey_versions(warehouse, settings, scratch, entity, direct, run_id)
    _drop_segments_of_people(warehouse)
    warehouse.execute("DELETE FROM ops.identity_keys")
    warehouse.insert("ops.identity_keys", [{"key_id": key_id(settings), "first_run_id": run_id}])
    return count


def _drop_segments_of_people(warehouse: Warehouse) -> None:
    """What was counted under somebody's old pseudonym, and what it was restated from: the back-fill counts it anew."""
    # Between ampersands each dimension of an id begins and ends alike, in a pair too.
    whole = "'&' || segment_id || '&'"
    people = [
        f"({whole} LIKE '%&{name}=%'" + "".join(f" AND {whole} NOT LIKE '%&{name}={word}&%'" for word in NOBODY) + ")"
        for name in OF_PEOPLE
    ]
    for table, columns in OWN_TABLES.items():
        if "segment_id" in columns:
            warehouse.execute(f"DELETE FROM {table} WHERE {' OR '.join(people)}")


def _rekey_versions(
    warehouse: Warehouse, settings: Settings, scratch: Scratch, entity: Entity, direct: list[str], run_id: str
) -> None:
    if not entity.keeps_versions:
        return
    table = f"{entity.table}_versions"
    _rekey_table(warehouse, settings, scratch, table, [name for name in version_columns(entity) if name in direct])
    # The hash covers pseudonyms that the history itself may not keep.
    warehouse.execute(f"UPDATE {table} SET content_hash = ''")
    select = f"SELECT DISTINCT {entity.key} AS key, 'upsert' AS operation FROM {table}"
    record_changes(warehouse, table, run_id, select)


def _rekey_table(warehouse: Warehouse, settings: Settings, scratch: Scratch, table: str, columns: list[str]) -> int:
    """Different values of the columns that were hashed again; hashes of the erased stay."""
    count = 0
    for name in columns:
        query = f"SELECT DISTINCT {name} AS value FROM {table} WHERE {name} IS NOT NULL AND {name} NOT LIKE 'erased-%'"
        values = flat(warehouse.arrow(query)["value"]).cast(pa.string())
        if not len(values):
            continue
        again = keyed_hashes(
            pc.binary_join_element_wise("rotated:", values, ""), settings.require_identity_key(), scratch
        )
        create_table(warehouse, "run_rekeyed", {"value": "text", "fresh": "text"}, temporary=True)
        warehouse.load("run_rekeyed", pa.table({"value": values, "fresh": again}))
        warehouse.execute(
            f"UPDATE {table} SET {name} = run_rekeyed.fresh FROM run_rekeyed WHERE {table}.{name} = run_rekeyed.value"
        )
        warehouse.execute("DROP TABLE run_rekeyed")
        count += len(values)
    return count


def _refuse_hashed_keys(catalog: Catalog) -> None:
    for source in catalog.sources.values():
        for mapping in source.entities:
            entity = catalog.entities[mapping.entity]
            for name, own in mapping.columns.items():
                is_key = name in entity.columns and entity.columns[name].type == "key"
                if is_key and own.policy is not None and own.policy.kind == "pseudonymise":
                    found = "makes keys of pseudonyms, and a key cannot be changed in place"
                    next_step = "start a fresh warehouse under the new key (docs/runbooks/rotate-identity-key.md)"
                    raise HanseiError(f"source {source.id}, {mapping.entity}.{name}", found, next_step)
