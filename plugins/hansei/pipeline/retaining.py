"""What goes because its time is over: texts, unmapped fields, and whoever has not been heard of for long.

Rows stay: figures rest on them. A text becomes a marker, so that the share of answers with a comment stands too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from hansei.catalog.privacy import TextRetention
from hansei.pipeline.context import Context
from hansei.sources.erasure import ERASED_TEXT, LIKE_TOKEN, text_columns
from hansei.sources.privacy import ENCRYPTED
from hansei.warehouse import Warehouse
from hansei.warehouse.publication import record_changes

EXPIRED_TEXT = "[expired]"
_SEALED = rf'(, )?"{re.escape(ENCRYPTED)}": "[^"]*"'
# By which times somebody was heard of.
_HEARD_OF = (
    ("staging.tickets", "customer_id", "COALESCE(updated_at, created_at)"),
    ("staging.survey_responses", "customer_id", "responded_at"),
    ("staging.conversations", "customer_id", "started_at"),
    ("staging.survey_invitations", "customer_id", "sent_at"),
    ("staging.customers", "customer_id", "created_at"),
)


@dataclass
class Expired:
    """How many texts, encrypted fields and persons were due."""

    text_count: int = 0
    extra_count: int = 0
    person_count: int = 0


def expire_texts(context: Context, warehouse: Warehouse, now: datetime, run_id: str | None) -> int:
    """Puts a marker in the place of texts that are old enough; how many. Without a run it only counts."""
    return sum(_expire(context, warehouse, kept, now, run_id) for kept in context.catalog.privacy_rules.retention.texts)


def _expire(context: Context, warehouse: Warehouse, kept: TextRetention, now: datetime, run_id: str | None) -> int:
    entity = context.catalog.entities[kept.entity]
    count = 0
    for text in text_columns(entity):
        due = f"{text} NOT IN ('{EXPIRED_TEXT}', '{ERASED_TEXT}') AND {kept.counted_from} < :before"
        before = {"before": now - kept.keep}
        found = warehouse.scalar(f"SELECT COUNT(*) FROM {entity.table} WHERE {due}", before)
        if found and run_id:
            subjects = f"SELECT DISTINCT {entity.subject_key} AS key FROM {entity.table} WHERE {due}"
            warehouse.execute(f"CREATE TEMPORARY TABLE run_due AS {subjects}", before)
            record_changes(warehouse, entity.table, run_id, "SELECT key, 'upsert' AS operation FROM run_due")
            warehouse.execute("DROP TABLE run_due")
            warehouse.execute(f"UPDATE {entity.table} SET {text} = '{EXPIRED_TEXT}' WHERE {due}", before)
        count += found
    return count


def expire_extra(context: Context, warehouse: Warehouse, now: datetime, is_trial: bool) -> int:
    """Removes encrypted unmapped fields of rows that were loaded long enough ago; how many rows. Plain ones stay."""
    before = {"before": now - context.catalog.privacy_rules.retention.extra, "sealed": f"%{ENCRYPTED}%"}
    due = "extra LIKE :sealed AND loaded_run_id IN (SELECT run_id FROM ops.runs WHERE as_of < :before)"
    count = 0
    for entity in context.catalog.entities.values():
        found = warehouse.scalar(f"SELECT COUNT(*) FROM {entity.table} WHERE {due}", before)
        if found and not is_trial:
            warehouse.execute(
                f"UPDATE {entity.table} SET extra = NULLIF(REGEXP_REPLACE(extra, :pattern, ''), '{{}}') WHERE {due}",
                {**before, "pattern": _SEALED},
            )
        count += found
    return count


def silent_customers(context: Context, warehouse: Warehouse, now: datetime) -> list[str]:
    """Keys of customers of whom nothing has been heard for as long as the rules say; none where they say nothing."""
    keep = context.catalog.privacy_rules.retention.persons
    if keep is None:
        return []
    heard = " UNION ALL ".join(f"SELECT {key} AS key, {at} AS heard_at FROM {table}" for table, key, at in _HEARD_OF)
    query = (
        f"SELECT key FROM ({heard}) AS heard WHERE key IS NOT NULL AND key NOT LIKE '{LIKE_TOKEN}' "
        "GROUP BY key HAVING MAX(heard_at) < :before ORDER BY key"
    )
    return [row["key"] for row in warehouse.rows(query, {"before": now - keep})]
