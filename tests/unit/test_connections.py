from __future__ import annotations

import json

import pytest

from hansei import connections
from hansei.connections import Connection, ConnectionNotFound, ConnectionUnreadable, parse, resolve

SECRET = "p@ss/word-9"


def test_a_uri_is_read_as_airflow_reads_it() -> None:
    uri = "postgresql://desk:p%40ss%2Fword-9@db.example:5433/crm?sslmode=require"
    connection = resolve("crm", {"AIRFLOW_CONN_CRM": uri})
    assert connection == Connection(
        "crm", "postgres", "db.example", 5433, "desk", SECRET, "crm", {"sslmode": "require"}
    )
    assert (
        connection.sqlalchemy_url().render_as_string(hide_password=False)
        == "postgresql+psycopg://desk:p%40ss%2Fword-9@db.example:5433/crm?sslmode=require"
    )


def test_json_is_read_with_extra_as_object_or_text() -> None:
    for extra in ({"charset": "utf8mb4"}, '{"charset": "utf8mb4"}'):
        fields = {"conn_type": "mysql", "host": "h", "login": "u", "password": SECRET, "schema": "s", "extra": extra}
        url = resolve("crm", {"AIRFLOW_CONN_CRM": json.dumps(fields)}).sqlalchemy_url()
        assert (url.drivername, url.database, url.password, dict(url.query)) == (
            "mysql",
            "s",
            SECRET,
            {"charset": "utf8mb4"},
        )


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("sqlite:////data/desk.sqlite", "sqlite:////data/desk.sqlite"),
        ('{"conn_type": "sqlite", "host": "/data/desk.sqlite"}', "sqlite:////data/desk.sqlite"),
        ("postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
        ('{"conn_type": "postgres", "host": "h", "extra": {"sqlalchemy_scheme": "postgresql+psycopg2"}}',
         "postgresql+psycopg2://h"),
    ],
)  # fmt: skip
def test_the_dialect_follows_the_connection_type(value: str, url: str) -> None:
    assert parse("desk", value, place="test").sqlalchemy_url().render_as_string(hide_password=False) == url


def test_a_rest_host_keeps_its_protocol() -> None:
    connection = parse("desk", "http://https://me:tok@Desk.example:8443/api", place="test")
    assert (connection.conn_type, connection.host, connection.port) == ("http", "https://Desk.example", 8443)
    assert (connection.login, connection.password, connection.schema) == ("me", "tok", "api")


def test_a_missing_connection_names_every_place_and_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_ask_airflow", lambda *_: (False, "Connection not found"))
    with pytest.raises(ConnectionNotFound) as caught:
        resolve("crm", {"AIRFLOW_CONN_OTHER": f"postgresql://u:{SECRET}@h/d"})
    message = str(caught.value)
    assert "AIRFLOW_CONN_CRM" in message
    assert "airflow connections get crm (Connection not found)" in message
    assert SECRET not in message


@pytest.mark.parametrize(
    "value",
    [
        f'{{"password": "{SECRET}"',
        f'{{"password": "{SECRET}"}}',
        SECRET,
        f"postgresql://u:{SECRET[-4:]}@h:port/d",
        "http://h/?__extra__=word-9",
    ],
)
def test_an_unreadable_value_is_never_quoted(value: str) -> None:
    with pytest.raises(ConnectionUnreadable) as caught:
        parse("crm", value, place="AIRFLOW_CONN_CRM")
    assert "AIRFLOW_CONN_CRM" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert value not in str(caught.value)


def test_repr_shows_neither_password_nor_extra() -> None:
    connection = Connection("crm", "http", "h", password=SECRET, extra={"token": "tok-123"})
    assert SECRET not in repr(connection)
    assert "tok-123" not in repr(connection)
    assert "crm" in repr(connection)


def test_airflow_answers_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = json.dumps([{"conn_id": "crm", "conn_type": "postgres", "host": "h", "port": 5432, "schema": "d",
                          "login": "u", "password": SECRET, "extra_dejson": {"sslmode": "require"}}])  # fmt: skip
    monkeypatch.setattr(connections, "_ask_airflow", lambda *_: (True, answer))
    assert resolve("crm", {}) == Connection("crm", "postgres", "h", 5432, "u", SECRET, "d", {"sslmode": "require"})
