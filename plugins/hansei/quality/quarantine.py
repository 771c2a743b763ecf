"""Rows that broke a `stop` rule: kept with every reason and their encrypted payload until somebody decides.

A row waits, and leaves that state once: `replayed` after a fix, `discarded` by a person with a reason, `superseded`
by a newer good version of its key. Reasons name rules and columns, never a value.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from cryptography.fernet import Fernet, InvalidToken

from hansei.errors import HanseiError
from hansei.settings import Settings
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.tables import create_table

ERASED = "of somebody who was erased"


@dataclass(frozen=True)
class Refused:
    """One row on its way into quarantine."""

    row_key: str | None
    source_version: str | None
    reasons: tuple[dict[str, str], ...]
    # None for a row of somebody who was erased: it is counted, and nothing of it is kept.
    record: dict[str, Any] | None


class Quarantine:
    """The table `ops.quarantined_rows` of one open warehouse."""

    def __init__(self, warehouse: Warehouse, settings: Settings, kept_for: timedelta = timedelta(days=90)) -> None:
        self.warehouse = warehouse
        self._kept_for = kept_for
        self._key = settings.require_quarantine_key()
        try:
            self._fernet = Fernet(self._key)
        except ValueError:
            found = "not a Fernet key"
            raise HanseiError("HANSEI_QUARANTINE_KEY", found, "`hansei keys` prints a fresh one") from None

    def add(self, run_id: str, source: str, entity: str, as_of: datetime, refused: Iterable[Refused]) -> int:
        """Stores rows; a row that waits already, met again in a later window, is counted, not doubled."""
        records: dict[str, dict[str, Any]] = {}
        count = 0
        for row in refused:
            is_erased = row.record is None
            kept = [row.row_key, row.source_version] if is_erased else row.record
            payload = json.dumps(kept, sort_keys=True, ensure_ascii=False, default=str)
            identity = hmac.new(self._key.encode(), f"{source}|{entity}|{payload}".encode(), hashlib.sha256).hexdigest()
            count += 1
            if identity in records:
                records[identity]["seen_count"] += 1
                continue
            records[identity] = {
                "quarantine_id": identity,
                "run_id": run_id,
                "source": source,
                "entity": entity,
                "row_key": row.row_key,
                "source_version": row.source_version,
                "reasons": json.dumps(list(row.reasons), sort_keys=True),
                "payload": None if is_erased else self._fernet.encrypt(payload.encode()).decode(),
                "quarantined_at": as_of,
                "seen_count": 1,
                "state": "discarded" if is_erased else "waiting",
                "state_reason": ERASED if is_erased else None,
                "expires_at": as_of + self._kept_for,
            }
        if records:
            self._store(list(records.values()))
        return count

    def _store(self, records: list[dict[str, Any]]) -> None:
        names = list(records[0])
        types = {"quarantined_at": pa.timestamp("us"), "expires_at": pa.timestamp("us"), "seen_count": pa.int32()}
        arrays = [pa.array([record[name] for record in records], types.get(name, pa.string())) for name in names]
        arriving = pa.table(arrays, names=names)
        create_table(self.warehouse, "run_refused", {"quarantine_id": "text"}, temporary=True)
        self.warehouse.load("run_refused", arriving.select(["quarantine_id"]))
        stored = "SELECT quarantine_id FROM ops.quarantined_rows WHERE quarantine_id IN (SELECT * FROM run_refused)"
        known = {row["quarantine_id"] for row in self.warehouse.rows(stored)}
        self.warehouse.execute("DROP TABLE run_refused")
        fresh = [index for index, record in enumerate(records) if record["quarantine_id"] not in known]
        self.warehouse.load("ops.quarantined_rows", arriving.take(pa.array(fresh, pa.int64())))
        for record in records:
            if record["quarantine_id"] in known:
                self.warehouse.execute(
                    "UPDATE ops.quarantined_rows SET seen_count = seen_count + :count WHERE quarantine_id = :id",
                    {"count": record["seen_count"], "id": record["quarantine_id"]},
                )

    def supersede(self, entity: str, key_column: str, table: str) -> None:
        """Marks waiting rows whose key has meanwhile arrived in a newer good version."""
        self.warehouse.execute(
            "UPDATE ops.quarantined_rows SET state = 'superseded', state_reason = 'a newer good version arrived' "
            f"WHERE state = 'waiting' AND entity = :entity AND EXISTS (SELECT 1 FROM {table} AS stored "
            f"WHERE stored.{key_column} = ops.quarantined_rows.row_key "
            "AND stored.source_version > ops.quarantined_rows.source_version)",
            {"entity": entity},
        )

    def waiting(self, source: str | None = None, identity: str | None = None) -> list[dict[str, Any]]:
        """Waiting rows, oldest first; `identity` may be the beginning of a quarantine id."""
        return self.warehouse.rows(
            "SELECT * FROM ops.quarantined_rows WHERE state = 'waiting' "
            "AND (CAST(:source AS TEXT) IS NULL OR source = :source) "
            "AND (CAST(:identity AS TEXT) IS NULL OR quarantine_id LIKE CAST(:identity AS TEXT) || '%') "
            "ORDER BY quarantined_at, quarantine_id",
            {"source": source, "identity": identity},
        )

    def payload(self, row: dict[str, Any]) -> dict[str, Any]:
        """The record as it came from the source."""
        try:
            return json.loads(self._fernet.decrypt(row["payload"].encode()))
        except InvalidToken:
            place = f"quarantined row {row['quarantine_id'][:12]}"
            raise HanseiError(
                place, "cannot be decrypted with this key", "set the HANSEI_QUARANTINE_KEY of its night"
            ) from None

    def mark(self, identities: Iterable[str], state: str, reason: str) -> int:
        """Moves waiting rows to a final state, with the reason; number of rows."""
        count = 0
        for identity in identities:
            self.warehouse.execute(
                "UPDATE ops.quarantined_rows SET state = :state, state_reason = :reason "
                "WHERE quarantine_id = :identity AND state = 'waiting'",
                {"state": state, "reason": reason, "identity": identity},
            )
            count += 1
        return count
