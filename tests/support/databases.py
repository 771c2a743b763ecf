"""Databases of a PostgreSQL server that tests make and drop."""

from __future__ import annotations

import sqlalchemy as sa


def create_database(server: sa.URL, name: str, template: str = "template0") -> None:
    """An empty one in UTF-8 and C collation, or the copy of one that nobody is connected with."""
    locale = " ENCODING 'UTF8' LOCALE 'C'" if template == "template0" else ""
    execute(server, f"CREATE DATABASE {name} TEMPLATE {template}{locale} STRATEGY file_copy")


def drop_database(server: sa.URL, name: str) -> None:
    """Whoever is still connected with it is cut off."""
    execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def execute(url: sa.URL, *statements: str) -> None:
    """Each statement by itself, outside any transaction."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()
