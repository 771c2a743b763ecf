"""SQL models: one SELECT a file, rendered for an engine, ordered by what they read, known by their fingerprints.

`warehouse.refresh` runs them. In a model, `rows('schema.table')` names a table of which a refresh by keys reads only
the rows of the keys that changed; `rows('schema.table', 'column')` where another column of it holds the key. Tables of
the schema `work` are temporary: they live while a refresh lasts and let several models share one pass over the events.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound

from hansei.catalog import Catalog
from hansei.catalog.tables import Consumes, TableModel
from hansei.errors import HanseiError
from hansei.warehouse.dialect import Dialect
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.ledger import rendering_context
from hansei.warehouse.practices import practice_context
from hansei.warehouse.seeds import SEEDS
from hansei.warehouse.sla import SlaRules

_READ = re.compile(r"\b(?:FROM|JOIN)\s+([a-z][a-z0-9_]*\.[a-z][a-z0-9_]*)")
_WORD = re.compile(r"[a-z][a-z0-9_]*")
_COMMENT = re.compile(r"--[^\n]*")
Rows = Callable[..., str]


def whole(table: str, key: str | None = None) -> str:
    """The relation that `rows(table)` or `rows(table, key)` names where all of it is read: the table itself."""
    return table


@dataclass(frozen=True)
class Refresh:
    """What one model did, or would do: `reason` is `nothing`, `changes`, `created` or `definition`."""

    table: str
    reason: str
    key_count: int = 0
    row_count: int = 0


def tables_read(sql: str) -> set[str]:
    """Names `schema.table` after FROM and JOIN; a test holds it against a parser's answer."""
    return set(_READ.findall(_COMMENT.sub("", sql)))


def sql_templates(catalog: Catalog) -> Environment:
    """Templates of the catalog's SQL, with what Jinja knows of itself; models take theirs through a ModelRunner."""
    return _environment(catalog.include / "sql")


@cache
def _environment(folder: Path) -> Environment:
    """One for each folder of SQL: it keeps the compiled templates, and looks whether their files have changed."""
    return Environment(loader=FileSystemLoader(folder), undefined=StrictUndefined, autoescape=False)


