"""Connections of the command line, read the way Airflow reads them but without importing Airflow.

Stages receive a resolver, `connection_id -> Connection`. DAGs pass Airflow's own (`hansei.orchestration`);
everything else passes `resolve`, which looks at `AIRFLOW_CONN_<ID>` and then asks `airflow connections get`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import sqlalchemy as sa

from hansei.errors import HanseiError

ENVIRONMENT_PREFIX = "AIRFLOW_CONN_"
ASK_TIMEOUT_SECONDS = 60
# Airflow's connection types whose SQLAlchemy dialect has another name. Anything else is taken as the dialect itself.
DIALECTS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}
FILE_DIALECTS = ("sqlite", "duckdb")
# Extras that steer Airflow's hooks and mean nothing to a database driver.
HOOK_EXTRAS = ("sqlalchemy_scheme", "sqlalchemy_query", "cursor", "iam", "service")


class ConnectionNotFound(HanseiError):
    """No place that was tried knows the connection."""


class ConnectionUnreadable(HanseiError):
    """A place knows the connection, but what it says cannot be parsed."""


@dataclass(frozen=True)
class Connection:
    """One connection in Airflow's terms. `repr` never shows the password, nor `extra`, which may hold tokens."""

    connection_id: str
    conn_type: str
    host: str | None = None
    port: int | None = None
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    schema: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)

    def sqlalchemy_url(self) -> sa.URL:
        """The URL of the database; `extra.sqlalchemy_scheme` names another driver, simple extras become its query."""
        driver = self.extra.get("sqlalchemy_scheme") or DIALECTS.get(self.conn_type, self.conn_type)
        if driver.split("+")[0] in FILE_DIALECTS:
            return sa.URL.create(driver, database=self.schema or self.host)
        query = {
            key: str(value)
            for key, value in self.extra.items()
            if key not in HOOK_EXTRAS and not key.startswith("extra__") and isinstance(value, str | int)
        }
        return sa.URL.create(driver, self.login, self.password, self.host, self.port, self.schema, query)


Resolver = Callable[[str], Connection]


def resolve(connection_id: str, environ: Mapping[str, str] | None = None) -> Connection:
    """The connection called `connection_id`, from the environment or from Airflow's own store.

    Raises ConnectionNotFound with every place that was tried, ConnectionUnreadable where a value makes no sense.
    """
    env = os.environ if environ is None else environ
    name = ENVIRONMENT_PREFIX + connection_id.upper()
    tried = [f"environment {name} (not set)"]
    if value := env.get(name):
        return parse(connection_id, value, place=name)
    found, answer = _ask_airflow(connection_id, env)
    if found:
        return _from_fields(connection_id, json.loads(answer)[0], place="airflow connections get")
    tried.append(f"airflow connections get {connection_id} ({answer})")
    raise ConnectionNotFound(
        f"connection {connection_id!r}",
        "found in none of: " + "; ".join(tried),
        f"set {name} to a URI or JSON, or run `airflow connections add {connection_id} --conn-uri ...`",
    )


def parse(connection_id: str, value: str, place: str) -> Connection:
    """A connection from the text of an `AIRFLOW_CONN_` variable: a JSON object or a URI."""
    if value.lstrip().startswith("{"):
        try:
            fields = json.loads(value)
        except json.JSONDecodeError as error:
            raise _unreadable(place, f"JSON that breaks off at line {error.lineno}, column {error.colno}") from None
        return _from_fields(connection_id, fields, place)
    return _from_uri(connection_id, value, place)


def _from_fields(connection_id: str, fields: Mapping[str, Any], place: str) -> Connection:
    if not fields.get("conn_type"):
        raise _unreadable(place, "no conn_type")
    port = fields.get("port")
    if port is not None and not str(port).isdigit():
        raise _unreadable(place, "a port that is not a number")
    return Connection(
        connection_id=connection_id,
        conn_type=_conn_type(fields["conn_type"]),
        host=fields.get("host") or None,
        port=int(port) if port else None,
        login=fields.get("login") or None,
        password=fields.get("password") or None,
        schema=fields.get("schema") or None,
        extra=_extra(fields.get("extra_dejson") or fields.get("extra") or {}, place),
    )


def _from_uri(connection_id: str, uri: str, place: str) -> Connection:
    if "://" not in uri:
        raise _unreadable(place, "neither a JSON object nor a URI")
    scheme, rest = uri.split("://", 1)
    # A second scheme belongs to the host (https behind a REST connection), as Airflow has it.
    protocol = re.match(r"^(\w+)://", rest)
    parts = urlsplit("//" + (rest[protocol.end() :] if protocol else rest))
    try:
        port = parts.port
    except ValueError:
        raise _unreadable(place, "a port that is not a number") from None
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    # hostname is lower-cased by urlsplit; a socket directory or a file share is not.
    host = unquote(parts.netloc.rpartition("@")[2].removesuffix(f":{port}" if port else ""))
    return Connection(
        connection_id=connection_id,
        conn_type=_conn_type(scheme),
        host=(f"{protocol[1]}://{host}" if protocol else host) or None,
        port=port,
        login=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        schema=unquote(parts.path[1:]) or None,
        extra=_extra(query.get("__extra__", query), place),
    )


def _extra(value: str | Mapping[str, Any], place: str) -> Mapping[str, Any]:
    if not isinstance(value, str):
        return value
    try:
        extra = json.loads(value)
    except json.JSONDecodeError:
        extra = None
    if not isinstance(extra, dict):
        raise _unreadable(place, "an extra that is not a JSON object")
    return extra


def _conn_type(scheme: str) -> str:
    return "postgres" if scheme == "postgresql" else scheme.replace("-", "_")


def _unreadable(place: str, found: str) -> ConnectionUnreadable:
    return ConnectionUnreadable(place, f"{found} (value not shown)", "give a URI or a JSON object with conn_type")


def _ask_airflow(connection_id: str, env: Mapping[str, str]) -> tuple[bool, str]:
    """(True, JSON list of one connection) or (False, why not); takes seconds, since Airflow has to start."""
    beside = Path(sys.executable).with_name("airflow")
    command = str(beside) if beside.exists() else shutil.which("airflow", path=env.get("PATH"))
    if command is None:
        return False, "no airflow command here"
    try:
        answer = subprocess.run(
            [command, "connections", "get", connection_id, "--output", "json"],
            capture_output=True,
            text=True,
            timeout=ASK_TIMEOUT_SECONDS,
            env=dict(env),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False, f"no answer in {ASK_TIMEOUT_SECONDS} s"
    start = answer.stdout.find("[{")
    if answer.returncode == 0 and start >= 0:
        return True, answer.stdout[start:]
    return False, "Connection not found" if "not found" in answer.stdout + answer.stderr else "Airflow could not answer"
