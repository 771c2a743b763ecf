"""SQL models: one SELECT a file, ordered by what they read, refreshed where something changed.

A model consumes `ops.changes` after its own position. In one transaction it replaces the rows of the touched keys,
notes the dates and segments that those rows had and have (so that indicators know what to recompute), and moves its
position. A changed fingerprint (its SQL, its metadata, its upstreams, the definitions it renders) rebuilds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import sqlglot
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlglot import exp

from hansei.catalog import Catalog
from hansei.catalog.tables import TableModel
from hansei.errors import HanseiError, WarehouseError
from hansei.warehouse.dialect import Dialect
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.publication import record_changes
from hansei.warehouse.seeds import SEEDS
from hansei.warehouse.tables import create_table


@dataclass(frozen=True)
class Refresh:
    """What one model did, or would do: `reason` is `nothing`, `changes`, `created` or `definition`."""

    table: str
    reason: str
    key_count: int = 0
    row_count: int = 0


class ModelRunner:
    """Renders, orders and refreshes the models of a catalog in one warehouse."""

    def __init__(self, catalog: Catalog, dialect: Dialect) -> None:
        self.catalog = catalog
        self.dialect = dialect
        self._upstreams: dict[str, tuple[str, ...]] = {}
        shared = FileSystemLoader(catalog.include / "sql")
        self.environment = Environment(loader=shared, undefined=StrictUndefined, autoescape=False)

    def sql_file(self, model: TableModel) -> Path:
        return self.catalog.include / "sql" / model.schema_name / f"{model.name}.sql"

    def render(self, model: TableModel, only_changed: bool = False) -> str:
        """The model's SELECT. `only(column)` limits a source to the keys in `run_keys`, or to nothing less than all."""
        path = self.sql_file(model)
        if not path.exists():
            raise HanseiError(str(path), "no such file", f"write the SELECT of {model.table}, or remove its YAML")

        def only(column: str) -> str:
            return f"{column} IN (SELECT key FROM run_keys)" if only_changed else "TRUE"

        template = self.environment.from_string(path.read_text(encoding="utf-8"))
        return template.render(
            sql=self.dialect,
            only=only,
            service=self.catalog.service,
            links=self.catalog.links["account_links"],
            services=self.catalog.services,
            procedures=self.catalog.procedures,
        ).strip()

    def upstreams(self, model: TableModel) -> tuple[str, ...]:
        """Tables that the SELECT reads, from the SQL itself."""
        if model.table not in self._upstreams:
            tree = sqlglot.parse_one(self.render(model), dialect="duckdb" if self.dialect.is_duckdb else "postgres")
            found = {f"{table.db}.{table.name}" for table in tree.find_all(exp.Table) if table.db}
            self._upstreams[model.table] = tuple(sorted(found - {model.table}))
        return self._upstreams[model.table]

    @cached_property
    def order(self) -> list[TableModel]:
        """Every model after those that it reads."""
        graph = {name: set(self.upstreams(model)) for name, model in self.catalog.tables.items()}
        try:
            names = list(TopologicalSorter({name: sorted(graph[name]) for name in sorted(graph)}).static_order())
        except CycleError as error:
            raise HanseiError("include/sql", f"models read one another: {error.args[1]}", "break the circle") from None
        return [self.catalog.tables[name] for name in names if name in self.catalog.tables]

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """Per model: a hash of its rendered SQL, its metadata and its upstreams' fingerprints."""
        prints = {seed: self.catalog.fingerprint(seed, self.catalog.service) for seed in SEEDS}
        for model in self.order:
            above = [prints.get(name, name) for name in self.upstreams(model)]
            prints[model.table] = self.catalog.fingerprint(self.render(model), model, above)
        return prints

    def plan(self, warehouse: Warehouse, schema: str) -> list[Refresh]:
        """What the next refresh of the schema's models would do, without doing it."""
        states = {row["model"]: row for row in warehouse.rows("SELECT * FROM ops.model_states")}
        existing = warehouse.tables()
        plans = []
        for model in self.order:
            if model.schema_name == schema:
                plans.append(Refresh(model.table, self._reason(warehouse, model, states.get(model.table), existing)))
        return plans

    def refresh(self, warehouse: Warehouse, schema: str, run_id: str) -> list[Refresh]:
        """Brings every model of the schema up to date, each in a transaction of its own."""
        return [self._refresh_one(warehouse, model, run_id) for model in self.order if model.schema_name == schema]

    def _reason(self, warehouse: Warehouse, model: TableModel, state: dict[str, Any] | None, existing: set[str]) -> str:
        if state is None or model.table not in existing:
            return "created"
        if state["fingerprint"] != self.fingerprints[model.table]:
            return "definition"
        if model.kind == "view":
            return "nothing"
        watched = self.dialect.text_list(self.watched(model))
        query = f"SELECT COUNT(*) FROM ops.changes WHERE change_id > :position AND table_name IN ({watched})"
        return "changes" if warehouse.scalar(query, {"position": state["position"]}) else "nothing"

    def watched(self, model: TableModel) -> tuple[str, ...]:
        """Tables whose changes concern the model."""
        return tuple(model.consumes) if model.refresh == "keys" else self.upstreams(model)

    def _refresh_one(self, warehouse: Warehouse, model: TableModel, run_id: str) -> Refresh:
        with warehouse.transaction():
            states = warehouse.rows("SELECT * FROM ops.model_states WHERE model = :model", {"model": model.table})
            reason = self._reason(warehouse, model, states[0] if states else None, warehouse.tables())
            if reason == "nothing":
                return Refresh(model.table, reason)
            position = warehouse.scalar("SELECT COALESCE(MAX(change_id), 0) FROM ops.changes")
            if model.kind == "view":
                self._create_view(warehouse, model)
                counts = (0, 0)
            elif reason in ("created", "definition"):
                counts = self._rebuild(warehouse, model, run_id, reason)
            elif model.refresh == "keys":
                counts = self._replace_keys(warehouse, model, run_id, states[0]["position"])
            else:
                counts = self._replace_all(warehouse, model, run_id)
            if not (model.refresh == "keys" and reason == "changes"):
                self._run_checks(warehouse, model, run_id, model.table)
            self._remember(warehouse, model, run_id, position, reason)
        return Refresh(model.table, reason, *counts)

    def _create_view(self, warehouse: Warehouse, model: TableModel) -> None:
        # PostgreSQL drops what reads it too; those views come later in the order and are made again.
        warehouse.execute(f"DROP VIEW IF EXISTS {model.table} CASCADE")
        warehouse.execute(f"CREATE VIEW {model.table} AS {self.render(model)}")

    def _rebuild(self, warehouse: Warehouse, model: TableModel, run_id: str, reason: str) -> tuple[int, int]:
        """The table anew from its upstreams; everything counts as touched."""
        warehouse.execute(f"DROP TABLE IF EXISTS {model.table} CASCADE")
        create_table(warehouse, model.table, {name: column.type for name, column in model.columns.items()})
        names = ", ".join(model.columns)
        warehouse.execute(f"INSERT INTO {model.table} ({names}) SELECT {names} FROM ({self.render(model)}) AS built")
        if model.touched_table:
            warehouse.execute(f"DROP TABLE IF EXISTS {model.touched_table}")
            create_table(warehouse, model.touched_table, touched_columns(model))
            columns = dict.fromkeys(touched_columns(model))
            everything = {**columns, "change_id": 0, "run_id": run_id, "image": f"all:{reason}"}
            warehouse.insert(model.touched_table, [everything])
        if not warehouse.sql.is_duckdb:
            if model.refresh_key:
                warehouse.execute(f"CREATE INDEX ON {model.table} ({model.refresh_key})")
            warehouse.execute(f"ANALYZE {model.table}")
        count = warehouse.scalar(f"SELECT COUNT(*) FROM {model.table}")
        if self._is_consumed(model):
            key = model.key[0]
            record_changes(
                warehouse,
                model.table,
                run_id,
                f"SELECT DISTINCT {key} AS key, 'upsert' AS operation FROM {model.table}",
            )
        return count, count

    def _is_consumed(self, model: TableModel) -> bool:
        """Whether somebody follows the model's changes: another model, or the read copy (of what refreshes by key)."""
        return (
            model.refresh == "keys"
            or any(model.table in other.consumes for other in self.catalog.tables.values())
            or any(
                model.table in self.upstreams(other)
                for other in self.catalog.tables.values()
                if other.refresh == "full"
            )
        )

    def _replace_keys(self, warehouse: Warehouse, model: TableModel, run_id: str, position: int) -> tuple[int, int]:
        keys = " UNION ".join(self._touched_keys(table, how) for table, how in model.consumes.items())
        warehouse.execute(
            f"CREATE TEMPORARY TABLE run_keys AS SELECT DISTINCT key FROM ({keys}) AS touched", {"position": position}
        )
        if not warehouse.sql.is_duckdb:
            warehouse.execute("ANALYZE run_keys")
        names = ", ".join(model.columns)
        warehouse.execute(
            f"CREATE TEMPORARY TABLE run_rows AS SELECT {names} FROM ({self.render(model, only_changed=True)}) AS built"
        )
        count = warehouse.scalar("SELECT COUNT(*) FROM run_keys")
        warehouse.execute(
            f"CREATE TEMPORARY TABLE run_old AS SELECT {names} FROM {model.table} "
            f"WHERE {model.refresh_key} IN (SELECT key FROM run_keys)"
        )
        rows = self._exchange(warehouse, model, run_id)
        # Every row of the keys that changed is in run_rows, and no other row can have begun to break a check.
        self._run_checks(warehouse, model, run_id, "run_rows")
        for name in ("run_keys", "run_rows", "run_old"):
            warehouse.execute(f"DROP TABLE {name}")
        return count, rows

    def _touched_keys(self, table: str, how: Any) -> str:
        changed = f"SELECT key FROM ops.changes WHERE change_id > :position AND table_name = '{table}'"
        if how.key:
            return changed
        return f"SELECT {how.select or how.match} AS key FROM {how.through} WHERE {how.match} IN ({changed})"

    def _replace_all(self, warehouse: Warehouse, model: TableModel, run_id: str) -> tuple[int, int]:
        names = ", ".join(model.columns)
        warehouse.execute(f"CREATE TEMPORARY TABLE run_rows AS SELECT {names} FROM ({self.render(model)}) AS built")
        warehouse.execute(f"CREATE TEMPORARY TABLE run_old AS SELECT {names} FROM {model.table}")
        rows = self._exchange(warehouse, model, run_id)
        for name in ("run_rows", "run_old"):
            warehouse.execute(f"DROP TABLE {name}")
        return rows, rows

    def _exchange(self, warehouse: Warehouse, model: TableModel, run_id: str) -> int:
        """Writes only rows that differ, leaving images of what was and what is; number of keys that changed."""
        names = ", ".join(model.columns)
        stable = ", ".join(name for name, column in model.columns.items() if not column.volatile)
        key = ", ".join(model.key)
        matched = " AND ".join(f"moved.{part} IS NOT DISTINCT FROM {{0}}.{part}" for part in model.key)
        warehouse.execute(
            f"CREATE TEMPORARY TABLE run_moved AS SELECT DISTINCT {key} FROM ("
            f"(SELECT {stable} FROM run_rows EXCEPT SELECT {stable} FROM run_old) UNION ALL "
            f"(SELECT {stable} FROM run_old EXCEPT SELECT {stable} FROM run_rows)) AS differing"
        )
        count = warehouse.scalar("SELECT COUNT(*) FROM run_moved")
        if count:
            exists = f"EXISTS (SELECT 1 FROM run_moved AS moved WHERE {matched})"
            if model.touched_table:
                self._leave_images(warehouse, model, run_id, exists)
            warehouse.execute(f"DELETE FROM {model.table} WHERE {exists.format(model.table)}")
            warehouse.execute(
                f"INSERT INTO {model.table} ({names}) SELECT {names} FROM run_rows WHERE {exists.format('run_rows')}"
            )
            if self._is_consumed(model):
                select = f"SELECT DISTINCT {model.key[0]} AS key, 'upsert' AS operation FROM run_moved"
                record_changes(warehouse, model.table, run_id, select)
        warehouse.execute("DROP TABLE run_moved")
        return count

    def _leave_images(self, warehouse: Warehouse, model: TableModel, run_id: str, exists: str) -> None:
        table = model.touched_table
        names = [name for name in touched_columns(model) if name not in ("change_id", "run_id", "image")]
        columns = ", ".join(names)
        for image, rows in (("before", "run_old"), ("after", "run_rows")):
            warehouse.execute(
                f"INSERT INTO {table} (change_id, run_id, image, {columns}) "
                f"SELECT (SELECT COALESCE(MAX(change_id), 0) FROM {table}) + 1, :run_id, :image, {columns} "
                f"FROM {rows} WHERE {exists.format(rows)}",
                {"run_id": run_id, "image": image},
            )

    def _run_checks(self, warehouse: Warehouse, model: TableModel, run_id: str, rows: str) -> None:
        """A `stop` check that fails rolls the model back; a `warn` check is recorded. `rows`: the table to look at."""
        warehouse.execute(
            "DELETE FROM ops.check_results WHERE run_id = :run_id AND entity = :table",
            {"run_id": run_id, "table": model.table},
        )
        checked = warehouse.scalar(f"SELECT COUNT(*) FROM {rows}")
        for check in model.checks:
            if check.unique:
                columns = ", ".join(check.unique)
                bad = f"SELECT 1 FROM {rows} GROUP BY {columns} HAVING COUNT(*) > 1"
            else:
                bad = f"SELECT 1 FROM {rows} WHERE {check.never}"
            failed = warehouse.scalar(f"SELECT COUNT(*) FROM ({bad}) AS bad")
            if failed and check.severity == "stop":
                next_step = (
                    f"see the check in include/sql/{model.schema_name}/{model.name}.yaml; the table stays as it was"
                )
                raise WarehouseError(f"{model.table}.{check.id}", f"{failed} rows break the check", next_step)
            result = {"result": "warned" if failed else "passed", "failed_count": failed, "checked_count": checked}
            identity = {"run_id": run_id, "source": "", "entity": model.table, "check_id": check.id}
            kind = {"scope": "model", "severity": check.severity, "message": ""}
            warehouse.insert("ops.check_results", [{**identity, **kind, **result}])

    def _remember(self, warehouse: Warehouse, model: TableModel, run_id: str, position: int, reason: str) -> None:
        warehouse.execute("DELETE FROM ops.model_states WHERE model = :model", {"model": model.table})
        state = {"model": model.table, "fingerprint": self.fingerprints[model.table], "position": position}
        warehouse.insert("ops.model_states", [{**state, "run_id": run_id, "rebuilt_because": reason}])


def touched_columns(model: TableModel) -> dict[str, str]:
    """Columns of the table that tells which dates and segments a model's changed rows had and have."""
    kept = dict.fromkeys([*model.key, *model.dates, *model.segment_columns])
    return {
        "change_id": "bigint",
        "run_id": "text",
        "image": "text",
        **{name: model.columns[name].type for name in kept},
    }