class ModelRunner:
    """Every model of a catalog for one engine. `seeds`: fingerprints of the tables that Python planted."""

    def __init__(self, catalog: Catalog, dialect: Dialect, seeds: Mapping[str, str] | None = None) -> None:
        self.catalog = catalog
        self.dialect = dialect
        self.seeds = dict(seeds or {})
        self._upstreams: dict[str, set[str]] = {}
        self._words: dict[str, set[str]] = {}
        self._latest: dict[str, tuple[int, int]] = {}
        self._newest_change = 0
        self._rendered: dict[str, str] = {}
        self.environment = sql_templates(catalog)

    def render(self, model: TableModel, rows: Rows = whole) -> str:
        """The model's SELECT; `rows` says under which name the rows of a table are read, by default its own."""
        return self.render_work(model.table, rows)

    def render_work(self, table: str, rows: Rows = whole) -> str:
        """As `render`, for the temporary tables of `work` too, which have no metadata beside them."""
        if rows is whole and table in self._rendered:
            return self._rendered[table]
        try:
            template = self.environment.get_template(f"{table.replace('.', '/')}.sql")
        except TemplateNotFound:
            path = self.catalog.include / "sql" / f"{table.replace('.', '/')}.sql"
            next_step = f"write the SELECT of {table}, or remove what names it"
            raise HanseiError(str(path), "no such file", next_step) from None
        text = template.render(rows=rows, **self._context).strip()
        if rows is whole:
            self._rendered[table] = text
        return text

    @cached_property
    def _context(self) -> dict:
        return {
            "sql": self.dialect,
            "service": self.catalog.service,
            "links": self.catalog.links["account_links"],
            "services": self.catalog.services,
            "procedures": self.catalog.procedures,
            "contracts": self.catalog.surveys,
            "servqual_weights": self.catalog.servqual_weights["servqual"].weights,
            "benchmarks": self.catalog.benchmarks,
            "topics": sorted(self.catalog.topics.values(), key=lambda topic: topic.precedence),
            "directions": {name: item.direction for name, item in self.catalog.indicators.items()},
            "sla": SlaRules(self.catalog, self.dialect),
            **practice_context(self.catalog),
            **rendering_context(self.catalog, self.dialect),
        }

    def upstreams(self, model: TableModel) -> tuple[str, ...]:
        """Tables that the SELECT reads, from the SQL itself; in place of work tables what those read."""
        return tuple(sorted(self._read_through(model.table) - {model.table}))

    def _read_through(self, table: str) -> set[str]:
        if table not in self._upstreams:
            read = tables_read(self.render_work(table))
            through = (self._read_through(name) for name in read if name.startswith("work."))
            self._upstreams[table] = {name for name in read if not name.startswith("work.")}.union(*through)
        return self._upstreams[table]

    def words_of(self, key: str) -> set[str]:
        """Every word in the SQL of the models of a refresh key: which columns of a table they can read."""
        if key not in self._words:
            members = [model.table for model in self.catalog.tables.values() if model.refresh_key == key]
            files = set(members).union(*map(self._works_of, members))
            self._words[key] = {word for table in files for word in _WORD.findall(self.render_work(table))}
        return self._words[key]

    @cached_property
    def order(self) -> list[TableModel]:
        """Every model after those that it reads; the members of a family (the same refresh key) follow one another."""
        names = {name: self.family_of(model) for name, model in self.catalog.tables.items()}
        graph: dict[str, set[str]] = {name: set() for name in names.values()}
        for name, model in self.catalog.tables.items():
            graph[names[name]] |= {names.get(above, above) for above in self.upstreams(model)} - {names[name]}
        inner = {name: set(self.upstreams(model)) for name, model in self.catalog.tables.items()}
        try:
            families = _sorted(graph)
            members = _sorted(inner)
        except CycleError as error:
            raise HanseiError("include/sql", f"models read one another: {error.args[1]}", "break the circle") from None
        ranks = {name: (families.index(family), members.index(name)) for name, family in names.items()}
        return [self.catalog.tables[name] for name in sorted(names, key=ranks.__getitem__)]

    def family_of(self, model: TableModel) -> str:
        """Models that are refreshed by the same keys are looked at together, so that each reads changed rows once."""
        return f"{model.schema_name} by {model.refresh_key}" if model.refresh == "keys" else model.table

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """Per model: a hash of its rendered SQL, its metadata and its upstreams' fingerprints."""
        prints = {seed: self.seeds.get(seed, "") for seed in SEEDS}
        for model in self.order:
            above = [prints.get(name, name) for name in self.upstreams(model)]
            works = [self.render_work(name) for name in sorted(self._works_of(model.table))]
            prints[model.table] = self.catalog.fingerprint(self.render(model), works, model, above)
        return prints

    def _works_of(self, table: str) -> set[str]:
        """Work tables that a model is made of, directly or not."""
        direct = {name for name in tables_read(self.render_work(table)) if name.startswith("work.")}
        return direct.union(*(self._works_of(name) for name in direct))

    def reason(self, model: TableModel, state: Mapping | None, existing: set[str]) -> str:
        """Why the model would be refreshed now, by the changes last looked at; `nothing` where it is up to date."""
        if state is None or model.table not in existing:
            return "created"
        if state["fingerprint"] != self.fingerprints[model.table]:
            return "definition"
        if model.kind == "view":
            return "nothing"
        reached = [self._latest[table] for table in self.watched(model) if table in self._latest]
        if not any(change > state["position"] for change, _ in reached):
            return "nothing"
        is_rebuilt = any(rebuild > state["position"] for _, rebuild in reached)
        return "definition" if is_rebuilt and model.refresh == "keys" else "changes"

    def look(self, warehouse: Warehouse) -> int:
        """Takes note, per table, of its newest change and its newest rebuild; number of the newest of all.

        Reads only what was logged since it looked last.
        """
        # Without a bound parameter: DuckDB imports pandas for the first of them.
        query = (
            "SELECT table_name, MAX(change_id) AS newest, "
            "MAX(CASE WHEN operation = 'rebuild' THEN change_id END) AS rebuilt "
            f"FROM ops.changes WHERE change_id > {self._newest_change} GROUP BY table_name"
        )
        for row in warehouse.rows(query):
            _, before = self._latest.get(row["table_name"], (0, 0))
            self._latest[row["table_name"]] = row["newest"], row["rebuilt"] or before
        self._newest_change = max((change for change, _ in self._latest.values()), default=0)
        return self._newest_change

    def watched(self, model: TableModel) -> tuple[str, ...]:
        """Tables whose changes concern the model."""
        if model.refresh != "keys":
            return self.upstreams(model)
        return tuple(dict.fromkeys(table for table, _ in self.inputs(model)))

    def inputs(self, model: TableModel) -> list[tuple[str, Consumes]]:
        """What the model consumes by key; in place of tables of its own family what those consume.

        Members are refreshed in one go but commit one by one. So a member that a kill kept from its turn must find
        the keys again from its own position, when those before it have none to announce any more.
        """
        tables, family = self.catalog.tables, self.family_of(model)
        found: dict[tuple[str, str], tuple[str, Consumes]] = {}
        waiting, seen = [model], {model.table}
        while waiting:
            for table, ways in waiting.pop().consumes.items():
                above = tables.get(table)
                if above is None or self.family_of(above) != family:
                    found |= {(table, how.keys(table)): (table, how) for how in ways}
                elif table not in seen:
                    seen.add(table)
                    waiting.append(above)
        return list(found.values())

    def plan(self, warehouse: Warehouse, schema: str) -> list[Refresh]:
        """What the next refresh of the schema's models would do, without doing it."""
        states = {row["model"]: row for row in warehouse.rows("SELECT * FROM ops.model_states")}
        existing = warehouse.tables()
        self.look(warehouse)
        return [
            Refresh(model.table, self.reason(model, states.get(model.table), existing))
            for model in self.order
            if model.schema_name == schema
        ]


def _sorted(graph: Mapping[str, set[str]]) -> list[str]:
    return list(TopologicalSorter({name: sorted(graph[name]) for name in sorted(graph)}).static_order())
