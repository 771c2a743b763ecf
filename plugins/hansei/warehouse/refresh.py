"""Brings models up to date: each in a transaction of its own, and only where something changed.

A model consumes `ops.changes` after its own position. In one transaction it replaces the rows of the touched keys,
leaves images of what those rows were and are (so that indicators know what to recompute), and moves its position. A
changed fingerprint (its SQL, its metadata, its upstreams, the definitions it renders) rebuilds it.

Models with the same refresh key are a family: the keys that changed for any of them are looked up once, their rows
are taken out of the large tables once, and every member works on those.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import groupby

from hansei.catalog import Catalog
from hansei.catalog.tables import Check, TableModel
from hansei.errors import WarehouseError
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.models import ModelRunner, Refresh
from hansei.warehouse.publication import record_changes
from hansei.warehouse.seeds import opening_pairs, seed_fingerprints
from hansei.warehouse.states import remember
from hansei.warehouse.tables import create_table
from hansei.warehouse.touched import OWN, leave_rebuilt, touched_columns, widen_images

KEYS = "run_keys"


def runner_for(warehouse: Warehouse, catalog: Catalog) -> ModelRunner:
    """The catalog's models, rendered for this warehouse and the seeds that are planted in it."""
    warehouse.sql.opening_pairs = opening_pairs(warehouse)
    return ModelRunner(catalog, warehouse.sql, seed_fingerprints(warehouse))


def refresh_models(warehouse: Warehouse, catalog: Catalog, schema: str, run_id: str) -> list[Refresh]:
    """Brings every model of the schema up to date; what happened to each, in order."""
    widen_images(warehouse, catalog)
    runner = runner_for(warehouse, catalog)
    models = [model for model in runner.order if model.schema_name == schema]
    known = Known(warehouse, runner, run_id)
    done: list[Refresh] = []
    for _, members in groupby(models, key=runner.family_of):
        refreshed = Family(warehouse, runner, list(members), run_id, known).refresh()
        known.note(refreshed)
        done += refreshed
    return done


class Known:
    """What is asked of the warehouse once for all models: what is there, in which state, up to which change.

    `note` asks again for what a family may have altered. `checked`: tables whose checks this run has stored before.
    """

    def __init__(self, warehouse: Warehouse, runner: ModelRunner, run_id: str) -> None:
        self.warehouse = warehouse
        self.runner = runner
        self.states = {row["model"]: row for row in warehouse.rows("SELECT * FROM ops.model_states")}
        self.existing = warehouse.tables()
        self.position = runner.look(warehouse)
        query = "SELECT DISTINCT entity FROM ops.check_results WHERE run_id = :run_id AND scope = 'model'"
        self.checked = {row["entity"] for row in warehouse.rows(query, {"run_id": run_id})}

    def note(self, refreshed: Collection[Refresh]) -> None:
        reasons = {refresh.reason for refresh in refreshed}
        if reasons != {"nothing"}:
            self.position = self.runner.look(self.warehouse)
        if reasons & {"created", "definition"}:
            if self.warehouse.sql.is_duckdb:
                self.existing |= {refresh.table for refresh in refreshed}
            else:
                # PostgreSQL drops what reads a table that is made anew.
                self.existing = self.warehouse.tables()


