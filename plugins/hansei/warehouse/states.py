"""What is made anew only when it changed: one row of ops.model_states for each such thing, with its fingerprint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hansei.warehouse.engine import Warehouse


def remembered(warehouse: Warehouse, prefix: str) -> dict[str, str]:
    """Fingerprint of everything whose name begins with the prefix, by the name without it."""
    rows = warehouse.rows(f"SELECT model, fingerprint FROM ops.model_states WHERE model LIKE '{prefix}%'")
    return {row["model"].removeprefix(prefix): row["fingerprint"] for row in rows}


def remember(
    warehouse: Warehouse, fingerprints: Mapping[str, str], run_id: str, because: str, position: int = 0
) -> None:
    """Notes as what, by which run and why each thing was made; `position`: the change up to which it has consumed."""
    forget(warehouse, fingerprints)
    rest = {"position": position, "run_id": run_id, "rebuilt_because": because}
    rows = [{"model": name, "fingerprint": text, **rest} for name, text in sorted(fingerprints.items())]
    warehouse.insert("ops.model_states", rows)


def forget(warehouse: Warehouse, names: Iterable[str]) -> None:
    """Whatever is forgotten is made anew."""
    if listed := sorted(names):
        warehouse.execute(f"DELETE FROM ops.model_states WHERE model IN ({warehouse.sql.text_list(listed)})")