class Workspace:
    """Names under which members of a family read rows: whole tables, or those of the touched keys only.

    Temporary tables are made when the first member asks for them and dropped when the family is done.
    """

    def __init__(self, warehouse: Warehouse, runner: ModelRunner, members: Iterable[TableModel]) -> None:
        self.warehouse = warehouse
        self.runner = runner
        self.key = next(iter(members)).refresh_key
        self._made: dict[str, None] = {}

    def rows(self, table: str, only_touched: bool, key: str | None = None) -> str:
        """The relation to read for `table`; `key` is its column that holds the keys, if it has another name there."""
        schema = table.split(".", 1)[0]
        if schema != "work" and not only_touched:
            return table
        fresh, name = (f"{word}_{table.replace('.', '_')}" for word in ("fresh", "touched" if only_touched else "all"))
        if only_touched and fresh in self._made and key in (None, self.key):
            return fresh
        if key not in (None, self.key):
            name += f"_{key}"
        if name in self._made:
            return name
        if schema == "work":
            select = self.runner.render_work(table, lambda read, key=None: self.rows(read, only_touched, key))
        else:
            select = self._touched_rows(table, key or self.key)
        self.make(name, select)
        return name

    def make(self, name: str, select: str) -> None:
        """A temporary table of the workspace."""
        if self.warehouse.sql.is_duckdb:
            self.warehouse.execute(f"CREATE OR REPLACE TEMPORARY TABLE {name} AS {select}")
        else:
            self.warehouse.execute(f"DROP TABLE IF EXISTS {name}")
            self.warehouse.execute(f"CREATE TEMPORARY TABLE {name} AS {select}")
            self.warehouse.execute(f"ANALYZE {name}")
        self._made[name] = None

    def close(self) -> None:
        for name in self._made:
            self.warehouse.execute(f"DROP TABLE IF EXISTS {name}")
        self._made.clear()

    def _touched_rows(self, table: str, key: str) -> str:
        words = self.runner.words_of(self.key)
        columns = ", ".join(name for name in self.warehouse.columns(table) if name in words)
        return f"SELECT {columns} FROM {table} WHERE {key} IN (SELECT key FROM {KEYS})"


class Family:
    """Models that are refreshed together; a model that is not refreshed by keys is a family of its own."""

    def __init__(
        self, warehouse: Warehouse, runner: ModelRunner, members: list[TableModel], run_id: str, known: Known
    ) -> None:
        self.warehouse = warehouse
        self.runner = runner
        self.members = members
        self.run_id = run_id
        self.known = known
        self.workspace = Workspace(warehouse, runner, members)
        self.key_count = 0

    def refresh(self) -> list[Refresh]:
        reasons = self._reasons()
        if set(reasons.values()) == {"nothing"}:
            return [Refresh(model.table, "nothing") for model in self.members]
        if "changes" in reasons.values() and self.members[0].refresh == "keys":
            self._find_keys()
        try:
            return [self._refresh_one(model, reasons[model.table]) for model in self.members]
        finally:
            self.workspace.close()

    def _reasons(self) -> dict[str, str]:
        reasons: dict[str, str] = {}
        for model in self.members:
            reason = self.runner.reason(model, self.known.states.get(model.table), self.known.existing)
            above = {reasons.get(table) for table in self.runner.upstreams(model)}
            # What a rebuilt member of the family feeds is rebuilt with it: it has no keys to follow.
            is_fed_anew = model.kind == "table" and reason != "created" and above & {"created", "definition"}
            reasons[model.table] = "definition" if is_fed_anew else reason
        return reasons

    def _find_keys(self) -> None:
        """The keys that changed for any member since its own position."""
        states = self.known.states
        since: dict[tuple[str, str], int] = {}
        for model in self.members:
            for table, how in self.runner.inputs(model) if model.table in states else ():
                select, place = how.keys(table), states[model.table]["position"]
                since[table, select] = min(place, since.get((table, select), place))
        parts = [select.format(position=place) for (_, select), place in since.items()]
        self.workspace.make(KEYS, f"SELECT DISTINCT key FROM ({' UNION ALL '.join(parts)}) AS touched")
        self.key_count = self.warehouse.scalar(f"SELECT COUNT(*) FROM {KEYS}")

    def _refresh_one(self, model: TableModel, reason: str) -> Refresh:
        if reason == "nothing" and not self.key_count:
            return Refresh(model.table, reason)
        with self.warehouse.transaction():
            if model.kind == "view":
                self._create_view(model)
                counts = (0, 0)
            elif reason in ("created", "definition"):
                counts = self._rebuild(model, reason)
            elif model.refresh == "keys":
                counts = self._replace_keys(model)
            else:
                counts = self._replace_all(model)
            self._remember(model, reason)
        return Refresh(model.table, reason, *counts)

    def _create_view(self, model: TableModel) -> None:
        # PostgreSQL drops what reads it too; those views come later in the order and are made again.
        self.warehouse.execute(f"DROP VIEW IF EXISTS {model.table} CASCADE")
        self.warehouse.execute(f"CREATE VIEW {model.table} AS {self.runner.render(model)}")

    def _rebuild(self, model: TableModel, reason: str) -> tuple[int, int]:
        """The table anew from its upstreams; everything counts as touched."""
        warehouse = self.warehouse
        select = self.runner.render(model, lambda table, key=None: self.workspace.rows(table, False, key))
        warehouse.execute(f"DROP TABLE IF EXISTS {model.table} CASCADE")
        create_table(warehouse, model.table, {name: column.type for name, column in model.columns.items()})
        names = ", ".join(model.columns)
        warehouse.execute(f"INSERT INTO {model.table} ({names}) SELECT {names} FROM ({select}) AS built")
        if model.touched_table:
            warehouse.execute(f"DROP TABLE IF EXISTS {model.touched_table}")
            create_table(warehouse, model.touched_table, touched_columns(self.runner.catalog, model))
            leave_rebuilt(warehouse, model.touched_table, self.run_id, reason)
        if not warehouse.sql.is_duckdb:
            if model.refresh_key:
                warehouse.execute(f"CREATE INDEX ON {model.table} ({model.refresh_key})")
            warehouse.execute(f"ANALYZE {model.table}")
        self._run_checks(model, model.table)
        if self._is_followed(model):
            rebuilt = "SELECT '*' AS key, 'rebuild' AS operation"
            record_changes(warehouse, model.table, self.run_id, rebuilt)
        count = warehouse.scalar(f"SELECT COUNT(*) FROM {model.table}")
        return count, count

    def _is_followed(self, model: TableModel) -> bool:
        """Whether somebody follows the model's changes: another model, or the read copy (of what refreshes by key)."""
        others = self.runner.catalog.tables.values()
        return (
            model.refresh == "keys"
            or any(model.table in other.consumes for other in others)
            or any(model.table in self.runner.upstreams(other) for other in others if other.refresh == "full")
        )

    def _replace_keys(self, model: TableModel) -> tuple[int, int]:
        names = ", ".join(model.columns)
        fresh = f"fresh_{model.table.replace('.', '_')}"
        select = self.runner.render(model, lambda table, key=None: self.workspace.rows(table, True, key))
        self.workspace.make(fresh, f"SELECT {names} FROM ({select}) AS built")
        self.workspace.make(
            "run_old",
            f"SELECT {names} FROM {model.table} WHERE {model.refresh_key} IN (SELECT key FROM {KEYS})",
        )
        moved = self._exchange(model, fresh)
        # Every row of the keys that changed is among the fresh ones, and no other row can have begun to break a check.
        self._run_checks(model, fresh)
        return self.key_count, moved

    def _replace_all(self, model: TableModel) -> tuple[int, int]:
        names = ", ".join(model.columns)
        self.workspace.make("run_fresh", f"SELECT {names} FROM ({self.runner.render(model)}) AS built")
        self.workspace.make("run_old", f"SELECT {names} FROM {model.table}")
        moved = self._exchange(model, "run_fresh")
        self._run_checks(model, model.table)
        return moved, moved

    def _exchange(self, model: TableModel, fresh: str) -> int:
        """Writes what differs, leaving images of what was and what is; number of keys that changed."""
        warehouse = self.warehouse
        stable = ", ".join(name for name, column in model.columns.items() if not column.volatile)
        for name, rows, others in (("run_before", "run_old", fresh), ("run_after", fresh, "run_old")):
            self.workspace.make(name, f"SELECT {stable} FROM {rows} EXCEPT SELECT {stable} FROM {others}")
        key = model.refresh_key or model.key[0]
        self.workspace.make(
            "run_moved", f"SELECT {key} AS key FROM run_before UNION SELECT {key} AS key FROM run_after"
        )
        count = warehouse.scalar("SELECT COUNT(*) FROM run_moved")
        if count:
            if model.touched_table:
                self._leave_images(model)
            names = ", ".join(model.columns)
            moved = f"{key} IN (SELECT key FROM run_moved)"
            warehouse.execute(f"DELETE FROM {model.table} WHERE {moved}")
            warehouse.execute(f"INSERT INTO {model.table} ({names}) SELECT {names} FROM {fresh} WHERE {moved}")
            if self._is_followed(model):
                select = "SELECT key, 'upsert' AS operation FROM run_moved"
                record_changes(warehouse, model.table, self.run_id, select)
        return count

    def _leave_images(self, model: TableModel) -> None:
        table = model.touched_table
        columns = ", ".join(name for name in touched_columns(self.runner.catalog, model) if name not in OWN)
        for image in ("before", "after"):
            self.warehouse.execute(
                f"INSERT INTO {table} (change_id, run_id, image, {columns}) "
                f"SELECT (SELECT COALESCE(MAX(change_id), 0) FROM {table}) + 1, :run_id, :image, {columns} "
                f"FROM run_{image}",
                {"run_id": self.run_id, "image": image},
            )

    def _run_checks(self, model: TableModel, rows: str) -> None:
        """A `stop` check that fails rolls the model back; a `warn` check is recorded. `rows`: the table to look at."""
        warehouse = self.warehouse
        if model.table in self.known.checked:
            warehouse.execute(
                "DELETE FROM ops.check_results WHERE run_id = :run_id AND entity = :table",
                {"run_id": self.run_id, "table": model.table},
            )
        broken = [f"SELECT COUNT(*) FROM ({_broken(check, model, rows)}) AS broken" for check in model.checks]
        if not broken:
            return
        selects = [f"SELECT COUNT(*) FROM {rows}", *broken]
        listed = ", ".join(f"({select}) AS count_{number}" for number, select in enumerate(selects))
        checked, *failures = warehouse.rows(f"SELECT {listed}")[0].values()
        results = []
        for check, failed in zip(model.checks, failures, strict=True):
            if failed and check.severity == "stop":
                place = f"{model.table}.{check.id}"
                file = f"include/sql/{model.schema_name}/{model.name}.yaml"
                next_step = f"see the check in {file}; the table stays as it was"
                raise WarehouseError(place, f"{failed} rows break the check", next_step)
            identity = {"run_id": self.run_id, "source": "", "entity": model.table, "check_id": check.id}
            kind = {"scope": "model", "severity": check.severity, "message": ""}
            counted = {"failed_count": failed, "checked_count": checked, "result": "warned" if failed else "passed"}
            results.append({**identity, **kind, **counted})
        warehouse.insert("ops.check_results", results)

    def _remember(self, model: TableModel, reason: str) -> None:
        fingerprint = self.runner.fingerprints[model.table]
        remember(self.warehouse, {model.table: fingerprint}, self.run_id, reason, self.known.position)


def _broken(check: Check, model: TableModel, rows: str) -> str:
    """SELECT with one row per row, key or group that breaks the check."""
    if check.unique:
        return f"SELECT 1 FROM {rows} GROUP BY {', '.join(check.unique)} HAVING COUNT(*) > 1"
    if check.never_of_key:
        return f"SELECT 1 FROM {rows} GROUP BY {model.refresh_key} HAVING {check.never_of_key}"
    return f"SELECT 1 FROM {rows} WHERE {check.never}"
